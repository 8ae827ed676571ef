//! Processes: who takes the processor and the memory.

use super::{EventName, Group};
use serde::Serialize;

/// The processes that take most. They are looked at every two seconds, and only while somebody asks.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Processes {
    /// How many there are, as far as this server may see them.
    pub total: u64,
    /// The twenty that take most of the processor, and the twenty that hold most memory.
    pub top: Vec<Process>,
}

/// One process. Rates are over the last `dt` seconds; `None` is what could not be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// What it calls itself, 15 bytes at most.
    pub name: String,
    /// Who it acts for: a name, or a number that has none.
    pub user: Option<String>,
    /// Processor time, in percent of one core.
    pub cpu: Option<f64>,
    /// Bytes of memory that it holds, shared ones included.
    pub rss: u64,
    /// Bytes read a second from disks.
    pub read_bytes: Option<f64>,
    /// Bytes written a second to disks.
    pub write_bytes: Option<f64>,
    /// Threads.
    pub threads: u64,
    /// When it was started, unix seconds.
    pub started: Option<u64>,
    /// Its command line, where the operator lets it be shown: it may hold secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Process {
    /// What tells it apart: its number and its name, which stand for it also when it has ended.
    pub fn key(&self) -> String {
        format!("{} {}", self.pid, self.name)
    }
}

impl Group for Processes {
    const NAME: EventName = EventName::Processes;

    /// Processes come and go and have names for text: they make no series, and stand in no window.
    fn series(&self, _: &mut dyn FnMut(&str, Option<f64>)) {}
}
