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
    /// The host's facts. The boot time follows from the newest uptime: one read earlier is wrong once the clock is set.
    pub(super) fn host_now(&self) -> HostFacts {
        let boot_time = self.log.with_window(|window| {
            let (now, uptime) = (window.end()? / 1000, window.last("load.uptime")?);
            Some(now.saturating_sub(uptime.round() as u64))
        });
        HostFacts { boot_time: boot_time.unwrap_or(self.host.boot_time), ..(*self.host).clone() }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Load, Sample, Tick};

    #[test]
    fn boot_time_follows_from_the_newest_uptime() {
        let state = AppState::new(Arc::default(), Settings::default());
        assert_eq!(state.host_now().boot_time, state.host.boot_time, "no uptime yet");
        // The clock is set ahead between the ticks.
        for (t, uptime) in [(1_000_000, 90.2), (9_000_000, 91.2)] {
            let values = Load { uptime: Some(uptime), ..Load::default() };
            state.log.publish(&Tick { t, load: Some(Sample { t, at: 0.0, dt: 1.0, values }), ..Tick::default() });
        }
        assert_eq!(state.host_now().boot_time, 9_000 - 91);
    }
}
