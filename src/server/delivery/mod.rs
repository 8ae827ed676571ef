//! Sockets: listens, accepts, lets hyper read requests, and hands the sockets of open streams off to fan-out workers.

mod acceptor;
mod fanout;
mod http_connection;
#[cfg(unix)]
mod inherited;
mod listener;
mod socket;
#[cfg(unix)]
mod unix_socket;

pub(super) use acceptor::Acceptor;
pub(super) use fanout::Fanout;
pub(super) use listener::Listener;
