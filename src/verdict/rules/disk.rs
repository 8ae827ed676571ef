//! Disk rules: busy and slow disks, full filesystems, filesystems that do not respond.

use super::{Evidence, FIVE_MINUTES, Finding, Level, MINUTE, Unit, finding, has_recovered, paths, percent};
use crate::schema::Process;

/// Filesystems that do not respond.
pub(super) fn stuck_filesystems(evidence: &Evidence<'_>) -> Vec<Finding> {
    /// Three polls: the sampler polls every ten seconds.
    const STUCK_S: f64 = 30.0;
    let folders = evidence.names(paths::FILESYSTEM_AGE).into_iter();
    let stuck = folders.filter_map(|folder| {
        let age = evidence.last(&paths::named(paths::FILESYSTEM_AGE, &folder)).filter(|age| *age >= STUCK_S)?;
        let since = evidence.window.end()? / 1000;
        finding(Level::Trouble, format!("Filesystem {folder} is not responding."), Some(since - age as u64))
    });
    stuck.collect()
}

/// Filesystems that run out of space or inodes.
pub(super) fn full_filesystems(evidence: &Evidence<'_>) -> Vec<Finding> {
    const FULL: f64 = 98.0;
    const NEARLY_FULL: f64 = 90.0;
    let folders = evidence.names(paths::FILESYSTEM_FULL).into_iter();
    let full = folders.filter_map(|folder| {
        let last = |path| evidence.last(&paths::named(path, &folder));
        // An image or a snapshot is as full as it was made.
        if last(paths::FILESYSTEM_READ_ONLY) == Some(1.0) {
            return None;
        }
        let bytes = last(paths::FILESYSTEM_FULL).unwrap_or(0.0);
        let inodes =
            last(paths::FILESYSTEM_INODES_USED).zip(last(paths::FILESYSTEM_INODES).filter(|inodes| *inodes > 0.0));
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
        let mean = |path, seconds| evidence.mean(&paths::named(path, &name), seconds);
        let busy_path = paths::named(paths::DEVICE_BUSY, &name);
        let busy = mean(paths::DEVICE_BUSY, MINUTE).filter(|busy| *busy >= BUSY)?;
        if has_recovered(evidence, &busy_path, BUSY) {
            return None;
        }
        let since = evidence.since(&busy_path, |busy| busy >= BUSY / 2.0);
        let largest = largest_user(evidence);
        // Mean time of a request: queue length over completed requests a second (Little's law).
        let rate = mean(paths::DEVICE_READS, FIVE_MINUTES)? + mean(paths::DEVICE_WRITES, FIVE_MINUTES)?;
        let request_ms = mean(paths::DEVICE_QUEUE, FIVE_MINUTES)? / rate.max(0.1) * 1000.0;
        let waiting = evidence.mean(paths::IO_PRESSURE, FIVE_MINUTES).unwrap_or(100.0);
        if request_ms >= SLOW_MS && waiting >= WAITING && mean(paths::DEVICE_BUSY, FIVE_MINUTES)? >= BUSY {
            let text = format!("Disk {name} slow: {request_ms:.0} ms per request{largest}.");
            return finding(Level::Trouble, text, since);
        }
        finding(Level::Busy, format!("Disk {name} busy {}{largest}.", percent(busy)), since)
    };
    evidence.names(paths::DEVICE_BUSY).into_iter().filter_map(assess).collect()
}

/// Clause that names the process with the most disk I/O, with the larger of its two rates.
fn largest_user(evidence: &Evidence<'_>) -> String {
    let rates = |process: &Process| {
        (process.read_bytes_per_second.unwrap_or(0.0), process.write_bytes_per_second.unwrap_or(0.0))
    };
    let largest = evidence.top_process(|process| rates(process).0 + rates(process).1);
    largest.map_or(String::new(), |(process, _)| {
        let (reads, writes) = rates(process);
        let (verb, rate) = if writes >= reads { ("writes", writes) } else { ("reads", reads) };
        format!("; {} {verb} {}", process.name, Unit::Throughput.text(Some(rate)))
    })
}
