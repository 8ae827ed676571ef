//! State that all request handlers share: log, limiter, statistics, settings.

use super::{
    access::{ClientLimiter, Credentials, PublishLimiter, SignInLimiter, Tickets},
    annotations::Annotations,
    channels::Channels,
    export::Statistics,
    history::HistoryReader,
    host_facts,
    log::{Chunk, Start, TickLog},
    oidc::Oidc,
    publish::Publications,
    recordings::Recordings,
    rendering::SharedResponses,
    settings::Settings,
};
use crate::schema::HostFacts;
use bytes::Bytes;
use std::{
    num::NonZero,
    sync::{Arc, Weak},
    thread::available_parallelism,
};
use tokio::sync::Semaphore;

/// Pages, and snapshots, that are rendered or wait for it.
const MAX_PAGES: usize = 64;
/// PNGs that are rendered or wait for it: a second's work.
const MAX_IMAGES: usize = 8;
/// Metrics that are rendered or wait for it: each text format in each coding.
const MAX_EXPOSITIONS: usize = 6;

/// Requests of one client that are rendered or wait for it: fewer than there is room for, so that none fills it.
pub(super) const MAX_REQUESTS_PER_CLIENT: usize = 32;
/// Requests at a time that hash a password, which takes 19 MiB and tens of milliseconds, or write to the disk.
const MAX_SLOW_REQUESTS: usize = 2;

/// Shared by all requests.
#[derive(Clone, Debug)]
pub struct AppState {
    pub(super) log: Arc<TickLog>,
    pub(super) host: Arc<HostFacts>,
    pub(super) channels: Arc<Channels>,
    pub(super) limiter: Arc<ClientLimiter>,
    /// Limits the requests of a client that take more than a copy.
    pub(super) requests: Arc<ClientLimiter>,
    pub(super) statistics: Arc<Statistics>,
    pub(super) settings: Arc<Settings>,
    /// Compressed pages, and charts as SVG.
    pub(super) pages: Arc<SharedResponses<Bytes>>,
    /// Charts as PNG, which take a core for a while each.
    pub(super) images: Arc<SharedResponses<Bytes>>,
    /// Snapshots, without the time of each response.
    pub(super) snapshots: Arc<SharedResponses<(Start, Chunk)>>,
    pub(super) credentials: Arc<Credentials>,
    pub(super) tickets: Arc<Tickets>,
    pub(super) sign_in_limiter: Arc<SignInLimiter>,
    pub(super) publications: Arc<Publications>,
    pub(super) publish_limiter: Arc<PublishLimiter>,
    pub(super) annotations: Arc<Annotations>,
    pub(super) recordings: Arc<Recordings>,
    /// `None` if no history is kept.
    pub(super) history: Option<HistoryReader>,
    /// Where else users sign in.
    pub(super) oidc: Option<Arc<Oidc>>,
    /// Permits requests that hash a password or write to the disk.
    pub(super) slow_requests: Arc<Semaphore>,
    /// Metrics as text, which no other rendering delays.
    pub(super) metrics: Arc<SharedResponses<Bytes>>,
}

impl AppState {
    /// The host's facts. The boot time follows from the newest uptime: one read earlier is wrong once the clock is set.
    pub(super) fn host_now(&self) -> HostFacts {
        let window = self.log.window();
        let boot_time = window.end().zip(window.last("load.uptime_seconds"));
        let boot_time = boot_time.map(|(end, uptime)| (end / 1000).saturating_sub(uptime.round() as u64));
        HostFacts { boot_time: boot_time.unwrap_or(self.host.boot_time), ..(*self.host).clone() }
    }

    /// The state of a server of `log`.
    pub fn new(log: Arc<TickLog>, settings: Settings) -> Self {
        // Half of the cores at most render pages, so that ticks are on time.
        let threads = available_parallelism().map_or(1, NonZero::get).div_ceil(2);
        let pages = Arc::new(SharedResponses::new(threads, MAX_PAGES, Bytes::len));
        let images = Arc::new(SharedResponses::new(1, MAX_IMAGES, Bytes::len));
        let snapshots =
            Arc::new(SharedResponses::new(threads, MAX_PAGES, |(_, snapshot): &(Start, Chunk)| snapshot.data_len()));
        let metrics = Arc::new(SharedResponses::new(1, MAX_EXPOSITIONS, Bytes::len));
        let cached = [&pages, &images, &metrics].map(Arc::downgrade);
        let cached_snapshots = Arc::downgrade(&snapshots);
        log.on_head_change(move || {
            cached.iter().filter_map(Weak::upgrade).for_each(|responses| responses.clear());
            cached_snapshots.upgrade().iter().for_each(|responses| responses.clear());
        });
        let publications = Arc::new(Publications::new(settings.publish));
        Self {
            host: Arc::new(host_facts::host_facts()),
            channels: Arc::new(Channels::new(Arc::clone(&publications), Arc::clone(&log))),
            limiter: ClientLimiter::new(settings.max_streams_per_address, settings.max_streams),
            requests: ClientLimiter::new(MAX_REQUESTS_PER_CLIENT, usize::MAX),
            statistics: Statistics::new(&log, &settings.metrics_prefix),
            publications,
            publish_limiter: Arc::default(),
            annotations: Arc::default(),
            recordings: Arc::default(),
            history: None,
            settings: Arc::new(settings),
            pages,
            images,
            snapshots,
            credentials: Arc::default(),
            tickets: Arc::default(),
            sign_in_limiter: Arc::default(),
            oidc: None,
            slow_requests: Arc::new(Semaphore::new(MAX_SLOW_REQUESTS)),
            metrics,
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
            let values = Load { uptime_seconds: Some(uptime), ..Load::default() };
            state.log.publish(&Tick::at(t).with(Sample { t, at: 0.0, dt: 1.0, values }));
        }
        assert_eq!(state.host_now().boot_time, 9_000 - 91);
    }
}
