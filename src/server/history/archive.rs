//! Samples in and out of a history, for the commands that export and import.

use super::{
    HistoryError, compaction, event_values,
    file::{HistoryFile, open_reader},
    recent_ticks,
    series::{self, SeriesId},
    tier::Tier,
};
use crate::{
    schema::{INTERVAL_MS, Identity, kind_of},
    server::{
        host_facts::host_id,
        store::{DataOptions, Folder, StoreError},
        unix_time::unix_ms,
    },
};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

/// Chunks that an import holds in memory.
const MAX_PENDING: usize = 2_000;

/// A history that is read beside the server that records it.
#[derive(Debug)]
pub(in crate::server) struct HistoryExport {
    connection: Connection,
    /// By path and second, what is in no chunk yet.
    recent: BTreeMap<String, BTreeMap<u64, f64>>,
}

impl HistoryExport {
    /// Opens the history in the data folder.
    ///
    /// # Errors
    /// When there is none, or it can't be read.
    pub(in crate::server) fn open(data: &DataOptions) -> Result<Self, HistoryError> {
        let folder = Folder::find(data).ok_or(StoreError::NoFolder)?;
        let connection = open_reader(&folder.file(super::file::DATABASE))?;
        let mut recent: BTreeMap<String, BTreeMap<u64, f64>> = BTreeMap::new();
        let compacted = connection.query_row("SELECT compacted_row FROM state", [], |row| row.get(0))?;
        recent_ticks::for_each_after(&connection, compacted, |row| {
            for event in &row.events {
                let _ = event_values::visit(event, |path, value| match recent.get_mut(path) {
                    Some(values) => _ = values.insert(event.t, value),
                    None => _ = recent.insert(path.to_owned(), [(event.t, value)].into()),
                });
            }
            Ok(())
        })?;
        Ok(Self { connection, recent })
    }

    /// The paths of all series, in order.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(in crate::server) fn paths(&self) -> Result<BTreeSet<String>, HistoryError> {
        Ok(series::paths(&self.connection)?.into_iter().chain(self.recent.keys().cloned()).collect())
    }

    /// Calls `visit` with each sample of a series between two times (unix ms, included), in the order of time.
    ///
    /// # Errors
    /// When the file can't be read, or `visit` fails.
    pub(in crate::server) fn for_each_sample<E: From<HistoryError>>(
        &self,
        path: &str,
        from: u64,
        to: u64,
        mut visit: impl FnMut(u64, f64) -> Result<(), E>,
    ) -> Result<(), E> {
        let connection = &self.connection;
        let id = SeriesId::find(connection, path).map_err(HistoryError::from)?;
        let end = Tier::Second.chunk_of(to) + 1;
        for number in series::numbers(connection, Tier::Second.chunk_of(from), end).map_err(HistoryError::from)? {
            let Some(id) = id else { break };
            let columns = series::read(connection, Tier::Second, number, id).map_err(HistoryError::from)?;
            let times = (number * Tier::Second.chunk_ms()..).step_by(INTERVAL_MS as usize);
            for (t, value) in times.zip(columns.into_iter().flatten().flatten()) {
                if !value.is_nan() && (from..=to).contains(&t) {
                    visit(t, value)?;
                }
            }
        }
        let recent = self.recent.get(path).into_iter().flat_map(|values| values.range(from..=to));
        recent.into_iter().try_for_each(|(t, value)| visit(*t, *value))
    }
}

/// Adds samples to the history of a server that is not running.
#[derive(Debug)]
pub struct HistoryImport {
    file: HistoryFile,
    /// Columns of seconds by path and number of their chunk.
    pending: BTreeMap<String, BTreeMap<u64, Vec<f64>>>,
    chunks: usize,
    changed: BTreeSet<u64>,
}

impl HistoryImport {
    /// Opens the history in the data folder, or makes one.
    ///
    /// # Errors
    /// When a server uses it, or it can't be written.
    pub fn open(data: &DataOptions) -> Result<Self, HistoryError> {
        let file = HistoryFile::open(&Folder::find(data).ok_or(StoreError::NoFolder)?)?;
        if file.state()?.is_none() {
            file.set_identity(&Identity::new_epoch(host_id()))?;
        }
        Ok(Self { file, pending: BTreeMap::new(), chunks: 0, changed: BTreeSet::new() })
    }

    /// Adds a sample at `t` (unix ms) in place of one that is there.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn add(&mut self, path: &str, t: u64, value: f64) -> Result<(), HistoryError> {
        if self.chunks >= MAX_PENDING {
            self.flush()?;
        }
        if !self.pending.contains_key(path) {
            self.pending.insert(path.to_owned(), BTreeMap::new());
        }
        let Some(chunks) = self.pending.get_mut(path) else { return Ok(()) };
        let column = chunks.entry(Tier::Second.chunk_of(t)).or_insert_with(|| {
            self.chunks += 1;
            vec![f64::NAN; Tier::Second.chunk_len()]
        });
        column[((t % Tier::Second.chunk_ms()) / INTERVAL_MS) as usize] = value;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), HistoryError> {
        let transaction = self.file.connection.transaction()?;
        for (path, chunks) in std::mem::take(&mut self.pending) {
            let id = SeriesId::of(&transaction, &path)?;
            for (number, column) in chunks {
                compaction::merge_seconds(&transaction, number, id, 0, &column)?;
                self.changed.insert(number);
            }
        }
        self.chunks = 0;
        Ok(transaction.commit()?)
    }

    /// Writes what is left, and the summaries of all hours that have new samples.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn finish(mut self) -> Result<(), HistoryError> {
        self.flush()?;
        let transaction = self.file.connection.transaction()?;
        compaction::summarise(&transaction, &self.changed, kind_of)?;
        // The present hour is not over.
        let end = self.changed.last().map_or(0, |last| last + 1).min(Tier::Second.chunk_of(unix_ms()));
        let until = end * Tier::Second.chunk_ms();
        transaction.execute("UPDATE state SET summarised_until = max(summarised_until, ?)", [until])?;
        Ok(transaction.commit()?)
    }
}
