//! `/proc/stat`: CPU time and the scheduler's counters (proc_stat(5)).

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
    /// Time of virtual machines; `user` includes it.
    pub guest: u64,
    /// Time of niced virtual machines; `nice` includes it.
    pub guest_nice: u64,
}

/// Counters and gauges of `/proc/stat`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct CpuCounters {
    /// Of all cores.
    pub total: CpuTime,
    /// Keyed by core number: offline cores have no line.
    pub cores: BTreeMap<usize, CpuTime>,
    pub context_switches: Option<u64>,
    pub interrupts: Option<u64>,
    pub forks: Option<u64>,
    /// Runnable tasks, now.
    pub running: Option<u64>,
    /// Tasks that wait for I/O, now.
    pub blocked: Option<u64>,
    /// Unix time of boot, in seconds.
    pub boot_time: Option<u64>,
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
        let mut values = fields.filter(|field| !field.is_empty()).map(|field| field.parse().unwrap_or(0));
        let mut next = || values.next().unwrap_or(0);
        let (user, nice, system, idle, iowait) = (next(), next(), next(), next(), next());
        let (irq, softirq, steal, guest, guest_nice) = (next(), next(), next(), next(), next());
        let time = CpuTime { user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice };
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
        Some("btime") => &mut counters.boot_time,
        _ => return,
    };
    *slot = fields.next().and_then(|value| value.parse().ok());
}
