//! Main memory, swap, paging rates, and OOM kills.

use super::{EventName, Group};
use serde::Serialize;

/// Memory in bytes; rates are over the last `dt` seconds. `None` is a value that the host does not report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Memory {
    /// Memory that the kernel manages.
    pub total: Option<u64>,
    /// `total - available`: memory that programs can't get without swapping.
    pub used: Option<u64>,
    /// Memory that programs can get without swapping.
    pub available: Option<u64>,
    /// Unused memory.
    pub free: Option<u64>,
    /// Cached blocks of block devices.
    pub buffers: Option<u64>,
    /// Page cache of files.
    pub cached: Option<u64>,
    /// Page cache that has to be written to disk.
    pub dirty: Option<u64>,
    /// Page cache that is being written to disk.
    pub writeback: Option<u64>,
    /// Slab: kernel objects.
    pub slab: Option<u64>,
    /// Shared memory and tmpfs.
    pub shared: Option<u64>,
    /// Memory reserved as huge pages.
    pub huge_pages: Option<u64>,
    /// ZFS ARC, which counts as used although it is reclaimable.
    pub zfs_arc: Option<u64>,
    /// Swap space.
    pub swap_total: Option<u64>,
    /// Swap space in use.
    pub swap_used: Option<u64>,
    /// Bytes swapped in per second.
    pub swap_in: Option<f64>,
    /// Bytes swapped out per second.
    pub swap_out: Option<f64>,
    /// Major page faults per second: those that had to read from disk.
    pub major_faults: Option<f64>,
    /// Processes killed by the OOM killer per second.
    pub oom_kills: Option<f64>,
}

impl Group for Memory {
    const NAME: EventName = EventName::Memory;

    fn series(&self, visit: &mut dyn FnMut(&str, Option<f64>)) {
        let mut bytes = |path, value: Option<u64>| visit(path, value.map(|v| v as f64));
        bytes("memory.total", self.total);
        bytes("memory.used", self.used);
        bytes("memory.available", self.available);
        bytes("memory.free", self.free);
        bytes("memory.buffers", self.buffers);
        bytes("memory.cached", self.cached);
        bytes("memory.dirty", self.dirty);
        bytes("memory.writeback", self.writeback);
        bytes("memory.slab", self.slab);
        bytes("memory.shared", self.shared);
        bytes("memory.huge_pages", self.huge_pages);
        bytes("memory.zfs_arc", self.zfs_arc);
        bytes("memory.swap_total", self.swap_total);
        bytes("memory.swap_used", self.swap_used);
        visit("memory.swap_in", self.swap_in);
        visit("memory.swap_out", self.swap_out);
        visit("memory.major_faults", self.major_faults);
        visit("memory.oom_kills", self.oom_kills);
    }
}
