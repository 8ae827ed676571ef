//! Block devices, and the filesystems on them.

use super::{EventName, Group};
use serde::Serialize;
use std::collections::BTreeMap;

/// What passed to and from the disks. Rates are over the last `dt` seconds; `None` is one that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Disk {
    /// Bytes read a second. Devices that lie on others (RAID, volumes, encryption) don't count, which would count it
    /// twice; so with the other one.
    pub read_bytes: Option<f64>,
    /// Bytes written a second.
    pub write_bytes: Option<f64>,
    /// By name, whole devices and no parts of any.
    pub devices: BTreeMap<String, Device>,
    /// By the folder where they are mounted. They are asked every ten seconds.
    pub filesystems: BTreeMap<String, Filesystem>,
}

/// One filesystem. `None` is a figure that it does not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Filesystem {
    /// Bytes that it holds.
    pub size: Option<u64>,
    /// Bytes in use.
    pub used: Option<u64>,
    /// Bytes that programs may still use.
    pub available: Option<u64>,
    /// Share of what programs may use that is in use, in percent.
    pub full: Option<f64>,
    /// Files that it can hold.
    pub inodes: Option<u64>,
    /// Files that it holds.
    pub inodes_used: Option<u64>,
    /// Seconds since it told. One that is stuck, a share whose server has gone, tells no more.
    pub age: Option<f64>,
}

/// One device.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Device {
    /// Bytes read a second.
    pub read_bytes: Option<f64>,
    /// Bytes written a second.
    pub write_bytes: Option<f64>,
    /// Reads a second.
    pub reads: Option<f64>,
    /// Writes a second.
    pub writes: Option<f64>,
    /// Share of the time in which something was under way, in percent. A device that does several things at once may
    /// take more at a hundred.
    pub busy: Option<f64>,
    /// How much was under way, on average.
    pub queue: Option<f64>,
}

impl Group for Disk {
    const NAME: EventName = EventName::Disk;

    fn series(&self, visit: &mut dyn FnMut(&str, Option<f64>)) {
        visit("disk.read_bytes", self.read_bytes);
        visit("disk.write_bytes", self.write_bytes);
        for (name, device) in &self.devices {
            let mut below = |field, value| visit(&format!("disk.devices.{name}.{field}"), value);
            below("read_bytes", device.read_bytes);
            below("write_bytes", device.write_bytes);
            below("reads", device.reads);
            below("writes", device.writes);
            below("busy", device.busy);
            below("queue", device.queue);
        }
        for (folder, filesystem) in &self.filesystems {
            let mut below = |field, value| visit(&format!("disk.filesystems.{folder}.{field}"), value);
            let count = |value: Option<u64>| value.map(|value| value as f64);
            below("size", count(filesystem.size));
            below("used", count(filesystem.used));
            below("available", count(filesystem.available));
            below("full", filesystem.full);
            below("inodes", count(filesystem.inodes));
            below("inodes_used", count(filesystem.inodes_used));
            below("age", filesystem.age);
        }
    }
}
