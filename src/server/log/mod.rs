//! What is kept and who has seen what: a ring of rendered ticks, a window of figures, and a cursor for each viewer.
//!
//! A viewer is a place in the ring, not a queue: a slow one costs no memory, and when the ring has passed it, it skips
//! ahead with a window instead.

mod chunk;
mod cursor;
mod encoded_tick;
mod event_writer;
mod gzip;
mod persistence;
mod subscribers;

use crate::schema::{
    EventId, EventNames, IdSequence, LatestValues, Processes, RETENTION_S, Sample, Tick, Verdict, Window,
    WindowSnapshot,
};
pub use chunk::{Chunk, Coding, Encoder};
pub use cursor::{Cursor, Newest, Progress, Start};
pub use encoded_tick::EncodeError;
use encoded_tick::EncodedTick;
pub use event_writer::{InvalidField, write_event, write_retry};
pub use persistence::InvalidState;
use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};
pub use subscribers::{SubscriberGuard, Subscribers};
use tokio::sync::watch;

/// Rendered ticks that are kept for replay. An older client gets a window, which is a tenth of the bytes.
pub const RING_TICKS: usize = 900;

/// For so long, what processes took a while ago is what they take.
const PRESENT_MS: u64 = 10_000;

/// How far the stream has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Ticks published since the start.
    pub published: u64,
    /// Unix milliseconds of the newest.
    pub last_tick: Option<u64>,
    /// When that was published.
    pub at: Option<Instant>,
    /// Whether the stream is about to end on purpose.
    pub closing: bool,
}

/// Without a tick for so long, the sampler is stuck.
const STUCK: Duration = Duration::from_secs(5);

impl Head {
    /// Whether there was a tick, and has been none for long: what it told is no longer of the present.
    pub fn is_stuck(&self) -> bool {
        self.at.is_some_and(|at| at.elapsed() > STUCK)
    }
}

/// Takes ticks from the sampler and hands them to any number of viewers.
pub struct TickLog {
    ids: Mutex<IdSequence>,
    history: RwLock<History>,
    head: watch::Sender<Head>,
    wakers: Mutex<Vec<Waker>>,
    subscribers: Arc<Subscribers>,
}

/// Called when the head has moved.
type Waker = Box<dyn Fn() + Send + Sync>;

impl fmt::Debug for TickLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TickLog").field("head", &*self.head.borrow()).finish_non_exhaustive()
    }
}

/// What has been published.
#[derive(Debug)]
struct History {
    ring: VecDeque<Arc<EncodedTick>>,
    /// How many the ring keeps.
    limit: usize,
    /// Ticks that the ring has let go.
    dropped: u64,
    window: Window,
    /// The newest, which make no series.
    processes: Option<Sample<Processes>>,
    verdict: Verdict,
}

impl Default for TickLog {
    fn default() -> Self {
        Self::with_ring(RING_TICKS)
    }
}

impl TickLog {
    /// A log that keeps `ticks` for replay.
    pub fn with_ring(ticks: usize) -> Self {
        let history = History {
            ring: VecDeque::new(),
            limit: ticks.max(1),
            dropped: 0,
            window: Window::new(RETENTION_S),
            processes: None,
            verdict: Verdict::default(),
        };
        Self {
            ids: Mutex::default(),
            history: RwLock::new(history),
            head: watch::Sender::default(),
            wakers: Mutex::default(),
            subscribers: Arc::default(),
        }
    }

    /// Makes a tick known to every viewer. Rendering happens here, once, and outside the lock that viewers read under.
    pub fn publish(&self, tick: &Tick) {
        let mut ids = self.ids();
        let encoded = match EncodedTick::render(tick, &mut ids) {
            Ok(encoded) => Arc::new(encoded),
            Err(error) => return tracing::error!(t = tick.t, %error, "a tick was dropped"),
        };
        let mut history = self.history_mut();
        if history.ring.len() == history.limit {
            history.ring.pop_front();
            history.dropped += 1;
        }
        if let Some(previous) = history.ring.back() {
            previous.retire();
        }
        history.ring.push_back(encoded);
        tick.record_into(&mut history.window);
        if tick.processes.is_some() {
            history.processes.clone_from(&tick.processes);
        }
        if let Some(verdict) = &tick.verdict {
            history.verdict.clone_from(&verdict.values);
        }
        let published = history.published();
        drop(history);
        self.move_head(|head| {
            head.published = published;
            head.last_tick = Some(tick.t);
            head.at = Some(Instant::now());
        });
    }

    /// Ends every stream, and tells its viewer.
    pub fn close(&self) {
        self.move_head(|head| head.closing = true);
    }

    fn move_head(&self, change: impl FnOnce(&mut Head)) {
        self.head.send_modify(change);
        self.wakers().iter().for_each(|wake| wake());
    }

    /// Has `wake` called whenever the head has moved, for those who can't wait for [`follow`](Self::follow).
    pub fn wake_with(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.wakers().push(Box::new(wake));
    }

    /// How far the stream has come now.
    pub fn head(&self) -> Head {
        *self.head.borrow()
    }

    /// Follows how far the stream has come.
    pub fn follow(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// Who is looking.
    pub fn subscribers(&self) -> Arc<Subscribers> {
        Arc::clone(&self.subscribers)
    }

    /// The newest `span` seconds, and the id after which the live stream goes on from there.
    pub fn snapshot(&self, span: usize) -> (WindowSnapshot, Option<EventId>) {
        let history = self.history();
        (history.window.snapshot(None, span, EventNames::ALL), history.last_id())
    }

    /// Lets `read` see the window.
    pub fn with_window<T>(&self, read: impl FnOnce(&Window) -> T) -> T {
        read(&self.history().window)
    }

    /// The newest processes, if they are of the present.
    pub fn processes(&self) -> Option<Processes> {
        let history = self.history();
        let now = history.window.end()?;
        history
            .processes
            .as_ref()
            .filter(|sample| now.abs_diff(sample.t) < PRESENT_MS)
            .map(|sample| sample.values.clone())
    }

    /// What has no history.
    pub fn latest_values(&self) -> LatestValues {
        LatestValues { processes: self.processes().unwrap_or_default(), verdict: self.history().verdict.clone() }
    }

    // A thread that panicked while it held a lock can't have left these half written in a way that matters: the worst
    // is a tick that the ring has and the window has not.
    fn ids(&self) -> MutexGuard<'_, IdSequence> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wakers(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn history(&self) -> RwLockReadGuard<'_, History> {
        self.history.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn history_mut(&self) -> RwLockWriteGuard<'_, History> {
        self.history.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History {
    fn published(&self) -> u64 {
        self.dropped + self.ring.len() as u64
    }

    fn last_id(&self) -> Option<EventId> {
        self.ring.back().map(|tick| tick.last())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::schema::{Connections, Cpu, Memory, Sample};

    /// A tick at `t` whose `memory.used` is `t`.
    pub(in crate::server) fn tick(t: u64) -> Tick {
        fn sample<G>(t: u64, values: G) -> Option<Sample<G>> {
            Some(Sample { t, at: t as f64 / 1000.0, dt: 1.0, values })
        }
        Tick {
            t,
            cpu: sample(t, Cpu { total: Some(1.5), ..Cpu::default() }),
            memory: sample(t, Memory { used: Some(t), ..Memory::default() }),
            connections: sample(t, Connections { viewers: Some(0), ..Connections::default() }),
            ..Tick::default()
        }
    }

    #[test]
    fn a_snapshot_ends_where_the_live_stream_goes_on() {
        let log = TickLog::default();
        assert_eq!(log.snapshot(300).1, None);
        for t in [1000, 2000, 3000] {
            log.publish(&tick(t));
        }
        let (columns, id) = log.snapshot(2);
        assert_eq!((columns.t0, columns.n), (2000, 2));
        assert_eq!(id, Some(EventId { ms: 3000, n: 2 }));
    }
}
