//! Load averages, number of tasks, and uptime.

use super::{Group, value::values};

values! {
    /// Load averages. `None` is a value that the host does not report.
    pub struct Load {
        /// Mean number of runnable or I/O-blocked tasks, exponentially damped over 1 minute.
        one: Option<f64> = Gauge, Number;
        /// The same over 5 minutes.
        five: Option<f64> = Gauge, Number;
        /// The same over 15 minutes.
        fifteen: Option<f64> = Gauge, Number;
        /// Number of tasks.
        tasks: Option<u64> = Gauge, Number;
        /// Seconds since boot.
        uptime_seconds: Option<f64> = Gauge, Seconds;
    }
}

impl Group for Load {
    const NAME: &'static str = "load";
}
