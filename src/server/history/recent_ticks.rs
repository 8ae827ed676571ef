//! The newest ticks as they were sent: what a restart resumes streams from, and what chunks are made of.

use super::HistoryError;
use crate::server::log::{InvalidEvents, SentEvent, sent_events};
use rusqlite::{Connection, params};
use std::io::Read;

/// Speed matters more than the last tenth of size.
const QUALITY: u32 = 5;
/// Base-two logarithm of the bytes in which repetitions are found.
const WINDOW: u32 = 18;
const BUFFER: usize = 4096;

/// A commit's ticks.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) events: Vec<SentEvent>,
}

/// Keeps `events`, the newest of which is at `last` (unix ms).
pub(super) fn append(connection: &Connection, last: u64, events: &[u8]) -> rusqlite::Result<()> {
    let insert = "INSERT INTO recent_ticks (last, events) VALUES (?, ?)";
    connection.prepare_cached(insert)?.execute(params![last, compress(events)])?;
    Ok(())
}

/// Calls `visit` with each row after `id`, oldest first. Damaged rows are logged and left out.
pub(super) fn for_each_after(
    connection: &Connection,
    id: i64,
    mut visit: impl FnMut(Row) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    let mut select = connection.prepare_cached("SELECT id, events FROM recent_ticks WHERE id > ? ORDER BY id")?;
    let mut rows = select.query([id])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let compressed = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        match decompress(compressed).and_then(|events| sent_events(&events)) {
            Ok(events) => visit(Row { id, events })?,
            Err(error) => tracing::error!(%error, "ten seconds of the history are lost"),
        }
    }
    Ok(())
}

/// Text in less room.
pub(super) fn compress(text: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    // Reading from a slice can't fail.
    let _ = brotli::CompressorReader::new(text, BUFFER, QUALITY, WINDOW).read_to_end(&mut compressed);
    compressed
}

/// The text that [`compress`] was given.
pub(super) fn decompress(compressed: &[u8]) -> Result<Vec<u8>, InvalidEvents> {
    let mut text = Vec::new();
    brotli::Decompressor::new(compressed, BUFFER).read_to_end(&mut text).map_err(InvalidEvents::Compression)?;
    Ok(text)
}

/// Removes the rows whose values are in chunks and that are older than `t` (unix ms).
pub(super) fn remove_compacted(connection: &Connection, t: u64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM recent_ticks WHERE id <= (SELECT compacted_row FROM state) AND last < ?", [t])?;
    Ok(())
}
