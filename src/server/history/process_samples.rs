//! Samples of processes: who was busy at a moment.

use super::{HistoryError, kept_ranges::Kept, recent_ticks};
use crate::{schema::Level, server::log::SentEvent};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;

/// The event of processes, and that of the verdict.
const PROCESSES: &str = "processes";
const VERDICT: &str = "verdict";
/// The levels of a host whose every sample is kept.
const UNHEALTHY: [&str; 2] = [Level::Watch.as_str(), Level::Trouble.as_str()];
/// Time between two kept samples of a healthy host. Viewers are sent more.
const INTERVAL_MS: u64 = 9_500;
/// A sample describes the time after it for so long.
const VALID_MS: u64 = 15_000;
/// Samples are kept for a week, as long as they fit.
const KEPT_MS: u64 = 7 * 24 * 60 * 60 * 1000;
const MAX_BYTES: u64 = 50_000_000;

/// The samples of a stretch of ticks that are kept.
#[derive(Debug, Default)]
pub(super) struct ProcessSamples {
    /// The events' data, a line each.
    lines: String,
    first: Option<u64>,
    last: u64,
    is_unhealthy: bool,
}

#[derive(Deserialize)]
struct Verdict {
    level: String,
}

impl ProcessSamples {
    /// Keeps what is to be kept of the next event.
    pub(super) fn add(&mut self, event: &SentEvent) {
        match &*event.name {
            VERDICT => {
                let verdict = serde_json::from_str::<Verdict>(&event.data);
                self.is_unhealthy = verdict.is_ok_and(|verdict| UNHEALTHY.contains(&&*verdict.level));
            }
            PROCESSES if self.is_unhealthy || event.t.abs_diff(self.last) >= INTERVAL_MS => {
                self.first.get_or_insert(event.t);
                self.last = event.t;
                self.lines.push_str(&event.data);
                self.lines.push('\n');
            }
            _ => {}
        }
    }

    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        let Some(first) = self.first else { return Ok(()) };
        let samples = recent_ticks::compress(self.lines.as_bytes(), first);
        let replace = "INSERT OR REPLACE INTO processes (first, last, samples) VALUES (?, ?, ?)";
        connection.execute(replace, params![first, self.last, samples])?;
        Ok(())
    }
}

#[derive(Deserialize)]
struct Stamp {
    t: u64,
}

/// The newest sample at `at` (unix ms), as it was sent; `None` if there is none that describes that moment.
pub(super) fn at(connection: &Connection, at: u64) -> Result<Option<String>, HistoryError> {
    let mut newest: Option<(u64, String)> = None;
    let mut take = |t: u64, data: &str| {
        if (at.saturating_sub(VALID_MS)..=at).contains(&t) {
            newest = Some((t, data.to_owned()));
        }
    };
    let select = "SELECT first, samples FROM processes WHERE first <= ? ORDER BY first DESC LIMIT 1";
    let kept = connection.query_row(select, [at], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).optional()?;
    let lines = kept.map(|(first, kept)| recent_ticks::decompress(&kept, first)).transpose();
    let lines = lines.unwrap_or_else(|error| {
        tracing::error!(%error, "samples of processes are lost");
        None
    });
    for line in String::from_utf8_lossy(&lines.unwrap_or_default()).lines() {
        let _ = serde_json::from_str(line).map(|Stamp { t }| take(t, line));
    }
    let compacted = connection.query_row("SELECT compacted_row FROM state", [], |row| row.get(0))?;
    recent_ticks::for_each_after(connection, compacted, |row| {
        row.events.iter().filter(|event| event.name == PROCESSES).for_each(|event| take(event.t, &event.data));
        Ok(())
    })?;
    Ok(newest.map(|(_, data)| data))
}

/// Removes the samples that are too old at `newest` (unix ms), and the oldest of too many, except those in `kept`.
pub(super) fn remove_old(connection: &Connection, newest: u64, kept: &Kept) -> rusqlite::Result<()> {
    let mut select =
        connection.prepare_cached("SELECT first, last, length(samples) FROM processes ORDER BY first DESC")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, u64>(2)?)))?;
    let mut bytes = 0;
    for row in rows.collect::<rusqlite::Result<Vec<_>>>()? {
        let (first, last, length) = row;
        if kept.overlaps(first, last) {
            continue;
        }
        bytes += length;
        if last < newest.saturating_sub(KEPT_MS) || bytes > MAX_BYTES {
            connection.execute("DELETE FROM processes WHERE first = ?", [first])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::history::tests::file;

    #[test]
    fn processes_of_recordings_outlast_the_others() {
        let (_folder, file) = file();
        let connection = &file.connection;
        let insert = "INSERT INTO processes (first, last, samples) VALUES (?, ?, zeroblob(?))";
        let quarter = 900_000;
        for (first, bytes) in [(0, 10), (quarter, 10), (KEPT_MS, MAX_BYTES), (KEPT_MS + quarter, 20)] {
            connection.execute(insert, params![first, first + quarter - 1, bytes]).unwrap();
        }
        let left = |kept: &Kept| -> Vec<u64> {
            remove_old(connection, KEPT_MS + 2 * quarter, kept).unwrap();
            let mut select = connection.prepare("SELECT first FROM processes ORDER BY first").unwrap();
            select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        assert_eq!(left(&Kept::of(vec![quarter + 5..=quarter + 9])), [quarter, KEPT_MS + quarter]);
        assert_eq!(left(&Kept::default()), [KEPT_MS + quarter]);
    }
}
