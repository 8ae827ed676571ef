//! CPU time by mode and by core, scheduler rates, and clock frequency.

use super::{Group, value::values};

values! {
    /// CPU time in percent and rates per second, over the last `dt` seconds. `None` is a value that could not be read.
    pub struct Cpu {
        /// Busy time of all cores, everything but idle and iowait, 0 to 100.
        total_percent: Option<f64> = Gauge, Percent;
        /// Busy time of each core, 0 to 100 each; an offline core has none.
        cores_percent: Vec<Option<f64>> = Gauge, Percent;
        /// Programs at normal priority, in percent of all cores' time, as are the modes below.
        user_percent: Option<f64> = Gauge, Percent;
        /// Programs at lowered priority.
        nice_percent: Option<f64> = Gauge, Percent;
        /// The kernel on behalf of programs.
        system_percent: Option<f64> = Gauge, Percent;
        /// The kernel serving interrupts, hard and soft.
        irq_percent: Option<f64> = Gauge, Percent;
        /// Idle with I/O pending; not part of `total_percent`.
        iowait_percent: Option<f64> = Gauge, Percent;
        /// Taken by the hypervisor for other guests.
        steal_percent: Option<f64> = Gauge, Percent;
        /// Context switches per second.
        context_switches_per_second: Option<f64> = Rate, PerSecond;
        /// Interrupts per second.
        interrupts_per_second: Option<f64> = Rate, PerSecond;
        /// Tasks started per second.
        forks_per_second: Option<f64> = Rate, PerSecond;
        /// Runnable tasks.
        running: Option<u64> = Gauge, Number;
        /// Tasks blocked on I/O.
        blocked: Option<u64> = Gauge, Number;
        /// Mean clock frequency of the cores, in hertz; read every ten seconds.
        frequency_hertz: Option<f64> = Gauge, Hertz;
    }
}

impl Group for Cpu {
    const NAME: &'static str = "cpu";
}
