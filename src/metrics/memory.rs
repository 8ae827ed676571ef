//! Main memory and swap.

use super::{EventName, Group};
use serde::Serialize;

/// Memory in bytes. `None` is a figure that this host does not tell.
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
    /// All swap space.
    pub swap_total: Option<u64>,
    /// Swap space in use.
    pub swap_used: Option<u64>,
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
        bytes("memory.swap_total", self.swap_total);
        bytes("memory.swap_used", self.swap_used);
    }
}
