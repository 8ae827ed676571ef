//! Listening sockets, and the options of the sockets that they accept.

#[cfg(unix)]
use super::{inherited, unix_socket::UnixSocket};
use crate::server::{
    access::Peer,
    listen_address::{ListenAddress, UnixAccess},
};
#[cfg(target_os = "linux")]
use std::time::Duration;
use std::{fmt, io, net::SocketAddr};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
const BACKLOG: u32 = 4096;
/// A peer that acknowledges no data for this long has vanished (`TCP_USER_TIMEOUT`, RFC 5482).
#[cfg(target_os = "linux")]
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(30);

/// A socket that accepts connections.
#[derive(Debug)]
pub(in crate::server) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixSocket),
}

impl Listener {
    /// Binds an address and listens; systemd may have bound several.
    pub(in crate::server) fn bind(address: &ListenAddress, access: &UnixAccess) -> io::Result<Vec<Self>> {
        match address {
            ListenAddress::Tcp(address) => Ok(vec![Self::Tcp(bind_port(*address)?)]),
            #[cfg(unix)]
            ListenAddress::Unix(path) => Ok(vec![Self::Unix(UnixSocket::bind(path, access)?)]),
            #[cfg(unix)]
            ListenAddress::Systemd => inherited::listeners(),
            #[cfg(not(unix))]
            _ => Err(io::Error::new(io::ErrorKind::Unsupported, format!("{access:?} needs a Unix system"))),
        }
    }

    /// The bound address of a TCP port; its port is the system's choice for port 0.
    pub(in crate::server) fn port_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }

    /// Waits for a connection. One of a unix socket has the type of a TCP one, since it is read, written and shut down
    /// by the same system calls.
    pub(super) async fn accept(&self) -> io::Result<(TcpStream, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                if let Err(error) = set_socket_options(&stream) {
                    tracing::debug!(%error, "cannot set socket options");
                }
                Ok((stream, Peer::Address(peer.ip())))
            }
            #[cfg(unix)]
            Self::Unix(socket) => {
                let (stream, _) = socket.listener.accept().await?;
                let stream = std::net::TcpStream::from(std::os::fd::OwnedFd::from(stream.into_std()?));
                Ok((TcpStream::from_std(stream)?, Peer::UnixSocket))
            }
        }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => listener.local_addr().map_err(|_| fmt::Error)?.fmt(f),
            #[cfg(unix)]
            Self::Unix(socket) => write!(f, "unix:{}", socket.path.display()),
        }
    }
}

fn bind_port(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // On Windows the option lets another program take over the port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Sends each event when it is written instead of waiting for the next one, and bounds the wait for a vanished peer.
fn set_socket_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_user_timeout(stream, TCP_USER_TIMEOUT.as_millis() as u32)?;
    Ok(())
}
