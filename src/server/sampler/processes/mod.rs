//! Samples processes while a viewer shows them, on a thread of its own: reading thousands of processes takes longer
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
const POLL_INTERVAL_MS: u64 = 2000;

/// Samples processes while they are wanted.
#[derive(Debug, Default)]
pub(super) struct ProcessesSampler {
    /// `None` reads no processes.
    reader: Option<BackgroundReader<Sample<Processes>>>,
    was_wanted: bool,
}

impl ProcessesSampler {
    /// Prepares to read `source` in the background.
    pub(super) fn start(source: impl HostSource + Send + 'static, options: &SamplerOptions) -> Self {
        let users = UserNames::with_directory(UserDirectory::start(directory::name_of));
        let mut reader = ProcessReader::new(source, users, options.command_lines);
        let clock = SystemClock::default();
        let reader = BackgroundReader::start("processes", move || reader.sample(&clock));
        Self { reader: Some(reader), was_wanted: false }
    }

    /// The sample of the last reading, once. Reads at once when processes become wanted, then at each interval.
    pub(super) fn sample(&mut self, t: u64, wanted: bool) -> Option<Sample<Processes>> {
        let reader = self.reader.as_ref()?;
        let was_wanted = mem::replace(&mut self.was_wanted, wanted);
        if wanted && (!was_wanted || t.is_multiple_of(POLL_INTERVAL_MS)) {
            reader.request();
        }
        reader.take().map(|sample| Sample { t, ..sample })
    }
}
