//! What does not change while the server runs.

use serde::Serialize;

/// Facts about the host. `None` is a fact that it does not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HostFacts {
    /// Its name.
    pub name: String,
    /// Operating system with version.
    pub os: Option<String>,
    /// Kernel version.
    pub kernel: Option<String>,
    /// Processor model.
    pub cpu: Option<String>,
    /// Logical cores.
    pub cores: usize,
    /// Unix seconds at which it started.
    pub boot_time: u64,
}
