//! Main memory, swap, paging rates, and OOM kills.

use super::{EventName, Group, value::values};

values! {
    /// Memory in bytes; rates are over the last `dt` seconds. `None` is a value that the host does not report.
    pub struct Memory {
        /// Memory that the kernel manages.
        total: Option<u64> = Gauge, Bytes;
        /// `total - available`: memory that programs can't get without swapping.
        used: Option<u64> = Gauge, Bytes;
        /// Memory that programs can get without swapping.
        available: Option<u64> = Gauge, Bytes;
        /// Unused memory.
        free: Option<u64> = Gauge, Bytes;
        /// Cached blocks of block devices.
        buffers: Option<u64> = Gauge, Bytes;
        /// Page cache of files.
        cached: Option<u64> = Gauge, Bytes;
        /// Page cache that has to be written to disk.
        dirty: Option<u64> = Gauge, Bytes;
        /// Page cache that is being written to disk.
        writeback: Option<u64> = Gauge, Bytes;
        /// Slab: kernel objects.
        slab: Option<u64> = Gauge, Bytes;
        /// Shared memory and tmpfs.
        shared: Option<u64> = Gauge, Bytes;
        /// Memory reserved as huge pages.
        huge_pages: Option<u64> = Gauge, Bytes;
        /// ZFS ARC, which counts as used although it is reclaimable.
        zfs_arc: Option<u64> = Gauge, Bytes;
        /// Swap space.
        swap_total: Option<u64> = Gauge, Bytes;
        /// Swap space in use.
        swap_used: Option<u64> = Gauge, Bytes;
        /// Bytes swapped in per second.
        swap_in: Option<f64> = Rate, BytesPerSecond;
        /// Bytes swapped out per second.
        swap_out: Option<f64> = Rate, BytesPerSecond;
        /// Major page faults per second: those that had to read from disk.
        major_faults: Option<f64> = Rate, PerSecond;
        /// Processes killed by the OOM killer per second.
        oom_kills: Option<f64> = Rate, PerSecond;
    }
}

impl Group for Memory {
    const NAME: EventName = EventName::Memory;
}
