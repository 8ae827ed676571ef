//! Samples processes as often as someone reads them, on a thread of its own: reading thousands of processes takes longer
//! than a tick allows.

mod directory;
mod reader;
mod stat;
#[cfg(test)]
mod tests;
mod top;
mod users;

use super::{HostSource, SamplerOptions, SystemClock, background::BackgroundReader};
use crate::schema::{Processes, Sample};
use directory::UserDirectory;
use reader::ProcessReader;
use std::mem;
use users::UserNames;

/// Processes reported for their CPU usage, and as many for their memory.
const MAX_ROWS: usize = 20;

/// Samples processes while they are wanted.
#[derive(Debug, Default)]
pub(super) struct ProcessesSampler {
    /// `None` reads no processes.
    reader: Option<BackgroundReader<Sample<Processes>>>,
    /// Milliseconds between readings at the last tick.
    interval: Option<u64>,
}

impl ProcessesSampler {
    /// Prepares to read `source` in the background.
    pub(super) fn start(source: impl HostSource + Send + 'static, options: &SamplerOptions) -> Self {
        let users = UserNames::with_directory(UserDirectory::start(directory::name_of));
        let mut reader = ProcessReader::new(source, users, options.command_lines);
        let clock = SystemClock::default();
        let reader = BackgroundReader::start("processes", move || reader.sample(&clock));
        Self { reader: Some(reader), interval: None }
    }

    /// The sample of the last reading, once. Reads at once when processes become wanted more often, then at each `interval`
    /// (milliseconds); `None` reads none.
    pub(super) fn sample(&mut self, t: u64, interval: Option<u64>) -> Option<Sample<Processes>> {
        let reader = self.reader.as_ref()?;
        let previous = mem::replace(&mut self.interval, interval);
        let is_shorter = |interval: u64| previous.is_none_or(|previous| interval < previous);
        if interval.is_some_and(|interval| is_shorter(interval) || t.is_multiple_of(interval)) {
            reader.request();
        }
        reader.take().map(|sample| Sample { t, ..sample })
    }
}
