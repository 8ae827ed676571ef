//! Processor time.

use super::{EventName, Group};
use serde::Serialize;

/// Shares of processor time in percent, and rates, over the last `dt` seconds. `None` is a figure that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cpu {
    /// Busy time of all cores: everything but idling and waiting for I/O, 0 to 100.
    pub total: Option<f64>,
    /// Busy time of each core, 0 to 100 each; an offline core is `None`.
    pub cores: Vec<Option<f64>>,
    /// Programs at normal priority, as a share of all cores' time; so are the others below.
    pub user: Option<f64>,
    /// Programs at lowered priority.
    pub nice: Option<f64>,
    /// The kernel on behalf of programs.
    pub system: Option<f64>,
    /// The kernel serving interrupts, hard and soft.
    pub irq: Option<f64>,
    /// Idle while a disk is awaited; not busy, so not in `total`.
    pub iowait: Option<f64>,
    /// Taken by the hypervisor for other guests.
    pub steal: Option<f64>,
    /// Times a second that a core turned to another task.
    pub context_switches: Option<f64>,
    /// Interrupts a second.
    pub interrupts: Option<f64>,
    /// Tasks started a second.
    pub forks: Option<f64>,
    /// Tasks that run or want to.
    pub running: Option<u64>,
    /// Tasks that wait for a disk.
    pub blocked: Option<u64>,
    /// How fast the cores run, in hertz, on average. They are asked every ten seconds.
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
