//! The server: samples the host, keeps the last hour, and shows it to any number of browsers.

mod access;
mod app_state;
mod assessor;
mod config;
mod delivery;
mod export;
mod host_facts;
mod http;
pub mod log;
mod log_file;
mod router;
pub mod sampler;
mod settings;
mod signals;
mod stream;
mod telemetry;
mod unix_time;

pub use access::{InvalidOrigin, Origin, Refusal, StreamLimiter};
pub use app_state::AppState;
pub use config::{Config, LogFormat};
#[cfg(all(test, target_os = "linux"))]
pub(crate) use export::series_paths;
pub use http::Problem;
pub use log_file::LogFileError;
pub use router::router;
pub use settings::Settings;
#[cfg(fuzzing)]
pub use stream::fuzz;
pub use telemetry::init as init_telemetry;

use crate::schema::{HostFacts, Tick};
use assessor::Assessor;
use delivery::{Acceptor, Fanout};
use log::TickLog;
use log_file::LogFile;
use sampler::TickSource;
use signals::Signals;
use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, task::spawn_blocking, time::timeout};

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
    /// No thread could be started to write the streams.
    #[error("cannot start a thread that writes the streams: {0}")]
    Fanout(io::Error),
    /// The past can't be kept where it should be.
    #[error(transparent)]
    State(#[from] LogFileError),
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

/// Runs the server until it is told to stop; told twice, it ends at once.
///
/// # Errors
/// When it can't start.
pub async fn run(config: &Config) -> Result<(), ServeError> {
    settings::raise_file_limit();
    let mut signals = Signals::new().map_err(ServeError::Signals)?;
    let mut state = config.state.as_deref().map(LogFile::open).transpose()?;
    let log = Arc::new(state.as_mut().map(LogFile::restore).transpose()?.unwrap_or_default());
    let server = Server::bind(config.listen, Arc::clone(&log), config.settings.clone()).await?;
    server.sample(sampler::HostSampler::new(&config.options, server.state.log.subscribers())).await?;
    state.as_ref().map(LogFile::clear).transpose()?;
    let address = server.address;
    tracing::info!(%address, "listening on http://{address}");
    let stop = async move {
        signals.next().await;
        tracing::info!("stopping; a second signal ends it at once");
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(1);
        });
    };
    server.serve_until(stop).await?;
    state.map(|state| state.save(&log)).transpose()?;
    tracing::info!("stopped");
    Ok(())
}

/// A server that has its port and is about to answer.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    /// Where it listens; tells the port that the system chose for port 0.
    pub address: SocketAddr,
    state: AppState,
}

impl Server {
    /// Takes the port, to show what is published to `log`.
    ///
    /// # Errors
    /// When the address can't be had.
    pub async fn bind(address: SocketAddr, log: Arc<TickLog>, settings: Settings) -> Result<Self, ServeError> {
        let listen = |source| ServeError::Listen { address, source };
        let listener = delivery::listen(address).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { listener, address, state: AppState::new(log, settings) })
    }

    /// Says that what it shows is of `host`, where that isn't the one it runs on.
    #[must_use]
    pub fn showing(mut self, host: HostFacts) -> Self {
        self.state.host = Arc::new(host);
        self
    }

    /// Starts to sample `groups`, until the server is gone, and waits for the first tick.
    ///
    /// # Errors
    /// When the sampler can't be started.
    pub async fn sample(&self, groups: impl TickSource + Send + 'static) -> Result<(), ServeError> {
        let (sink, statistics) = (Arc::downgrade(&self.state.log), Arc::clone(&self.state.statistics));
        let mut assessor = Assessor::default();
        let publish = move |mut tick: Tick, timing| {
            statistics.sample_taken(timing);
            let Some(log) = sink.upgrade() else { return false };
            tick.verdict = assessor.assess(&log, tick.t);
            log.publish(&tick);
            true
        };
        sampler::spawn(groups, publish).map_err(ServeError::Sampler)?;
        let mut head = self.state.log.follow();
        if timeout(FIRST_TICK, head.wait_for(|head| head.at.is_some())).await.is_err() {
            tracing::warn!("no sample yet; serving all the same");
        }
        Ok(())
    }

    /// Answers requests until `stop` resolves, then ends every stream and the rest, in the time that the policy leaves.
    ///
    /// # Errors
    /// When no threads can be started to write the streams.
    pub async fn serve_until(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let AppState { log, statistics, settings, .. } = self.state.clone();
        let fanout = match settings.hand_off {
            true => Some(Arc::new(Fanout::start(&log, &statistics, settings.stall).map_err(ServeError::Fanout)?)),
            false => None,
        };
        let closing = async {
            stop.await;
            log.close();
            Instant::now() + settings.drain
        };
        let router = router(self.state);
        let deadline = Acceptor::run(self.listener, router, fanout.clone(), Arc::clone(&settings), pin!(closing)).await;
        if let Some(fanout) = fanout {
            let drained = spawn_blocking(move || fanout.drain(deadline)).await;
            drained.unwrap_or_else(|error| tracing::error!(%error, "the streams were not drained"));
        }
        Ok(())
    }
}
