//! Sockets that systemd bound for the process (sd_listen_fds(3)).

use super::{listener::Listener, unix_socket::UnixSocket};
use listenfd::ListenFd;
use std::io;
use tokio::net::TcpListener;

/// All of them; there must be one.
pub(super) fn listeners() -> io::Result<Vec<Listener>> {
    let mut inherited = ListenFd::from_env();
    if inherited.len() == 0 {
        let hint = "systemd passed no sockets; start the service by its .socket unit";
        return Err(io::Error::new(io::ErrorKind::NotFound, hint));
    }
    (0..inherited.len()).map(|index| listener(&mut inherited, index)).collect()
}

fn listener(inherited: &mut ListenFd, index: usize) -> io::Result<Listener> {
    if let Ok(Some(port)) = inherited.take_tcp_listener(index) {
        port.set_nonblocking(true)?;
        return TcpListener::from_std(port).map(Listener::Tcp);
    }
    match inherited.take_unix_listener(index)? {
        Some(socket) => UnixSocket::inherited(socket).map(Listener::Unix),
        None => Err(io::ErrorKind::InvalidInput.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_without_passed_sockets_gets_a_hint() {
        assert!(listeners().unwrap_err().to_string().contains(".socket"));
    }
}
