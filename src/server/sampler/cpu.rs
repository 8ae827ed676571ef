//! CPU utilisation, context switches, interrupts and forks from `/proc/stat` (proc_stat(5)).

use super::{
    Clock, HostSource,
    rate::{PreviousReading, delta, percentage, rate},
};
use crate::schema::{Cpu, Sample};
use std::collections::BTreeMap;

/// CPU time per mode since boot, of one core or of all cores, in clock ticks (`USER_HZ`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct CpuTime {
    pub user: u64,
    pub nice: u64,
    pub system: u64,
    pub idle: u64,
    pub iowait: u64,
    pub irq: u64,
    pub softirq: u64,
    pub steal: u64,
}

/// Counters and gauges of `/proc/stat`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct CpuCounters {
    total: CpuTime,
    /// Keyed by core number: offline cores have no line.
    pub cores: BTreeMap<usize, CpuTime>,
    pub context_switches: Option<u64>,
    pub interrupts: Option<u64>,
    pub forks: Option<u64>,
    running: Option<u64>,
    blocked: Option<u64>,
}

/// Samples CPU time, with rates of the kernel's other counters.
#[derive(Debug)]
pub(super) struct CpuSampler {
    ticks_per_second: f64,
    previous: PreviousReading<CpuCounters>,
    text: String,
}

impl CpuSampler {
    pub(super) fn new(ticks_per_second: u64) -> Self {
        Self { ticks_per_second: ticks_per_second as f64, previous: PreviousReading::default(), text: String::new() }
    }

    /// `frequency` is the cores' mean in hertz; a background thread reads it.
    pub(super) fn sample(
        &mut self,
        t: u64,
        frequency: Option<f64>,
        source: &mut impl HostSource,
        clock: &impl Clock,
    ) -> Option<Sample<Cpu>> {
        let text = &mut self.text;
        let read = || {
            source.read_cached("/proc/stat", text).ok()?;
            Some(parse_stat(text))
        };
        self.previous.next_sample(t, clock, read, |previous, current, dt| Cpu {
            context_switches_per_second: rate(previous.context_switches, current.context_switches, dt),
            interrupts_per_second: rate(previous.interrupts, current.interrupts, dt),
            forks_per_second: rate(previous.forks, current.forks, dt),
            running: current.running,
            blocked: current.blocked,
            frequency_hertz: frequency,
            ..utilisation(previous, current, dt * self.ticks_per_second)
        })
    }
}

/// Parses `/proc/stat`.
pub(in crate::server) fn parse_stat(text: &str) -> CpuCounters {
    let mut counters = CpuCounters::default();
    for line in text.lines() {
        let Some(line) = line.strip_prefix("cpu") else {
            parse_total(line, &mut counters);
            continue;
        };
        let mut fields = line.split(' ');
        let core = fields.next().unwrap_or_default();
        // The ninth and tenth fields are guest time, which user and nice include.
        let mut values = fields.filter(|field| !field.is_empty()).map(|field| field.parse().unwrap_or(0));
        let mut next = || values.next().unwrap_or(0);
        let (user, nice, system, idle, iowait) = (next(), next(), next(), next(), next());
        let time = CpuTime { user, nice, system, idle, iowait, irq: next(), softirq: next(), steal: next() };
        match core.parse() {
            Ok(core) => _ = counters.cores.insert(core, time),
            Err(_) => counters.total = time,
        }
    }
    counters
}

/// Parses a line after those of the cores: `ctxt 1990473`, or `intr` with its sum first.
fn parse_total(line: &str, counters: &mut CpuCounters) {
    let mut fields = line.split(' ');
    let slot = match fields.next() {
        Some("intr") => &mut counters.interrupts,
        Some("ctxt") => &mut counters.context_switches,
        Some("processes") => &mut counters.forks,
        Some("procs_running") => &mut counters.running,
        Some("procs_blocked") => &mut counters.blocked,
        _ => return,
    };
    *slot = fields.next().and_then(|value| value.parse().ok());
}

/// Percentages of `ticks`, the clock ticks that elapsed on each core.
fn utilisation(previous: &CpuCounters, current: &CpuCounters, ticks: f64) -> Cpu {
    let online = current.cores.len().max(1) as f64;
    let mode = |of: fn(&CpuTime) -> u64| percentage(delta(of(&previous.total), of(&current.total)), ticks * online);
    let core = |number| {
        let (previous, current) = (previous.cores.get(&number)?, current.cores.get(&number)?);
        percentage(busy_ticks(previous, current), ticks)
    };
    Cpu {
        total_percent: percentage(busy_ticks(&previous.total, &current.total), ticks * online),
        cores_percent: (0..current.cores.keys().last().map_or(0, |last| last + 1)).map(core).collect(),
        user_percent: mode(|time| time.user),
        nice_percent: mode(|time| time.nice),
        system_percent: mode(|time| time.system),
        irq_percent: mode(|time| time.irq.saturating_add(time.softirq)),
        iowait_percent: mode(|time| time.iowait),
        steal_percent: mode(|time| time.steal),
        ..Cpu::default()
    }
}

/// Ticks spent in every mode but idle and iowait; `None` if one of the counters fell.
fn busy_ticks(previous: &CpuTime, current: &CpuTime) -> Option<u64> {
    let modes: [fn(&CpuTime) -> u64; 6] = [
        |time| time.user,
        |time| time.nice,
        |time| time.system,
        |time| time.irq,
        |time| time.softirq,
        |time| time.steal,
    ];
    modes.into_iter().map(|mode| delta(mode(previous), mode(current))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::RecordedHost};

    const BOOT: &str =
        "cpu  100 0 50 1000 10 0 0 0 0 0\ncpu0 50 0 25 500 5 0 0 0 0 0\ncpu1 50 0 25 500 5 0 0 0 0 0\nintr 1\n";

    /// Samples BOOT, then `later` after `seconds`.
    fn sample(later: &str, seconds: f64) -> Cpu {
        let clock = ManualClock::at(1_000.0);
        let mut source = RecordedHost::default().with("/proc/stat", BOOT);
        let mut sampler = CpuSampler::new(100);
        assert_eq!(sampler.sample(0, None, &mut source, &clock), None, "a rate needs two readings");
        clock.advance(seconds);
        source = source.with("/proc/stat", later);
        let sample = sampler.sample(1_001_000, Some(2e9), &mut source, &clock).unwrap();
        assert_eq!((sample.t, sample.at, sample.dt), (1_001_000, 1_000.0 + seconds, seconds));
        sample.values
    }

    #[test]
    fn percentages_are_of_elapsed_time() {
        let later = "cpu  150 10 70 1100 20 5 5 0 0 0\ncpu0 100 10 25 530 15 0 0 0\ncpu1 50 0 45 570 5 5 5 0\n";
        let cpu = sample(later, 1.0);
        assert_eq!((cpu.user_percent, cpu.nice_percent, cpu.system_percent), (Some(25.0), Some(5.0), Some(10.0)));
        assert_eq!((cpu.iowait_percent, cpu.irq_percent, cpu.steal_percent), (Some(5.0), Some(5.0), Some(0.0)));
        assert_eq!(cpu.total_percent, Some(45.0));
        assert_eq!(cpu.cores_percent, [Some(60.0), Some(30.0)]);
        assert_eq!(sample(later, 2.0).user_percent, Some(12.5));
    }

    #[test]
    fn kernel_totals_yield_rates_and_task_counts() {
        let later = "cpu  150 0 50 1100 10\nintr 501 9 9 9\nctxt 1000\nbtime 1795127000\nprocesses 30\nprocs_running 2\nprocs_blocked 1\nsoftirq 9 9\n";
        let cpu = sample(&later.replace("intr 501", "intr 1001"), 1.0);
        assert_eq!(
            (cpu.interrupts_per_second, cpu.context_switches_per_second, cpu.forks_per_second),
            (Some(1000.0), None, None)
        );
        assert_eq!((cpu.running, cpu.blocked), (Some(2), Some(1)));
    }

    #[test]
    fn counter_that_falls_yields_no_percentage() {
        let cpu = sample("cpu  150 0 20 1100 4 0 0 0\ncpu0 150 0 20 600 4 0 0 0\ncpu1 60 0 25 500 5\n", 1.0);
        assert_eq!((cpu.system_percent, cpu.iowait_percent, cpu.total_percent), (None, None, None));
        assert_eq!(cpu.user_percent, Some(25.0));
        assert_eq!(cpu.cores_percent, [None, Some(10.0)]);
    }

    #[test]
    fn offline_core_keeps_its_index() {
        let cpu = sample("cpu  150 0 50 1100 10\ncpu1 100 0 25 500 5\ncpu3 7 0 0 1\n", 1.0);
        assert_eq!(cpu.cores_percent, [None, Some(50.0), None, None]);
    }

    #[test]
    fn percentage_is_capped_at_100() {
        assert_eq!(
            sample("cpu  999 0 50 1000 10\ncpu0 500 0 25 500 5\ncpu1 499 0 25 500 5\n", 1.0).total_percent,
            Some(100.0)
        );
    }

    #[test]
    fn unreadable_source_yields_no_sample() {
        let mut sampler = CpuSampler::new(100);
        let clock = ManualClock::at(0.0);
        for _ in 0..3 {
            assert_eq!(sampler.sample(0, None, &mut RecordedHost::default(), &clock), None);
        }
    }
}
