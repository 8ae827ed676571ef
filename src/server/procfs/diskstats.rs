//! `/proc/diskstats`: I/O of block devices (the kernel's `Documentation/admin-guide/iostats.rst`).

use std::collections::{BTreeMap, BTreeSet};

/// Bytes in the kernel's sectors, whatever the device's sector size.
const SECTOR_SIZE: u64 = 512;
/// Prefixes of devices that are not disks: loop devices, memory, optical and floppy drives.
const IGNORED_PREFIXES: [&str; 5] = ["loop", "ram", "zram", "sr", "fd"];

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
    /// Since Linux 4.18, as the next three.
    pub discards: Option<u64>,
    pub merged_discards: Option<u64>,
    pub discarded_sectors: Option<u64>,
    pub discard_ms: Option<u64>,
    /// Since Linux 5.5, as the next one.
    pub flushes: Option<u64>,
    pub flush_ms: Option<u64>,
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
            ref newer @ ..,
        ] = values[..]
        else {
            return None;
        };
        let newer = |index: usize| newer.get(index).copied();
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
            discards: newer(0),
            merged_discards: newer(1),
            discarded_sectors: newer(2),
            discard_ms: newer(3),
            flushes: newer(4),
            flush_ms: newer(5),
        };
        // An empty drive slot has a line without I/O.
        (reads > 0 || writes > 0).then(|| (name.to_owned(), counters))
    };
    text.lines().filter_map(device).collect()
}

/// The device of which this may be a partition, by its name: `sda` of `sda1`, `nvme0n1` of `nvme0n1p2`.
fn parent_name(name: &str) -> Option<&str> {
    let device = name.trim_end_matches(|c: char| c.is_ascii_digit());
    // A disk whose name ends in a digit has partitions with a `p` before their number.
    let numbered = device.strip_suffix('p').filter(|device| device.ends_with(|c: char| c.is_ascii_digit()));
    (device.len() < name.len()).then(|| numbered.unwrap_or(device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parent_is_name_without_partition_number() {
        for (partition, disk) in [
            ("sda1", "sda"),
            ("vdb12", "vdb"),
            ("nvme0n1p2", "nvme0n1"),
            ("mmcblk0p1", "mmcblk0"),
            ("md0p1", "md0"),
            ("rbd0p1", "rbd0"),
        ] {
            assert_eq!(parent_name(partition), Some(disk));
        }
        assert_eq!(parent_name("sda"), None);
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
    fn truncated_line_is_ignored() {
        assert!(parse_diskstats("8 0 sda 1 2 3\n8\n\n", None).is_empty());
    }
}
