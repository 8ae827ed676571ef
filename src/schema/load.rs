//! Load averages, number of tasks, and uptime.

use super::{EventName, Group};
use serde::Serialize;

/// Load averages. `None` is a value that the host does not report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Load {
    /// Mean number of runnable or I/O-blocked tasks, exponentially damped over 1 minute.
    pub one: Option<f64>,
    /// The same over 5 minutes.
    pub five: Option<f64>,
    /// The same over 15 minutes.
    pub fifteen: Option<f64>,
    /// Number of tasks.
    pub tasks: Option<u64>,
    /// Seconds since boot.
    pub uptime: Option<f64>,
}

impl Group for Load {
    const NAME: EventName = EventName::Load;

    fn series(&self, visit: &mut dyn FnMut(&str, Option<f64>)) {
        visit("load.one", self.one);
        visit("load.five", self.five);
        visit("load.fifteen", self.fifteen);
        visit("load.tasks", self.tasks.map(|tasks| tasks as f64));
        visit("load.uptime", self.uptime);
    }
}
