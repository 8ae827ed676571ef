//! The newest ticks as they were sent: what a restart resumes streams from, and what chunks are made of.

use super::{HistoryError, checksum};
use crate::server::log::{InvalidEvents, SentEvent, sent_events};
use rusqlite::{Connection, OptionalExtension, params};
use std::{
    io::{self, Read},
    ops::RangeInclusive,
};

/// Speed matters more than the last tenth of size.
const QUALITY: u32 = 5;
/// Base-two logarithms of the bytes in which repetitions are found: all of a text, within what brotli takes and a few
/// megabytes of memory.
const WINDOW: RangeInclusive<u32> = 10..=22;
const BUFFER: usize = 4096;
/// Rows have a multiple of so many bytes, which a page has room for: SQLite overwrites a row of the same size in place, and
/// then writes no other page.
const ROW_UNIT: usize = 4000;
/// What follows a row's bytes, before zeros up to its size.
const END: u8 = 1;
/// Ticks younger than this remain as they were sent: longer than the ring of a log.
const RECENT_MS: u64 = 16 * 60 * 1000;
/// Rows that no commit has used for so long are removed, as after a compaction that was late.
const UNUSED_MS: u64 = 60 * 60 * 1000;

/// A commit's ticks.
#[derive(Debug)]
pub(super) struct Row {
    /// Counts the commits.
    pub(super) number: i64,
    pub(super) events: Vec<SentEvent>,
}

/// Keeps `events`, the newest of which is at `last` (unix ms), in place of those that are the oldest and in chunks.
pub(super) fn append(connection: &Connection, last: u64, events: &[u8]) -> rusqlite::Result<()> {
    let update = "UPDATE recent_ticks SET number = (SELECT max(number) FROM recent_ticks) + 1, last = ?1, events = ?2
                  WHERE id = (SELECT id FROM recent_ticks WHERE number <= (SELECT compacted_row FROM state) AND last < ?3
                              ORDER BY number LIMIT 1)";
    let insert = "INSERT INTO recent_ticks (number, last, events)
                  VALUES ((SELECT coalesce(max(number), 0) FROM recent_ticks) + 1, ?1, ?2)";
    let mut row = compress(events, last);
    row.push(END);
    row.resize(row.len().next_multiple_of(ROW_UNIT), 0);
    let oldest = last.saturating_sub(RECENT_MS);
    if connection.prepare_cached(update)?.execute(params![last, row, oldest])? == 0 {
        connection.prepare_cached(insert)?.execute(params![last, row])?;
    }
    Ok(())
}

/// Calls `visit` with each commit after that of `number`, oldest first. Damaged rows are logged and left out.
pub(super) fn for_each_after(
    connection: &Connection,
    number: i64,
    mut visit: impl FnMut(Row) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    // Sorting the rows themselves would hold all in memory.
    let numbers = "SELECT id, number FROM recent_ticks WHERE number > ? ORDER BY number";
    let mut numbers = connection.prepare_cached(numbers)?;
    let numbers = numbers.query_map([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let numbers: Vec<(i64, i64)> = numbers.collect::<Result<_, _>>()?;
    let mut select = connection.prepare_cached("SELECT last, events FROM recent_ticks WHERE id = ? AND number = ?")?;
    for (id, number) in numbers {
        let row = select.query_row([id, number], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).optional()?;
        // A commit may have reused the row.
        let Some((last, row)) = row else { continue };
        match decompress(unpadded(&row), last).and_then(|events| sent_events(&events)) {
            Ok(events) => visit(Row { number, events })?,
            Err(error) => tracing::error!(%error, "ten seconds of the history are lost"),
        }
    }
    Ok(())
}

/// Whether the row of a commit whose newest tick is at `last` is as it was written.
pub(super) fn is_intact(row: &[u8], last: i64) -> bool {
    checksum::verify(unpadded(row), last).is_some()
}

fn unpadded(row: &[u8]) -> &[u8] {
    let end = row.iter().rposition(|byte| *byte == END).filter(|end| row[end + 1..].iter().all(|byte| *byte == 0));
    end.map_or(&[], |end| &row[..end])
}

/// Text of a time (unix ms) in less room, with a checksum.
pub(super) fn compress(text: &[u8], t: u64) -> Vec<u8> {
    let window = text.len().next_power_of_two().ilog2().clamp(*WINDOW.start(), *WINDOW.end());
    let mut compressed = Vec::new();
    // Reading from a slice can't fail.
    let _ = brotli::CompressorReader::new(text, BUFFER, QUALITY, window).read_to_end(&mut compressed);
    checksum::append(&mut compressed, t as i64);
    compressed
}

/// The text that [`compress`] was given with that time.
pub(super) fn decompress(compressed: &[u8], t: u64) -> Result<Vec<u8>, InvalidEvents> {
    let damaged = || InvalidEvents::Compression(io::Error::new(io::ErrorKind::InvalidData, "the checksum is wrong"));
    let compressed = checksum::verify(compressed, t as i64).ok_or_else(damaged)?;
    let mut text = Vec::new();
    brotli::Decompressor::new(compressed, BUFFER).read_to_end(&mut text).map_err(InvalidEvents::Compression)?;
    Ok(text)
}

/// Removes the rows that no commit at `newest` (unix ms) has a use for.
pub(super) fn remove_unused(connection: &Connection, newest: u64) -> rusqlite::Result<()> {
    let delete = "DELETE FROM recent_ticks WHERE number <= (SELECT compacted_row FROM state) AND last < ?";
    connection.execute(delete, [newest.saturating_sub(UNUSED_MS)])?;
    Ok(())
}
