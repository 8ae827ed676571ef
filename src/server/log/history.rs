//! What the log keeps: a ring of encoded ticks for replay, and a window of values.

use super::encoded_tick::EncodedTick;
use crate::schema::{
    Annotation, Annotations, EventId, INTERVAL_MS, Processes, RETENTION_S, RawCounters, Sample, Verdict, Window,
};
use std::{collections::VecDeque, mem, sync::Arc};

/// Ticks that the ring keeps as they are sent: those that viewers behind by a moment read.
const PLAIN_TICKS: usize = 10;

/// Annotations that ended longer ago are no longer in a window.
const ANNOTATIONS_MAX_AGE_MS: u64 = RETENTION_S as u64 * INTERVAL_MS;

/// The newest processes describe the present for this long.
const PROCESSES_MAX_AGE_MS: u64 = 10_000;

#[derive(Debug)]
pub(super) struct History {
    pub ring: VecDeque<Arc<EncodedTick>>,
    /// Ticks that the ring keeps at most.
    pub capacity: usize,
    /// Ticks that have left the ring.
    pub dropped: u64,
    pub values: Values,
}

/// The values up to the newest tick of the ring. Readers share them, so that none holds the lock while it copies.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub window: Arc<Window>,
    /// The newest sample: processes make no series.
    pub processes: Option<Arc<Sample<Processes>>>,
    pub verdict: Arc<Verdict>,
    /// The newest ones of the last hour, oldest first.
    pub annotations: Arc<Vec<Annotation>>,
    /// Of the newest tick.
    pub counters: Arc<RawCounters>,
}

/// What a tick replaces in the history. The caller drops it outside the lock.
pub(super) struct Replaced {
    pub _values: Values,
    /// The tick before the newest.
    pub previous: Option<Arc<EncodedTick>>,
    /// The tick that left the ring.
    pub _oldest: Option<Arc<EncodedTick>>,
    /// The tick that has been packed.
    pub _plain: Option<Arc<EncodedTick>>,
}

impl History {
    pub(super) fn new(capacity: usize) -> Self {
        let values = Values {
            window: Arc::new(Window::new(RETENTION_S)),
            processes: None,
            verdict: Arc::new(Verdict::before_samples()),
            annotations: Arc::default(),
            counters: Arc::default(),
        };
        Self { ring: VecDeque::new(), capacity: capacity.max(1), dropped: 0, values }
    }

    /// The tick that the ring should keep packed from the next one on.
    pub(super) fn aging_tick(&self) -> Option<Arc<EncodedTick>> {
        self.ring.get(self.ring.len().checked_sub(PLAIN_TICKS)?).cloned()
    }

    /// Appends a tick, and the values up to it. `packed` takes the place of the aging tick.
    pub(super) fn push(
        &mut self,
        encoded: Arc<EncodedTick>,
        values: Values,
        packed: Option<Arc<EncodedTick>>,
    ) -> Replaced {
        let aging = self.ring.len().checked_sub(PLAIN_TICKS).and_then(|index| self.ring.get_mut(index));
        let plain = aging.zip(packed).map(|(aging, packed)| mem::replace(aging, packed));
        let oldest = if self.ring.len() == self.capacity { self.ring.pop_front() } else { None };
        self.dropped += u64::from(oldest.is_some());
        let previous = self.ring.back().cloned();
        self.ring.push_back(encoded);
        Replaced { _values: mem::replace(&mut self.values, values), previous, _oldest: oldest, _plain: plain }
    }

    /// Ticks published since the start.
    pub(super) fn published(&self) -> u64 {
        self.dropped + self.ring.len() as u64
    }

    /// Id of the newest event.
    pub(super) fn last_id(&self) -> Option<EventId> {
        self.ring.back().map(|tick| tick.last_id())
    }
}

impl Values {
    /// Replaces the annotations at a tick at `t` that carries some, and forgets those that are too old.
    pub(super) fn annotate(&mut self, t: u64, newest: Option<&Annotations>) {
        if let Some(newest) = newest {
            self.annotations = Arc::new(newest.annotations.clone());
        }
        let is_old = |annotation: &Annotation| annotation.end() + ANNOTATIONS_MAX_AGE_MS < t;
        if self.annotations.iter().any(is_old) {
            Arc::make_mut(&mut self.annotations).retain(|annotation| !is_old(annotation));
        }
    }

    /// The newest processes, unless they are too old to describe the present.
    pub(super) fn processes(&self) -> Option<&Processes> {
        let (newest, now) = (self.processes.as_ref()?, self.window.end()?);
        (now.abs_diff(newest.t) < PROCESSES_MAX_AGE_MS).then_some(&newest.values)
    }
}
