//! Why a sign-in at the provider fails, for the log.

use super::{claims::InvalidClaims, id_token::InvalidToken};
use crate::server::store::{Name, StoreError};
use url::Url;

/// Why a sign-in at the provider fails.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// No answer came in time.
    #[error("{url} is out of reach: {source}")]
    Unreachable {
        /// The requested address.
        url: Url,
        /// The client's error.
        source: Box<ureq::Error>,
    },
    /// The provider refused a request.
    #[error("{url} answered with status {status}: {body}")]
    Refused {
        /// The requested address.
        url: Url,
        /// The response's status.
        status: u16,
        /// The first 200 characters of the response, escaped.
        body: String,
    },
    /// The answer is not what OpenID Connect has there.
    #[error("{url} answered with something else than OpenID Connect has there: {reason}")]
    Unexpected {
        /// The requested address.
        url: Url,
        /// What is wrong.
        reason: String,
    },
    /// The provider has another name for itself.
    #[error("the provider calls itself {0:?}; pass exactly that with --oidc-issuer")]
    OtherIssuer(String),
    /// The token can't be read, or its signature is wrong.
    #[error("the ID token is not valid: {0}")]
    Token(#[from] InvalidToken),
    /// The token is not for this sign-in.
    #[error("the ID token is not valid: {0}")]
    Claims(#[from] InvalidClaims),
    /// No claim can be a user's name here.
    #[error(
        "the provider names the user in none of {0} as 1 to 64 ASCII letters, digits, '.', '_', '@' and '-'; choose \
         another claim with --oidc-user-claim"
    )]
    NoName(String),
    /// The user is in neither group.
    #[error("{name} is in none of the groups that may sign in; the provider lists {groups:?}")]
    NoGroup {
        /// The user.
        name: Name,
        /// The user's groups.
        groups: Vec<String>,
    },
    /// Too many sign-ins wait for the provider.
    #[error("too many sign-ins wait for the provider")]
    Busy,
    /// No random bytes can be had.
    #[error(transparent)]
    Secret(#[from] StoreError),
}
