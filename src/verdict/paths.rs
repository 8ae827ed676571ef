//! Paths of the series that the rules read. `*` stands for the name of a core, service, device, filesystem or sensor.

/// Declares a constant per path, and a list of all of them for the test that checks that they exist.
macro_rules! paths {
    ($($name:ident = $path:literal;)*) => {
        $(pub(super) const $name: &str = $path;)*
        #[cfg(test)]
        pub(crate) const ALL: &[&str] = &[$($name),*];
    };
}

paths! {
    CPU_TOTAL = "cpu.total_percent";
    CPU_CORE = "cpu.cores_percent.*";
    CPU_STEAL = "cpu.steal_percent";
    CPU_PRESSURE = "pressure.cpu.some_percent";
    LOAD = "load.one";
    CONTAINER_THROTTLED = "cgroup.throttled_percent";
    SERVICE_CPU = "cgroup.services.*.cpu_percent";
    SERVICE_MEMORY = "cgroup.services.*.memory_bytes";
    SERVICE_THROTTLED = "cgroup.services.*.throttled_percent";
    MEMORY_TOTAL = "memory.total_bytes";
    MEMORY_AVAILABLE = "memory.available_bytes";
    MEMORY_USED = "memory.used_bytes";
    MEMORY_PRESSURE = "pressure.memory.full_percent";
    MEMORY_OOM_KILLS = "memory.oom_kills_per_second";
    MEMORY_SWAP_IN = "memory.swap_in_bytes_per_second";
    DEVICE_BUSY = "disk.devices.*.busy_percent";
    DEVICE_QUEUE = "disk.devices.*.queue";
    DEVICE_READS = "disk.devices.*.reads_per_second";
    DEVICE_WRITES = "disk.devices.*.writes_per_second";
    IO_PRESSURE = "pressure.io.some_percent";
    FILESYSTEM_AGE = "disk.filesystems.*.age_seconds";
    FILESYSTEM_FULL = "disk.filesystems.*.full_percent";
    FILESYSTEM_INODES = "disk.filesystems.*.inodes";
    FILESYSTEM_INODES_USED = "disk.filesystems.*.inodes_used";
    FILESYSTEM_READ_ONLY = "disk.filesystems.*.read_only";
    TCP_LISTEN_OVERFLOWS = "connections.tcp.listen_overflows_per_second";
    TCP_SYN_RECV = "connections.tcp.syn_recv";
    TCP_IN_USE = "connections.tcp.in_use";
    INTERFACE_ERRORS = "network.interfaces.*.errors_per_second";
    INTERFACE_LOST = "network.interfaces.*.lost_per_second";
    SENSOR_CELSIUS = "temperature.sensors.*.celsius";
    SENSOR_HIGH = "temperature.sensors.*.high_celsius";
    SENSOR_CRITICAL = "temperature.sensors.*.critical_celsius";
}

/// Puts `name` in place of the `*`.
pub(super) fn named(path: &str, name: &str) -> String {
    path.replacen('*', name, 1)
}
