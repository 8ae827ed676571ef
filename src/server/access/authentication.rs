//! Finds out who sends a request. Each scheme answers that the request is authenticated, that it doesn't use the scheme, or
//! that it failed, which ends the search.

use super::{Credential, CredentialKind, Credentials, Principal, Tickets, secret::SecretHash, session_cookie};
use axum::http::{HeaderMap, header};
use std::{net::IpAddr, sync::Arc, time::Instant};

/// Why a request has no principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::server) enum Unauthenticated {
    /// It carries no credential.
    #[error("Sign in on the page, or send Authorization: Bearer with a token.")]
    Missing,
    /// It carries a token that was never issued, was revoked or has expired.
    #[error("The token is unknown, was revoked, or has expired. An administrator can issue one: hostbeat token add.")]
    InvalidToken,
    /// It carries a ticket that was used, has expired or was never issued.
    #[error("The ticket is unknown, was used, or has expired. Request one with POST /api/tickets.")]
    InvalidTicket,
    /// There are no users, and the client is on another host.
    #[error(
        "Only programs of this host are answered until a user exists. Add one on the host: hostbeat user add NAME --role admin"
    )]
    NoUser,
}

/// What authentication looks at.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct Sender<'a> {
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// The ticket in the query, where the route takes one.
    pub ticket: Option<&'a str>,
    /// The client's address.
    pub client: IpAddr,
    /// Whether `--public` shows the host to everyone.
    pub public: bool,
}

enum Scheme {
    Authenticated(Principal),
    NotRequested,
    Failed(Unauthenticated),
}

impl Scheme {
    fn known(credential: Arc<Credential>) -> Self {
        Self::Authenticated(Principal::Known(credential))
    }
}

/// Finds the principal of a request that arrives at `now`, Unix ms.
///
/// # Errors
/// When a credential is invalid, or is required and missing.
pub(in crate::server) fn authenticate(
    sender: Sender<'_>,
    credentials: &Credentials,
    tickets: &Tickets,
    now: u64,
) -> Result<Principal, Unauthenticated> {
    let schemes: [&dyn Fn() -> Scheme; 3] =
        [&|| bearer(sender.headers, credentials, now), &|| ticket(sender.ticket, tickets), &|| {
            cookie(sender.headers, credentials, now)
        }];
    for scheme in schemes {
        match scheme() {
            Scheme::Authenticated(principal) => return Ok(principal),
            Scheme::Failed(reason) => return Err(reason),
            Scheme::NotRequested => {}
        }
    }
    match (sender.public, credentials.is_required()) {
        (true, _) => Ok(Principal::Public),
        (false, true) => Err(Unauthenticated::Missing),
        (false, false) if sender.client.is_loopback() => Ok(Principal::Local),
        (false, false) => Err(Unauthenticated::NoUser),
    }
}

/// `Authorization: Bearer` (RFC 6750, section 2.1). Other schemes are a proxy's.
fn bearer(headers: &HeaderMap, credentials: &Credentials, now: u64) -> Scheme {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        value.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else { return Scheme::NotRequested };
    let credential = credentials.find(CredentialKind::Token, token.trim(), now);
    credential.map_or(Scheme::Failed(Unauthenticated::InvalidToken), Scheme::known)
}

fn ticket(ticket: Option<&str>, tickets: &Tickets) -> Scheme {
    let Some(ticket) = ticket else { return Scheme::NotRequested };
    let principal = tickets.redeem(&SecretHash::of(ticket), Instant::now());
    principal.map_or(Scheme::Failed(Unauthenticated::InvalidTicket), Scheme::Authenticated)
}

/// Browsers send the cookie of a session that has ended, too. The reader didn't ask for it, so it is no failure.
fn cookie(headers: &HeaderMap, credentials: &Credentials, now: u64) -> Scheme {
    let found =
        session_cookie::secrets(headers).find_map(|secret| credentials.find(CredentialKind::Session, &secret, now));
    found.map_or(Scheme::NotRequested, Scheme::known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::access::Scope;
    use axum::http::HeaderName;

    struct Server {
        credentials: Credentials,
        tickets: Tickets,
        token: Arc<Credential>,
    }

    fn server(required: bool) -> Server {
        let credential =
            |kind, name: &str| Credential::new(kind, name.to_owned(), name.to_owned(), Scope::Read, None, 0);
        let (token, session) = (credential(CredentialKind::Token, "t"), credential(CredentialKind::Session, "s"));
        let credentials = Credentials::default();
        let stored = [(SecretHash::of("token"), Arc::clone(&token)), (SecretHash::of("session"), session)];
        credentials.replace(stored.into(), required);
        Server { credentials, tickets: Tickets::default(), token }
    }

    impl Server {
        fn principal(
            &self,
            headers: &[(&'static str, &'static str)],
            client: &str,
            public: bool,
        ) -> Result<String, Unauthenticated> {
            let headers =
                headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
            let sender = Sender { headers: &headers, ticket: None, client: client.parse().unwrap(), public };
            let principal = authenticate(sender, &self.credentials, &self.tickets, 0)?;
            Ok(principal.credential().map_or_else(|| format!("{principal:?}"), |credential| credential.name.clone()))
        }
    }

    #[test]
    fn server_without_users_admits_its_own_host_only() {
        let server = server(false);
        assert_eq!(server.principal(&[], "127.0.0.1", false).as_deref(), Ok("Local"));
        assert_eq!(server.principal(&[], "192.0.2.1", false), Err(Unauthenticated::NoUser));
        assert_eq!(server.principal(&[], "192.0.2.1", true).as_deref(), Ok("Public"));
        let bearer = [("authorization", "bearer token")];
        assert_eq!(server.principal(&bearer, "192.0.2.1", false).as_deref(), Ok("t"));
    }

    #[test]
    fn server_with_users_requires_a_credential_on_its_own_host_too() {
        let server = server(true);
        assert_eq!(server.principal(&[], "127.0.0.1", false), Err(Unauthenticated::Missing));
        assert_eq!(
            server.principal(&[("authorization", "Basic YTpi")], "127.0.0.1", false),
            Err(Unauthenticated::Missing)
        );
        let cookies = [("cookie", "a=b; hostbeat=session")];
        assert_eq!(server.principal(&cookies, "192.0.2.1", false).as_deref(), Ok("s"));
    }

    #[test]
    fn invalid_token_fails_even_where_none_is_needed() {
        for public in [true, false] {
            let headers = [("authorization", "Bearer session"), ("cookie", "hostbeat=session")];
            assert_eq!(server(false).principal(&headers, "127.0.0.1", public), Err(Unauthenticated::InvalidToken));
        }
    }

    #[test]
    fn cookie_of_an_ended_session_is_as_none() {
        let server = server(true);
        let stale = [("cookie", "hostbeat=stale")];
        assert_eq!(server.principal(&stale, "127.0.0.1", false), Err(Unauthenticated::Missing));
        assert_eq!(server.principal(&stale, "127.0.0.1", true).as_deref(), Ok("Public"));
    }

    #[test]
    fn ticket_is_redeemed_by_the_route_that_takes_one() {
        let Server { credentials, tickets, token } = server(true);
        tickets.issue(SecretHash::of("ticket"), Principal::Known(token), Instant::now());
        let headers = HeaderMap::new();
        let sender = Sender { headers: &headers, ticket: Some("ticket"), client: [192, 0, 2, 1].into(), public: false };
        assert!(authenticate(sender, &credentials, &tickets, 0).is_ok());
        assert_eq!(authenticate(sender, &credentials, &tickets, 0).unwrap_err(), Unauthenticated::InvalidTicket);
    }
}
