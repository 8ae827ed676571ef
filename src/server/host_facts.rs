//! Facts about the host that don't change while the server runs, from uname(2) and sysinfo.

use crate::schema::HostFacts;
use sysinfo::{CpuRefreshKind, RefreshKind, System};

/// Reads the facts.
pub(super) fn host_facts() -> HostFacts {
    let refresh = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
    let system = System::new_with_specifics(refresh).ok();
    let cores = system.as_ref().map_or(&[][..], |system| system.cpus());
    let brand = cores.first().map(|core| core.brand().trim().to_owned());
    HostFacts {
        name: host_name(),
        os: System::long_os_version().ok(),
        kernel: System::kernel_version().ok(),
        cpu: brand.filter(|brand| !brand.is_empty()),
        cores: cores.len(),
        boot_time: boot_time(),
    }
}

/// Name of the host. sysinfo's buffer is too short for the longest name that Linux takes, 64 bytes.
#[cfg(unix)]
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host_name() -> String {
    System::host_name().unwrap_or_else(|_| "this host".to_owned())
}

/// Boot time, unix seconds, from the clock that counts since boot: `/proc` can be hidden.
#[cfg(target_os = "linux")]
fn boot_time() -> u64 {
    let uptime_s = rustix::time::clock_gettime(rustix::time::ClockId::Boottime).tv_sec;
    (super::unix_time::unix_ms() / 1000).saturating_sub(uptime_s.unsigned_abs())
}

#[cfg(not(target_os = "linux"))]
fn boot_time() -> u64 {
    System::boot_time().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn host_name_is_the_kernels() {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(host_facts().name, name.trim_end_matches('\n'));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn boot_time_is_the_kernels() {
        let boot_time = System::boot_time().unwrap();
        assert!(host_facts().boot_time.abs_diff(boot_time) <= 2, "{boot_time}");
    }
}
