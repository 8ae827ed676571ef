//! Access checks: the name that the client gave the server, the client's address, the origin of its page, and how many
//! streams it may open.

mod client_address;
mod host;
mod origin;
mod peer;
mod stream_limiter;

pub(super) use client_address::client_address;
pub use host::{HostName, HostRefusal, InvalidHostName};
pub(super) use host::{check_host, requested_host};
pub(super) use origin::{ForeignOrigin, check_origin};
pub use origin::{InvalidOrigin, Origin};
pub(super) use peer::Peer;
pub(super) use stream_limiter::StreamPermit;
pub use stream_limiter::{Refusal, StreamLimiter};
