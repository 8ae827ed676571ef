//! The server: samples the host, keeps the last hour, and shows it to any number of browsers.

mod assets;
mod config;
mod connection;
mod encoding;
mod headers;
mod host;
pub mod hub;
mod page;
mod problem;
mod routes;
pub mod sampler;
mod shutdown;
mod stream;
mod telemetry;

pub use config::{Config, LogFormat};
pub use problem::Problem;
pub use routes::{AppState, routes};
pub use telemetry::init as init_telemetry;

use hub::Hub;
use sampler::Groups;
use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{net::TcpListener, time::timeout};

/// How long the first page waits for the first tick, so that it has something to show: a second, and some for a late
/// one. A sampler that takes longer is stuck, and a page that says so is better than none.
const FIRST_TICK: Duration = Duration::from_millis(2500);

/// What keeps the server from running.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address can't be listened on.
    #[error("cannot listen on {address}: {}", explain(.source))]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No thread could be started for the sampler.
    #[error("cannot start the sampler's thread: {0}")]
    Sampler(io::Error),
    /// Signals can't be waited for.
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another program uses that port; stop it, or choose another with --listen".into(),
        io::ErrorKind::PermissionDenied => "this needs more rights; a port from 1024 on needs none".into(),
        io::ErrorKind::AddrNotAvailable => "this host has no such address".into(),
        _ => error.to_string(),
    }
}

/// Runs the server until it is told to stop.
///
/// # Errors
/// When it can't start.
pub async fn run(config: &Config) -> Result<(), ServeError> {
    let stop = shutdown::signal().map_err(ServeError::Signals)?;
    let server = Server::bind(config.listen, Arc::new(Hub::default())).await?;
    server.sample(sampler::Host::new(server.hub.viewers())).await?;
    let address = server.address;
    tracing::info!(%address, "listening on http://{address}");
    server.serve_until(stop).await;
    tracing::info!("stopped");
    Ok(())
}

/// A server that has its port and is about to answer.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    /// Where it listens; tells the port that the system chose for port 0.
    pub address: SocketAddr,
    hub: Arc<Hub>,
}

impl Server {
    /// Takes the port, to show what is published to `hub`.
    ///
    /// # Errors
    /// When the address can't be had.
    pub async fn bind(address: SocketAddr, hub: Arc<Hub>) -> Result<Self, ServeError> {
        let listen = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { listener, address, hub })
    }

    /// Starts to sample `groups`, until the server is gone, and waits for the first tick.
    ///
    /// # Errors
    /// When the sampler can't be started.
    pub async fn sample(&self, groups: impl Groups + Send + 'static) -> Result<(), ServeError> {
        let sink = Arc::downgrade(&self.hub);
        let publish = move |tick| sink.upgrade().inspect(|hub| hub.publish(&tick)).is_some();
        sampler::spawn(groups, publish).map_err(ServeError::Sampler)?;
        let mut head = self.hub.follow();
        if timeout(FIRST_TICK, head.wait_for(|head| head.published > 0)).await.is_err() {
            tracing::warn!("no sample yet; serving all the same");
        }
        Ok(())
    }

    /// Answers requests until `stop` resolves, then ends every stream and the rest.
    pub async fn serve_until(self, stop: impl Future<Output = ()>) {
        let routes = routes(AppState::new(Arc::clone(&self.hub)));
        let closing = async {
            stop.await;
            self.hub.close();
        };
        connection::accept(&self.listener, &routes, pin!(closing)).await;
    }
}
