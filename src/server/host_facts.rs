//! Facts about the host that don't change while the server runs, from sysinfo.

use crate::schema::HostFacts;
use sysinfo::{CpuRefreshKind, RefreshKind, System};

/// Reads the facts.
pub(super) fn host_facts() -> HostFacts {
    let refresh = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
    let system = System::new_with_specifics(refresh).ok();
    let cores = system.as_ref().map_or(&[][..], |system| system.cpus());
    let brand = cores.first().map(|core| core.brand().trim().to_owned());
    HostFacts {
        name: System::host_name().unwrap_or_else(|_| "this host".to_owned()),
        os: System::long_os_version().ok(),
        kernel: System::kernel_version().ok(),
        cpu: brand.filter(|brand| !brand.is_empty()),
        cores: cores.len(),
        boot_time: System::boot_time().unwrap_or_default(),
    }
}
