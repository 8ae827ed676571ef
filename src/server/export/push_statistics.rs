//! Metrics of what is pushed to other systems, by receiver.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use std::sync::atomic::AtomicU64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReceiverLabel {
    receiver: &'static str,
}

type ByReceiver<M> = Family<ReceiverLabel, M>;

/// Metrics of all receivers; none without one.
#[derive(Debug, Default)]
pub(in crate::server) struct PushStatistics {
    samples: ByReceiver<Counter>,
    dropped: ByReceiver<Counter>,
    failures: ByReceiver<Counter>,
    behind: ByReceiver<Gauge<f64, AtomicU64>>,
}

/// Metrics of one receiver.
#[derive(Clone, Debug)]
pub(in crate::server) struct ReceiverStatistics {
    /// Samples that the receiver accepted.
    pub samples: Counter,
    /// Samples that were given up.
    pub dropped: Counter,
    /// Requests that failed, and were repeated or given up.
    pub failures: Counter,
    /// Seconds from the oldest tick that the receiver doesn't have to the newest.
    pub behind: Gauge<f64, AtomicU64>,
}

impl PushStatistics {
    pub(super) fn register(&self, own: &mut Registry) {
        own.register("push_samples", "Samples that a receiver accepted", self.samples.clone());
        let help = "Samples that a receiver refused, or that waited for it beyond the limit";
        own.register("push_dropped_samples", help, self.dropped.clone());
        own.register("push_failures", "Requests to a receiver that failed", self.failures.clone());
        let help = "Time from the oldest tick that a receiver doesn't have to the newest";
        own.register_with_unit("push_behind", help, Unit::Seconds, self.behind.clone());
    }

    /// The metrics of `receiver`, which are exposed from now on.
    pub(in crate::server) fn of(&self, receiver: &'static str) -> ReceiverStatistics {
        let label = ReceiverLabel { receiver };
        ReceiverStatistics {
            samples: self.samples.get_or_create(&label).clone(),
            dropped: self.dropped.get_or_create(&label).clone(),
            failures: self.failures.get_or_create(&label).clone(),
            behind: self.behind.get_or_create(&label).clone(),
        }
    }
}
