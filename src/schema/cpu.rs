//! CPU time by mode and by core, scheduler rates, and clock frequency.

use super::{EventName, Group};
use serde::Serialize;

/// CPU time in percent and rates per second, over the last `dt` seconds. `None` is a value that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cpu {
    /// Busy time of all cores, everything but idle and iowait, 0 to 100.
    pub total: Option<f64>,
    /// Busy time of each core, 0 to 100 each; an offline core is `None`.
    pub cores: Vec<Option<f64>>,
    /// Programs at normal priority, in percent of all cores' time, as are the modes below.
    pub user: Option<f64>,
    /// Programs at lowered priority.
    pub nice: Option<f64>,
    /// The kernel on behalf of programs.
    pub system: Option<f64>,
    /// The kernel serving interrupts, hard and soft.
    pub irq: Option<f64>,
    /// Idle with I/O pending; not part of `total`.
    pub iowait: Option<f64>,
    /// Taken by the hypervisor for other guests.
    pub steal: Option<f64>,
    /// Context switches per second.
    pub context_switches: Option<f64>,
    /// Interrupts per second.
    pub interrupts: Option<f64>,
    /// Tasks started per second.
    pub forks: Option<f64>,
    /// Runnable tasks.
    pub running: Option<u64>,
    /// Tasks blocked on I/O.
    pub blocked: Option<u64>,
    /// Mean clock frequency of the cores, in hertz; read every ten seconds.
    pub frequency: Option<f64>,
}

impl Group for Cpu {
    const NAME: EventName = EventName::Cpu;

    fn series(&self, visit: &mut dyn FnMut(&str, Option<f64>)) {
        visit("cpu.total", self.total);
        for (core, busy) in self.cores.iter().enumerate() {
            visit(&format!("cpu.cores.{core}"), *busy);
        }
        visit("cpu.user", self.user);
        visit("cpu.nice", self.nice);
        visit("cpu.system", self.system);
        visit("cpu.irq", self.irq);
        visit("cpu.iowait", self.iowait);
        visit("cpu.steal", self.steal);
        visit("cpu.context_switches", self.context_switches);
        visit("cpu.interrupts", self.interrupts);
        visit("cpu.forks", self.forks);
        visit("cpu.running", self.running.map(|tasks| tasks as f64));
        visit("cpu.blocked", self.blocked.map(|tasks| tasks as f64));
        visit("cpu.frequency", self.frequency);
    }
}
