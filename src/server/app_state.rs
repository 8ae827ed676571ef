//! What every request handler shares.

use super::{Settings, access::StreamLimiter, export::Statistics, host_facts, log::TickLog};
use crate::schema::HostFacts;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What requests are answered from.
#[derive(Clone, Debug)]
pub struct AppState {
    pub(super) log: Arc<TickLog>,
    pub(super) host: Arc<HostFacts>,
    pub(super) limiter: Arc<StreamLimiter>,
    pub(super) statistics: Arc<Statistics>,
    pub(super) settings: Arc<Settings>,
    /// The turn to draw a picture, which takes a core for a while.
    pub(super) drawing: Arc<Semaphore>,
}

impl AppState {
    /// Answers from `log`, as `policy` says.
    pub fn new(log: Arc<TickLog>, settings: Settings) -> Self {
        // Leptos spawns on the executor that it was told of; an error says that it was told before.
        let _ = any_spawner::Executor::init_tokio();
        Self {
            host: Arc::new(host_facts::host_facts()),
            limiter: StreamLimiter::new(settings.max_streams_per_address, settings.max_streams),
            statistics: Statistics::new(&log),
            settings: Arc::new(settings),
            drawing: Arc::new(Semaphore::new(1)),
            log,
        }
    }
}
