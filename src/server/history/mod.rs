//! The history: every second of every series for weeks, minutes and hours for years, in `history.db` in the data folder.
//!
//! A recorder reads the log as any subscriber does and commits the newest ticks as they were sent. Every quarter of an hour
//! their values move into chunks, an hour of a series each; when an hour is over it is summarised by minutes and as a whole.

mod archive;
mod check;
mod checksum;
mod chunk;
mod compaction;
mod error;
mod event_values;
mod file;
mod kept_ranges;
mod options;
mod pages;
mod process_samples;
mod query;
mod reader;
mod recent_ticks;
mod recorder;
mod restore;
mod retention;
mod salvage;
mod selection;
mod series;
mod state_file;
mod status;
mod summary;
#[cfg(test)]
mod tests;
mod tier;

pub(super) use archive::HistoryExport;
pub use archive::HistoryImport;
pub use error::HistoryError;
pub(super) use kept_ranges::KeptRanges;
pub use options::{HistoryOptions, HistoryTime};
pub(super) use query::Steps;
pub(super) use reader::{HistoryReader, SeriesHistory};
pub(super) use recorder::Recorder;
pub(super) use selection::{matches_pattern, parse_time};
pub(super) use status::HistoryStatus;
pub(super) use summary::Summaries;

use crate::{
    schema::Identity,
    server::{
        log::TickLog,
        store::{DataOptions, Folder, StoreError},
    },
};
use file::{DATABASE, HistoryFile};
use std::{path::Path, sync::Arc};

/// Where the packages of an earlier version kept the last hour, in the data folder.
const STATE_FILE: &str = "state";

/// The opened history of a server that starts.
#[derive(Debug)]
pub(super) struct OpenHistory {
    /// `None` while the disk is full.
    file: Option<HistoryFile>,
    folder: Folder,
    options: HistoryOptions,
}

impl OpenHistory {
    /// Opens the history in the data folder; `None` if none is to be kept, or none can be, which is logged.
    ///
    /// # Errors
    /// When another server has the folder that was asked for, or the file is of a newer version.
    pub(super) fn open(options: &HistoryOptions, data: &DataOptions) -> Result<Option<Self>, HistoryError> {
        if options.keep == HistoryTime::Off {
            return Ok(None);
        }
        let Some(folder) = Folder::find(data) else {
            tracing::warn!("no history is kept: {}", StoreError::NoFolder);
            return Ok(None);
        };
        match HistoryFile::open(&folder) {
            Ok(file) => Ok(Some(Self { file: Some(file), folder, options: *options })),
            // Nobody chose the default folder.
            Err(error) if error.is_bad_input() && !(folder.is_default && error.is_in_use()) => Err(error),
            Err(error) => {
                tracing::warn!("no history is kept: {error}");
                Ok(error.is_full_disk().then_some(Self { file: None, folder, options: *options }))
            }
        }
    }

    /// The log as it was when the last tick was committed. A new history begins with what an earlier version kept in
    /// `state_file`.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(super) fn restore(
        mut self,
        host_id: Option<String>,
        state_file: Option<&Path>,
    ) -> Result<(Self, TickLog), HistoryError> {
        let in_folder = self.folder.file(STATE_FILE);
        let state_file = state_file.unwrap_or(&in_folder);
        let restored = self.file.as_mut().map(|file| restored(file, host_id.clone(), state_file));
        let log = match restored {
            Some(Err(error)) if !error.is_full_disk() => return Err(error),
            Some(Ok(log)) => log,
            Some(Err(_)) | None => {
                self.file = None;
                TickLog::of(Identity::new_epoch(host_id))
            }
        };
        Ok((self, log))
    }

    /// Records `log` from now on, and answers queries. Meanwhile the file is checked.
    ///
    /// # Errors
    /// When the recorder's thread can't be started.
    pub(super) fn record(self, log: &Arc<TickLog>) -> Result<(Recorder, HistoryReader), HistoryError> {
        let Self { file, folder, options } = self;
        let status = Arc::new(HistoryStatus::default());
        log.subscribers().record();
        let path = folder.file(DATABASE);
        if file.is_some() {
            check::start(&path, &status)?;
        }
        let kept = Arc::new(KeptRanges::default());
        let reader = HistoryReader::new(path, Arc::clone(log), Arc::clone(&status), Arc::clone(&kept));
        Ok((Recorder::start(file, folder, Arc::clone(log), status, kept, options)?, reader))
    }
}

fn restored(file: &mut HistoryFile, host_id: Option<String>, state_file: &Path) -> Result<TickLog, HistoryError> {
    match restore::restore(file, host_id.clone(), state_file) {
        Err(error) if error.is_damage() => {
            file.mend(&error)?;
            restore::restore(file, host_id, state_file)
        }
        restored => restored,
    }
}
