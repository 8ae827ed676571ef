//! The listening socket, and the options of the sockets that it accepts.

#[cfg(target_os = "linux")]
use std::time::Duration;
use std::{io, net::SocketAddr};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
const BACKLOG: u32 = 4096;
/// A peer that acknowledges no data for this long has vanished (`TCP_USER_TIMEOUT`, RFC 5482).
#[cfg(target_os = "linux")]
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(30);

/// Binds and listens.
pub(in crate::server) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // On Windows the option lets another program take over the port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Sends each event when it is written instead of waiting for the next one, and bounds the wait for a vanished peer.
pub(super) fn set_socket_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_user_timeout(stream, TCP_USER_TIMEOUT.as_millis() as u32)?;
    Ok(())
}
