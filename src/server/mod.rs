//! The server: samples the host, keeps the last hour in a log, and streams it to any number of browsers.

mod access;
mod annotations;
mod app_state;
mod assessor;
mod certificate;
mod channels;
mod commands;
mod config;
mod config_file;
#[cfg(target_os = "linux")]
mod confinement;
mod delivery;
mod duration;
mod export;
mod history;
mod host_facts;
mod http;
mod http_agent;
mod listen_address;
pub mod log;
mod oidc;
#[cfg(target_os = "linux")]
mod procfs;
pub mod publish;
#[cfg(target_os = "linux")]
mod push;
mod recordings;
mod reload;
mod rendering;
mod router;
pub mod sampler;
mod secret_file;
#[cfg(unix)]
mod service_manager;
mod settings;
mod signals;
pub mod store;
mod stream;
mod telemetry;
mod unix_time;

pub use access::{HostName, HostRefusal, InvalidHostName, InvalidOrigin, Origin, Refusal};
pub use app_state::AppState;
pub use certificate::{CertificateError, TlsOptions};
pub use commands::{
    AnnotateCommand, ApiError, CommandError, ConfigCommand, ExportCommand, ImportCommand, PublishCommand,
    RecordCommand, TokenCommand, UserCommand,
};
#[cfg(target_os = "linux")]
pub use commands::{InstallCommand, UninstallCommand};
pub use config::{Config, LogFormat, NotPublic};
pub use config_file::{ConfigFile, ConfigFileError};
#[cfg(target_os = "linux")]
pub use confinement::Confinement;
#[cfg(all(test, target_os = "linux"))]
pub(crate) use export::series_paths;
pub use history::{HistoryError, HistoryImport, HistoryOptions, HistoryTime};
pub use http::Problem;
pub use listen_address::{InvalidListenAddress, ListenAddress, UnixAccess, UnixOwner};
pub use oidc::{InvalidOidc, OidcError, OidcOptions};
#[cfg(target_os = "linux")]
pub use push::{InvalidPush, PushOptions, ReceiverUrl};
pub use router::router;
pub use secret_file::SecretFileError;
pub use settings::Settings;
#[cfg(fuzzing)]
pub use stream::fuzz;
pub use telemetry::{Telemetry, init as init_telemetry};

use crate::schema::{HostFacts, Identity, Tick};
use access::Credentials;
use annotations::{AnnotationEvents, HostEvents};
use assessor::Assessor;
use certificate::Certificates;
use delivery::{Acceptor, Fanout, Listener, Service, Tls};
#[cfg(target_os = "linux")]
use export::HostMetrics;
use history::{HistoryReader, OpenHistory};
use log::TickLog;
use oidc::Oidc;
use publish::{Publications, PublishedEvents, restored_declaration, statsd};
#[cfg(target_os = "linux")]
use push::OpenPush;
use recordings::IncidentObserver;
use reload::Reloader;
use sampler::{HostSampler, SampleTiming, TickSource};
use signals::Signals;
use std::{
    io,
    net::SocketAddr,
    path::Path,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};
use store::{Store, StoreError};
use tokio::{net::UdpSocket, runtime::Runtime, sync::watch, task::spawn_blocking, time::timeout};

/// How long the start waits for the first tick, so that the first page has data. After that, a page that reports a stuck
/// sampler is better than none.
const FIRST_TICK_TIMEOUT: Duration = Duration::from_millis(2500);

/// Why the server can't start or stop cleanly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address can't be listened on.
    #[error("cannot listen on {address}: {}", explain(.address, .source))]
    Listen {
        /// The configured address.
        address: ListenAddress,
        /// The system's error.
        source: io::Error,
    },
    /// StatsD can't be received.
    #[error("cannot receive StatsD at {address}: {source}; choose another address with --statsd")]
    Statsd {
        /// The configured address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// A socket that systemd passed exposes the host.
    #[error(transparent)]
    NotPublic(#[from] NotPublic),
    /// The sampler's thread can't be started.
    #[error("cannot start the sampler's thread: {0}")]
    Sampler(io::Error),
    /// A fan-out worker can't be started.
    #[error("cannot start a fan-out worker: {0}")]
    Fanout(io::Error),
    /// The history is another server's, or of a newer version.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The data folder is another server's, or of a newer version.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The certificate can't be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The options of OpenID Connect don't go together, or the secret can't be read.
    #[error(transparent)]
    Oidc(#[from] InvalidOidc),
    /// The options of pushing metrics don't go together, or a token can't be read.
    #[cfg(target_os = "linux")]
    #[error(transparent)]
    Push(#[from] InvalidPush),
    /// The threads that push metrics can't be started.
    #[cfg(target_os = "linux")]
    #[error("cannot start the threads that push metrics: {0}")]
    Pushers(io::Error),
    /// The threads that answer requests can't be started.
    #[error("cannot start the server's threads: {0}")]
    Runtime(io::Error),
    /// Signal handlers can't be installed.
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
}

impl ServeError {
    /// Whether a flag must change, rather than the system.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::NotPublic(_) | Self::Oidc(_) => true,
            #[cfg(target_os = "linux")]
            Self::Push(_) => true,
            Self::Store(error) => error.is_bad_input(),
            Self::History(error) => error.is_bad_input(),
            Self::Certificate(error) => error.is_bad_input(),
            _ => false,
        }
    }
}

fn explain(address: &ListenAddress, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound if matches!(address, ListenAddress::Unix(_)) => {
            "there is no such folder; make it, or choose another path with --listen".into()
        }
        _ if !matches!(address, ListenAddress::Tcp(_)) => error.to_string(),
        io::ErrorKind::AddrInUse => "another program uses that port; stop it, or choose another with --listen".into(),
        io::ErrorKind::PermissionDenied => "permission denied; ports from 1024 on need no privileges".into(),
        io::ErrorKind::AddrNotAvailable => "this host has no such address".into(),
        _ => error.to_string(),
    }
}

/// Runs the server until a signal stops it; a second signal ends it at once.
///
/// # Errors
/// When the server can't start.
pub fn run(config: &Config, telemetry: &Telemetry) -> Result<(), ServeError> {
    settings::raise_file_limit();
    let history = OpenHistory::open(&config.history, &config.data)?;
    let (history, log) = restore(history, config.state.as_deref());
    // Secrets and root certificates are read before landlock hides them.
    let oidc = Oidc::open(&config.oidc)?;
    #[cfg(target_os = "linux")]
    let push = OpenPush::open(&config.push)?;
    // Compressing the files would delay the first response, and a confined debug build can't read them.
    LazyLock::force(&http::ASSETS);
    // Landlock would hide what other processes read and write, so the threads that sample them start before it.
    let sampler = HostSampler::new(&config.sampler, log.subscribers());
    #[cfg(target_os = "linux")]
    if !config.no_sandbox {
        Confinement::of(config).apply();
    }
    let (recorder, reader) = history.map(|history| history.record(&log)).transpose()?.unzip();
    let runtime = Runtime::new().map_err(ServeError::Runtime)?;
    let stopped = runtime.block_on(serve(
        config,
        telemetry,
        &log,
        sampler,
        oidc,
        reader,
        #[cfg(target_os = "linux")]
        push,
    ));
    // A thread that reads a hung /proc must not keep the process.
    runtime.shutdown_background();
    // With a last commit.
    drop(recorder);
    stopped?;
    tracing::info!("stopped");
    Ok(())
}

/// The log as the history has it; without a history, or with one that can't be read, a log that begins now.
fn restore(history: Option<OpenHistory>, state_file: Option<&Path>) -> (Option<OpenHistory>, Arc<TickLog>) {
    let host_id = host_facts::host_id();
    let restored = history.map(|history| history.restore(host_id.clone(), state_file));
    let restored =
        restored.and_then(|restored| restored.inspect_err(|error| tracing::error!("no history is kept: {error}")).ok());
    let (history, log) = restored.unzip();
    (history, Arc::new(log.unwrap_or_else(|| TickLog::of(Identity::new_epoch(host_id)))))
}

async fn serve(
    config: &Config,
    telemetry: &Telemetry,
    log: &Arc<TickLog>,
    sampler: impl TickSource + Send + 'static,
    oidc: Option<Arc<Oidc>>,
    history: Option<HistoryReader>,
    #[cfg(target_os = "linux")] push: OpenPush,
) -> Result<(), ServeError> {
    let mut signals = Signals::new().map_err(ServeError::Signals)?;
    let store = Store::open(&config.data, config.session_timeouts)?;
    let certificates = Certificates::open(&config.tls, &config.data)?;
    let mut listeners = Vec::new();
    for address in &config.listen {
        listeners.extend(listen(address, &config.unix_access())?);
    }
    let accounts = store.accounts();
    // While the users are unknown, only this host is answered.
    let others_sign_in = config.settings.trusted_user_header.is_some() || oidc.is_some();
    if accounts.are_known() && !accounts.has_users() && !others_sign_in {
        config.check_reach(listeners.iter().filter_map(Listener::port_address))?;
    }
    let mut settings = config.settings.clone();
    settings.allow_host.extend(certificates.iter().flat_map(Certificates::names));
    let mut server = Server::new(listeners, Arc::clone(log), settings).with_accounts(store.clone());
    server.annotates_host = true;
    if let Some(history) = &history
        && restore_recordings(&store, &server.state)
    {
        server.state.recordings.keep_in(history.kept_ranges());
    }
    server.state.history = history;
    server.tls = certificates.clone().map(Tls::new).transpose().map_err(CertificateError::from)?.map(Arc::new);
    if let Some(oidc) = oidc {
        server.state.oidc = Some(Arc::clone(&oidc));
        tokio::spawn(oidc.check_reach());
    }
    if let Some(address) = config.statsd {
        receive_statsd(address, &server.state.publications).await?;
    }
    #[cfg(target_os = "linux")]
    let pushers = {
        let AppState { statistics, host, .. } = &server.state;
        let metrics = HostMetrics::new(&config.settings.metrics_prefix);
        push.start(log, &metrics, &statistics.push, host).map_err(ServeError::Pushers)?
    };
    server.sample(sampler).await?;
    let scheme = if server.tls.is_some() { "https" } else { "http" };
    for listener in &server.listeners {
        match listener.port_address() {
            Some(address) => tracing::info!(%address, "listening on {scheme}://{address}{}", config.settings.base_path),
            None => tracing::info!("listening on {listener}"),
        }
    }
    #[cfg(unix)]
    tokio::spawn(service_manager::feed_watchdog(log.watch_head()));
    #[cfg(unix)]
    service_manager::report_ready();
    let (mut reloader, service) = Reloader::new(config, telemetry, certificates, server.state.clone());
    let stop = async move {
        signals.stop(async || reloader.reload().await).await;
        #[cfg(unix)]
        service_manager::report_stopping();
        tracing::info!("stopping; a second signal ends the server at once");
        tokio::spawn(async move {
            signals.end_at_once().await;
            std::process::exit(1);
        });
    };
    server.serve(service, stop).await?;
    // With a last request each.
    #[cfg(target_os = "linux")]
    drop(pushers);
    Ok(())
}

async fn receive_statsd(address: SocketAddr, publications: &Arc<Publications>) -> Result<(), ServeError> {
    let socket = UdpSocket::bind(address).await.map_err(|source| ServeError::Statsd { address, source })?;
    let address = socket.local_addr().unwrap_or(address);
    if !address.ip().to_canonical().is_loopback() {
        tracing::warn!(%address, "whoever reaches this address can publish: StatsD has no tokens");
    }
    tracing::info!(%address, "receiving StatsD at {address}");
    tokio::spawn(statsd::listen(socket, Arc::clone(publications)));
    Ok(())
}

fn listen(address: &ListenAddress, access: &UnixAccess) -> Result<Vec<Listener>, ServeError> {
    Listener::bind(address, access).map_err(|source| ServeError::Listen { address: address.clone(), source })
}

/// A server that is bound to its addresses.
pub struct Server {
    listeners: Vec<Listener>,
    tls: Option<Arc<Tls>>,
    state: AppState,
    /// Whether the samples are of the host that it runs on, which it annotates.
    annotates_host: bool,
}

impl Server {
    /// Binds one address, to serve `log`.
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn bind(address: ListenAddress, log: Arc<TickLog>, settings: Settings) -> Result<Self, ServeError> {
        Ok(Self::new(listen(&address, &UnixAccess::default())?, log, settings))
    }

    fn new(listeners: Vec<Listener>, log: Arc<TickLog>, settings: Settings) -> Self {
        log.limit_series(settings.max_series);
        Self { listeners, tls: None, state: AppState::new(log, settings), annotates_host: false }
    }

    /// The bound address of the first TCP port; its port is the system's choice for port 0.
    pub fn port_address(&self) -> Option<SocketAddr> {
        self.listeners.iter().find_map(Listener::port_address)
    }

    /// Shows the facts of another host than the one that it runs on.
    #[must_use]
    pub fn showing(mut self, host: HostFacts) -> Self {
        self.state.host = Arc::new(host);
        self
    }

    /// Admits the users and tokens in `store`, and shows the channels and annotations that are kept there.
    #[must_use]
    pub fn with_accounts(mut self, store: Store) -> Self {
        restore_channels(&store, &self.state.publications);
        restore_annotations(&store, &self.state);
        self.state.credentials = Credentials::of(store);
        self
    }

    /// Starts a sampler of `source` that runs as long as the server, and waits for the first tick.
    ///
    /// # Errors
    /// When the sampler can't be started.
    pub async fn sample(&self, source: impl TickSource + Send + 'static) -> Result<(), ServeError> {
        let (log, statistics) = (Arc::downgrade(&self.state.log), Arc::clone(&self.state.statistics));
        let mut assessor = Assessor::default();
        let mut published = PublishedEvents::of(Arc::clone(&self.state.publications));
        let annotated = AnnotationEvents::of(Arc::clone(&self.state.annotations));
        let start = |state: AppState| HostEvents::start(state.annotations, state.credentials, state.host.boot_time);
        let mut host_events = self.annotates_host.then(|| start(self.state.clone()));
        let history = self.state.history.clone();
        let observer = |state: AppState| IncidentObserver::start(state.recordings, state.credentials);
        let mut incidents = history.is_some().then(|| observer(self.state.clone()));
        let publish = move |mut tick: Tick, timing: SampleTiming| {
            statistics.sample_taken(timing.late, timing.cpu_time);
            let Some(log) = log.upgrade() else { return false };
            published.add_to(&mut tick);
            let unrecorded = history.as_ref().and_then(|history| history.status().failure());
            statistics.history_recorded(history.is_some() && unrecorded.is_none());
            if let Some(events) = &mut host_events {
                events.observe(&tick, unrecorded);
            }
            annotated.add_to(&mut tick);
            let (t, mut verdict) = (tick.t, None);
            log.publish_assessed(tick, |window, processes| {
                verdict = assessor.assess(window, processes);
                verdict.clone()
            });
            if let Some(incidents) = &mut incidents {
                incidents.observe(t, verdict.as_ref().map(|sample| &sample.values));
            }
            true
        };
        sampler::spawn(source, publish).map_err(ServeError::Sampler)?;
        let mut head = self.state.log.watch_head();
        if timeout(FIRST_TICK_TIMEOUT, head.wait_for(|head| head.at.is_some())).await.is_err() {
            tracing::warn!("no tick yet; serving without");
        }
        Ok(())
    }

    /// Serves until `stop` resolves, then drains: ends every stream, and waits for the other responses.
    ///
    /// # Errors
    /// When a fan-out worker can't be started.
    pub async fn serve_until(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let (_never_reloaded, service) = watch::channel(reload::service(&self.state));
        self.serve(service, stop).await
    }

    async fn serve(self, service: watch::Receiver<Service>, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let AppState { log, statistics, settings, .. } = self.state;
        let fanout = match settings.hand_off {
            true => Some(Arc::new(Fanout::start(&log, &statistics, settings.stall).map_err(ServeError::Fanout)?)),
            false => None,
        };
        let stop = async {
            stop.await;
            log.close();
            Instant::now() + settings.drain
        };
        let log = Arc::clone(&log);
        let deadline = Acceptor::run(self.listeners, service, fanout.clone(), self.tls, log, stop).await;
        if let Some(fanout) = fanout {
            let drained = spawn_blocking(move || fanout.drain(deadline)).await;
            drained.unwrap_or_else(|error| tracing::error!(%error, "cannot drain the streams"));
        }
        Ok(())
    }
}

/// Declares the channels that are kept. A declaration that this version doesn't allow is left where it is.
fn restore_channels(store: &Store, publications: &Publications) {
    let kept = store.channels().inspect_err(|error| tracing::warn!(%error, "cannot read the declarations of channels"));
    for channel in kept.into_iter().flatten() {
        match restored_declaration(channel) {
            Ok((name, channel)) => _ = publications.declare(name, channel),
            Err(refusal) => tracing::warn!(%refusal, "a kept declaration of a channel is not used"),
        }
    }
}

/// Shows the annotations that are kept.
fn restore_annotations(store: &Store, state: &AppState) {
    let kept = store.annotations().inspect_err(|error| tracing::warn!(%error, "cannot read the annotations"));
    state.annotations.restore(kept.unwrap_or_default());
}

/// Shows the recordings that are kept. Whether they are known: if not, the history must remove nothing.
fn restore_recordings(store: &Store, state: &AppState) -> bool {
    match store.recordings() {
        Ok(kept) => {
            state.recordings.restore(kept);
            true
        }
        Err(error) => {
            tracing::warn!(%error, "cannot read the recordings; until the next start the history removes nothing");
            false
        }
    }
}
