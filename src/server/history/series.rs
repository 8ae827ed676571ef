//! The numbers of series in the file, and the chunks of their values.

use super::{HistoryError, chunk, error::is_damage, summary::Summaries, tier::Tier};
use rusqlite::{Connection, OptionalExtension, params};
use std::{collections::BTreeSet, ops::RangeInclusive};

/// Of a chunk's key, the bits that are the series.
const SERIES_BITS: u32 = 32;

/// The number of a series in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeriesId(u32);

impl SeriesId {
    /// That of a path, which gets one if it has none.
    pub(super) fn of(connection: &Connection, path: &str) -> rusqlite::Result<Self> {
        match Self::find(connection, path)? {
            Some(known) => Ok(known),
            None => {
                connection.prepare_cached("INSERT INTO series (path) VALUES (?)")?.execute([path])?;
                Self::find(connection, path)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
            }
        }
    }

    /// That of a path, if it has one.
    pub(super) fn find(connection: &Connection, path: &str) -> rusqlite::Result<Option<Self>> {
        let mut find = connection.prepare_cached("SELECT id FROM series WHERE path = ?")?;
        find.query_row([path], |row| row.get(0).map(Self)).optional()
    }
}

/// The paths of all series.
pub(super) fn paths(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection.prepare_cached("SELECT path FROM series")?.query_map([], |row| row.get(0))?.collect()
}

/// The paths of the series that have a chunk of a tier between two times (unix ms).
pub(super) fn paths_between(connection: &Connection, tier: Tier, from: u64, to: u64) -> rusqlite::Result<Vec<String>> {
    let select = "SELECT path FROM series WHERE id IN (SELECT key & 0xffffffff FROM {} WHERE key BETWEEN ? AND ?)";
    let keys = [*keys_of(tier.chunk_of(from)).start(), *keys_of(tier.chunk_of(to)).end()];
    let mut select = connection.prepare_cached(&select.replace("{}", tier.table()))?;
    select.query_map(keys, |row| row.get(0))?.collect()
}

/// The series that have a chunk of seconds of one of these numbers, with their paths.
pub(super) fn in_seconds(
    connection: &Connection,
    numbers: RangeInclusive<u64>,
) -> rusqlite::Result<Vec<(SeriesId, String)>> {
    let select = "SELECT DISTINCT id, path FROM seconds JOIN series ON id = key & 0xffffffff WHERE key BETWEEN ? AND ?";
    let keys = [*keys_of(*numbers.start()).start(), *keys_of(*numbers.end()).end()];
    let mut select = connection.prepare_cached(select)?;
    select.query_map(keys, |row| Ok((SeriesId(row.get(0)?), row.get(1)?)))?.collect()
}

/// Calls `visit` with each series that has a chunk of seconds of that number, its path and the chunk's values.
pub(super) fn for_each_of(
    connection: &Connection,
    number: u64,
    mut visit: impl FnMut(&str, Vec<f64>),
) -> Result<(), HistoryError> {
    let select = "SELECT path, key, data FROM seconds JOIN series ON id = key & 0xffffffff WHERE key BETWEEN ? AND ?";
    let mut select = connection.prepare_cached(select)?;
    let keys = keys_of(number);
    let mut rows = select.query([keys.start(), keys.end()])?;
    while let Some(row) = rows.next()? {
        let (path, key, data) = (row.get_ref(0)?, row.get(1)?, row.get_ref(2)?);
        let data = data.as_blob().map_err(rusqlite::Error::from)?;
        if let Some(column) = columns(data, Tier::Second, key).and_then(|mut columns| columns.pop()) {
            visit(path.as_str().map_err(rusqlite::Error::from)?, column);
        }
    }
    Ok(())
}

/// The keys of chunk `number` of all series.
pub(super) fn keys_of(number: u64) -> RangeInclusive<i64> {
    let first = (number as i64) << SERIES_BITS;
    first..=first | i64::from(u32::MAX)
}

/// The key of a chunk.
fn key(number: u64, series: SeriesId) -> i64 {
    (number as i64) << SERIES_BITS | i64::from(series.0)
}

/// The number of the chunk that a key is of.
pub(super) fn chunk_of(key: i64) -> u64 {
    (key >> SERIES_BITS) as u64
}

/// The number of a tier's oldest chunk that is not in `skipped`.
pub(super) fn oldest(connection: &Connection, tier: Tier, skipped: &BTreeSet<u64>) -> rusqlite::Result<Option<u64>> {
    let mut oldest = oldest_from(connection, tier, 0)?;
    while let Some(number) = oldest.filter(|number| skipped.contains(number)) {
        oldest = oldest_from(connection, tier, number + 1)?;
    }
    Ok(oldest)
}

/// The number of a tier's oldest chunk from `start` on.
pub(super) fn oldest_from(connection: &Connection, tier: Tier, start: u64) -> rusqlite::Result<Option<u64>> {
    let oldest = format!("SELECT key FROM {} WHERE key >= ? ORDER BY key LIMIT 1", tier.table());
    let mut oldest = connection.prepare_cached(&oldest)?;
    oldest.query_row([*keys_of(start).start()], |row| row.get(0).map(chunk_of)).optional()
}

/// The number of a tier's newest chunk.
pub(super) fn newest(connection: &Connection, tier: Tier) -> rusqlite::Result<Option<u64>> {
    let newest = format!("SELECT key FROM {} ORDER BY key DESC LIMIT 1", tier.table());
    let mut newest = connection.prepare_cached(&newest)?;
    newest.query_row([], |row| row.get(0).map(chunk_of)).optional()
}

/// Bytes of the chunks of seconds of these numbers.
pub(super) fn bytes_of(connection: &Connection, numbers: &BTreeSet<u64>) -> rusqlite::Result<u64> {
    let mut bytes =
        connection.prepare_cached("SELECT coalesce(sum(length(data)), 0) FROM seconds WHERE key BETWEEN ? AND ?")?;
    numbers
        .iter()
        .map(|number| bytes.query_row([*keys_of(*number).start(), *keys_of(*number).end()], |row| row.get::<_, u64>(0)))
        .sum()
}

/// The numbers below `end`, from `start` on, of which some series has a chunk of seconds.
pub(super) fn numbers(connection: &Connection, start: u64, end: u64) -> rusqlite::Result<Vec<u64>> {
    let mut next = connection.prepare_cached("SELECT key FROM seconds WHERE key >= ? LIMIT 1")?;
    let mut numbers = Vec::new();
    let mut number = start;
    while number < end {
        let key: Option<i64> = next.query_row([*keys_of(number).start()], |row| row.get(0)).optional()?;
        let Some(found) = key.map(chunk_of).filter(|found| *found < end) else { break };
        numbers.push(found);
        number = found + 1;
    }
    Ok(numbers)
}

/// The columns of chunk `number` of a series; `None` if it has none, or a damaged one, which is logged.
pub(super) fn read(
    connection: &Connection,
    tier: Tier,
    number: u64,
    series: SeriesId,
) -> rusqlite::Result<Option<Vec<Vec<f64>>>> {
    let select = format!("SELECT data FROM {} WHERE key = ?", tier.table());
    let mut select = connection.prepare_cached(&select)?;
    let key = key(number, series);
    match select.query_row([key], |row| row.get::<_, Vec<u8>>(0)).optional() {
        Err(error) if is_damage(&error) => {
            tracing::error!(%error, "a chunk of the history is lost");
            Ok(None)
        }
        data => Ok(data?.and_then(|data| columns(&data, tier, key))),
    }
}

/// The columns of the chunk under `key`; `None` for a damaged one, which is logged.
fn columns(data: &[u8], tier: Tier, key: i64) -> Option<Vec<Vec<f64>>> {
    let columns =
        chunk::decode(data, key).inspect_err(|error| tracing::error!(%error, "a chunk of the history is lost"));
    columns.ok().filter(|columns| columns.iter().all(|column| column.len() == tier.chunk_len()))
}

/// Writes a chunk in place of the one before.
pub(super) fn write(
    connection: &Connection,
    tier: Tier,
    number: u64,
    series: SeriesId,
    columns: &[&[f64]],
) -> Result<(), HistoryError> {
    let replace = format!("INSERT OR REPLACE INTO {} (key, data) VALUES (?, ?)", tier.table());
    let key = key(number, series);
    connection.prepare_cached(&replace)?.execute(params![key, chunk::encode(columns, key)?])?;
    Ok(())
}

impl Summaries {
    /// Those of a chunk's columns.
    pub(super) fn of_columns(columns: Vec<Vec<f64>>) -> Option<Self> {
        let [min, mean, max, count] = columns.try_into().ok()?;
        Some(Self { min, mean, max, count })
    }

    /// A chunk's columns.
    pub(super) fn columns(&self) -> [&[f64]; 4] {
        [&self.min, &self.mean, &self.max, &self.count]
    }
}
