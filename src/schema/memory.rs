//! Main memory and swap.

use super::{EventName, Group};
use serde::Serialize;

/// Memory in bytes; rates are over the last `dt` seconds. `None` is a figure that this host does not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Memory {
    /// What the kernel manages.
    pub total: Option<u64>,
    /// `total - available`: what programs could not get without swapping.
    pub used: Option<u64>,
    /// What programs could still get without swapping.
    pub available: Option<u64>,
    /// What nobody uses for anything.
    pub free: Option<u64>,
    /// Cached blocks of devices.
    pub buffers: Option<u64>,
    /// Cached contents of files.
    pub cached: Option<u64>,
    /// Changed contents of files that a disk has yet to take.
    pub dirty: Option<u64>,
    /// What a disk is just taking.
    pub writeback: Option<u64>,
    /// The kernel's own objects.
    pub slab: Option<u64>,
    /// Shared between programs, and contents of files that lie in memory alone.
    pub shared: Option<u64>,
    /// Set aside in huge pages.
    pub huge_pages: Option<u64>,
    /// ZFS' own cache, which counts as used and yet can be given back.
    pub zfs_arc: Option<u64>,
    /// All swap space.
    pub swap_total: Option<u64>,
    /// Swap space in use.
    pub swap_used: Option<u64>,
    /// Bytes a second brought back from swap.
    pub swap_in: Option<f64>,
    /// Bytes a second put out to swap.
    pub swap_out: Option<f64>,
    /// Times a second that a program had to wait for a disk to bring its memory.
    pub major_faults: Option<f64>,
    /// Programs killed a second since there was no memory left.
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
