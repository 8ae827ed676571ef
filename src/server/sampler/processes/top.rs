//! Selects the processes that use the most CPU or memory.

use super::{
    MAX_ROWS,
    stat::{PreviousProcesses, ProcessStat},
};
use std::collections::BTreeSet;

/// The processes with the most CPU time since `previous`, then those with the most memory.
pub(super) fn top<'a>(stats: &'a [ProcessStat], previous: &PreviousProcesses) -> Vec<&'a ProcessStat> {
    let by_cpu = top_by(stats, |stat| previous.cpu_ticks_since(stat).unwrap_or_default());
    let by_memory = top_by(stats, |stat| stat.rss);
    let included: BTreeSet<_> = by_cpu.iter().copied().collect();
    by_cpu.iter().chain(by_memory.iter().filter(|i| !included.contains(i))).map(|i| &stats[*i]).collect()
}

/// Indices of the processes with the largest values, without zeros. Equal values are in order of pid, for a stable
/// selection.
fn top_by(stats: &[ProcessStat], value: impl Fn(&ProcessStat) -> u64) -> Vec<usize> {
    let keys = stats.iter().enumerate().filter_map(|(i, stat)| match value(stat) {
        0 => None,
        value => Some((u64::MAX - value, stat.pid, i)),
    });
    let mut keys: Vec<_> = keys.collect();
    keys.sort_unstable();
    keys.truncate(MAX_ROWS);
    keys.into_iter().map(|(.., i)| i).collect()
}
