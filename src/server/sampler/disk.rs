//! I/O of block devices from `/proc/diskstats` (the kernel's `Documentation/admin-guide/iostats.rst`).

use super::{
    Clock, HostSource,
    block_devices::{list_whole_disks, parent_name, read_volume_names},
    rate::{CompleteSum, PreviousReading, delta, percentage, rate, round_to_hundredths},
};
use crate::schema::{Device, Disk, Sample};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// Devices that get a row, disks before stacked devices and by their use since boot; the totals count all.
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
    pub merged_reads: u64,
    pub read_bytes: u64,
    /// Milliseconds that reads took, summed up.
    pub read_ms: u64,
    pub writes: u64,
    pub merged_writes: u64,
    pub write_bytes: u64,
    /// Milliseconds that writes took, summed up.
    pub write_ms: u64,
    /// Requests in flight now.
    pub in_flight: u64,
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
    /// Names of device-mapper volumes by those of their devices.
    volume_names: BTreeMap<String, String>,
    ticks: u32,
    text: String,
}

impl DiskSampler {
    pub(super) fn sample(&mut self, t: u64, source: &mut impl HostSource, clock: &impl Clock) -> Option<Sample<Disk>> {
        if self.ticks.is_multiple_of(LIST_INTERVAL) {
            self.whole_disks = list_whole_disks(source);
            self.volume_names =
                self.whole_disks.as_ref().map_or_else(BTreeMap::new, |disks| read_volume_names(source, disks));
        }
        self.ticks = self.ticks.wrapping_add(1);
        let (text, whole_disks, names) = (&mut self.text, self.whole_disks.as_ref(), &self.volume_names);
        let filesystems = source.filesystems();
        let read = || match source.read_cached("/proc/diskstats", text) {
            Ok(()) => Some(parse_diskstats(text, whole_disks)),
            // A container may see filesystems, but no disks.
            Err(_) => (!filesystems.is_empty()).then(BTreeMap::new),
        };
        let sample =
            self.previous.next_sample(t, clock, read, |previous, current, dt| rates(previous, current, dt, names));
        sample.map(|sample| Sample { values: Disk { filesystems, ..sample.values }, ..sample })
    }
}

/// Parses `254 0 vda 33 0 264 14 …`: device number and name, then the counters. Skips partitions and unused devices.
/// Without `whole_disks`, a device is a partition if its name is that of another device and a number.
pub(in crate::server) fn parse_diskstats(
    text: &str,
    whole_disks: Option<&BTreeSet<String>>,
) -> BTreeMap<String, DiskCounters> {
    let device_name = |line| str::split_ascii_whitespace(line).nth(2);
    let listed: BTreeSet<&str> = text.lines().filter_map(device_name).collect();
    let is_whole_disk = |name: &str| match whole_disks {
        Some(disks) => disks.contains(name),
        None => parent_name(name).is_none_or(|parent| !listed.contains(parent)),
    };
    let device = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(2);
        let name = fields.next()?;
        if IGNORED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || !is_whole_disk(name) {
            return None;
        }
        let values: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
        let [
            reads,
            merged_reads,
            read,
            read_ms,
            writes,
            merged_writes,
            written,
            write_ms,
            in_flight,
            io_ms,
            weighted_io_ms,
            ..,
        ] = values[..]
        else {
            return None;
        };
        let counters = DiskCounters {
            reads,
            merged_reads,
            read_bytes: read.saturating_mul(SECTOR_SIZE),
            read_ms,
            writes,
            merged_writes,
            write_bytes: written.saturating_mul(SECTOR_SIZE),
            write_ms,
            in_flight,
            io_ms,
            weighted_io_ms,
        };
        // An empty drive slot has a line without I/O.
        (reads > 0 || writes > 0).then(|| (name.to_owned(), counters))
    };
    text.lines().filter_map(device).collect()
}

/// Rates over `dt`, with volumes under their `names`.
fn rates(
    previous: &BTreeMap<String, DiskCounters>,
    current: &BTreeMap<String, DiskCounters>,
    dt: f64,
    names: &BTreeMap<String, String>,
) -> Disk {
    let is_stacked = |name: &str| STACKED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let mut by_importance: Vec<_> = current.iter().collect();
    by_importance.sort_by_key(|(name, c)| (is_stacked(name), Reverse(c.read_bytes.saturating_add(c.write_bytes))));
    let (mut read, mut written) = (CompleteSum::default(), CompleteSum::default());
    let mut devices = BTreeMap::new();
    for (name, current) in by_importance {
        let previous = previous.get(name);
        let rate = |of: fn(&DiskCounters) -> u64| rate(previous.map(of), Some(of(current)), dt);
        let delta = |of: fn(&DiskCounters) -> u64| delta(previous.map(of)?, of(current));
        let device = Device {
            read_bytes_per_second: rate(|c| c.read_bytes),
            write_bytes_per_second: rate(|c| c.write_bytes),
            reads_per_second: rate(|c| c.reads),
            writes_per_second: rate(|c| c.writes),
            busy_percent: percentage(delta(|c| c.io_ms), dt * 1000.0),
            queue: delta(|c| c.weighted_io_ms)
                .and_then(|weighted| round_to_hundredths(weighted as f64 / (dt * 1000.0))),
        };
        if previous.is_some() && !is_stacked(name) {
            read.add(device.read_bytes_per_second);
            written.add(device.write_bytes_per_second);
        }
        if devices.len() < MAX_DEVICES {
            devices.insert(names.get(name).unwrap_or(name).clone(), device);
        }
    }
    Disk { read_bytes_per_second: read.total(), write_bytes_per_second: written.total(), devices, ..Disk::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::RecordedHost};

    const PREVIOUS: &str = "   7       0 loop0 5 0 9 0 0 0 0 0 0 0 0\n   8       0 sda 10 0 100 5 20 0 200 9 0 1000 2000 0 0 0 0\n   8       1 sda1 10 0 100 5 20 0 200 9 0 1000 2000\n 253       0 dm-0 10 0 100 5 20 0 200 9 0 1000 2000\n  11 0 sr0 1 0 0 0 0 0 0 0 0 0 0\n 8 16 sdb 0 0 0 0 0 0 0 0 0 0 0\n";
    const CURRENT: &str = "   8       0 sda 14 0 108 5 21 0 204 9 2 2000 5000 0 0 0 0\n   8       1 sda1 14 0 108 5 21 0 204 9 2 2000 5000\n 253       0 dm-0 14 0 108 5 21 0 204 9 0 2000 5000\n";

    fn sample(mut source: RecordedHost) -> Disk {
        let (mut sampler, clock) = (DiskSampler::default(), ManualClock::at(0.0));
        source = source.with("/proc/diskstats", PREVIOUS);
        assert_eq!(sampler.sample(0, &mut source, &clock), None);
        clock.advance(2.0);
        source = source.with("/proc/diskstats", CURRENT);
        sampler.sample(2000, &mut source, &clock).unwrap().values
    }

    #[test]
    fn totals_exclude_partitions_and_stacked_devices() {
        for source in [
            RecordedHost::default(),
            RecordedHost::default().with_folder("/sys/block", &["dm-0", "loop0", "sda", "sdb"]),
        ] {
            let disk = sample(source);
            assert_eq!(disk.devices.keys().collect::<Vec<_>>(), ["dm-0", "sda"]);
            assert_eq!((disk.read_bytes_per_second, disk.write_bytes_per_second), (Some(2048.0), Some(1024.0)));
            let sda = &disk.devices["sda"];
            assert_eq!((sda.reads_per_second, sda.writes_per_second), (Some(2.0), Some(0.5)));
            assert_eq!((sda.busy_percent, sda.queue), (Some(50.0), Some(1.5)));
        }
    }

    #[test]
    fn volume_has_its_own_name() {
        let source = RecordedHost::default()
            .with_folder("/sys/block", &["dm-0", "sda"])
            .with("/sys/block/dm-0/dm/name", "vg0-root\n");
        let disk = sample(source);
        assert_eq!(disk.devices.keys().collect::<Vec<_>>(), ["sda", "vg0-root"]);
        assert_eq!(disk.read_bytes_per_second, Some(2048.0), "a renamed volume stays out of the totals");
    }

    #[test]
    fn disks_with_numbered_names_are_no_partitions() {
        let names = ["xvda1", "rbd0", "bcache0", "pmem0", "nbd0", "mmcblk0", "nvme0n1", "sda"];
        let line = |name: &str| format!(" 8 0 {name} 5 0 4 1 9 0 7 3 0 4 4\n");
        let partitions = ["sda1", "nvme0n1p1", "mmcblk0p1", "rbd0p1"];
        let text: String = names.iter().chain(&partitions).map(|name| line(name)).collect();
        let whole = names.map(str::to_owned).into();
        for whole_disks in [None, Some(&whole)] {
            let disks = parse_diskstats(&text, whole_disks);
            assert_eq!(disks.into_keys().collect::<BTreeSet<_>>(), whole);
        }
    }

    #[test]
    fn volumes_do_not_push_disks_out_of_the_table() {
        let counters = DiskCounters::default();
        let volumes = (0..100).map(|n| (format!("dm-{n}"), DiskCounters { read_bytes: 9, ..counters }));
        let disks = volumes.chain([("sda".to_owned(), counters)]).collect();
        let devices = rates(&disks, &disks, 1.0, &BTreeMap::new()).devices;
        assert_eq!((devices.len(), devices.contains_key("sda")), (MAX_DEVICES, true));
    }

    #[test]
    fn truncated_line_is_ignored() {
        assert!(parse_diskstats("8 0 sda 1 2 3\n8\n\n", None).is_empty());
    }
}
