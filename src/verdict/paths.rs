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
    CPU_TOTAL = "cpu.total";
    CPU_CORE = "cpu.cores.*";
    CPU_STEAL = "cpu.steal";
    CPU_PRESSURE = "pressure.cpu.some";
    LOAD = "load.one";
    CONTAINER_THROTTLED = "cgroup.throttled";
    SERVICE_CPU = "cgroup.services.*.cpu";
    SERVICE_MEMORY = "cgroup.services.*.memory";
    SERVICE_THROTTLED = "cgroup.services.*.throttled";
    MEMORY_TOTAL = "memory.total";
    MEMORY_AVAILABLE = "memory.available";
    MEMORY_USED = "memory.used";
    MEMORY_PRESSURE = "pressure.memory.full";
    MEMORY_OOM_KILLS = "memory.oom_kills";
    MEMORY_SWAP_IN = "memory.swap_in";
    DEVICE_BUSY = "disk.devices.*.busy";
    DEVICE_QUEUE = "disk.devices.*.queue";
    DEVICE_READS = "disk.devices.*.reads";
    DEVICE_WRITES = "disk.devices.*.writes";
    IO_PRESSURE = "pressure.io.some";
    FILESYSTEM_AGE = "disk.filesystems.*.age";
    FILESYSTEM_FULL = "disk.filesystems.*.full";
    FILESYSTEM_INODES = "disk.filesystems.*.inodes";
    FILESYSTEM_INODES_USED = "disk.filesystems.*.inodes_used";
    FILESYSTEM_READ_ONLY = "disk.filesystems.*.read_only";
    TCP_LISTEN_OVERFLOWS = "connections.tcp.listen_overflows";
    TCP_SYN_RECV = "connections.tcp.syn_recv";
    TCP_IN_USE = "connections.tcp.in_use";
    INTERFACE_ERRORS = "network.interfaces.*.errors";
    INTERFACE_LOST = "network.interfaces.*.lost";
    SENSOR_CELSIUS = "temperature.sensors.*.celsius";
    SENSOR_HIGH = "temperature.sensors.*.high";
    SENSOR_CRITICAL = "temperature.sensors.*.critical";
}

/// Puts `name` in place of the `*`.
pub(super) fn named(path: &str, name: &str) -> String {
    path.replacen('*', name, 1)
}
