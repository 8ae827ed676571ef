//! Samples the host once a second on a dedicated thread, so that viewers cannot delay it.

#[cfg(target_os = "linux")]
mod abandonable_reader;
#[cfg(target_os = "linux")]
mod background;
#[cfg(target_os = "linux")]
mod block_devices;
#[cfg(target_os = "linux")]
mod cgroup;
mod clock;
#[cfg(target_os = "linux")]
mod connections;
#[cfg(target_os = "linux")]
mod cpu;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod filesystems;
#[cfg(target_os = "linux")]
mod host_source;
#[cfg(target_os = "linux")]
mod interface_rows;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod network;
mod options;
#[cfg(not(target_os = "linux"))]
mod portable;
#[cfg(target_os = "linux")]
mod pressure;
#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod rate;
#[cfg(all(test, target_os = "linux"))]
mod recorded_hosts;
mod schedule;
#[cfg(target_os = "linux")]
mod sockets;
#[cfg(target_os = "linux")]
mod temperature;

use crate::schema::{Sample, Tick};
pub use clock::{Clock, SystemClock, Timestamp};
#[cfg(target_os = "linux")]
pub use host_source::{HostSource, Procfs, SocketStates};
#[cfg(target_os = "linux")]
pub use linux::HostSampler;
#[cfg(all(test, target_os = "linux"))]
pub(super) use linux::tests::RecordedHost;
pub use options::SamplerOptions;
#[cfg(not(target_os = "linux"))]
pub use portable::HostSampler;
use schedule::{TickDecision, TickSchedule};
use std::{io, thread, time::Duration};
#[cfg(target_os = "linux")]
pub(super) use {
    block_devices::list_whole_disks,
    connections::table_value,
    cpu::{CpuTime, parse_stat},
    disk::{DiskCounters, parse_diskstats},
    filesystems::{MountSource, mount_sources},
    memory::parse_kib,
    network::{InterfaceCounters, parse_net_dev},
    pressure::parse_pressure,
};

/// Source of ticks, such as a host.
pub trait TickSource {
    /// Reads every group for the tick at `t` (unix ms). Rates cover the time since the previous call.
    fn read(&mut self, t: u64, clock: &impl Clock) -> Tick;
}

/// Reads a tick from a source at each whole second.
pub struct Sampler<C, S> {
    clock: C,
    source: S,
    schedule: TickSchedule,
    timing: SampleTiming,
}

/// Delay and cost of one sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SampleTiming {
    /// From the whole second to the start of its sample.
    pub late: Duration,
    /// CPU time spent on the sample; zero where the system does not report it.
    pub cpu_time: Duration,
}

impl<C: Clock, S: TickSource> Sampler<C, S> {
    /// Reads the source once, as the baseline of the first tick's rates.
    pub fn new(clock: C, mut source: S) -> Self {
        let now = clock.now();
        source.read(0, &clock);
        Self { clock, source, schedule: TickSchedule::new(now), timing: SampleTiming::default() }
    }

    /// Sleeps to the next whole second and samples it. `None` if the previous reading is too recent, or if a clock step
    /// or a suspend required a new baseline.
    pub fn next_tick(&mut self) -> Option<Tick> {
        self.clock.sleep_until(TickSchedule::next_wake(self.clock.now()));
        let now = self.clock.now();
        match self.schedule.decide(now) {
            TickDecision::Tick(t) => {
                let cpu_before = self.clock.thread_cpu_time();
                let tick = self.source.read(t, &self.clock);
                let late = now.wall.saturating_sub(Duration::from_millis(t));
                let cpu_time = self.clock.thread_cpu_time().saturating_sub(cpu_before);
                self.timing = SampleTiming { late, cpu_time };
                Some(tick)
            }
            TickDecision::Baseline => {
                self.source.read(0, &self.clock);
                None
            }
            TickDecision::TooEarly => None,
        }
    }

    /// Timing of the last sample.
    pub fn timing(&self) -> SampleTiming {
        self.timing
    }
}

/// Samples `source` on a thread of its own until `publish` returns false.
///
/// # Errors
/// When the thread cannot be started.
pub fn spawn<S: TickSource + Send + 'static>(
    source: S,
    mut publish: impl FnMut(Tick, SampleTiming) -> bool + Send + 'static,
) -> io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name("sampler".to_owned()).spawn(move || {
        let mut sampler = Sampler::new(SystemClock::default(), source);
        loop {
            if let Some(tick) = sampler.next_tick()
                && !publish(tick, sampler.timing())
            {
                return;
            }
        }
    })
}

/// The counters of a group and when they were read.
#[derive(Debug)]
struct CounterReading<T> {
    at: Timestamp,
    counters: T,
}

impl<T> CounterReading<T> {
    /// Reads the counters and stamps them with the midpoint of the read.
    fn take(clock: &impl Clock, read: impl FnOnce() -> Option<T>) -> Option<Self> {
        let before = clock.now();
        let counters = read()?;
        let took = clock.now().mono.saturating_sub(before.mono);
        Some(Self { at: before.plus(took / 2), counters })
    }
}

impl Timestamp {
    /// The sample of a reading at this time and the one at `previous`; `values` gets the seconds between.
    fn sample_since<G>(self, t: u64, previous: Self, values: impl FnOnce(f64) -> G) -> Sample<G> {
        let dt = self.mono.saturating_sub(previous.mono);
        Sample { t, at: rounded_seconds(self.wall), dt: rounded_seconds(dt), values: values(dt.as_secs_f64()) }
    }
}

/// Seconds, rounded to microseconds to keep events short.
fn rounded_seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::{clock::ManualClock, *};

    /// A source of ticks without values.
    struct EmptyTickSource;

    impl TickSource for EmptyTickSource {
        fn read(&mut self, t: u64, _: &impl Clock) -> Tick {
            Tick::at(t)
        }
    }

    fn sampler(clock: &ManualClock) -> Sampler<&ManualClock, EmptyTickSource> {
        Sampler::new(clock, EmptyTickSource)
    }

    #[test]
    fn ticks_fall_on_whole_seconds() {
        let clock = ManualClock::at(1_000.4);
        let mut sampler = sampler(&clock);
        let ticks: Vec<_> = (0..4).filter_map(|_| sampler.next_tick()).map(|tick| tick.t).collect();
        assert_eq!(ticks, [1_001_000, 1_002_000, 1_003_000, 1_004_000]);
        assert_eq!(clock.now().wall, Duration::from_secs(1_004));
    }

    #[test]
    fn late_sample_reports_its_delay() {
        let clock = ManualClock::at(1_000.4);
        let mut sampler = sampler(&clock);
        for (oversleep, late) in [(0.0, 0), (0.3, 300), (0.0, 0)] {
            clock.oversleep(oversleep);
            sampler.next_tick();
            assert_eq!(sampler.timing().late, Duration::from_millis(late));
        }
    }

    #[test]
    fn start_just_before_second_skips_to_next() {
        let clock = ManualClock::at(1_000.9);
        let mut sampler = sampler(&clock);
        assert!(sampler.next_tick().is_none());
        assert_eq!(sampler.next_tick().map(|tick| tick.t), Some(1_002_000));
    }

    #[test]
    fn oversleep_skips_seconds_without_repeats() {
        let clock = ManualClock::at(1_000.4);
        let mut sampler = sampler(&clock);
        let mut ticks = Vec::new();
        for oversleep in [0.0, 2.3, 0.0, 0.9, 0.0, 0.0] {
            clock.oversleep(oversleep);
            ticks.extend(sampler.next_tick().map(|tick| tick.t));
        }
        // 1002 and 1003 are overslept; 1006 is read at 1006.9, which is too close to 1007.
        assert_eq!(ticks, [1_001_000, 1_004_000, 1_005_000, 1_006_000, 1_008_000]);
    }

    #[test]
    fn clock_step_starts_new_baseline() {
        let clock = ManualClock::at(1_000.4);
        let mut sampler = sampler(&clock);
        assert_eq!(sampler.next_tick().map(|tick| tick.t), Some(1_001_000));
        clock.step(-500.0);
        assert!(sampler.next_tick().is_none());
        assert_eq!(sampler.next_tick().map(|tick| tick.t), Some(503_000));
        clock.step(3_600.0);
        assert!(sampler.next_tick().is_none());
        assert_eq!(sampler.next_tick().map(|tick| tick.t), Some(4_105_000));
    }

    #[test]
    fn reading_is_stamped_with_its_midpoint() {
        let clock = ManualClock::at(1_000.0);
        let reading = CounterReading::take(&clock, || {
            clock.advance(0.5);
            Some(())
        });
        assert_eq!(reading.map(|r| r.at.wall), Some(Duration::from_millis(1_000_250)));
    }
}
