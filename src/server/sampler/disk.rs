//! I/O of block devices from `/proc/diskstats` (the kernel's `Documentation/admin-guide/iostats.rst`).

use super::{
    Clock, HostSource,
    rate::{PreviousReading, Sum, delta, percent, places, rate},
};
use crate::schema::{Device, Disk, Sample};
use std::collections::{BTreeMap, BTreeSet};

/// Devices that get a row; the totals count all.
const MAX_DEVICES: usize = 40;
/// Bytes in the kernel's sectors, whatever the device's sector size.
const SECTOR_SIZE: u64 = 512;
/// Prefixes of devices that are not disks: loop devices, memory, optical and floppy drives.
const IGNORED_PREFIXES: [&str; 5] = ["loop", "ram", "zram", "sr", "fd"];
/// Prefixes of devices stacked on other disks: their bytes would count twice in the totals.
const STACKED_PREFIXES: [&str; 5] = ["dm-", "md", "drbd", "bcache", "zd"];
/// Ticks after which sysfs' list of whole disks is re-read.
const LIST_INTERVAL: u32 = 10;

/// Counters of one device since it was attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct DiskCounters {
    pub reads: u64,
    pub read_bytes: u64,
    pub writes: u64,
    pub write_bytes: u64,
    /// Milliseconds with at least one request in flight.
    pub io_ms: u64,
    /// Milliseconds with requests in flight, weighted by their number.
    pub weighted_io_ms: u64,
}

/// Samples the I/O of block devices, and how full filesystems are.
#[derive(Debug, Default)]
pub(super) struct DiskSampler {
    previous: PreviousReading<BTreeMap<String, DiskCounters>>,
    /// Disks without their partitions; `None` on a host without `/sys/block`.
    whole_disks: Option<BTreeSet<String>>,
    ticks: u32,
    text: String,
}

impl DiskSampler {
    pub(super) fn sample(&mut self, t: u64, source: &mut impl HostSource, clock: &impl Clock) -> Option<Sample<Disk>> {
        if self.ticks.is_multiple_of(LIST_INTERVAL) {
            self.whole_disks = source.list("/sys/block").ok().map(BTreeSet::from_iter);
        }
        self.ticks = self.ticks.wrapping_add(1);
        let (text, whole_disks) = (&mut self.text, self.whole_disks.as_ref());
        let filesystems = source.filesystems();
        let read = || match source.read("/proc/diskstats", text) {
            Ok(()) => Some(parse_diskstats(text, |name| {
                whole_disks.map_or_else(|| !is_partition(name), |disks| disks.contains(name))
            })),
            // A container may see filesystems, but no disks.
            Err(_) => (!filesystems.is_empty()).then(BTreeMap::new),
        };
        let sample = self.previous.sample(t, clock, read, rates);
        sample.map(|sample| Sample { values: Disk { filesystems, ..sample.values }, ..sample })
    }
}

/// Parses `254 0 vda 33 0 264 14 …`: device number and name, then the counters. Skips partitions and unused devices.
pub(in crate::server) fn parse_diskstats(
    text: &str,
    is_whole_disk: impl Fn(&str) -> bool,
) -> BTreeMap<String, DiskCounters> {
    let device = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(2);
        let name = fields.next()?;
        if IGNORED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || !is_whole_disk(name) {
            return None;
        }
        let values: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
        let [reads, _, read, _, writes, _, written, _, _, io_ms, weighted_io_ms, ..] = values[..] else { return None };
        let (read_bytes, write_bytes) = (read.saturating_mul(SECTOR_SIZE), written.saturating_mul(SECTOR_SIZE));
        // An empty drive slot has a line without I/O.
        let is_used = reads > 0 || writes > 0;
        is_used
            .then(|| (name.to_owned(), DiskCounters { reads, read_bytes, writes, write_bytes, io_ms, weighted_io_ms }))
    };
    text.lines().filter_map(device).collect()
}

/// Whether a device is a partition, by its name: `sda1`, `vdb12`, `nvme0n1p2`, `mmcblk0p1`.
pub(in crate::server) fn is_partition(name: &str) -> bool {
    let device = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let has_number = device.len() < name.len();
    let numbered = ["nvme", "mmcblk", "nbd", "md", "dm-"].iter().any(|prefix| name.starts_with(prefix));
    has_number
        && (!numbered || device.strip_suffix('p').is_some_and(|device| device.ends_with(|c: char| c.is_ascii_digit())))
}

fn rates(previous: &BTreeMap<String, DiskCounters>, current: &BTreeMap<String, DiskCounters>, dt: f64) -> Disk {
    let (mut read, mut written) = (Sum::default(), Sum::default());
    let mut devices = BTreeMap::new();
    for (name, current) in current {
        let previous = previous.get(name);
        let rate = |of: fn(&DiskCounters) -> u64| rate(previous.map(of), Some(of(current)), dt);
        let delta = |of: fn(&DiskCounters) -> u64| delta(previous.map(of)?, of(current));
        let device = Device {
            read_bytes: rate(|c| c.read_bytes),
            write_bytes: rate(|c| c.write_bytes),
            reads: rate(|c| c.reads),
            writes: rate(|c| c.writes),
            busy: percent(delta(|c| c.io_ms), dt * 1000.0),
            queue: delta(|c| c.weighted_io_ms).and_then(|weighted| places(weighted as f64 / (dt * 1000.0))),
        };
        if previous.is_some() && !STACKED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            read.add(device.read_bytes);
            written.add(device.write_bytes);
        }
        if devices.len() < MAX_DEVICES {
            devices.insert(name.clone(), device);
        }
    }
    Disk { read_bytes: read.total(), write_bytes: written.total(), devices, ..Disk::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::Recorded};

    const PREVIOUS: &str = "   7       0 loop0 5 0 9 0 0 0 0 0 0 0 0\n   8       0 sda 10 0 100 5 20 0 200 9 0 1000 2000 0 0 0 0\n   8       1 sda1 10 0 100 5 20 0 200 9 0 1000 2000\n 253       0 dm-0 10 0 100 5 20 0 200 9 0 1000 2000\n  11 0 sr0 1 0 0 0 0 0 0 0 0 0 0\n 8 16 sdb 0 0 0 0 0 0 0 0 0 0 0\n";
    const CURRENT: &str = "   8       0 sda 14 0 108 5 21 0 204 9 2 2000 5000 0 0 0 0\n   8       1 sda1 14 0 108 5 21 0 204 9 2 2000 5000\n 253       0 dm-0 14 0 108 5 21 0 204 9 0 2000 5000\n";

    fn sample(mut source: Recorded) -> Disk {
        let (mut sampler, clock) = (DiskSampler::default(), ManualClock::at(0.0));
        source = source.with("/proc/diskstats", PREVIOUS);
        assert_eq!(sampler.sample(0, &mut source, &clock), None);
        clock.stall_now(2.0);
        source = source.with("/proc/diskstats", CURRENT);
        sampler.sample(2000, &mut source, &clock).unwrap().values
    }

    #[test]
    fn totals_exclude_partitions_and_stacked_devices() {
        for source in
            [Recorded::default(), Recorded::default().with_folder("/sys/block", &["dm-0", "loop0", "sda", "sdb"])]
        {
            let disk = sample(source);
            assert_eq!(disk.devices.keys().collect::<Vec<_>>(), ["dm-0", "sda"]);
            assert_eq!((disk.read_bytes, disk.write_bytes), (Some(2048.0), Some(1024.0)));
            let sda = &disk.devices["sda"];
            assert_eq!((sda.reads, sda.writes), (Some(2.0), Some(0.5)));
            assert_eq!((sda.busy, sda.queue), (Some(50.0), Some(1.5)));
        }
    }

    #[test]
    fn partition_is_recognised_by_name() {
        for partition in ["sda1", "vdb12", "nvme0n1p2", "mmcblk0p1", "md0p1", "xvda1"] {
            assert!(is_partition(partition), "{partition}");
        }
        for disk in ["sda", "vdb", "nvme0n1", "mmcblk0", "md127", "dm-3", "xvda"] {
            assert!(!is_partition(disk), "{disk}");
        }
    }

    #[test]
    fn truncated_line_is_ignored() {
        assert!(parse_diskstats("8 0 sda 1 2 3\n8\n\n", |_| true).is_empty());
    }
}
