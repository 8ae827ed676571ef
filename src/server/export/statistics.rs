//! What the server counts about itself, in the OpenMetrics text format.

#[cfg(target_os = "linux")]
use crate::server::sampler::HostExposition;
use crate::server::{
    log::{Start, TickLog},
    sampler::SampleTiming,
};
use axum::http::StatusCode;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

/// Why a stream has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum CloseReason {
    /// The client left, or vanished.
    Gone,
    /// The client took no bytes for too long.
    Stalled,
    /// The stream was old enough.
    Aged,
    /// The server stops.
    Shutdown,
}

impl CloseReason {
    /// As it stands in the metrics and the log.
    pub(in crate::server) const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Stalled => "stalled",
            Self::Aged => "aged",
            Self::Shutdown => "shutdown",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StartLabel {
    start: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    status: u16,
}

/// Counters, gauges and histograms, and where they are registered.
pub(in crate::server) struct Statistics {
    registry: Registry,
    streams: Gauge,
    opened: Family<StartLabel, Counter>,
    closed: Family<ReasonLabel, Counter>,
    refused: Family<StatusLabel, Counter>,
    age: Histogram,
    /// Events written.
    pub events: Counter,
    /// Bytes of streams written, without HTTP's framing.
    pub bytes: Counter,
    /// Viewers that the ring has passed, and that went on with a window.
    pub conflations: Counter,
    /// Seconds from a tick to the last byte handed to the kernel for the slowest viewer that takes its bytes.
    pub fanout: Histogram,
    lateness: Histogram,
    cost: Counter<f64, AtomicU64>,
    samples: Counter,
    cpu: Counter<f64, AtomicU64>,
    memory: Gauge,
    descriptors: Gauge,
}

impl fmt::Debug for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statistics").finish_non_exhaustive()
    }
}

impl Statistics {
    /// Registers everything; what is told of the host is partly what `log` knows.
    #[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "only Linux tells about its host"))]
    pub(in crate::server) fn new(log: &Arc<TickLog>) -> Arc<Self> {
        let mut statistics = Self {
            registry: Registry::default(),
            streams: Gauge::default(),
            opened: Family::default(),
            closed: Family::default(),
            refused: Family::default(),
            // A second to three hours.
            age: Histogram::new(exponential_buckets(1.0, 3.0, 9)),
            events: Counter::default(),
            bytes: Counter::default(),
            conflations: Counter::default(),
            // A tenth of a millisecond to nearly a second.
            fanout: Histogram::new(exponential_buckets(1e-4, 2.0, 14)),
            lateness: Histogram::new(exponential_buckets(1e-4, 2.0, 14)),
            cost: Counter::default(),
            samples: Counter::default(),
            cpu: Counter::default(),
            memory: Gauge::default(),
            descriptors: Gauge::default(),
        };
        statistics.register();
        #[cfg(target_os = "linux")]
        statistics.registry.register_collector(Box::new(HostExposition::new(Arc::clone(log))));
        Arc::new(statistics)
    }

    fn register(&mut self) {
        let own = self.registry.sub_registry_with_prefix("hostbeat");
        own.register("streams", "Open streams", self.streams.clone());
        own.register("streams_opened", "Streams opened, by what they started with", self.opened.clone());
        own.register("streams_closed", "Streams ended, by the reason", self.closed.clone());
        own.register("streams_refused", "Streams refused, by the status of the answer", self.refused.clone());
        own.register_with_unit("stream_age", "Age of a stream at its end", Unit::Seconds, self.age.clone());
        own.register("events_sent", "Events written to streams", self.events.clone());
        own.register_with_unit("stream_sent", "Written to streams", Unit::Bytes, self.bytes.clone());
        own.register("conflations", "Viewers too far behind, who got a window instead", self.conflations.clone());
        let help = "From a tick to the last byte handed to the kernel for the slowest viewer";
        own.register_with_unit("fanout", help, Unit::Seconds, self.fanout.clone());
        let help = "From a whole second to the beginning of its sample";
        own.register_with_unit("sample_lateness", help, Unit::Seconds, self.lateness.clone());
        own.register_with_unit("sample_cpu", "Processor time spent on sampling", Unit::Seconds, self.cost.clone());
        own.register("samples", "Samples taken", self.samples.clone());
        let process = self.registry.sub_registry_with_prefix("process");
        process.register_with_unit("cpu", "Processor time of this process", Unit::Seconds, self.cpu.clone());
        let help = "Resident memory of this process";
        process.register_with_unit("resident_memory", help, Unit::Bytes, self.memory.clone());
        process.register("open_fds", "Open file descriptors of this process", self.descriptors.clone());
    }

    pub(in crate::server) fn opened(&self, start: Start) {
        self.opened.get_or_create(&StartLabel { start: start.as_str() }).inc();
    }

    pub(in crate::server) fn closed(&self, reason: CloseReason, age: Duration) {
        self.closed.get_or_create(&ReasonLabel { reason: reason.as_str() }).inc();
        self.age.observe(age.as_secs_f64());
    }

    pub(in crate::server) fn refused(&self, status: StatusCode) {
        self.refused.get_or_create(&StatusLabel { status: status.as_u16() }).inc();
    }

    pub(in crate::server) fn sampled(&self, timing: SampleTiming) {
        self.lateness.observe(timing.late.as_secs_f64());
        self.cost.inc_by(timing.cpu_time.as_secs_f64());
        self.samples.inc();
    }

    /// Everything, as OpenMetrics text.
    ///
    /// # Errors
    /// When text can't be written to memory, which doesn't happen.
    pub(in crate::server) fn expose(&self, log: &TickLog) -> Result<String, fmt::Error> {
        self.streams.set(log.subscribers().viewers() as i64);
        #[cfg(target_os = "linux")]
        self.measure_process();
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    #[cfg(target_os = "linux")]
    fn measure_process(&self) {
        use rustix::{param::page_size, time};
        use std::sync::atomic::Ordering;
        let cpu = Duration::try_from(time::clock_gettime(time::ClockId::ProcessCPUTime)).unwrap_or_default();
        self.cpu.inner().store(cpu.as_secs_f64().to_bits(), Ordering::Relaxed);
        // Total, then resident, in pages (proc_pid_statm(5)).
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages: Option<i64> = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
        self.memory.set(pages.unwrap_or_default() * page_size() as i64);
        self.descriptors.set(std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as i64);
    }
}
