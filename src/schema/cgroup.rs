//! Control groups: what a container may take, and what the services of a host take.

use super::{EventName, Group};
use serde::Serialize;
use std::collections::BTreeMap;

/// What control groups take. Processor time is in percent of one core; rates are over the last `dt` seconds, those of
/// services over the five seconds after which they are asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cgroup {
    /// Processor time that this container takes; as the rest of it, `None` on a host.
    pub cpu: Option<f64>,
    /// Processor time that it may take; `None` where that is not limited.
    pub cpu_limit: Option<f64>,
    /// Share of the time in which it had to wait since it had taken all that it may, in percent. With several threads
    /// waiting at once it may pass a hundred.
    pub throttled: Option<f64>,
    /// Bytes that it holds, less what the kernel would give back if asked.
    pub memory: Option<u64>,
    /// Bytes that it may hold; `None` where that is not limited.
    pub memory_limit: Option<u64>,
    /// The services and containers that take most, by name. They are asked every five seconds.
    pub services: BTreeMap<String, Service>,
}

/// One service or container.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Service {
    /// Processor time that it takes.
    pub cpu: Option<f64>,
    /// Share of the time in which it had to wait since it had taken all that it may, in percent.
    pub throttled: Option<f64>,
    /// Bytes that it holds, less what the kernel would give back if asked.
    pub memory: Option<u64>,
    /// Bytes that it may hold.
    pub memory_limit: Option<u64>,
}

impl Group for Cgroup {
    const NAME: EventName = EventName::Cgroup;

    fn series(&self, visit: &mut dyn FnMut(&str, Option<f64>)) {
        let bytes = |value: Option<u64>| value.map(|value| value as f64);
        visit("cgroup.cpu", self.cpu);
        visit("cgroup.cpu_limit", self.cpu_limit);
        visit("cgroup.throttled", self.throttled);
        visit("cgroup.memory", bytes(self.memory));
        visit("cgroup.memory_limit", bytes(self.memory_limit));
        for (name, service) in &self.services {
            let mut below = |field, value| visit(&format!("cgroup.services.{name}.{field}"), value);
            below("cpu", service.cpu);
            below("throttled", service.throttled);
            below("memory", bytes(service.memory));
            below("memory_limit", bytes(service.memory_limit));
        }
    }
}
