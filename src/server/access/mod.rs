//! Access: which name, address and page a request is from, who sends it, what that principal may do, and how much.

mod authentication;
mod client;
mod client_address;
mod client_limiter;
mod cookies;
mod credentials;
mod host;
mod origin;
mod peer;
mod principal;
mod proxy_user;
mod publish_limiter;
mod rate_limiter;
mod session_cookie;
mod sign_in_limiter;
mod tickets;

pub(super) use authentication::{Sender, Unauthenticated, authenticate};
pub(super) use client::Client;
pub(super) use client_address::{client_address, is_forwarded};
pub use client_limiter::Refusal;
pub(super) use client_limiter::{ClientLimiter, ClientPermit, SharedPermit};
pub(super) use cookies::{CookieScope, cookie_values};
pub(super) use credentials::Credentials;
pub use host::{HostName, HostRefusal, InvalidHostName};
pub(super) use host::{check_host, requested_host};
pub(super) use origin::{ForeignOrigin, check_origin, check_own_origin};
pub use origin::{InvalidOrigin, Origin};
pub(super) use peer::Peer;
#[cfg(test)]
pub(super) use principal::token;
pub(super) use principal::{Credential, CredentialKind, Permission, Principal};
pub(super) use proxy_user::proxy_user;
pub(super) use publish_limiter::PublishLimiter;
pub(super) use session_cookie::SecretCookie;
pub(super) use sign_in_limiter::SignInLimiter;
pub(super) use tickets::{TICKET_LIFETIME, Tickets};
