//! Samples a host other than Linux through sysinfo: CPU, memory and viewers; other groups are absent.

use super::{Clock, CounterReading, SamplerOptions, TickSource, Timestamp};
use crate::{
    schema::{Connections, Cpu, Memory, Tick},
    server::log::Subscribers,
};
use std::sync::Arc;
use sysinfo::System;

/// Samples a host through sysinfo.
#[derive(Debug)]
pub struct HostSampler {
    /// `None` on a system that sysinfo doesn't support.
    system: Option<System>,
    subscribers: Arc<Subscribers>,
    previous: Option<Timestamp>,
}

impl HostSampler {
    /// Samples this host. The options concern Linux only.
    pub fn new(_: &SamplerOptions, subscribers: Arc<Subscribers>) -> Self {
        Self { system: System::new().ok(), subscribers, previous: None }
    }
}

fn cpu(system: &System) -> Cpu {
    let rounded = |percent: f32| Some((f64::from(percent) * 100.0).round() / 100.0);
    Cpu {
        total_percent: rounded(system.global_cpu_usage()),
        cores_percent: system.cpus().iter().map(|core| rounded(core.usage())).collect(),
        ..Cpu::default()
    }
}

fn memory(system: &System) -> Memory {
    let (total, available) = (system.total_memory(), system.available_memory());
    Memory {
        total_bytes: Some(total),
        used_bytes: Some(total.saturating_sub(available)),
        available_bytes: Some(available),
        free_bytes: Some(system.free_memory()),
        swap_total_bytes: Some(system.total_swap()),
        swap_used_bytes: Some(system.used_swap()),
        ..Memory::default()
    }
}

impl TickSource for HostSampler {
    fn read(&mut self, t: u64, clock: &impl Clock) -> Tick {
        let reading = CounterReading::take(clock, || {
            let system = self.system.as_mut()?;
            system.refresh_cpu_usage();
            system.refresh_memory();
            Some((cpu(system), memory(system)))
        });
        let previous = reading.as_ref().and_then(|reading| self.previous.replace(reading.at));
        let Some((CounterReading { at, counters: (cpu, memory) }, previous)) = reading.zip(previous) else {
            return Tick::at(t);
        };
        let viewers = Some(self.subscribers.viewers());
        Tick::at(t)
            .with(at.sample_since(t, previous, |_| cpu))
            .with(at.sample_since(t, previous, |_| memory))
            .with(at.sample_since(t, previous, |_| Connections { viewers, ..Connections::default() }))
    }
}
