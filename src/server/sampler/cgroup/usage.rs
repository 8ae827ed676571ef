//! Usage and limits of a control group, from either version of the kernel's interface
//! (`Documentation/admin-guide/cgroup-v2.rst` and `cgroup-v1/`).

use crate::{
    schema::Service,
    server::sampler::{
        HostSource,
        rate::{delta, round_to_hundredths},
    },
};

/// Memory limits of version 1 from here on mean no limit: its default is the largest number of pages.
const UNLIMITED: u64 = 1 << 62;

/// Version of the control group interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CgroupVersion {
    /// Version 2: one tree of groups.
    V2,
    /// Version 1: a tree per resource, with the same paths.
    V1,
}

/// Counters since the group was created, current memory, and limits.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CgroupUsage {
    /// CPU time in microseconds.
    cpu: Option<u64>,
    /// Percent of one core.
    pub cpu_limit: Option<f64>,
    /// Throttled time in microseconds.
    throttled: Option<u64>,
    /// Bytes, without inactive page cache.
    memory: Option<u64>,
    memory_limit: Option<u64>,
}

impl CgroupUsage {
    /// Whether the root of the visible hierarchy, with this usage, belongs to a container: a host's root has no limits,
    /// and in version 2 no memory usage.
    pub(super) fn is_contained(&self, version: CgroupVersion) -> bool {
        let has_memory = version == CgroupVersion::V2 && self.memory.is_some();
        self.cpu_limit.is_some() || self.memory_limit.is_some() || has_memory
    }

    /// Usage in the `dt` seconds since `before`.
    pub(super) fn since(&self, before: &Self, dt: f64) -> Service {
        let percent =
            |before: Option<u64>, now: Option<u64>| round_to_hundredths(delta(before?, now?)? as f64 / 1e4 / dt);
        Service {
            cpu_percent: percent(before.cpu, self.cpu),
            throttled_percent: percent(before.throttled, self.throttled),
            memory_bytes: self.memory,
            memory_limit_bytes: self.memory_limit,
        }
    }
}

impl CgroupVersion {
    /// The version that the host has mounted.
    pub(super) fn detect(source: &mut impl HostSource) -> Option<Self> {
        let names = source.list("/sys/fs/cgroup").ok()?;
        let has = |name: &str| names.iter().any(|entry| entry == name);
        match has("cgroup.controllers") {
            true => Some(Self::V2),
            false => has("memory").then_some(Self::V1),
        }
    }

    /// Folder that lists the groups below `path`.
    pub(super) fn folder(self, path: &str) -> String {
        match self {
            Self::V2 => format!("/sys/fs/cgroup{path}"),
            Self::V1 => format!("/sys/fs/cgroup/memory{path}"),
        }
    }

    /// Usage of the group at `path`; `None` if it reports neither CPU time nor memory.
    pub(super) fn usage(self, path: &str, source: &mut impl HostSource, text: &mut String) -> Option<CgroupUsage> {
        let mut read = |resource: &str, file: &str| {
            let folder = if self == Self::V1 { format!("/{resource}") } else { String::new() };
            source.read_first_page(&format!("/sys/fs/cgroup{folder}{path}/{file}"), text).ok().map(|()| text.clone())
        };
        let usage = match self {
            Self::V2 => {
                let stat = read("", "cpu.stat");
                let stat_field = |name| field(stat.as_deref()?, name);
                let limit = read("", "cpu.max");
                let inactive = read("", "memory.stat").and_then(|stat| field(&stat, "inactive_file"));
                CgroupUsage {
                    cpu: stat_field("usage_usec"),
                    cpu_limit: limit.and_then(|limit| {
                        let (quota, period) = limit.trim().split_once(' ')?;
                        round_to_hundredths(quota.parse::<f64>().ok()? / period.parse::<f64>().ok()? * 100.0)
                    }),
                    throttled: stat_field("throttled_usec"),
                    memory: subtract(number(read("", "memory.current")), inactive),
                    memory_limit: number(read("", "memory.max")),
                }
            }
            Self::V1 => {
                let throttled = read("cpu", "cpu.stat").and_then(|stat| field(&stat, "throttled_time"));
                let quota = number(read("cpu", "cpu.cfs_quota_us")).zip(number(read("cpu", "cpu.cfs_period_us")));
                let inactive = read("memory", "memory.stat").and_then(|stat| field(&stat, "total_inactive_file"));
                CgroupUsage {
                    cpu: number(read("cpuacct", "cpuacct.usage")).map(|ns| ns / 1000),
                    cpu_limit: quota
                        .and_then(|(quota, period)| round_to_hundredths(quota as f64 / period as f64 * 100.0)),
                    throttled: throttled.map(|ns| ns / 1000),
                    memory: subtract(number(read("memory", "memory.usage_in_bytes")), inactive),
                    memory_limit: number(read("memory", "memory.limit_in_bytes")).filter(|limit| *limit < UNLIMITED),
                }
            }
        };
        (usage.cpu.is_some() || usage.memory.is_some()).then_some(usage)
    }
}

fn subtract(whole: Option<u64>, part: Option<u64>) -> Option<u64> {
    whole.map(|whole| whole.saturating_sub(part.unwrap_or_default()))
}

/// Number that is the whole text; `None` for `max` and -1, which mean no limit.
fn number(text: Option<String>) -> Option<u64> {
    text?.trim().parse().ok()
}

/// Value of the line `name value`.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}
