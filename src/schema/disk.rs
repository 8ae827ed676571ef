//! The `disk` group: throughput, utilisation and latency of block devices, and usage of filesystems.

use super::{EventName, Group};
use serde::Serialize;
use std::collections::BTreeMap;

/// Disk throughput. Rates are over the last `dt` seconds; `None` is a value that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Disk {
    /// Bytes read per second. Stacked devices (RAID, LVM, dm-crypt) are left out, here and in `write_bytes`, since
    /// their I/O would count twice.
    pub read_bytes: Option<f64>,
    /// Bytes written per second.
    pub write_bytes: Option<f64>,
    /// Whole devices, without partitions, by name.
    pub devices: BTreeMap<String, Device>,
    /// Filesystems by mount point; read every ten seconds.
    pub filesystems: BTreeMap<String, Filesystem>,
}

/// One filesystem. `None` is a value that it does not report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Filesystem {
    /// Size in bytes.
    pub size: Option<u64>,
    /// Bytes in use.
    pub used: Option<u64>,
    /// Bytes available to unprivileged programs.
    pub available: Option<u64>,
    /// Use in percent of what unprivileged programs can use, as `df` shows it.
    pub full: Option<f64>,
    /// Number of inodes.
    pub inodes: Option<u64>,
    /// Inodes in use.
    pub inodes_used: Option<u64>,
    /// 1 if nothing can be written, else 0.
    pub read_only: Option<u64>,
    /// Seconds since the values were read; grows while the filesystem hangs, as an NFS mount without server does.
    pub age: Option<f64>,
}

/// One block device.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Device {
    /// Bytes read per second.
    pub read_bytes: Option<f64>,
    /// Bytes written per second.
    pub write_bytes: Option<f64>,
    /// Reads per second.
    pub reads: Option<f64>,
    /// Writes per second.
    pub writes: Option<f64>,
    /// Time with at least one request in flight, in percent. A device with parallel queues is not saturated at 100.
    pub busy: Option<f64>,
    /// Mean number of requests in flight.
    pub queue: Option<f64>,
}

impl Group for Disk {
    const NAME: EventName = EventName::Disk;

    fn series(&self, visit: &mut dyn FnMut(&str, Option<f64>)) {
        visit("disk.read_bytes", self.read_bytes);
        visit("disk.write_bytes", self.write_bytes);
        for (name, device) in &self.devices {
            let mut visit_field = |field, value| visit(&format!("disk.devices.{name}.{field}"), value);
            visit_field("read_bytes", device.read_bytes);
            visit_field("write_bytes", device.write_bytes);
            visit_field("reads", device.reads);
            visit_field("writes", device.writes);
            visit_field("busy", device.busy);
            visit_field("queue", device.queue);
        }
        for (folder, filesystem) in &self.filesystems {
            let mut visit_field = |field, value| visit(&format!("disk.filesystems.{folder}.{field}"), value);
            let count = |value: Option<u64>| value.map(|value| value as f64);
            visit_field("size", count(filesystem.size));
            visit_field("used", count(filesystem.used));
            visit_field("available", count(filesystem.available));
            visit_field("full", filesystem.full);
            visit_field("inodes", count(filesystem.inodes));
            visit_field("inodes_used", count(filesystem.inodes_used));
            visit_field("read_only", count(filesystem.read_only));
            visit_field("age", filesystem.age);
        }
    }
}
