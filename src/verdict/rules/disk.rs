//! Disk rules: busy and slow disks, full filesystems, filesystems that do not respond.

use super::{Evidence, FIVE_MINUTES, Finding, Level, MINUTE, Unit, finding, has_recovered, percent};
use crate::schema::Process;

/// Filesystems that do not respond.
pub(super) fn stuck_filesystems(evidence: &Evidence<'_>) -> Vec<Finding> {
    /// Three polls: the sampler polls every ten seconds.
    const STUCK_S: f64 = 30.0;
    let folders = evidence.names("disk.filesystems.", ".age").into_iter();
    let stuck = folders.filter_map(|folder| {
        let age = evidence.last(&format!("disk.filesystems.{folder}.age")).filter(|age| *age >= STUCK_S)?;
        let since = evidence.window.end()? / 1000;
        finding(Level::Trouble, format!("Filesystem {folder} is not responding."), Some(since - age as u64))
    });
    stuck.collect()
}

/// Filesystems that run out of space or inodes.
pub(super) fn full_filesystems(evidence: &Evidence<'_>) -> Vec<Finding> {
    const FULL: f64 = 98.0;
    const NEARLY_FULL: f64 = 90.0;
    let folders = evidence.names("disk.filesystems.", ".full").into_iter();
    let full = folders.filter_map(|folder| {
        let last = |field: &str| evidence.last(&format!("disk.filesystems.{folder}.{field}"));
        let bytes = last("full").unwrap_or(0.0);
        let inodes = last("inodes_used").zip(last("inodes").filter(|inodes| *inodes > 0.0));
        let inodes = inodes.map_or(0.0, |(used, inodes)| used / inodes * 100.0);
        let text = if inodes > bytes {
            format!("Filesystem {folder}: {} of inodes used.", percent(inodes))
        } else {
            format!("Filesystem {folder} is {} full.", percent(bytes))
        };
        match inodes.max(bytes) {
            FULL.. => finding(Level::Trouble, text, None),
            NEARLY_FULL.. => finding(Level::Watch, text, None),
            _ => None,
        }
    });
    full.collect()
}

/// Disks that are busy, or slow while they are.
pub(super) fn utilisation(evidence: &Evidence<'_>) -> Vec<Finding> {
    const BUSY: f64 = 80.0;
    const SLOW_MS: f64 = 100.0;
    const WAITING: f64 = 20.0;
    let assess = |name: String| {
        let path = |field: &str| format!("disk.devices.{name}.{field}");
        let mean = |field: &str, seconds| evidence.mean(&path(field), seconds);
        let busy = mean("busy", MINUTE).filter(|busy| *busy >= BUSY)?;
        if has_recovered(evidence, &path("busy"), BUSY) {
            return None;
        }
        let since = evidence.since(&path("busy"), |busy| busy >= BUSY / 2.0);
        let largest = largest_user(evidence);
        // Mean time of a request: queue length over completed requests a second (Little's law).
        let rate = mean("reads", FIVE_MINUTES)? + mean("writes", FIVE_MINUTES)?;
        let request_ms = mean("queue", FIVE_MINUTES)? / rate.max(0.1) * 1000.0;
        let waiting = evidence.mean("pressure.io.some", FIVE_MINUTES).unwrap_or(100.0);
        if request_ms >= SLOW_MS && waiting >= WAITING && mean("busy", FIVE_MINUTES)? >= BUSY {
            let text = format!("Disk {name} slow: {request_ms:.0} ms per request{largest}.");
            return finding(Level::Trouble, text, since);
        }
        finding(Level::Busy, format!("Disk {name} busy {}{largest}.", percent(busy)), since)
    };
    evidence.names("disk.devices.", ".busy").into_iter().filter_map(assess).collect()
}

/// Clause that names the process with the most disk I/O, with the larger of its two rates.
fn largest_user(evidence: &Evidence<'_>) -> String {
    let rates = |process: &Process| (process.read_bytes.unwrap_or(0.0), process.write_bytes.unwrap_or(0.0));
    let largest = evidence.top_process(|process| rates(process).0 + rates(process).1);
    largest.map_or(String::new(), |(process, _)| {
        let (reads, writes) = rates(process);
        let (verb, rate) = if writes >= reads { ("writes", writes) } else { ("reads", reads) };
        format!("; {} {verb} {}", process.name, Unit::Throughput.text(Some(rate)))
    })
}
