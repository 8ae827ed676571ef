//! Pressure stall information (PSI): time that tasks wait for CPU, memory or I/O.

use super::{Group, value::values};

values! {
    /// Pressure stall information, over the last `dt` seconds.
    pub struct Pressure {
        /// Waiting for a CPU.
        cpu: Stall;
        /// Waiting for memory.
        memory: Stall;
        /// Waiting for I/O.
        io: Stall;
    }
}

values! {
    /// Stalled time in percent. `None` is a value that the host does not report.
    pub struct Stall {
        /// At least one task waited.
        some_percent: Option<f64> = Gauge, Percent;
        /// All non-idle tasks waited at once.
        full_percent: Option<f64> = Gauge, Percent;
    }
}

impl Group for Pressure {
    const NAME: &'static str = "pressure";
}
