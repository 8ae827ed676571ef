//! How long somebody waits for something that there is too little of.

use super::{EventName, Group};
use serde::Serialize;

/// Pressure stall information, over the last `dt` seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Pressure {
    /// For a processor.
    pub cpu: Stall,
    /// For memory.
    pub memory: Stall,
    /// For a disk.
    pub io: Stall,
}

/// Shares of the time in percent. `None` is a share that this host does not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stall {
    /// At least one task had to wait.
    pub some: Option<f64>,
    /// All tasks had to wait.
    pub full: Option<f64>,
}

impl Group for Pressure {
    const NAME: EventName = EventName::Pressure;

    fn series(&self, visit: &mut dyn FnMut(&str, Option<f64>)) {
        visit("pressure.cpu.some", self.cpu.some);
        visit("pressure.cpu.full", self.cpu.full);
        visit("pressure.memory.some", self.memory.some);
        visit("pressure.memory.full", self.memory.full);
        visit("pressure.io.some", self.io.some);
        visit("pressure.io.full", self.io.full);
    }
}
