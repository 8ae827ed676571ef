//! Control groups: CPU and memory of this container, or of the host's services and containers.

use super::{EventName, Group};
use serde::Serialize;
use std::collections::BTreeMap;

/// Usage and limits of control groups. CPU time is in percent of one core, over the last `dt` seconds; for services,
/// which are read every five seconds, over those.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cgroup {
    /// CPU time of this container. This and the other values but `services` are `None` on a host.
    pub cpu: Option<f64>,
    /// CPU limit; `None` if unlimited.
    pub cpu_limit: Option<f64>,
    /// Time throttled at the CPU limit, in percent. Exceeds 100 if several threads wait at once.
    pub throttled: Option<f64>,
    /// Working set in bytes: memory in use without reclaimable page cache.
    pub memory: Option<u64>,
    /// Memory limit in bytes; `None` if unlimited.
    pub memory_limit: Option<u64>,
    /// The services and containers with the highest usage, by name; read every five seconds.
    pub services: BTreeMap<String, Service>,
}

/// One service or container.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Service {
    /// CPU time.
    pub cpu: Option<f64>,
    /// Time throttled at the CPU limit, in percent.
    pub throttled: Option<f64>,
    /// Working set in bytes: memory in use without reclaimable page cache.
    pub memory: Option<u64>,
    /// Memory limit in bytes; `None` if unlimited.
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
            let mut visit_field = |field, value| visit(&format!("cgroup.services.{name}.{field}"), value);
            visit_field("cpu", service.cpu);
            visit_field("throttled", service.throttled);
            visit_field("memory", bytes(service.memory));
            visit_field("memory_limit", bytes(service.memory_limit));
        }
    }
}
