//! The server's own metrics, and the text of all metrics at `/metrics`.

#[cfg(target_os = "linux")]
use super::{host_exposition::HostExposition, push_statistics::PushStatistics};
use super::{process_metrics::ProcessMetrics, text_format::TextFormat};
use crate::server::log::{Start, TickLog};
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
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Why a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum CloseReason {
    /// The client disconnected or became unreachable.
    Gone,
    /// The client read nothing until the stall timeout, or too slowly while memory was short.
    Stalled,
    /// The stream reached its maximum age.
    Aged,
    /// The session or token that opened it ended.
    SignedOut,
    /// The server shut down.
    Shutdown,
}

impl CloseReason {
    /// The label's value, also in the log.
    pub(in crate::server) const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Stalled => "stalled",
            Self::Aged => "aged",
            Self::SignedOut => "signed_out",
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

/// Metrics of the server and its process, with the registry that exposes them.
pub(in crate::server) struct Statistics {
    registry: Registry,
    streams: Gauge,
    streams_opened: Family<StartLabel, Counter>,
    streams_closed: Family<ReasonLabel, Counter>,
    streams_refused: Family<StatusLabel, Counter>,
    stream_age: Histogram,
    /// Events written to streams.
    pub events_sent: Counter,
    /// Bytes written to streams, without HTTP's chunk framing.
    pub bytes_sent: Counter,
    /// Viewers that fell behind the ring and continued with a window.
    pub conflations: Counter,
    /// Snapshots for clients with an unknown id.
    pub snapshot_resets: Counter,
    series: Gauge,
    series_dropped: Counter,
    /// Seconds from a tick until the kernel accepted its last byte for the slowest viewer that isn't stalled.
    pub fanout: Histogram,
    /// Failures of fan-out workers.
    pub failed_workers: Counter,
    sample_lateness: Histogram,
    sample_cpu: Counter<f64, AtomicU64>,
    samples: Counter,
    history_recorded: Gauge,
    /// Metrics that other systems get.
    #[cfg(target_os = "linux")]
    pub push: PushStatistics,
    process: ProcessMetrics,
}

impl fmt::Debug for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statistics").finish_non_exhaustive()
    }
}

impl Statistics {
    /// Registers all metrics; those of the host are those of the newest tick of `log`, and have `prefix` in place of
    /// `node_` in front of their names.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(unused_variables, reason = "the host's metrics are exposed on Linux only")
    )]
    pub(in crate::server) fn new(log: &Arc<TickLog>, prefix: &str) -> Arc<Self> {
        let mut statistics = Self {
            registry: Registry::default(),
            streams: Gauge::default(),
            streams_opened: Family::default(),
            streams_closed: Family::default(),
            streams_refused: Family::default(),
            // 1 s to 1.8 h.
            stream_age: Histogram::new(exponential_buckets(1.0, 3.0, 9)),
            events_sent: Counter::default(),
            bytes_sent: Counter::default(),
            conflations: Counter::default(),
            snapshot_resets: Counter::default(),
            series: Gauge::default(),
            series_dropped: Counter::default(),
            // 0.1 ms to 0.8 s.
            fanout: Histogram::new(exponential_buckets(1e-4, 2.0, 14)),
            failed_workers: Counter::default(),
            sample_lateness: Histogram::new(exponential_buckets(1e-4, 2.0, 14)),
            sample_cpu: Counter::default(),
            samples: Counter::default(),
            history_recorded: Gauge::default(),
            #[cfg(target_os = "linux")]
            push: PushStatistics::default(),
            process: ProcessMetrics::default(),
        };
        statistics.register();
        #[cfg(target_os = "linux")]
        statistics.registry.register_collector(Box::new(HostExposition::new(Arc::clone(log), prefix)));
        Arc::new(statistics)
    }

    fn register(&mut self) {
        let own = self.registry.sub_registry_with_prefix("hostbeat");
        own.register("streams", "Open streams", self.streams.clone());
        own.register("streams_opened", "Streams opened, by what they started with", self.streams_opened.clone());
        own.register("streams_closed", "Streams closed, by reason", self.streams_closed.clone());
        own.register("streams_refused", "Streams refused, by response status", self.streams_refused.clone());
        own.register_with_unit("stream_age", "Age of a stream at its end", Unit::Seconds, self.stream_age.clone());
        own.register("events_sent", "Events written to streams", self.events_sent.clone());
        own.register_with_unit(
            "stream_sent",
            "Bytes written to streams, without chunk framing",
            Unit::Bytes,
            self.bytes_sent.clone(),
        );
        own.register(
            "conflations",
            "Viewers that fell behind the replay buffer and got a window",
            self.conflations.clone(),
        );
        let help = "Snapshots requested since an unknown id";
        own.register("snapshot_resets", help, self.snapshot_resets.clone());
        own.register("series", "Series kept", self.series.clone());
        let help = "Values that were not recorded because their series would exceed the limit";
        own.register("series_dropped", help, self.series_dropped.clone());
        let help = "Time from a tick until the kernel accepted its last byte for the slowest viewer";
        own.register_with_unit("fanout", help, Unit::Seconds, self.fanout.clone());
        let help = "Failures of fan-out workers; the server is not ready once it has one";
        own.register("fanout_failures", help, self.failed_workers.clone());
        let help = "Delay from the whole second to the start of its sample";
        own.register_with_unit("sample_lateness", help, Unit::Seconds, self.sample_lateness.clone());
        own.register_with_unit("sample_cpu", "CPU time spent on sampling", Unit::Seconds, self.sample_cpu.clone());
        own.register("samples", "Samples taken", self.samples.clone());
        let help = "Whether the history is recorded";
        own.register("history_recorded", help, self.history_recorded.clone());
        #[cfg(target_os = "linux")]
        self.push.register(own);
        self.process.register(&mut self.registry);
    }

    pub(in crate::server) fn stream_opened(&self, start: Start) {
        self.streams_opened.get_or_create(&StartLabel { start: start.as_str() }).inc();
    }

    pub(in crate::server) fn stream_closed(&self, reason: CloseReason, age: Duration) {
        self.streams_closed.get_or_create(&ReasonLabel { reason: reason.as_str() }).inc();
        self.stream_age.observe(age.as_secs_f64());
    }

    pub(in crate::server) fn stream_refused(&self, status: StatusCode) {
        self.streams_refused.get_or_create(&StatusLabel { status: status.as_u16() }).inc();
    }

    /// Counts a sample that started `late` after its second.
    pub(in crate::server) fn sample_taken(&self, late: Duration, cpu_time: Duration) {
        self.sample_lateness.observe(late.as_secs_f64());
        self.sample_cpu.inc_by(cpu_time.as_secs_f64());
        self.samples.inc();
    }

    /// Whether the history is recorded.
    pub(in crate::server) fn history_recorded(&self, is_recorded: bool) {
        self.history_recorded.set(is_recorded.into());
    }

    /// All metrics as text.
    ///
    /// # Errors
    /// When a collector can't be encoded; writing to a `String` doesn't fail.
    pub(in crate::server) fn expose(&self, log: &TickLog, format: TextFormat) -> Result<String, fmt::Error> {
        self.streams.set(log.subscribers().viewers() as i64);
        let window = log.window();
        self.series.set(window.series_len() as i64);
        self.series_dropped.inner().store(window.dropped(), Ordering::Relaxed);
        #[cfg(target_os = "linux")]
        self.process.measure();
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(format.convert(text))
    }
}
