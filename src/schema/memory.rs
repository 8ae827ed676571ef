//! Main memory, swap, paging rates, and OOM kills.

use super::{Group, value::values};

values! {
    /// Memory in bytes; rates are over the last `dt` seconds. `None` is a value that the host does not report.
    pub struct Memory {
        /// Memory that the kernel manages.
        total_bytes: Option<u64> = Gauge, Bytes;
        /// `total_bytes - available_bytes`: memory that programs can't get without swapping.
        used_bytes: Option<u64> = Gauge, Bytes;
        /// Memory that programs can get without swapping.
        available_bytes: Option<u64> = Gauge, Bytes;
        /// Unused memory.
        free_bytes: Option<u64> = Gauge, Bytes;
        /// Cached blocks of block devices.
        buffers_bytes: Option<u64> = Gauge, Bytes;
        /// Page cache of files.
        cached_bytes: Option<u64> = Gauge, Bytes;
        /// Page cache that has to be written to disk.
        dirty_bytes: Option<u64> = Gauge, Bytes;
        /// Page cache that is being written to disk.
        writeback_bytes: Option<u64> = Gauge, Bytes;
        /// Memory that programs were promised, whether they use it or not.
        committed_bytes: Option<u64> = Gauge, Bytes;
        /// Slab: kernel objects.
        slab_bytes: Option<u64> = Gauge, Bytes;
        /// Shared memory and tmpfs.
        shared_bytes: Option<u64> = Gauge, Bytes;
        /// Memory reserved as huge pages.
        huge_pages_bytes: Option<u64> = Gauge, Bytes;
        /// ZFS ARC, which counts as used although it is reclaimable.
        zfs_arc_bytes: Option<u64> = Gauge, Bytes;
        /// Swap space.
        swap_total_bytes: Option<u64> = Gauge, Bytes;
        /// Swap space in use.
        swap_used_bytes: Option<u64> = Gauge, Bytes;
        /// Bytes swapped in per second.
        swap_in_bytes_per_second: Option<f64> = Rate, BytesPerSecond;
        /// Bytes swapped out per second.
        swap_out_bytes_per_second: Option<f64> = Rate, BytesPerSecond;
        /// Major page faults per second: those that had to read from disk.
        major_faults_per_second: Option<f64> = Rate, PerSecond;
        /// Processes killed by the OOM killer per second.
        oom_kills_per_second: Option<f64> = Rate, PerSecond;
    }
}

impl Group for Memory {
    const NAME: &'static str = "memory";
}
