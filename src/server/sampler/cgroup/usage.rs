//! What one control group takes and may take, as either version of the kernel's interface tells it (its
//! `Documentation/admin-guide/cgroup-v2.rst` and `cgroup-v1/`).

use crate::{
    schema::Service,
    server::sampler::{
        HostSource,
        rate::{delta, places},
    },
};

/// A limit of the older version from here on is none: its largest number of pages.
const UNLIMITED: u64 = 1 << 62;

/// Which version tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hierarchy {
    /// One tree of groups.
    Unified,
    /// A tree for each resource, of the same shape.
    Legacy,
}

/// What a group has taken since it was made, and what it holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Usage {
    /// Microseconds of processor time.
    cpu: Option<u64>,
    /// Processor time that it may take, in percent of one core.
    pub cpu_limit: Option<f64>,
    /// Microseconds for which it was kept waiting.
    throttled: Option<u64>,
    /// Bytes, less those of files that nobody uses.
    memory: Option<u64>,
    memory_limit: Option<u64>,
}

impl Usage {
    /// Whether this, at the root of what can be seen, is a container and no host: a host's root has no limits, and in the
    /// newer version tells no memory.
    pub(super) fn is_contained(&self, hierarchy: Hierarchy) -> bool {
        let tells_memory = hierarchy == Hierarchy::Unified && self.memory.is_some();
        self.cpu_limit.is_some() || self.memory_limit.is_some() || tells_memory
    }

    /// What it has taken in `dt` seconds.
    pub(super) fn since(&self, before: &Self, dt: f64) -> Service {
        let share = |before: Option<u64>, now: Option<u64>| places(delta(before?, now?)? as f64 / 1e4 / dt);
        Service {
            cpu: share(before.cpu, self.cpu),
            throttled: share(before.throttled, self.throttled),
            memory: self.memory,
            memory_limit: self.memory_limit,
        }
    }
}

impl Hierarchy {
    /// The one that this host has.
    pub(super) fn find(source: &mut impl HostSource) -> Option<Self> {
        let names = source.list("/sys/fs/cgroup").ok()?;
        let has = |name: &str| names.iter().any(|known| known == name);
        match has("cgroup.controllers") {
            true => Some(Self::Unified),
            false => has("memory").then_some(Self::Legacy),
        }
    }

    /// The folder in which the groups within `path` are found.
    pub(super) fn folder(self, path: &str) -> String {
        match self {
            Self::Unified => format!("/sys/fs/cgroup{path}"),
            Self::Legacy => format!("/sys/fs/cgroup/memory{path}"),
        }
    }

    /// What the group at `path` takes; `None` if it doesn't tell.
    pub(super) fn usage(self, path: &str, source: &mut impl HostSource, text: &mut String) -> Option<Usage> {
        let mut read = |resource: &str, file: &str| {
            let folder = if self == Self::Legacy { format!("/{resource}") } else { String::new() };
            source.read_once(&format!("/sys/fs/cgroup{folder}{path}/{file}"), text).ok().map(|()| text.clone())
        };
        let usage = match self {
            Self::Unified => {
                let stat = read("", "cpu.stat");
                let field = |name| field(stat.as_deref()?, name);
                let limit = read("", "cpu.max");
                let inactive = read("", "memory.stat").and_then(|stat| self::field(&stat, "inactive_file"));
                Usage {
                    cpu: field("usage_usec"),
                    cpu_limit: limit.and_then(|limit| {
                        let (quota, period) = limit.trim().split_once(' ')?;
                        places(quota.parse::<f64>().ok()? / period.parse::<f64>().ok()? * 100.0)
                    }),
                    throttled: field("throttled_usec"),
                    memory: less(number(read("", "memory.current")), inactive),
                    memory_limit: number(read("", "memory.max")),
                }
            }
            Self::Legacy => {
                let throttled = read("cpu", "cpu.stat").and_then(|stat| field(&stat, "throttled_time"));
                let quota = number(read("cpu", "cpu.cfs_quota_us")).zip(number(read("cpu", "cpu.cfs_period_us")));
                let inactive = read("memory", "memory.stat").and_then(|stat| field(&stat, "total_inactive_file"));
                Usage {
                    cpu: number(read("cpuacct", "cpuacct.usage")).map(|ns| ns / 1000),
                    cpu_limit: quota.and_then(|(quota, period)| places(quota as f64 / period as f64 * 100.0)),
                    throttled: throttled.map(|ns| ns / 1000),
                    memory: less(number(read("memory", "memory.usage_in_bytes")), inactive),
                    memory_limit: number(read("memory", "memory.limit_in_bytes")).filter(|limit| *limit < UNLIMITED),
                }
            }
        };
        (usage.cpu.is_some() || usage.memory.is_some()).then_some(usage)
    }
}

fn less(whole: Option<u64>, part: Option<u64>) -> Option<u64> {
    whole.map(|whole| whole.saturating_sub(part.unwrap_or_default()))
}

/// A file with one number; `max` and -1 are none.
fn number(text: Option<String>) -> Option<u64> {
    text?.trim().parse().ok()
}

/// `name figure`, a line for each.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}
