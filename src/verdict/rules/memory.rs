//! Memory rules: OOM kills, shortage (swap-in, stalls, little available) and leaks.

use super::{Evidence, Finding, Level, MINUTE, TEN_MINUTES, Unit, duration, finding, paths, percent};

/// The OOM killer ended a process in the last ten minutes.
pub(super) fn oom_kill(evidence: &Evidence<'_>) -> Vec<Finding> {
    let at = evidence.last_time(paths::MEMORY_OOM_KILLS, TEN_MINUTES, |kills| kills > 0.0);
    let text = || "Out of memory: the kernel's OOM killer killed a process.".to_owned();
    at.and_then(|at| finding(Level::Trouble, text(), Some(at))).into_iter().collect()
}

/// Memory is short now: the host swaps in, all tasks stall, or little is available.
pub(super) fn shortage(evidence: &Evidence<'_>) -> Vec<Finding> {
    const STALLED: f64 = 5.0;
    const SWAP_IN: f64 = 1024.0 * 1024.0;
    const LOW: f64 = 0.05;
    let assess = || {
        let (total, available) = (evidence.last(paths::MEMORY_TOTAL)?, evidence.last(paths::MEMORY_AVAILABLE)?);
        let stalled = evidence.mean(paths::MEMORY_PRESSURE, MINUTE).unwrap_or(0.0);
        let swap_in = evidence.mean(paths::MEMORY_SWAP_IN, MINUTE).unwrap_or(0.0);
        let largest = largest_user(evidence);
        if swap_in >= SWAP_IN {
            let since = evidence.since(paths::MEMORY_SWAP_IN, |rate| rate >= SWAP_IN / 2.0);
            let rate = Unit::Throughput.text(Some(swap_in));
            return finding(Level::Trouble, format!("Memory short: swapping in {rate}{largest}."), since);
        }
        if stalled >= STALLED {
            let since = evidence.since(paths::MEMORY_PRESSURE, |share| share >= STALLED / 2.0);
            let text = format!("Memory short: all tasks stall {} of the time{largest}.", percent(stalled));
            return finding(Level::Trouble, text, since);
        }
        if available < total * LOW {
            let since = evidence.since(paths::MEMORY_AVAILABLE, |available| available < total * LOW);
            let share = percent(available / total * 100.0);
            return finding(Level::Watch, format!("Only {share} of memory available{largest}."), since);
        }
        None
    };
    assess().into_iter().collect()
}

/// Memory use grows on a straight line that reaches the end of memory within an hour.
pub(super) fn leak(evidence: &Evidence<'_>) -> Vec<Finding> {
    /// Least coefficient of determination of the line: the memory of a healthy program rises and falls.
    const LINEAR: f64 = 0.9;
    const SOON_S: f64 = 3600.0;
    let assess = || {
        let (growth, fit) = evidence.trend(paths::MEMORY_USED, TEN_MINUTES)?;
        let available = evidence.last(paths::MEMORY_AVAILABLE)?;
        let left_s = available / growth;
        if growth <= 0.0 || fit < LINEAR || left_s > SOON_S {
            return None;
        }
        let rate = Unit::Bytes.text(Some(growth * 60.0));
        let left = duration((left_s / 60.0).ceil() as u64 * 60);
        let text = format!("Memory use grows by {rate}/min, full in {left}{}.", largest_user(evidence));
        finding(Level::Watch, text, None)
    };
    assess().into_iter().collect()
}

/// Clause that names the process, or else the service, that holds the most memory.
fn largest_user(evidence: &Evidence<'_>) -> String {
    let process =
        evidence.top_process(|process| process.rss_bytes as f64).map(|(process, rss)| (process.name.clone(), rss));
    let largest = process.or_else(|| evidence.top_service(paths::SERVICE_MEMORY));
    largest.map_or(String::new(), |(name, bytes)| format!("; {name} holds {}", Unit::Bytes.text(Some(bytes))))
}
