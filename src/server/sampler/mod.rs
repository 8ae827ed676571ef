//! Reads the host once a second, on a thread of its own: nothing that a viewer does can delay it.

#[cfg(target_os = "linux")]
mod background;
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
pub(super) use linux::tests::Recorded;
pub use options::SamplerOptions;
#[cfg(not(target_os = "linux"))]
pub use portable::HostSampler;
use schedule::{Decision, Schedule};
use std::{io, thread, time::Duration};
#[cfg(target_os = "linux")]
pub(super) use {
    connections::table_value,
    cpu::{CpuTime, parse_stat},
    disk::{DiskCounters, is_partition, parse_diskstats},
    memory::parse_kib,
    network::{InterfaceCounters, parse_net_dev},
    pressure::parse_pressure,
};

/// All groups of one host.
pub trait TickSource {
    /// Reads every group for the tick at `t` (unix ms). Rates are over the time since the last call.
    fn read(&mut self, t: u64, clock: &impl Clock) -> Tick;
}

/// Takes a tick at each whole second.
pub struct Sampler<C, G> {
    clock: C,
    groups: G,
    schedule: Schedule,
    timing: Timing,
}

/// How a sample went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// From the whole second to the beginning of its sample.
    pub late: Duration,
    /// Processor time that the sample took, where the system tells.
    pub cpu: Duration,
}

impl<C: Clock, G: TickSource> Sampler<C, G> {
    /// Reads the counters once, as what the first tick's rates are differences to.
    pub fn new(clock: C, mut groups: G) -> Self {
        let now = clock.now();
        groups.read(0, &clock);
        Self { clock, groups, schedule: Schedule::new(now), timing: Timing::default() }
    }

    /// Sleeps to the next whole second. `None` where that second gets no tick: it was read just before, or the clock
    /// has been stepped or the host suspended, so that rates start anew.
    pub fn next_tick(&mut self) -> Option<Tick> {
        self.clock.sleep_until(Schedule::deadline(self.clock.now()));
        let now = self.clock.now();
        match self.schedule.admit(now) {
            Decision::Tick(t) => {
                let cpu = self.clock.cpu();
                let tick = self.groups.read(t, &self.clock);
                let late = now.wall.saturating_sub(Duration::from_millis(t));
                self.timing = Timing { late, cpu: self.clock.cpu().saturating_sub(cpu) };
                Some(tick)
            }
            Decision::Baseline => {
                self.groups.read(0, &self.clock);
                None
            }
            Decision::TooSoon => None,
        }
    }

    /// How the last sample went.
    pub fn timing(&self) -> Timing {
        self.timing
    }
}

/// Samples this host on a thread of its own for as long as `publish` returns true.
///
/// # Errors
/// When no thread can be started.
pub fn spawn<G: TickSource + Send + 'static>(
    groups: G,
    mut publish: impl FnMut(Tick, Timing) -> bool + Send + 'static,
) -> io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name("sampler".to_owned()).spawn(move || {
        let mut sampler = Sampler::new(SystemClock::default(), groups);
        loop {
            if let Some(tick) = sampler.next_tick()
                && !publish(tick, sampler.timing())
            {
                return;
            }
        }
    })
}

/// One reading of a group's counters, with the time it was taken.
#[derive(Debug)]
struct Reading<T> {
    at: Timestamp,
    counters: T,
}

impl<T> Reading<T> {
    /// Takes a reading and stamps it with the middle of the time that it took.
    fn take(clock: &impl Clock, read: impl FnOnce() -> Option<T>) -> Option<Self> {
        let before = clock.now();
        let counters = read()?;
        let took = clock.now().mono.saturating_sub(before.mono);
        Some(Self { at: before.plus(took / 2), counters })
    }
}

impl Timestamp {
    /// The sample that a reading at this moment makes with the one before it; `values` is told the seconds between.
    fn sample<G>(self, t: u64, previous: Self, values: impl FnOnce(f64) -> G) -> Sample<G> {
        let dt = self.mono.saturating_sub(previous.mono);
        Sample { t, at: micros(self.wall), dt: micros(dt), values: values(dt.as_secs_f64()) }
    }
}

/// Seconds, exact to the microsecond: more digits would be noise on the wire.
fn micros(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::{clock::ManualClock, *};

    /// TickSource that only note when they were read.
    struct Silent;

    impl TickSource for Silent {
        fn read(&mut self, t: u64, _: &impl Clock) -> Tick {
            Tick { t, ..Tick::default() }
        }
    }

    fn sampler(clock: &ManualClock) -> Sampler<&ManualClock, Silent> {
        Sampler::new(clock, Silent)
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
    fn a_late_sample_says_how_late() {
        let clock = ManualClock::at(1_000.4);
        let mut sampler = sampler(&clock);
        for (stall, late) in [(0.0, 0), (0.3, 300), (0.0, 0)] {
            clock.stall(stall);
            sampler.next_tick();
            assert_eq!(sampler.timing().late, Duration::from_millis(late));
        }
    }

    #[test]
    fn a_start_just_before_the_second_waits_for_the_next() {
        let clock = ManualClock::at(1_000.9);
        let mut sampler = sampler(&clock);
        assert_eq!(sampler.next_tick(), None);
        assert_eq!(sampler.next_tick().map(|tick| tick.t), Some(1_002_000));
    }

    #[test]
    fn a_stall_skips_seconds_and_sends_none_twice() {
        let clock = ManualClock::at(1_000.4);
        let mut sampler = sampler(&clock);
        let mut ticks = Vec::new();
        for stall in [0.0, 2.3, 0.0, 0.9, 0.0, 0.0] {
            clock.stall(stall);
            ticks.extend(sampler.next_tick().map(|tick| tick.t));
        }
        // 1002 and 1003 were slept through; 1006 came at 1006.9, too close to 1007 for another.
        assert_eq!(ticks, [1_001_000, 1_004_000, 1_005_000, 1_006_000, 1_008_000]);
    }

    #[test]
    fn a_stepped_clock_starts_anew() {
        let clock = ManualClock::at(1_000.4);
        let mut sampler = sampler(&clock);
        assert_eq!(sampler.next_tick().map(|tick| tick.t), Some(1_001_000));
        clock.step(-500.0);
        assert_eq!(sampler.next_tick(), None);
        assert_eq!(sampler.next_tick().map(|tick| tick.t), Some(503_000));
        clock.step(3_600.0);
        assert_eq!(sampler.next_tick(), None);
        assert_eq!(sampler.next_tick().map(|tick| tick.t), Some(4_105_000));
    }

    #[test]
    fn a_reading_is_stamped_with_the_middle_of_the_time_it_took() {
        let clock = ManualClock::at(1_000.0);
        let reading = Reading::take(&clock, || {
            clock.stall_now(0.5);
            Some(())
        });
        assert_eq!(reading.map(|r| r.at.wall), Some(Duration::from_millis(1_000_250)));
    }
}
