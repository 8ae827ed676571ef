//! Control groups: CPU and memory of this container, or of the host's services and containers.

use super::{Group, value::values};
use std::collections::BTreeMap;

values! {
    /// Usage and limits of control groups. CPU time is in percent of one core, over the last `dt` seconds; for services,
    /// which are read every five seconds, over those.
    pub struct Cgroup {
        /// CPU time of this container. This and the other values but `services` are `None` on a host.
        cpu_percent: Option<f64> = Gauge, PercentOfCore;
        /// CPU limit; `None` if unlimited.
        cpu_limit_percent: Option<f64> = Gauge, PercentOfCore;
        /// Time throttled at the CPU limit, in percent. Exceeds 100 if several threads wait at once.
        throttled_percent: Option<f64> = Gauge, Percent;
        /// Working set in bytes: memory in use without reclaimable page cache.
        memory_bytes: Option<u64> = Gauge, Bytes;
        /// Memory limit in bytes; `None` if unlimited.
        memory_limit_bytes: Option<u64> = Gauge, Bytes;
        /// The services and containers with the highest usage, by name; read every five seconds.
        services: BTreeMap<String, Service>;
    }
}

values! {
    /// One service or container.
    pub struct Service {
        /// CPU time.
        cpu_percent: Option<f64> = Gauge, PercentOfCore;
        /// Time throttled at the CPU limit, in percent.
        throttled_percent: Option<f64> = Gauge, Percent;
        /// Working set in bytes: memory in use without reclaimable page cache.
        memory_bytes: Option<u64> = Gauge, Bytes;
        /// Memory limit in bytes; `None` if unlimited.
        memory_limit_bytes: Option<u64> = Gauge, Bytes;
    }
}

impl Group for Cgroup {
    const NAME: &'static str = "cgroup";
}
