//! Makes chunks of the newest ticks, and summaries of whole hours.

use super::{
    HistoryError, event_values,
    process_samples::ProcessSamples,
    recent_ticks::{self, Row},
    series::{self, SeriesId},
    summary::Summaries,
    tier::Tier,
};
use crate::schema::{INTERVAL_MS, Kind, WindowSnapshot};
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};

/// Values of so many seconds are held in memory at once.
const MAX_SECONDS: u64 = 1_800;

/// Values by second that are not yet in chunks.
#[derive(Debug, Default)]
struct Seconds {
    /// The second of the first value, unix ms.
    start: u64,
    /// NaN is a second without a sample.
    columns: BTreeMap<String, Vec<f64>>,
}

/// Whether a value of a path is a gauge, a rate or a state.
pub(super) type KindOf = fn(&str) -> Kind;

/// Moves the values of all ticks that are not yet in chunks into them, and summarises the hours that are over at `newest`
/// (unix ms). All or nothing.
pub(super) fn compact(connection: &mut Connection, newest: u64, kind_of: KindOf) -> Result<(), HistoryError> {
    let transaction = connection.transaction()?;
    let (mut compacted, summarised): (i64, u64) =
        transaction
            .query_row("SELECT compacted_row, summarised_until FROM state", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut seconds = Seconds::default();
    let mut processes = ProcessSamples::default();
    let mut changed = BTreeSet::new();
    recent_ticks::for_each_after(&transaction, compacted, |Row { number, events }| {
        for event in &events {
            processes.add(event);
            if !seconds.has_room_for(event.t) {
                std::mem::take(&mut seconds).write(&transaction, &mut changed)?;
            }
            // What can't be read was logged when it was sent.
            let _ = event_values::visit(event, |path, value| seconds.set(path, event.t, value));
        }
        compacted = number;
        Ok(())
    })?;
    seconds.write(&transaction, &mut changed)?;
    processes.write(&transaction)?;
    let until = Tier::Second.chunk_of(newest);
    summarise(&transaction, &due_hours(&transaction, summarised, until, changed)?, kind_of)?;
    let update = "UPDATE state SET compacted_row = ?, summarised_until = max(summarised_until, ?)";
    transaction.execute(update, params![compacted, until * Tier::Second.chunk_ms()])?;
    Ok(transaction.commit()?)
}

/// Keeps the values of a window beside those that are kept already.
pub(super) fn merge_window(connection: &mut Connection, window: &WindowSnapshot) -> Result<(), HistoryError> {
    let transaction = connection.transaction()?;
    let column = |values: &[Option<f64>]| values.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    // A series with fewer values than the window lacks the oldest.
    let padded = |values: Vec<f64>| {
        let missing = window.n.saturating_sub(values.len());
        std::iter::repeat_n(f64::NAN, missing).chain(values).collect()
    };
    let columns = window.series.iter().map(|(path, values)| (path.clone(), padded(column(&values.0)))).collect();
    Seconds { start: window.t0, columns }.write(&transaction, &mut BTreeSet::new())?;
    Ok(transaction.commit()?)
}

/// The hours that are over and lack a summary, and those that got values since.
fn due_hours(
    connection: &Connection,
    summarised_until: u64,
    until: u64,
    changed: BTreeSet<u64>,
) -> rusqlite::Result<BTreeSet<u64>> {
    let lacking = series::numbers(connection, Tier::Second.chunk_of(summarised_until), until)?;
    Ok(changed.into_iter().filter(|hour| *hour < until).chain(lacking).collect())
}

impl Seconds {
    fn has_room_for(&self, t: u64) -> bool {
        self.columns.is_empty() || (self.start..self.start + MAX_SECONDS * INTERVAL_MS).contains(&t)
    }

    fn set(&mut self, path: &str, t: u64, value: f64) {
        if self.columns.is_empty() {
            self.start = t;
        }
        let index = ((t - self.start) / INTERVAL_MS) as usize;
        let column = match self.columns.get_mut(path) {
            Some(column) => column,
            None => self.columns.entry(path.to_owned()).or_default(),
        };
        if column.len() <= index {
            column.resize(index + 1, f64::NAN);
        }
        column[index] = value;
    }

    /// Adds the values to their chunks, and the numbers of these to `changed`.
    fn write(self, connection: &Connection, changed: &mut BTreeSet<u64>) -> Result<(), HistoryError> {
        for (path, values) in &self.columns {
            let series = SeriesId::of(connection, path)?;
            let first = self.start / INTERVAL_MS;
            let mut slot = first % Tier::Second.chunk_len() as u64;
            let mut number = Tier::Second.chunk_of(self.start);
            let mut rest = &values[..];
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(Tier::Second.chunk_len() - slot as usize));
                if now.iter().any(|value| !value.is_nan()) {
                    merge_seconds(connection, number, series, slot as usize, now)?;
                    changed.insert(number);
                }
                (rest, slot, number) = (later, 0, number + 1);
            }
        }
        Ok(())
    }
}

/// Puts `values` into a chunk of seconds from `slot` on. Those that are missing leave what is there.
pub(super) fn merge_seconds(
    connection: &Connection,
    number: u64,
    id: SeriesId,
    slot: usize,
    values: &[f64],
) -> Result<(), HistoryError> {
    let kept = series::read(connection, Tier::Second, number, id)?;
    let mut column =
        kept.and_then(|mut columns| columns.pop()).unwrap_or_else(|| vec![f64::NAN; Tier::Second.chunk_len()]);
    for (kept, value) in column[slot..].iter_mut().zip(values).filter(|(_, value)| !value.is_nan()) {
        *kept = *value;
    }
    series::write(connection, Tier::Second, number, id, &[&column])
}

/// Summarises `hours` of every series that has values in them.
pub(super) fn summarise(connection: &Connection, hours: &BTreeSet<u64>, kind_of: KindOf) -> Result<(), HistoryError> {
    let hours: Vec<_> = hours.iter().copied().collect();
    let day_of = |hour: &u64| Tier::Minute.chunk_of(hour * Tier::Second.chunk_ms());
    for hours in hours.chunk_by(|one, next| day_of(one) == day_of(next)) {
        for (id, path) in series::in_seconds(connection, hours[0]..=hours[hours.len() - 1])? {
            summarise_series(connection, id, kind_of(&path), hours)?;
        }
    }
    Ok(())
}

/// Summarises hours of one day.
fn summarise_series(connection: &Connection, id: SeriesId, kind: Kind, hours: &[u64]) -> Result<(), HistoryError> {
    let start = |hour: u64| hour * Tier::Second.chunk_ms();
    let mut chunks = Vec::new();
    for tier in Tier::SUMMARIES {
        let number = tier.chunk_of(start(hours[0]));
        let kept = series::read(connection, tier, number, id)?.and_then(Summaries::of_columns);
        chunks.push((tier, number, kept.unwrap_or_else(|| Summaries::missing(tier.chunk_len()))));
    }
    for &hour in hours {
        let Some(seconds) = series::read(connection, Tier::Second, hour, id)?.and_then(|mut columns| columns.pop())
        else {
            continue;
        };
        let (mut summaries, mut step_ms) = (Summaries::of_samples(&seconds), Tier::Second.step_ms());
        for (tier, _, chunk) in &mut chunks {
            summaries = summaries.coarser(0, (tier.step_ms() / step_ms) as usize, kind);
            step_ms = tier.step_ms();
            let slot = ((start(hour) % tier.chunk_ms()) / step_ms) as usize;
            (0..summaries.len()).for_each(|index| chunk.set(slot + index, summaries.get(index)));
        }
    }
    for (tier, number, chunk) in chunks {
        series::write(connection, tier, number, id, &chunk.columns())?;
    }
    Ok(())
}
