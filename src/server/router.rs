//! The router: which path is answered by which handler, and what each requires of a request.

use super::{
    access::Permission,
    app_state::AppState,
    http::{
        access_check::{Access, Cost, RouteTable, check_access},
        annotations, arrange, asyncapi, base_path, channels, channels_page, chart_image, cross_origin, fallback, files,
        headers, health, history, metrics, oidc_sign_in, openapi, pages, publish, recordings, recordings_page, schema,
        settings, sign_in, snapshot, tickets,
    },
    stream,
};
use axum::{
    Router,
    http::Method,
    middleware,
    response::Redirect,
    routing::{MethodRouter, delete, get, options, patch, post, put},
};

/// A method and a path, their handler, who may use it, and what it costs.
type Route = (Method, &'static str, fn() -> MethodRouter<AppState>, Access, Cost);

const OPEN: Access = Access::Open;
const READ: Access = Access::Requires(Permission::Read);
const ACCOUNT: Access = Access::Requires(Permission::Account);
const PUBLISH: Access = Access::Requires(Permission::Publish);
const READ_WITH_CORS: Access = Access::RequiresWithCors(Permission::Read);

/// Every route. The router is built from this table, so that none is without requirements. `GET` includes `HEAD`.
static ROUTES: [Route; 50] = [
    (Method::GET, "/", || get(pages::dashboard), READ, Cost::Shared),
    (Method::GET, "/panels", || get(arrange::show), READ, Cost::Memory),
    (Method::POST, "/panels", || post(arrange::change), READ, Cost::Memory),
    (Method::GET, "/embed/{panel}", || get(pages::embedded), READ, Cost::Shared),
    (Method::GET, "/chart/{name}", || get(chart_image::chart_image), READ, Cost::Shared),
    (Method::GET, "/api/stream", || get(stream::stream), READ_WITH_CORS, Cost::Stream),
    (Method::OPTIONS, "/api/stream", || options(cross_origin::preflight), READ_WITH_CORS, Cost::Memory),
    (Method::GET, "/api/snapshot", || get(snapshot::snapshot), READ_WITH_CORS, Cost::Shared),
    (Method::OPTIONS, "/api/snapshot", || options(cross_origin::preflight), READ_WITH_CORS, Cost::Memory),
    (Method::POST, "/api/tickets", || post(tickets::issue), READ, Cost::Memory),
    (Method::POST, "/api/publish", || post(publish::publish), PUBLISH, Cost::Memory),
    (Method::GET, "/api/channels", || get(channels::list), READ, Cost::Memory),
    (Method::PUT, "/api/channels/{name}", || put(channels::declare), PUBLISH, Cost::Slow),
    (Method::DELETE, "/api/channels/{name}", || delete(channels::remove), PUBLISH, Cost::Slow),
    (Method::GET, "/api/annotations", || get(annotations::list), READ, Cost::Memory),
    (Method::POST, "/api/annotations", || post(annotations::write), PUBLISH, Cost::Slow),
    (Method::PATCH, "/api/annotations/{id}", || patch(annotations::change), PUBLISH, Cost::Slow),
    (Method::DELETE, "/api/annotations/{id}", || delete(annotations::remove), PUBLISH, Cost::Slow),
    (Method::GET, "/api/recordings", || get(recordings::list), READ, Cost::Memory),
    (Method::POST, "/api/recordings", || post(recordings::begin), PUBLISH, Cost::Slow),
    (Method::GET, "/api/recordings/{id}", || get(recordings::show), READ, Cost::Memory),
    (Method::PATCH, "/api/recordings/{id}", || patch(recordings::change), PUBLISH, Cost::Slow),
    (Method::DELETE, "/api/recordings/{id}", || delete(recordings::remove), PUBLISH, Cost::Slow),
    (Method::GET, "/api/history", || get(history::history), READ, Cost::Query),
    (Method::GET, "/api/history/processes", || get(history::processes), READ, Cost::Query),
    (Method::GET, "/api/schema", || get(schema::document), READ, Cost::Memory),
    (Method::GET, "/api/asyncapi.json", || get(asyncapi::document), READ, Cost::Memory),
    (Method::GET, "/api/openapi.json", || get(openapi::document), READ, Cost::Memory),
    (Method::GET, "/metrics", || get(metrics::metrics), READ, Cost::Shared),
    (Method::GET, "/sign-in", || get(sign_in::form), Access::SignIn, Cost::Memory),
    (Method::POST, "/sign-in", || post(sign_in::sign_in), Access::SignIn, Cost::Slow),
    (Method::GET, "/sign-in/oidc", || get(oidc_sign_in::start), Access::SignIn, Cost::Remote),
    (Method::GET, "/sign-in/oidc/callback", || get(oidc_sign_in::finish), Access::SignIn, Cost::Remote),
    (Method::POST, "/sign-out", || post(sign_in::sign_out), READ, Cost::Slow),
    (Method::GET, "/settings", || get(settings::show), ACCOUNT, Cost::Memory),
    (Method::POST, "/settings", || post(settings::change), ACCOUNT, Cost::Slow),
    (Method::GET, "/settings/channels", || get(channels_page::show), PUBLISH, Cost::Memory),
    (Method::POST, "/settings/channels", || post(channels_page::change), PUBLISH, Cost::Slow),
    (Method::GET, "/recordings", || get(recordings_page::list), READ, Cost::Query),
    (Method::POST, "/recordings", || post(recordings_page::begin), PUBLISH, Cost::Slow),
    (Method::GET, "/recordings/{id}", || get(recordings_page::show), READ, Cost::Query),
    (Method::POST, "/recordings/{id}", || post(recordings_page::change), PUBLISH, Cost::Slow),
    (Method::GET, "/recordings/{id}/download", || get(recordings_page::download), READ, Cost::Query),
    (Method::GET, "/healthz", || get(health::alive), OPEN, Cost::Memory),
    (Method::GET, "/readyz", || get(health::ready), READ, Cost::Memory),
    (Method::GET, "/offline", || get(files::offline), OPEN, Cost::Memory),
    (Method::GET, "/docs/operations.md", || get(files::operations), OPEN, Cost::Memory),
    (Method::GET, "/assets/{name}", || get(files::asset), OPEN, Cost::Memory),
    // Browsers request it for responses that aren't pages.
    (Method::GET, "/favicon.ico", || get(async || Redirect::permanent("favicon.svg")), OPEN, Cost::Memory),
    (Method::GET, "/{name}", || get(files::public), OPEN, Cost::Memory),
];

/// Every route.
pub fn router(state: AppState) -> Router {
    let router = ROUTES.iter().fold(Router::new(), |router, (_, path, handler, ..)| router.route(path, handler()));
    let table = RouteTable(|method, path| {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let route = ROUTES.iter().find(|(of_method, of_path, ..)| of_method == method && *of_path == path);
        route.map(|&(.., access, cost)| (access, cost))
    });
    let routes = router
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .fallback(fallback::not_found)
        .with_state(state.clone())
        .layer(middleware::from_fn_with_state((state.clone(), table), check_access));
    // Paths are changed before they are routed.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn_with_state(state, base_path::strip_base_path))
        .layer(middleware::from_fn(headers::limit_head))
        .layer(middleware::from_fn(headers::secure))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{
        access::{Client, Credentials, Peer},
        app_state::MAX_REQUESTS_PER_CLIENT,
        log::TickLog,
        oidc::{Oidc, OidcOptions},
        settings::Settings,
        store::{DataOptions, NewSession, Password, Proof, Role, Scope, SessionTimeouts, Store},
        stream::{ClientConnection, Handoff, StallFlag},
    };
    use axum::{body::Body, extract::Request, http::StatusCode};
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;
    use std::{net::IpAddr, sync::Arc};
    use tempfile::TempDir;

    /// Who may use a route.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Who {
        Everyone,
        /// Everyone, from our own pages.
        Here,
        Readers,
        /// Tokens that can publish, and admins.
        Publishers,
        /// Users who are signed in.
        Sessions,
    }
    use Who::{Everyone, Here, Publishers, Readers, Sessions};

    /// What each route must require. A new route needs a line here, so that its requirements are a decision.
    const EXPECTED: [(&str, &str, Who); 50] = [
        ("GET", "/", Readers),
        ("GET", "/panels", Readers),
        ("POST", "/panels", Readers),
        ("GET", "/embed/cpu", Readers),
        ("GET", "/chart/cpu.svg", Readers),
        ("GET", "/api/stream", Readers),
        ("OPTIONS", "/api/stream", Here),
        ("GET", "/api/snapshot", Readers),
        ("OPTIONS", "/api/snapshot", Here),
        ("POST", "/api/tickets", Readers),
        ("POST", "/api/publish", Publishers),
        ("GET", "/api/channels", Readers),
        ("PUT", "/api/channels/shop", Publishers),
        ("DELETE", "/api/channels/shop", Publishers),
        ("GET", "/api/annotations", Readers),
        ("POST", "/api/annotations", Publishers),
        ("PATCH", "/api/annotations/1", Publishers),
        ("DELETE", "/api/annotations/1", Publishers),
        ("GET", "/api/recordings", Readers),
        ("POST", "/api/recordings", Publishers),
        ("GET", "/api/recordings/1", Readers),
        ("PATCH", "/api/recordings/1", Publishers),
        ("DELETE", "/api/recordings/1", Publishers),
        ("GET", "/api/history", Readers),
        ("GET", "/api/history/processes", Readers),
        ("GET", "/api/schema", Readers),
        ("GET", "/api/asyncapi.json", Readers),
        ("GET", "/api/openapi.json", Readers),
        ("GET", "/metrics", Readers),
        ("GET", "/sign-in", Here),
        ("POST", "/sign-in", Here),
        ("GET", "/sign-in/oidc", Here),
        ("GET", "/sign-in/oidc/callback", Here),
        ("POST", "/sign-out", Readers),
        ("GET", "/settings", Sessions),
        ("POST", "/settings", Sessions),
        ("GET", "/settings/channels", Publishers),
        ("POST", "/settings/channels", Publishers),
        ("GET", "/recordings", Readers),
        ("POST", "/recordings", Publishers),
        ("GET", "/recordings/1", Readers),
        ("POST", "/recordings/1", Publishers),
        ("GET", "/recordings/1/download", Readers),
        ("GET", "/healthz", Everyone),
        ("GET", "/readyz", Readers),
        ("GET", "/offline", Everyone),
        ("GET", "/docs/operations.md", Everyone),
        ("GET", "/assets/hostbeat.css", Everyone),
        ("GET", "/favicon.ico", Everyone),
        ("GET", "/robots.txt", Everyone),
    ];
    /// Paths without a route.
    const UNKNOWN: [(&str, &str, Who); 2] = [("GET", "/no/such/path", Readers), ("DELETE", "/api/stream", Readers)];

    /// A server with accounts, and its senders by name, as the header that carries their secret.
    struct Server {
        state: AppState,
        senders: Vec<(&'static str, Vec<(&'static str, String)>)>,
        _folder: TempDir,
    }

    async fn server() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let options = DataOptions { data: Some(folder.path().join("data")) };
        let store = Store::open(&options, SessionTimeouts::default()).unwrap();
        let token = async |name: &'static str, scope, expires| {
            let add = store.edit(move |edit| edit.add_token(&name.parse().unwrap(), scope, expires));
            (name, vec![("authorization", format!("Bearer {}", add.await.unwrap().1.expose()))])
        };
        let name = "ann".parse().unwrap();
        let hash = Password::new("correct horse".to_owned(), &name).unwrap().hash().unwrap();
        let proof = Proof::Password(hash.clone());
        store.edit(move |edit| edit.add_user(&name, Role::Viewer, Some(&hash))).await.unwrap();
        let session = async |name: &'static str| {
            let session = NewSession {
                user: "ann".parse().unwrap(),
                proof: proof.clone(),
                address: [192, 0, 2, 1].into(),
                user_agent: String::new(),
            };
            let (id, secret) = store.edit(move |edit| edit.start_session(&session)).await.unwrap();
            let cookie = ("cookie", format!("hostbeat={}", secret.expose()));
            (id, (name, vec![cookie, ("sec-fetch-site", "same-origin".to_owned())]))
        };
        let ((_, open), (ended, ended_session)) = (session("session").await, session("ended session").await);
        let senders = vec![
            ("nobody", Vec::new()),
            token("viewer", Scope::Read, None).await,
            token("admin", Scope::Admin, None).await,
            token("publisher", Scope::Publish, None).await,
            token("expired", Scope::Admin, Some(1)).await,
            token("revoked", Scope::Admin, None).await,
            open,
            ended_session,
        ];
        store.edit(|edit| edit.revoke_token("revoked")).await.unwrap();
        store.edit(move |edit| edit.end_session(&ended)).await.unwrap();
        // A provider that is out of reach.
        let oidc = OidcOptions {
            oidc_issuer: Some("http://127.0.0.1:1".to_owned()),
            oidc_client_id: Some("hostbeat".to_owned()),
            ..OidcOptions::default()
        };
        let (credentials, oidc) = (Credentials::of(store), Oidc::open(&oidc).unwrap());
        let state = AppState::new(Arc::new(TickLog::default()), Settings::default());
        Server { state: AppState { credentials, oidc, ..state }, senders, _folder: folder }
    }

    impl Server {
        async fn status(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> StatusCode {
            let (handoff, _viewers) = Handoff::new();
            let peer = Peer::UnixSocket;
            let client = ClientConnection { peer, handoff: Some(handoff), stalled: StallFlag::default() };
            let request = Request::builder().method(method).uri(path).extension(client).extension(peer);
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let router = router(self.state.clone());
            TowerToHyperService::new(router).call(request.body(Body::empty()).unwrap()).await.unwrap().status()
        }

        fn admin(&self) -> (&str, &str) {
            let (_, headers) = self.senders.iter().find(|(name, _)| *name == "admin").unwrap();
            (headers[0].0, &headers[0].1)
        }
    }

    /// The refusal that the sender must get; `None` for an answer of the handler.
    fn expected_refusal(who: Who, method: &str, path: &str, sender: &str) -> Option<StatusCode> {
        let pages = ["/", "/panels", "/embed/cpu", "/settings", "/settings/channels", "/no/such/path"];
        let is_page = method == "GET" && (pages.contains(&path) || path.starts_with("/recordings"));
        match (who, sender) {
            (Everyone | Here, _)
            | (Readers, "viewer" | "admin" | "session")
            | (Sessions, "session")
            | (Publishers, "publisher" | "admin") => None,
            (Publishers, "nobody" | "ended session") if is_page => Some(StatusCode::SEE_OTHER),
            (Publishers, "viewer" | "session") => Some(StatusCode::NOT_FOUND),
            (Publishers, _) => Some(StatusCode::UNAUTHORIZED),
            (Readers | Sessions, "publisher") | (Sessions, "viewer" | "admin") => Some(StatusCode::NOT_FOUND),
            (Readers | Sessions, "nobody" | "ended session") if is_page => Some(StatusCode::SEE_OTHER),
            // A change without a cookie's origin, or a token, is refused before its sender is known.
            (Readers | Sessions, "nobody") if method == "POST" => Some(StatusCode::FORBIDDEN),
            (Readers | Sessions, _) => Some(StatusCode::UNAUTHORIZED),
        }
    }

    #[tokio::test]
    async fn every_cell_of_routes_and_senders_is_as_expected() {
        let server = server().await;
        for (method, path, who) in EXPECTED.into_iter().chain(UNKNOWN) {
            // Signing out ends the session that later rows need.
            for (sender, headers) in
                server.senders.iter().filter(|(sender, _)| path != "/sign-out" || *sender != "session")
            {
                let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
                let actual = server.status(method, path, &[&[("host", "localhost")], &*headers].concat()).await;
                let refusals = [401, 403, 404, 421].map(|status| StatusCode::from_u16(status).unwrap());
                match expected_refusal(who, method, path, sender) {
                    Some(expected) => assert_eq!(actual, expected, "{method} {path} by {sender}"),
                    // What has no route is reported to those who may see that.
                    None if path == "/no/such/path" => assert_eq!(actual, StatusCode::NOT_FOUND),
                    None => assert!(
                        !refusals.contains(&actual) || path.starts_with("/assets"),
                        "{method} {path} by {sender}: {actual}"
                    ),
                }
            }
            let admin = server.admin();
            let foreign = server.status(method, path, &[("host", "evil.example:3000"), admin]).await;
            assert_eq!(foreign == StatusCode::MISDIRECTED_REQUEST, who != Everyone, "{method} {path}: {foreign}");
            let cross_site = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
            for foreign in [&cross_site[..], &[("origin", "https://evil.example")]] {
                let headers = [&[("host", "localhost"), admin], foreign].concat();
                let foreign = server.status(method, path, &headers).await;
                assert_eq!(foreign == StatusCode::FORBIDDEN, who != Everyone, "{method} {path}: {foreign}");
            }
            let without_host = server.status(method, path, &[admin]).await;
            assert_eq!(without_host, StatusCode::BAD_REQUEST, "{method} {path} without Host");
        }
    }

    #[tokio::test]
    async fn server_without_users_answers_its_own_host_only() {
        let state = AppState::new(Arc::new(TickLog::default()), Settings::default());
        for (client, public, expected) in [
            ([127, 0, 0, 1], false, StatusCode::OK),
            ([192, 0, 2, 1], false, StatusCode::FORBIDDEN),
            ([192, 0, 2, 1], true, StatusCode::OK),
        ] {
            let state = AppState { settings: Arc::new(Settings { public, ..Settings::default() }), ..state.clone() };
            let peer = Peer::Address(IpAddr::from(client));
            let request = Request::builder().uri("/api/snapshot").header("host", "localhost").extension(peer);
            let response = TowerToHyperService::new(router(state)).call(request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.unwrap().status(), expected, "{client:?}, public: {public}");
        }
    }

    #[tokio::test]
    async fn requests_of_a_user_over_the_limit_are_refused_and_others_are_not() {
        let server = server().await;
        let ann = || Client::User("ann".parse().unwrap());
        let open: Vec<_> = (0..MAX_REQUESTS_PER_CLIENT).map(|_| server.state.requests.admit(ann()).unwrap()).collect();
        let status = async |sender: &str| {
            let (_, headers) = server.senders.iter().find(|(name, _)| *name == sender).unwrap();
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
            server.status("GET", "/chart/cpu.svg", &[&[("host", "localhost")], &*headers].concat()).await
        };
        assert_eq!(status("session").await, StatusCode::TOO_MANY_REQUESTS);
        assert_ne!(status("viewer").await, StatusCode::TOO_MANY_REQUESTS);
        drop(open);
        assert_ne!(status("session").await, StatusCode::TOO_MANY_REQUESTS);
    }

    #[test]
    fn every_route_has_an_expectation() {
        let paths = |path: &str| {
            path.replace("{panel}", "cpu")
                .replace("{id}", "1")
                .replace("/channels/{name}", "/channels/shop")
                .replace("/chart/{name}", "/chart/cpu.svg")
        };
        for ((method, path, ..), (expected_method, expected_path, _)) in ROUTES.iter().zip(EXPECTED) {
            let path = paths(path).replace("/assets/{name}", "/assets/hostbeat.css").replace("/{name}", "/robots.txt");
            assert_eq!((method.as_str(), &*path), (expected_method, expected_path));
        }
    }

    #[test]
    fn every_route_is_described() {
        let routes: Vec<_> = ROUTES.iter().map(|(method, path, ..)| (method.as_str(), *path)).collect();
        assert_eq!(openapi::described(), routes);
    }

    #[tokio::test]
    async fn other_methods_than_those_of_the_table_are_not_allowed() {
        let server = server().await;
        let admin = [("host", "localhost"), server.admin()];
        for (_, path, _) in EXPECTED {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                let of_table = if method == "HEAD" { "GET" } else { method };
                let is_known = EXPECTED.iter().any(|(known, of, _)| *of == path && *known == of_table);
                let refused = server.status(method, path, &admin).await == StatusCode::METHOD_NOT_ALLOWED;
                assert_eq!(!refused, is_known, "{method} {path}");
            }
        }
    }
}
