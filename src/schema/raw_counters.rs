//! The raw counters beside a tick's values: exporters need counters, viewers don't get them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Counters as the kernel keeps them, and what else of the host no event carries. Not serialised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawCounters {
    /// Texts of the kernel's files by path, as the tick's sample read them. They are parsed when someone needs them.
    pub files: Vec<(&'static str, String)>,
    /// Disks without their partitions; `None` on a host without `/sys/block`.
    pub whole_disks: Option<Arc<BTreeSet<String>>>,
    /// What is mounted at each path.
    pub mounts: Arc<BTreeMap<String, MountSource>>,
    /// What changes slowly.
    pub slow: Arc<SlowCounters>,
}

/// What is read every half minute, in the background.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlowCounters {
    /// Texts of the kernel's files by path.
    pub files: Vec<(&'static str, String)>,
    /// Network interfaces by name.
    pub links: BTreeMap<String, Link>,
}

impl RawCounters {
    /// The text of a file; empty on a host that lacks it.
    pub fn file(&self, path: &str) -> &str {
        self.files.iter().chain(&self.slow.files).find(|(of, _)| *of == path).map_or("", |(_, text)| text)
    }
}

/// What is mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MountSource {
    /// A block device, a share, or a name of no meaning.
    pub device: String,
    /// Filesystem type.
    pub fs_type: String,
}

/// State of a network interface (the kernel's `Documentation/ABI/testing/sysfs-class-net`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Whether its operational state is `up`.
    pub up: Option<bool>,
    /// Whether it has a carrier; unknown while it is switched off.
    pub carrier: Option<bool>,
    /// Largest packet, in bytes.
    pub mtu: Option<u64>,
    /// Megabits per second; a virtual interface has none.
    pub speed_mbit: Option<u64>,
    /// Packets that no protocol took, since its creation.
    pub rx_unhandled: Option<u64>,
}
