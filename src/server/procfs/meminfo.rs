//! `/proc/meminfo`: memory in use (proc_meminfo(5)).

/// Bytes of a value such as `10 kB`: the kernel writes "kB" for KiB.
pub(in crate::server) fn parse_kib(value: &str) -> Option<u64> {
    value.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}
