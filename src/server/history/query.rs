//! Ranges of series, at the finest step that gives no more values than are asked for.

use super::{
    HistoryError,
    compaction::KindOf,
    kept_ranges::Kept,
    series::{self, SeriesId},
    summary::Summaries,
    tier::Tier,
};
use crate::schema::{INTERVAL_MS, Window};
use rusqlite::Connection;
use std::collections::BTreeSet;

/// A range of time, and how it is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) struct Steps {
    /// The tier that is read.
    pub(in crate::server) tier: Tier,
    /// The beginning of the first step, unix ms.
    pub(in crate::server) start: u64,
    /// Milliseconds from one step to the next, a multiple of the tier's.
    pub(in crate::server) step_ms: u64,
    /// The number of steps.
    pub(in crate::server) count: usize,
}

impl Steps {
    /// The steps from `from` to `to` (unix ms, included), at most `points`, of a tier whose first chunk is early enough:
    /// `oldest` has the beginning of each tier's, unix ms.
    pub(super) fn of(from: u64, to: u64, points: usize, oldest: [u64; 3]) -> Self {
        let points = points.max(1) as u64;
        let range = to.saturating_sub(from).saturating_add(1);
        let finest = range.div_ceil(points).max(1);
        let wanted = Tier::ALL.into_iter().rev().find(|tier| tier.step_ms() <= finest).unwrap_or(Tier::Second);
        let kept = Tier::ALL.into_iter().zip(oldest).filter(|(tier, _)| *tier >= wanted);
        // The finest of those that reach back far enough, or else the one that reaches back furthest.
        let tier = kept.min_by_key(|(_, oldest)| (*oldest).max(from)).map_or(wanted, |(tier, _)| tier);
        // Steps begin at multiples of their length, so that moving a range does not change its values.
        let mut steps = finest.div_ceil(tier.step_ms());
        loop {
            let step_ms = steps * tier.step_ms();
            let start = from / step_ms * step_ms;
            let count = (to.max(from) - start) / step_ms + 1;
            if count <= points.max(2) {
                return Self { tier, start, step_ms, count: count as usize };
            }
            steps += 1;
        }
    }

    /// The last `count` steps up to that of `at` (unix ms).
    pub(in crate::server) fn until(self, at: u64, count: usize) -> Self {
        let last = at.max(self.start) / self.step_ms * self.step_ms;
        let before = (count.max(1) - 1) as u64 * self.step_ms;
        Self { start: last.saturating_sub(before), count: count.max(1), ..self }
    }

    /// As many steps, each `ms` earlier.
    pub(in crate::server) fn earlier(self, ms: u64) -> Self {
        Self { start: self.start.saturating_sub(ms), ..self }
    }

    /// As many steps, each `ms` later.
    pub(in crate::server) fn later(self, ms: u64) -> Self {
        Self { start: self.start + ms, ..self }
    }

    /// Those of a coarser tier; `other` if both have the same.
    pub(in crate::server) fn coarser(self, other: Self) -> Self {
        if self.tier > other.tier { self } else { other }
    }

    pub(super) fn end(&self) -> u64 {
        self.start + self.step_ms * self.count as u64
    }
}

/// The steps of a range, of a tier that has values there.
pub(super) fn steps(
    connection: &Connection,
    from: u64,
    to: u64,
    points: usize,
    kept: &Kept,
) -> rusqlite::Result<Steps> {
    let mut oldest = [u64::MAX; 3];
    for (tier, oldest) in Tier::ALL.into_iter().zip(&mut oldest) {
        let number = oldest_chunk(connection, tier, from, to, &kept.chunks(tier))?;
        *oldest = number.map_or(u64::MAX, |number| number * tier.chunk_ms());
    }
    Ok(Steps::of(from, to, points, oldest))
}

/// The chunk from which on a tier has values of a range. Kept chunks count for ranges within them, and where others follow:
/// between a recording of long ago and the seconds of now there is nothing.
fn oldest_chunk(
    connection: &Connection,
    tier: Tier,
    from: u64,
    to: u64,
    kept: &BTreeSet<u64>,
) -> rusqlite::Result<Option<u64>> {
    let from = tier.chunk_of(from);
    let is_kept = (from..=tier.chunk_of(to)).all(|number| kept.contains(&number));
    // The newest hour of a recording may not be in a chunk yet.
    if let Some(oldest) = is_kept.then(|| series::oldest_from(connection, tier, from)).transpose()?.flatten() {
        return Ok(Some(oldest));
    }
    let Some(mut oldest) = series::oldest(connection, tier, kept)? else {
        return series::oldest_from(connection, tier, 0);
    };
    while let Some(before) = oldest.checked_sub(1).filter(|before| kept.contains(before))
        && series::oldest_from(connection, tier, before)? == Some(before)
    {
        oldest = before;
    }
    Ok(Some(oldest))
}

/// The values of a series at `steps`: those in chunks, and those that only the window has. `None` if it has none.
pub(super) fn series(
    connection: &Connection,
    window: &Window,
    path: &str,
    steps: Steps,
    kind_of: KindOf,
) -> Result<Option<Summaries>, HistoryError> {
    let (id, kind) = (SeriesId::find(connection, path)?, kind_of(path));
    let Steps { tier, start, step_ms, count } = steps;
    // A range may be far longer than the history.
    let (first, end) = extent(connection, window, tier)?;
    let from = first.max(start) / tier.step_ms() * tier.step_ms();
    let end = end.min(steps.end()).next_multiple_of(tier.step_ms());
    if from >= end {
        return Ok(None);
    }
    let mut values = Summaries::missing(((end - from) / tier.step_ms()) as usize);
    if let Some(id) = id {
        read_chunks(connection, tier, from, id, &mut values)?;
    }
    // Hours that are not yet over have no summaries, and the newest seconds are in no chunk.
    let summarised: u64 = connection.query_row("SELECT summarised_until FROM state", [], |row| row.get(0))?;
    let unsummarised = if tier == Tier::Second { window.start().unwrap_or(u64::MAX) } else { summarised }.max(from);
    if unsummarised < end {
        let unsummarised = unsummarised / tier.step_ms() * tier.step_ms();
        let mut seconds = Summaries::missing(((end - unsummarised) / INTERVAL_MS) as usize);
        if let Some(id) = id.filter(|_| tier != Tier::Second) {
            read_chunks(connection, Tier::Second, unsummarised, id, &mut seconds)?;
        }
        read_window(window, path, unsummarised, &mut seconds);
        let newest = seconds.coarser(0, (tier.step_ms() / INTERVAL_MS) as usize, kind);
        let offset = ((unsummarised - from) / tier.step_ms()) as usize;
        for index in (0..newest.len()).filter(|&index| newest.count[index] > 0.0) {
            values.set(offset + index, newest.get(index));
        }
    }
    let before = (from - start) / step_ms;
    let offset = (from - start - before * step_ms) / tier.step_ms();
    let coarser = || values.coarser(offset as usize, (step_ms / tier.step_ms()) as usize, kind);
    Ok(values.has_samples().then(|| coarser().placed(before as usize, count)))
}

/// The first and last time with values of a tier or of a finer one, unix ms.
fn extent(connection: &Connection, window: &Window, tier: Tier) -> rusqlite::Result<(u64, u64)> {
    let oldest = series::oldest_from(connection, tier, 0)?.map_or(u64::MAX, |number| number * tier.chunk_ms());
    let newest = series::newest(connection, tier)?.map_or(0, |number| (number + 1) * tier.chunk_ms());
    let newest_second =
        series::newest(connection, Tier::Second)?.map_or(0, |number| (number + 1) * Tier::Second.chunk_ms());
    let (start, end) = (window.start().unwrap_or(u64::MAX), window.end().map_or(0, |end| end + INTERVAL_MS));
    let seconds = series::oldest_from(connection, Tier::Second, 0)?.map_or(u64::MAX, |n| n * Tier::Second.chunk_ms());
    Ok((oldest.min(start).min(seconds), newest.max(newest_second).max(end)))
}

/// Fills `values`, whose first is at `start`, from a tier's chunks.
fn read_chunks(
    connection: &Connection,
    tier: Tier,
    start: u64,
    id: SeriesId,
    values: &mut Summaries,
) -> Result<(), HistoryError> {
    let (mut index, len) = (0, values.len());
    while index < len {
        let t = start + index as u64 * tier.step_ms();
        let slot = ((t % tier.chunk_ms()) / tier.step_ms()) as usize;
        let count = (tier.chunk_len() - slot).min(len - index);
        let columns = series::read(connection, tier, tier.chunk_of(t), id)?;
        let chunk = columns.and_then(|mut columns| match tier {
            Tier::Second => columns.pop().map(|column| Summaries::of_samples(&column)),
            Tier::Minute | Tier::Hour => Summaries::of_columns(columns),
        });
        if let Some(chunk) = chunk {
            (0..count).for_each(|offset| values.set(index + offset, chunk.get(slot + offset)));
        }
        index += count;
    }
    Ok(())
}

/// Puts what the window has in place of what is there.
fn read_window(window: &Window, path: &str, start: u64, values: &mut Summaries) {
    let Some((first, last)) = window.start().zip(window.end()) else { return };
    let mut t = first.max(start);
    while t <= last {
        let index = ((t - start) / INTERVAL_MS) as usize;
        if index >= values.len() {
            return;
        }
        if let Some(value) = window.value(path, ((last - t) / INTERVAL_MS) as usize) {
            values.set(index, super::summary::Summary::of(value));
        }
        t += INTERVAL_MS;
    }
}
