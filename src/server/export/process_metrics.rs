//! Metrics of this process, under the names that Prometheus' clients have for them.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::{Registry, Unit},
};
use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(target_os = "linux")]
use std::time::Duration;

/// CPU time, memory and files of this process; zero off Linux.
#[derive(Debug, Default)]
pub(super) struct ProcessMetrics {
    cpu: Counter<f64, AtomicU64>,
    resident_memory: Gauge,
    virtual_memory: Gauge,
    max_virtual_memory: Gauge<f64, AtomicU64>,
    open_fds: Gauge,
    max_fds: Gauge<f64, AtomicU64>,
}

impl ProcessMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let process = registry.sub_registry_with_prefix("process");
        process.register_with_unit("cpu", "CPU time of this process", Unit::Seconds, self.cpu.clone());
        let help = "Resident memory of this process";
        process.register_with_unit("resident_memory", help, Unit::Bytes, self.resident_memory.clone());
        let help = "Addresses that this process uses";
        process.register_with_unit("virtual_memory", help, Unit::Bytes, self.virtual_memory.clone());
        let help = "Addresses that this process may use";
        process.register_with_unit("virtual_memory_max", help, Unit::Bytes, self.max_virtual_memory.clone());
        process.register("open_fds", "Open file descriptors of this process", self.open_fds.clone());
        process.register("max_fds", "File descriptors that this process may open", self.max_fds.clone());
    }

    /// Reads the process' own entries of `/proc`, which the kernel answers without waiting for another program or a device.
    #[cfg(target_os = "linux")]
    pub(super) fn measure(&self) {
        use rustix::{
            param::page_size,
            process::{Resource, getrlimit},
            time,
        };
        let cpu = Duration::try_from(time::clock_gettime(time::ClockId::ProcessCPUTime)).unwrap_or_default();
        self.cpu.inner().store(cpu.as_secs_f64().to_bits(), Ordering::Relaxed);
        // Total and resident size in pages (proc_pid_statm(5)).
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let mut sizes = statm.split(' ').map(|pages| pages.parse::<i64>().unwrap_or_default() * page_size() as i64);
        self.virtual_memory.set(sizes.next().unwrap_or_default());
        self.resident_memory.set(sizes.next().unwrap_or_default());
        self.open_fds.set(std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as i64);
        let limit = |resource| getrlimit(resource).current.unwrap_or(u64::MAX) as f64;
        self.max_virtual_memory.set(limit(Resource::As));
        self.max_fds.set(limit(Resource::Nofile));
    }
}
