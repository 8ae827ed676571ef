//! Reads `/proc/PID/stat` of every process, and `io`, `status`, `cgroup` and `cmdline` (proc_pid_io(5), …) of the top ones.

use super::{
    super::{
        Clock, CounterReading, HostSource,
        rate::{rate, round_to_hundredths},
    },
    stat::{PreviousProcesses, ProcessStat},
    top::top,
    users::UserNames,
};
use crate::schema::{Process, Processes, Sample};
use std::time::Duration;

/// Maximum age of the previous reading, which the history takes every ten seconds: rates over more are not current.
const MAX_BASELINE_AGE: Duration = Duration::from_secs(12);
/// Readings after which the user and the control group of a process are read again: they rarely change, and reading them
/// is slow.
const OWNER_REFRESH_INTERVAL: u32 = 15;
const MAX_COMMAND_CHARS: usize = 200;

/// Reads processes and compares them with the previous reading.
#[derive(Debug)]
pub(super) struct ProcessReader<S> {
    pub source: S,
    pub ticks_per_second: u64,
    pub page_size: u64,
    command_lines: bool,
    previous: Option<CounterReading<PreviousProcesses>>,
    /// Unix seconds.
    boot_time: Option<u64>,
    readings: u32,
    users: UserNames,
    text: String,
}

impl<S: HostSource> ProcessReader<S> {
    pub(super) fn new(source: S, users: UserNames, command_lines: bool) -> Self {
        Self {
            source,
            ticks_per_second: rustix::param::clock_ticks_per_second(),
            page_size: rustix::param::page_size() as u64,
            command_lines,
            previous: None,
            boot_time: None,
            readings: 0,
            users,
            text: String::new(),
        }
    }

    /// Changes since the previous reading; `None` if there is no recent one.
    pub(super) fn sample(&mut self, clock: &impl Clock) -> Option<Sample<Processes>> {
        let CounterReading { at, counters: stats } = CounterReading::take(clock, || self.read_stats())?;
        self.readings = self.readings.wrapping_add(1);
        let current = CounterReading { at, counters: PreviousProcesses::new(&stats) };
        let previous = self.previous.replace(current);
        let is_recent = |previous: &CounterReading<_>| at.mono.saturating_sub(previous.at.mono) < MAX_BASELINE_AGE;
        let CounterReading { at: previous_at, counters: previous } = previous.filter(is_recent)?;
        // Moves when the clock is set, so it is read each time.
        self.boot_time = self.read_boot_time();
        Some(at.sample_since(0, previous_at, |dt| {
            let top = top(&stats, &previous).into_iter().map(|stat| self.describe(stat, &previous, dt)).collect();
            Processes { total: stats.len() as u64, top }
        }))
    }

    /// Every readable process. Skips those that exit during the reading.
    fn read_stats(&mut self) -> Option<Vec<ProcessStat>> {
        let names = self.source.list("/proc").ok()?;
        let stat = |pid: u32| {
            self.source.read_first_page(&format!("/proc/{pid}/stat"), &mut self.text).ok()?;
            ProcessStat::parse(&self.text)
        };
        Some(names.iter().filter_map(|name| name.parse().ok()).filter_map(stat).collect())
    }

    fn describe(&mut self, stat: &ProcessStat, previous: &PreviousProcesses, dt: f64) -> Process {
        let before = previous.get(stat);
        let io = self.read_io(stat.pid);
        let is_owner_due = self.readings.wrapping_add(stat.pid).is_multiple_of(OWNER_REFRESH_INTERVAL);
        let known = before.filter(|_| !is_owner_due);
        let user = known.and_then(|before| before.user.clone()).or_else(|| self.read_user(stat.pid));
        let cgroup = known.and_then(|before| before.cgroup.clone()).or_else(|| self.read_cgroup(stat.pid));
        if let Some(current) = self.previous.as_mut().and_then(|current| current.counters.get_mut(stat.pid)) {
            (current.io, current.user, current.cgroup) = (io, user.clone(), cgroup.clone());
        }
        let io_before = before.and_then(|before| before.io);
        let io_rate = |bytes: fn((u64, u64)) -> u64| rate(io_before.map(bytes), io.map(bytes), dt);
        let elapsed_ticks = dt * self.ticks_per_second as f64;
        let cpu_ticks = previous.cpu_ticks_since(stat);
        Process {
            pid: stat.pid,
            name: stat.name.clone(),
            user,
            cpu_percent: cpu_ticks.and_then(|ticks| round_to_hundredths(ticks as f64 / elapsed_ticks * 100.0)),
            rss_bytes: stat.rss.saturating_mul(self.page_size),
            read_bytes_per_second: io_rate(|(read, _)| read),
            write_bytes_per_second: io_rate(|(_, written)| written),
            threads: stat.threads,
            start_time_seconds: self.boot_time.map(|boot| boot + stat.started / self.ticks_per_second),
            cgroup,
            command: if self.command_lines { self.read_command(stat.pid) } else { None },
        }
    }

    fn read_boot_time(&mut self) -> Option<u64> {
        self.source.read_cached("/proc/stat", &mut self.text).ok()?;
        self.text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
    }

    /// Bytes read and written. Unprivileged, only this user's own processes are readable.
    fn read_io(&mut self, pid: u32) -> Option<(u64, u64)> {
        self.source.read_first_page(&format!("/proc/{pid}/io"), &mut self.text).ok()?;
        let bytes = |name| self.text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        bytes("read_bytes:").zip(bytes("write_bytes:"))
    }

    /// Name of the effective user, whose id is the second of `Uid:`.
    fn read_user(&mut self, pid: u32) -> Option<String> {
        self.source.read_first_page(&format!("/proc/{pid}/status"), &mut self.text).ok()?;
        let ids = self.text.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        let id = ids.split_ascii_whitespace().nth(1)?.parse().ok()?;
        self.users.name(id, &mut self.source, &mut self.text)
    }

    /// Path of the control group of the second version, or of systemd's hierarchy of the first (cgroups(7)).
    fn read_cgroup(&mut self, pid: u32) -> Option<String> {
        self.source.read_first_page(&format!("/proc/{pid}/cgroup"), &mut self.text).ok()?;
        let of =
            |hierarchy| self.text.lines().find_map(|line| line.split_once(hierarchy)).map(|(_, path)| path.to_owned());
        of(":name=systemd:").or_else(|| of("0::"))
    }

    fn read_command(&mut self, pid: u32) -> Option<String> {
        self.source.read_first_page(&format!("/proc/{pid}/cmdline"), &mut self.text).ok()?;
        let command = self.text.trim_end_matches('\0').replace('\0', " ");
        (!command.is_empty()).then(|| command.chars().take(MAX_COMMAND_CHARS).collect())
    }
}
