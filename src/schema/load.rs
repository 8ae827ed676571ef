//! How many want to run.

use super::{EventName, Group};
use serde::Serialize;

/// Load averages. `None` is a figure that this host does not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Load {
    /// Tasks that run, want to run, or wait for a disk: on average, with the last minute counting most.
    pub one: Option<f64>,
    /// With the last 5 minutes counting most.
    pub five: Option<f64>,
    /// With the last 15 minutes counting most.
    pub fifteen: Option<f64>,
    /// Tasks there are.
    pub tasks: Option<u64>,
    /// Seconds since the host was started.
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
