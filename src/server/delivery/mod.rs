//! Sockets: listens, accepts, lets hyper read requests, and hands the sockets of open streams off to fan-out workers.

mod acceptor;
mod fanout;
mod http_connection;
mod listener;
mod socket;

pub(super) use acceptor::Acceptor;
pub(super) use fanout::Fanout;
pub(super) use listener::listen;
