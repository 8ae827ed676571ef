//! The tick log: a ring of encoded ticks, a window of values, and a cursor for each viewer. `telemetry.rs` has the server's
//! log messages.
//!
//! A viewer is a position in the ring, not a queue, so a slow one costs no memory.

mod chunk;
mod chunk_cache;
mod chunk_memory;
mod cursor;
mod encoded_tick;
mod event_bytes;
mod event_writer;
mod gzip;
mod head;
mod history;
mod newest_tick;
mod publisher;
mod recording;
mod restore;
mod sent_event;
mod subscribers;

use crate::schema::{
    EventFilter, EventId, IdSequence, Identity, LatestValues, Processes, RawCounters, Window, WindowSnapshot,
};
pub use chunk::{Chunk, Coding, Encoder};
use chunk_cache::ChunkCache;
pub use cursor::{Cursor, Progress, Start};
pub use encoded_tick::EncodeError;
use encoded_tick::EncodedTick;
pub use event_writer::{InvalidField, write_event, write_json, write_retry};
pub use head::Head;
use history::{History, Values};
pub use newest_tick::NewestTick;
use publisher::Publisher;
pub use recording::RecordedTicks;
pub use sent_event::{InvalidEvents, SentEvent, sent_events};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};
pub use subscribers::{SubscriberGuard, Subscribers};
use tokio::sync::watch;

/// Encoded ticks kept for replay. A client further behind gets a window, a tenth of the bytes.
pub const RING_TICKS: usize = 900;

/// Takes ticks from the sampler, and serves any number of cursors.
pub struct TickLog {
    identity: Identity,
    tag: u32,
    publisher: Mutex<Publisher>,
    history: RwLock<History>,
    head: watch::Sender<Head>,
    head_listeners: Mutex<Vec<HeadListener>>,
    subscribers: Arc<Subscribers>,
    chunks: ChunkCache,
}

type HeadListener = Box<dyn Fn() + Send + Sync>;

impl fmt::Debug for TickLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TickLog").field("head", &*self.head.borrow()).finish_non_exhaustive()
    }
}

impl Default for TickLog {
    fn default() -> Self {
        Self::of(Identity::default())
    }
}

impl TickLog {
    /// An empty log of a host and an epoch.
    pub fn of(identity: Identity) -> Self {
        Self::new(identity, RING_TICKS)
    }

    /// A log whose ring keeps `ticks`.
    pub fn with_ring(ticks: usize) -> Self {
        Self::new(Identity::default(), ticks)
    }

    fn new(identity: Identity, ticks: usize) -> Self {
        let tag = identity.tag();
        Self {
            identity,
            tag,
            publisher: Mutex::new(Publisher::new(IdSequence::after(tag, None))),
            history: RwLock::new(History::new(ticks)),
            head: watch::Sender::default(),
            head_listeners: Mutex::default(),
            subscribers: Arc::default(),
            chunks: ChunkCache::default(),
        }
    }

    /// Whose ticks these are.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// From now on, records no series beyond `max_series`.
    pub fn limit_series(&self, max_series: usize) {
        // Or a tick that is being published would undo it.
        let _publisher = self.publisher();
        Arc::make_mut(&mut self.history_mut().values.window).limit_series(max_series);
    }

    /// Ends every stream with a `shutdown` event.
    pub fn close(&self) {
        self.update_head(|head| head.closing = true);
    }

    fn update_head(&self, update: impl FnOnce(&mut Head)) {
        self.head.send_modify(update);
        self.head_listeners().iter().for_each(|listener| listener());
    }

    /// Calls `listener` whenever the head changes, for threads that can't await [`watch_head`](Self::watch_head).
    pub fn on_head_change(&self, listener: impl Fn() + Send + Sync + 'static) {
        self.head_listeners().push(Box::new(listener));
    }

    /// The head now.
    pub fn head(&self) -> Head {
        *self.head.borrow()
    }

    /// Watches the head.
    pub fn watch_head(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// Whether the chunks that viewers catch up with take all the memory that they may.
    pub fn is_chunk_memory_exhausted(&self) -> bool {
        self.chunks.memory.is_exhausted()
    }

    /// Who reads the log, and which events.
    pub fn subscribers(&self) -> Arc<Subscribers> {
        Arc::clone(&self.subscribers)
    }

    /// The newest `seconds` of every series, and the id of its newest event.
    pub fn snapshot(&self, seconds: usize) -> (WindowSnapshot, Option<EventId>) {
        let (window, last_id) = {
            let history = self.history();
            (Arc::clone(&history.values.window), history.last_id())
        };
        (window.snapshot(None, seconds, &EventFilter::All), last_id)
    }

    /// The window up to the newest tick.
    pub fn window(&self) -> Arc<Window> {
        Arc::clone(&self.history().values.window)
    }

    /// The raw counters of the newest tick; none before the first.
    pub fn counters(&self) -> Arc<RawCounters> {
        Arc::clone(&self.history().values.counters)
    }

    /// The newest processes, unless they are too old to describe the present.
    pub fn processes(&self) -> Option<Processes> {
        self.values().processes().cloned()
    }

    /// The newest values that make no series.
    pub fn latest_values(&self) -> LatestValues {
        let values = self.values();
        LatestValues {
            processes: values.processes().cloned().unwrap_or_default(),
            verdict: (*values.verdict).clone(),
            annotations: (*values.annotations).clone(),
        }
    }

    fn values(&self) -> Values {
        self.history().values.clone()
    }

    // Poisoning is ignored: a panic leaves the history without the present tick.
    fn publisher(&self) -> MutexGuard<'_, Publisher> {
        self.publisher.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn head_listeners(&self) -> MutexGuard<'_, Vec<HeadListener>> {
        self.head_listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn history(&self) -> RwLockReadGuard<'_, History> {
        self.history.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn history_mut(&self) -> RwLockWriteGuard<'_, History> {
        self.history.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::schema::{Connections, Cpu, Memory, Sample, Tick};

    /// The id of an event in a log of no particular host.
    pub(in crate::server) fn id(ms: u64, n: u32) -> EventId {
        EventId { ms, n, tag: Identity::default().tag() }
    }

    /// A tick at `t` with `memory.used_bytes` = `t`.
    pub(in crate::server) fn tick(t: u64) -> Tick {
        fn sample<G>(t: u64, values: G) -> Option<Sample<G>> {
            Some(Sample { t, at: t as f64 / 1000.0, dt: 1.0, values })
        }
        Tick::at(t)
            .with(sample(t, Cpu { total_percent: Some(1.5), ..Cpu::default() }))
            .with(sample(t, Memory { used_bytes: Some(t), ..Memory::default() }))
            .with(sample(t, Connections { viewers: Some(0), ..Connections::default() }))
    }

    /// What a restart makes of a log.
    pub(in crate::server) fn restored(log: &TickLog) -> TickLog {
        let events = sent_events(&log.ticks_after(&mut 0).events).unwrap();
        TickLog::restored(log.identity().clone(), (*log.window()).clone(), &events).unwrap()
    }

    /// Exhausts the memory of chunks until the returned one is dropped.
    pub(in crate::server) fn exhaust_chunk_memory(log: &TickLog) -> Chunk {
        let key = (chunk_cache::Content::Ticks(u64::MAX, 1), EventFilter::All, Coding::Identity);
        log.chunks.get(key, || Chunk::new(&vec![0; chunk_memory::MAX_BYTES], 1, Coding::Identity))
    }

    #[test]
    fn publish_waits_for_no_reader_and_leaves_its_window_unchanged() {
        let log = TickLog::default();
        log.publish(&tick(1000));
        let read = log.window();
        log.publish(&tick(2000));
        assert_eq!((read.end(), log.window().end()), (Some(1000), Some(2000)));
    }

    #[test]
    fn snapshot_ends_at_newest_event_id() {
        let log = TickLog::default();
        assert_eq!(log.snapshot(300).1, None);
        for t in [1000, 2000, 3000] {
            log.publish(&tick(t));
        }
        let (columns, newest) = log.snapshot(2);
        assert_eq!((columns.t0, columns.n), (2000, 2));
        assert_eq!(newest, Some(id(3000, 2)));
    }
}
