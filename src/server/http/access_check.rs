//! Middleware that refuses a request unless its host, its origin and its sender are what the route requires.

use super::{Problem, fallback::not_found_at, problem::root_from, proxy_session};
use crate::server::{
    access::{
        Client, Peer, Permission, Principal, Sender, SharedPermit, Unauthenticated, authenticate, check_host,
        check_origin, check_own_origin, client_address, is_forwarded, proxy_user, requested_host,
    },
    app_state::AppState,
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};
use tokio::time::timeout;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Access {
    /// Everyone, under any name and from any page: the response has nothing of the host, and probes reach it by names that
    /// nobody configures.
    Open,
    /// Everyone, under a name of the server and from its own pages: to sign in.
    SignIn,
    /// A principal with this permission, from our own pages and from those of allowed origins.
    Requires(Permission),
    /// The same, for what changes nothing, whatever its method.
    RequiresToReport(Permission),
    /// The same; the handler also lets the page of an allowed origin read the response.
    RequiresWithCors(Permission),
}

/// What a request costs the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Cost {
    /// A copy of what is in memory.
    Memory,
    /// A response that requests share until the next tick.
    Shared,
    /// A stream, which counts against the limits of streams.
    Stream,
    /// Reads of the history, which has a queue of its own.
    Query,
    /// The slow hash of a password, or a write to the disk: few at a time.
    Slow,
    /// The answer of another server, for which few wait at a time.
    Remote,
}

/// The requirements of a route: who may use it, and what it costs.
pub(in crate::server) type Requirements = (Access, Cost);

/// Finds the requirements of a method and a path.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct RouteTable(pub(in crate::server) fn(&Method, &str) -> Option<Requirements>);

/// A path or method without a route, which changes nothing, but is reported to readers only.
const UNKNOWN: Requirements = (Access::RequiresToReport(Permission::Read), Cost::Memory);
/// How long a request waits for its turn to be slow.
const SLOW_TIMEOUT: Duration = Duration::from_secs(5);

/// The client's address, as far as trusted proxies report it.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct ClientAddress(pub(in crate::server) IpAddr);

/// Refuses a request that its route does not admit; adds the [`Principal`] and the [`ClientAddress`] for its handler.
pub(in crate::server) async fn check_access(
    State((state, routes)): State<(AppState, RouteTable)>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let (access, cost) = (routes.0)(request.method(), path).unwrap_or(UNKNOWN);
    // Without an address it could be anyone's.
    let unknown = Peer::Address(Ipv4Addr::UNSPECIFIED.into());
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(unknown);
    let client = client_address(peer, request.headers(), &state.settings.trusted_proxy);
    match check(&state, access, cost, &request, (peer, client)) {
        Ok(mut principal) => {
            let mut cookie = None;
            if is_page(request.method(), request.uri().path()) {
                let session = proxy_session::open(&state, client, request.headers(), principal.as_ref()).await;
                if let Some((session, secret)) = session {
                    (principal, cookie) = (Some(session), Some(secret));
                }
            }
            let counted = Client::of(principal.as_ref(), client);
            if let Some(permit) = request.extensions().get::<SharedPermit>() {
                permit.count_for(&counted);
            }
            request.extensions_mut().insert(ClientAddress(client));
            principal.map(|principal| request.extensions_mut().insert(principal));
            // A proxy that isn't trusted may be a program of this host, with many clients.
            let is_limited = matches!(cost, Cost::Shared | Cost::Query | Cost::Slow | Cost::Remote)
                && (!client.is_loopback() || counted != client.into());
            let mut response = match (is_limited.then(|| state.requests.admit(counted)).transpose(), cost) {
                (Err(_), _) => busy("Too many requests of one client", StatusCode::TOO_MANY_REQUESTS, &request),
                (Ok(_permit), Cost::Slow) => run_slowly(&state, request, next).await,
                (Ok(_permit), _) => next.run(request).await,
            };
            cookie.map(|cookie| response.headers_mut().append(header::SET_COOKIE, cookie));
            response
        }
        Err(refusal) => {
            // The stream's handler counts only what reaches it.
            if cost == Cost::Stream {
                state.statistics.stream_refused(refusal.status());
            }
            refusal.respond(request)
        }
    }
}

async fn run_slowly(state: &AppState, request: Request, next: Next) -> Response {
    match timeout(SLOW_TIMEOUT, state.slow_requests.acquire()).await {
        Ok(Ok(_permit)) => next.run(request).await,
        _ => busy("Busy", StatusCode::SERVICE_UNAVAILABLE, &request),
    }
}

fn busy(title: &'static str, status: StatusCode, request: &Request) -> Response {
    let problem = Problem::new(status, title, "Too many requests of this kind are under way; retry later.");
    Problem { retry_after: Some(SLOW_TIMEOUT.as_secs() as u32), ..problem }.respond_at(request.uri().path())
}

/// Why a request is refused.
enum Refusal {
    Problem(Problem),
    Unauthenticated(Unauthenticated),
    /// What a principal may not see doesn't exist for it.
    Hidden,
}

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

fn check(
    state: &AppState,
    access: Access,
    cost: Cost,
    request: &Request,
    (peer, client): (Peer, IpAddr),
) -> Result<Option<Principal>, Refusal> {
    let (headers, settings) = (request.headers(), &state.settings);
    let host = requested_host(request.version(), request.uri(), headers)?;
    if access == Access::Open {
        return Ok(None);
    }
    if let Some(host) = host {
        check_host(&host, &state.host.name, &settings.allow_host)?;
    }
    if !matches!(access, Access::RequiresWithCors(_)) {
        check_origin(headers, &settings.allow_origin)?;
    }
    let publishes = access == Access::Requires(Permission::Publish);
    if !request.method().is_safe() && !matches!(access, Access::RequiresToReport(_)) {
        let is_program =
            headers.contains_key(header::AUTHORIZATION) || publishes && !headers.contains_key(header::COOKIE);
        let without_cookie = access == Access::SignIn || is_program;
        check_own_origin(headers, without_cookie)?;
    }
    let permission = match access {
        Access::Open | Access::SignIn => return Ok(None),
        Access::Requires(permission) | Access::RequiresToReport(permission) | Access::RequiresWithCors(permission) => {
            permission
        }
    };
    // A preflight carries no credential (Fetch standard, section 3.3.5).
    if request.method() == Method::OPTIONS {
        return Ok(None);
    }
    let query = request.uri().query().unwrap_or_default();
    let ticket = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| cost == Cost::Stream && name == "ticket");
    let ticket = ticket.map(|(_, ticket)| ticket);
    // While the users are unknown, a forwarded request may be anyone's, and through a proxy nobody publishes without a token.
    let is_direct = state.credentials.accounts().are_known() && !publishes || !is_forwarded(headers);
    let is_local = client.is_loopback() && is_direct;
    let user_header = settings.trusted_user_header.as_ref();
    let proxy_user = user_header.and_then(|header| proxy_user(peer, headers, header, &settings.trusted_proxy));
    let sender = Sender {
        headers,
        ticket: ticket.as_deref(),
        is_local,
        public: settings.public,
        proxy_user: proxy_user.as_ref(),
        others_sign_in: user_header.is_some() || state.oidc.is_some(),
    };
    let principal = authenticate(sender, &state.credentials, &state.tickets);
    let principal = principal.map_err(Refusal::Unauthenticated)?;
    match principal {
        principal if principal.may(permission) => Ok(Some(principal)),
        Principal::Public if publishes => Err(Refusal::Unauthenticated(Unauthenticated::Missing)),
        _ => Err(Refusal::Hidden),
    }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Problem(problem) => problem.status,
            Self::Unauthenticated(Unauthenticated::NoUser) => StatusCode::FORBIDDEN,
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Hidden => StatusCode::NOT_FOUND,
        }
    }

    fn respond(self, request: Request) -> Response {
        let (status, path) = (self.status(), request.uri().path());
        match self {
            Self::Problem(problem) => problem.respond_at(path),
            Self::Hidden => not_found_at(path),
            Self::Unauthenticated(Unauthenticated::Missing) if is_page(request.method(), path) => {
                let target = request.uri().path_and_query().map_or("", |target| target.as_str());
                let next: String = form_urlencoded::byte_serialize(target.trim_start_matches('/').as_bytes()).collect();
                // Relative, because a proxy may have removed a prefix from the path.
                Redirect::to(&format!("{}sign-in?next={next}", root_from(path))).into_response()
            }
            Self::Unauthenticated(reason) => {
                let title = if status == StatusCode::FORBIDDEN { "No user yet" } else { "Not signed in" };
                let mut response = Problem::new(status, title, reason.to_string()).respond_at(path);
                let challenge = match reason {
                    Unauthenticated::NoUser => return response,
                    Unauthenticated::Missing => "Bearer realm=\"Hostbeat\"",
                    Unauthenticated::InvalidToken | Unauthenticated::InvalidTicket => {
                        "Bearer realm=\"Hostbeat\", error=\"invalid_token\""
                    }
                };
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
                response
            }
        }
    }
}

/// Whether a reader looks at the response, and so can sign in.
fn is_page(method: &Method, path: &str) -> bool {
    method.is_safe() && !["/api/", "/chart/", "/metrics", "/readyz"].iter().any(|prefix| path.starts_with(prefix))
}
