//! Access checks: the name that the client gave the server, the client's address, the origin of its page, and what it may
//! hold open.

mod client_address;
mod client_limiter;
mod host;
mod origin;

pub(super) use client_address::client_address;
pub(super) use client_limiter::ClientPermit;
pub use client_limiter::{ClientLimiter, Refusal};
pub use host::{HostName, HostRefusal, InvalidHostName};
pub(super) use host::{check_host, requested_host};
pub(super) use origin::{ForeignOrigin, check_origin};
pub use origin::{InvalidOrigin, Origin};
