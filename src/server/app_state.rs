//! State that all request handlers share: log, limiter, statistics, settings.

use super::{access::StreamLimiter, export::Statistics, host_facts, log::TickLog, settings::Settings};
use crate::schema::HostFacts;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Shared by all requests.
#[derive(Clone, Debug)]
pub struct AppState {
    pub(super) log: Arc<TickLog>,
    pub(super) host: Arc<HostFacts>,
    pub(super) limiter: Arc<StreamLimiter>,
    pub(super) statistics: Arc<Statistics>,
    pub(super) settings: Arc<Settings>,
    /// Permits rendering a PNG, which takes a core for a while.
    pub(super) png_rendering: Arc<Semaphore>,
    /// Permits reading `/proc` for metrics, which may hang.
    pub(super) scraping: Arc<Semaphore>,
}

impl AppState {
    /// The state of a server of `log`.
    pub fn new(log: Arc<TickLog>, settings: Settings) -> Self {
        // Leptos needs an executor; an error means that it has one already.
        let _ = any_spawner::Executor::init_tokio();
        Self {
            host: Arc::new(host_facts::host_facts()),
            limiter: StreamLimiter::new(settings.max_streams_per_address, settings.max_streams),
            statistics: Statistics::new(&log),
            settings: Arc::new(settings),
            png_rendering: Arc::new(Semaphore::new(1)),
            scraping: Arc::new(Semaphore::new(1)),
            log,
        }
    }
}
