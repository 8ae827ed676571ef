//! Sockets: listens, accepts, lets hyper read requests, and hands the sockets of open streams off to fan-out workers.

mod acceptor;
mod fanout;
mod http2_limits;
mod http_connection;
#[cfg(unix)]
mod inherited;
mod listener;
mod plain_http;
mod sliced_body;
mod socket;
mod stream_executor;
mod tls;
mod tls_connection;
mod tls_stream;
#[cfg(unix)]
mod unix_socket;

use bytes::Bytes;
use std::time::Duration;

/// How long a client may take for one chunk while the memory for catching up is exhausted. Such clients would hold it for
/// as long as they like, a byte at a time.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(20);

/// The end of a body in HTTP/1.1's chunked coding (RFC 9112, section 7.1).
const LAST_CHUNK: Bytes = Bytes::from_static(b"0\r\n\r\n");
/// Bytes that a client may send after its request; none of them is answered.
const MAX_IGNORED_INPUT: usize = 64 * 1024;

pub(super) use acceptor::{Acceptor, Service};
pub(super) use fanout::Fanout;
pub(super) use listener::Listener;
pub(super) use tls::Tls;
