//! Finds out who sends a request. Each scheme answers that the request is authenticated, that it doesn't use the scheme, or
//! that it failed, which ends the search.

use super::{Credential, CredentialKind, Credentials, Principal, SecretCookie, Tickets};
use crate::server::store::{Name, Role, SecretHash};
use axum::http::{HeaderMap, header};
use std::{sync::Arc, time::Instant};

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
    /// Whether it is a program of this host, as far as that can be known.
    pub is_local: bool,
    /// Whether `--public` shows the host to everyone.
    pub public: bool,
    /// The user whom a trusted proxy names.
    pub proxy_user: Option<&'a Name>,
    /// Whether a proxy or a provider signs users in, so that requests need a principal even without users of our own.
    pub others_sign_in: bool,
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

/// Finds the principal of a request.
///
/// # Errors
/// When a credential is invalid, or is required and missing.
pub(in crate::server) fn authenticate(
    sender: Sender<'_>,
    credentials: &Credentials,
    tickets: &Tickets,
) -> Result<Principal, Unauthenticated> {
    let schemes: [&dyn Fn() -> Scheme; 4] = [
        &|| bearer(sender.headers, credentials),
        &|| ticket(sender.ticket, tickets),
        &|| cookie(sender, credentials),
        &|| proxy(sender.proxy_user, credentials),
    ];
    for scheme in schemes {
        match scheme() {
            Scheme::Authenticated(principal) => return Ok(principal),
            Scheme::Failed(reason) => return Err(reason),
            Scheme::NotRequested => {}
        }
    }
    match (sender.public, sender.others_sign_in || credentials.accounts().has_users()) {
        (true, _) => Ok(Principal::Public),
        (false, true) => Err(Unauthenticated::Missing),
        (false, false) if sender.is_local => Ok(Principal::Local),
        (false, false) => Err(Unauthenticated::NoUser),
    }
}

/// `Authorization: Bearer` (RFC 6750, section 2.1). Other schemes are a proxy's.
fn bearer(headers: &HeaderMap, credentials: &Credentials) -> Scheme {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        value.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    // Where no token was ever issued, it is a proxy's.
    let Some((_, token)) = token.filter(|_| credentials.accounts().are_used()) else { return Scheme::NotRequested };
    let credential = credentials.find(CredentialKind::Token, token.trim());
    credential.map_or(Scheme::Failed(Unauthenticated::InvalidToken), Scheme::known)
}

fn ticket(ticket: Option<&str>, tickets: &Tickets) -> Scheme {
    let Some(ticket) = ticket else { return Scheme::NotRequested };
    let principal = tickets.redeem(&SecretHash::of(ticket), Instant::now());
    principal.map_or(Scheme::Failed(Unauthenticated::InvalidTicket), Scheme::Authenticated)
}

/// Browsers send the cookie of a session that has ended, too. The reader didn't ask for it, so it is no failure.
/// The session of another user than the proxy's is ignored: the browser kept it from before.
fn cookie(sender: Sender<'_>, credentials: &Credentials) -> Scheme {
    let mut secrets = SecretCookie::Session.secrets(sender.headers);
    let found = secrets.find_map(|secret| {
        let session = credentials.find(CredentialKind::Session, &secret)?;
        sender.proxy_user.is_none_or(|user| *user == session.name).then_some(session)
    });
    found.map_or(Scheme::NotRequested, Scheme::known)
}

/// The proxy has checked the user. A user without a row in the users' table is a viewer.
fn proxy(user: Option<&Name>, credentials: &Credentials) -> Scheme {
    let Some(user) = user else { return Scheme::NotRequested };
    let role = credentials.accounts().user(user.as_ref()).map_or(Role::Viewer, |user| user.role);
    Scheme::known(Arc::new(Credential::of_proxy_user(user, role)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{
        access::{Permission, principal},
        store::Scope,
    };

    fn sender(headers: &HeaderMap) -> Sender<'_> {
        Sender { headers, ticket: None, is_local: false, public: false, proxy_user: None, others_sign_in: false }
    }

    #[test]
    fn user_of_a_proxy_may_read_and_without_one_nobody_may() {
        let (credentials, tickets, headers) = (Credentials::default(), Tickets::default(), HeaderMap::new());
        let behind_proxy = Sender { is_local: true, others_sign_in: true, ..sender(&headers) };
        let nobody = authenticate(behind_proxy, &credentials, &tickets).unwrap_err();
        assert_eq!(nobody, Unauthenticated::Missing);
        let ann = "ann".parse().unwrap();
        let user = authenticate(Sender { proxy_user: Some(&ann), ..behind_proxy }, &credentials, &tickets).unwrap();
        assert!(user.may(Permission::Read) && !user.may(Permission::Administer));
    }

    fn authenticated(
        headers: &[(&'static str, &'static str)],
        is_local: bool,
        public: bool,
    ) -> Result<Principal, Unauthenticated> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let headers = HeaderMap::from_iter(headers.map(|(name, value): (header::HeaderName, _)| (name, value)));
        let sender = Sender { is_local, public, ..sender(&headers) };
        authenticate(sender, &Credentials::default(), &Tickets::default())
    }

    #[test]
    fn server_without_users_admits_its_own_host_only() {
        assert!(matches!(authenticated(&[], true, false), Ok(Principal::Local)));
        assert_eq!(authenticated(&[], false, false).unwrap_err(), Unauthenticated::NoUser);
        assert!(matches!(authenticated(&[], false, true), Ok(Principal::Public)));
    }

    #[test]
    fn credentials_of_a_proxy_and_stale_cookie_are_no_failure() {
        for header in [("authorization", "Basic YTpi"), ("authorization", "Bearer proxy"), ("cookie", "hostbeat=stale")]
        {
            assert!(matches!(authenticated(&[header], true, false), Ok(Principal::Local)), "{header:?}");
        }
    }

    #[test]
    fn ticket_is_redeemed_by_the_route_that_takes_one() {
        let (credentials, tickets, headers) = (Credentials::default(), Tickets::default(), HeaderMap::new());
        tickets.issue(SecretHash::of("ticket"), Principal::Known(principal::token(Scope::Read)), Instant::now());
        let sender = Sender { ticket: Some("ticket"), ..sender(&headers) };
        assert!(authenticate(sender, &credentials, &tickets).is_ok());
        assert_eq!(authenticate(sender, &credentials, &tickets).unwrap_err(), Unauthenticated::InvalidTicket);
    }
}
