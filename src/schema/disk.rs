//! The `disk` group: throughput, utilisation and latency of block devices, and usage of filesystems.

use super::{Group, value::values};
use std::collections::BTreeMap;

values! {
    /// Disk throughput. Rates are over the last `dt` seconds; `None` is a value that could not be read.
    pub struct Disk {
        /// Bytes read per second. Stacked devices (RAID, LVM, dm-crypt) are left out, here and in `write_bytes_per_second`, since
        /// their I/O would count twice.
        read_bytes_per_second: Option<f64> = Rate, BytesPerSecond;
        /// Bytes written per second.
        write_bytes_per_second: Option<f64> = Rate, BytesPerSecond;
        /// Whole devices, without partitions, by name.
        devices: BTreeMap<String, Device>;
        /// Filesystems by mount point; read every ten seconds.
        filesystems: BTreeMap<String, Filesystem>;
    }
}

values! {
    /// One filesystem. `None` is a value that it does not report.
    pub struct Filesystem {
        /// Size in bytes.
        size_bytes: Option<u64> = Gauge, Bytes;
        /// Bytes in use.
        used_bytes: Option<u64> = Gauge, Bytes;
        /// Bytes available to unprivileged programs.
        available_bytes: Option<u64> = Gauge, Bytes;
        /// Use in percent of what unprivileged programs can use, as `df` shows it.
        full_percent: Option<f64> = Gauge, Percent;
        /// Number of inodes.
        inodes: Option<u64> = Gauge, Number;
        /// Inodes in use.
        inodes_used: Option<u64> = Gauge, Number;
        /// 1 if nothing can be written, else 0.
        read_only: Option<u64> = State, Boolean;
        /// Seconds since the values were read; grows while the filesystem hangs, as an NFS mount without server does.
        age_seconds: Option<f64> = Gauge, Seconds;
    }
}

values! {
    /// One block device.
    pub struct Device {
        /// Bytes read per second.
        read_bytes_per_second: Option<f64> = Rate, BytesPerSecond;
        /// Bytes written per second.
        write_bytes_per_second: Option<f64> = Rate, BytesPerSecond;
        /// Reads per second.
        reads_per_second: Option<f64> = Rate, PerSecond;
        /// Writes per second.
        writes_per_second: Option<f64> = Rate, PerSecond;
        /// Time with at least one request in flight, in percent. A device with parallel queues is not saturated at 100.
        busy_percent: Option<f64> = Gauge, Percent;
        /// Mean number of requests in flight.
        queue: Option<f64> = Gauge, Number;
    }
}

impl Group for Disk {
    const NAME: &'static str = "disk";
}
