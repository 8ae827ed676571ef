//! Facts about the host that don't change while the server runs, from uname(2) and sysinfo, and its id.

use crate::schema::HostFacts;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sysinfo::{CpuRefreshKind, RefreshKind, System};

/// Names Hostbeat where ids are derived from the machine id.
const APPLICATION_ID: u128 = 0xc5a5_1d18_4d2f_4b0c_9d2e_6b0f_7e0c_36a1;

/// An id of the host that is stable over reinstalls and doesn't reveal the machine id; `None` without a machine id, as in
/// many containers.
pub(super) fn host_id() -> Option<String> {
    let read = |path| derived_id(&std::fs::read_to_string(path).ok()?);
    ["/etc/machine-id", "/var/lib/dbus/machine-id"].into_iter().find_map(read)
}

/// The id that sd_id128_get_machine_app_specific(3) derives; `None` for a machine id that is empty or not yet set.
fn derived_id(machine_id: &str) -> Option<String> {
    let machine_id = u128::from_str_radix(machine_id.trim_end(), 16).ok().filter(|id| *id != 0)?;
    let mac = Hmac::<Sha256>::new_from_slice(&machine_id.to_be_bytes()).ok()?;
    let hash = mac.chain_update(APPLICATION_ID.to_be_bytes()).finalize().into_bytes();
    let bits = hash.iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte));
    // The bits that make it a version 4 UUID (RFC 9562, section 5.4).
    let id = bits & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    Some(format!("{id:032x}"))
}

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

    /// From HMAC-SHA256 by an independent implementation, and as `systemd-id128 machine-id --app-specific` prints it.
    #[test]
    fn host_id_is_the_application_specific_machine_id() {
        let id = derived_id("0123456789abcdef0123456789abcdef\n");
        assert_eq!(id.as_deref(), Some("ec7ed3246ee54062b9dd9d5167aae25f"));
        for unset in ["", "\n", "uninitialized\n", "00000000000000000000000000000000\n"] {
            assert_eq!(derived_id(unset), None, "{unset:?}");
        }
    }

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
