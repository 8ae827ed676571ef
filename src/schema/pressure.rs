//! Pressure stall information (PSI): time that tasks wait for CPU, memory or I/O.

use super::{EventName, Group};
use serde::Serialize;

/// Pressure stall information, over the last `dt` seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Pressure {
    /// Waiting for a CPU.
    pub cpu: Stall,
    /// Waiting for memory.
    pub memory: Stall,
    /// Waiting for I/O.
    pub io: Stall,
}

/// Stalled time in percent. `None` is a value that the host does not report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stall {
    /// At least one task waited.
    pub some: Option<f64>,
    /// All non-idle tasks waited at once.
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
