//! Static facts about the host: name, operating system, CPU model, boot time.

use serde::Serialize;

/// Facts that do not change while the server runs. `None` is a fact that the host does not report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HostFacts {
    /// Host name.
    pub name: String,
    /// Operating system with version.
    pub os: Option<String>,
    /// Kernel version.
    pub kernel: Option<String>,
    /// CPU model.
    pub cpu: Option<String>,
    /// Logical cores.
    pub cores: usize,
    /// Boot time, unix seconds.
    pub boot_time: u64,
}
