//! Parses `/proc/PID/stat` (proc_pid_stat(5)), and keeps the processes of the previous reading to compare with.

use super::super::rate::delta;
use std::collections::HashMap;

/// One process, from its `stat`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ProcessStat {
    pub pid: u32,
    pub name: String,
    /// CPU time since its start, in clock ticks.
    pub cpu_ticks: u64,
    pub threads: u64,
    /// Start time, in clock ticks since boot.
    pub started: u64,
    /// Pages.
    pub rss: u64,
}

impl ProcessStat {
    /// Parses `7 (a name) S 1 7 7 …`. The name can contain anything, including `) `.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (pid, rest) = text.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().take(22).collect();
        // Numbered as in the manual page, where the name is the second field.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            pid: pid.parse().ok()?,
            name: name.to_owned(),
            cpu_ticks: field(14)?.saturating_add(field(15)?),
            threads: field(20)?,
            started: field(22)?,
            rss: field(24)?,
        })
    }
}

/// A process at the previous reading.
#[derive(Debug)]
pub(super) struct PreviousProcess {
    started: u64,
    cpu_ticks: u64,
    /// Bytes read and written, for reported processes.
    pub io: Option<(u64, u64)>,
    /// Name of the effective user, for reported processes.
    pub user: Option<String>,
    /// Path of the control group, for reported processes.
    pub cgroup: Option<String>,
}

/// The processes at the previous reading.
#[derive(Debug)]
pub(super) struct PreviousProcesses {
    by_pid: HashMap<u32, PreviousProcess>,
    newest_start: u64,
}

impl PreviousProcesses {
    pub(super) fn new(stats: &[ProcessStat]) -> Self {
        let process = |stat: &ProcessStat| {
            let &ProcessStat { pid, started, cpu_ticks, .. } = stat;
            (pid, PreviousProcess { started, cpu_ticks, io: None, user: None, cgroup: None })
        };
        let newest_start = stats.iter().map(|stat| stat.started).max().unwrap_or_default();
        Self { by_pid: stats.iter().map(process).collect(), newest_start }
    }

    /// The same process; `None` if its pid belonged to another one.
    pub(super) fn get(&self, stat: &ProcessStat) -> Option<&PreviousProcess> {
        self.by_pid.get(&stat.pid).filter(|previous| previous.started == stat.started)
    }

    pub(super) fn get_mut(&mut self, pid: u32) -> Option<&mut PreviousProcess> {
        self.by_pid.get_mut(&pid)
    }

    /// CPU time since the previous reading, in clock ticks. `None` if the counter fell, or for a process that already
    /// ran then and was unreadable.
    pub(super) fn cpu_ticks_since(&self, stat: &ProcessStat) -> Option<u64> {
        match self.get(stat) {
            Some(previous) => delta(previous.cpu_ticks, stat.cpu_ticks),
            None => (stat.started >= self.newest_start).then_some(stat.cpu_ticks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_stat_is_rejected() {
        for text in
            ["", "7", "7 (x", "7 (x) S", "x (x) S 1 1 1 0 -1 4 0 0 0 0 1 0 0 0 20 0 3 0 1 9 1", "7 (x) S 1 2 3 4"]
        {
            assert_eq!(ProcessStat::parse(text), None, "{text:?}");
        }
    }
}
