//! Top processes by CPU and memory.

use super::{
    Group,
    value::{Declaration, SeriesPath, Values, Visit},
};
use serde::Serialize;

/// The top processes, read every two seconds, and only while a client watches them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize))]
pub struct Processes {
    /// Number of processes that the server may see.
    pub total: u64,
    /// The top twenty by CPU and the top twenty by memory.
    pub top: Vec<Process>,
}

/// One process. Rates are over the last `dt` seconds; `None` is a value that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize))]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Its `comm` name, at most 15 bytes.
    pub name: String,
    /// Effective user: the name, or the uid if it has none.
    pub user: Option<String>,
    /// CPU time in percent of one core.
    pub cpu_percent: Option<f64>,
    /// Resident set size in bytes, shared pages included.
    pub rss_bytes: u64,
    /// Bytes read from disks per second.
    pub read_bytes_per_second: Option<f64>,
    /// Bytes written to disks per second.
    pub write_bytes_per_second: Option<f64>,
    /// Number of threads.
    pub threads: u64,
    /// Start time, unix seconds.
    pub start_time_seconds: Option<u64>,
    /// Path of its control group, such as `/system.slice/nginx.service`, for programs: the page has no use for it.
    #[cfg(feature = "ssr")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<String>,
    /// Command line, if the operator enables it, since it may contain secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Process {
    /// The key of its table row, `<pid> <name>`: both remain known after the process has ended.
    pub fn key(&self) -> String {
        format!("{} {}", self.pid, self.name)
    }
}

impl Group for Processes {
    const NAME: &'static str = "processes";
}

/// Processes are too short-lived for series.
impl Values for Processes {
    fn visit(&self, _: &mut SeriesPath, _: Visit<'_>) {}

    fn declare(_: &str) -> Vec<Declaration> {
        Vec::new()
    }
}
