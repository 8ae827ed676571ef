//! Removes what is older than it is kept, and the oldest seconds of a file that has become too large. Those of recordings stay.

use super::{
    HistoryError,
    kept_ranges::Kept,
    options::{HistoryOptions, HistoryTime},
    process_samples, series,
    tier::Tier,
};
use rusqlite::Connection;
use std::collections::BTreeSet;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Minutes are kept for a year, hours for five, unless seconds are kept longer.
const MINUTES_MS: u64 = 365 * DAY_MS;
const HOURS_MS: u64 = 5 * MINUTES_MS;
/// Chunks of each series removed at once from a file that is too large.
const CHUNKS_REMOVED: u64 = 4;

/// Removes what is no longer kept at `newest` (unix ms).
pub(super) fn apply(
    connection: &mut Connection,
    newest: u64,
    options: &HistoryOptions,
    kept_ranges: &Kept,
) -> Result<(), HistoryError> {
    let HistoryTime::For(seconds) = options.keep else { return Ok(()) };
    let seconds = u64::try_from(seconds.as_millis()).unwrap_or(u64::MAX);
    let kept = [seconds, MINUTES_MS.max(seconds), HOURS_MS.max(seconds)];
    let transaction = connection.transaction()?;
    process_samples::remove_old(&transaction, newest, kept_ranges)?;
    let mut removed_hours = 0;
    for (tier, kept) in Tier::ALL.into_iter().zip(kept) {
        removed_hours =
            remove_before(&transaction, tier, tier.chunk_of(newest.saturating_sub(kept)), &kept_ranges.chunks(tier))?;
    }
    // Recordings don't count against the size, or they would displace other samples.
    let size = options.size + series::bytes_of(&transaction, &kept_ranges.chunks(Tier::Second))?;
    // Freed pages are used again, so the file stays at its largest size.
    for tier in Tier::ALL {
        let kept = kept_ranges.chunks(tier);
        while used_bytes(&transaction)? > size {
            let newest = tier.chunk_of(newest);
            let Some(oldest) = series::oldest(&transaction, tier, &kept)?.filter(|oldest| *oldest < newest) else {
                break;
            };
            removed_hours = remove_before(&transaction, tier, newest.min(oldest + CHUNKS_REMOVED), &kept)?;
        }
    }
    // Hours are kept longest, so until one is removed, all series are in use.
    if removed_hours > 0 {
        remove_unused_series(&transaction)?;
    }
    Ok(transaction.commit()?)
}

/// Removes the chunks below `number`, except those in `kept`.
fn remove_before(connection: &Connection, tier: Tier, number: u64, kept: &BTreeSet<u64>) -> rusqlite::Result<usize> {
    let delete = format!("DELETE FROM {} WHERE key >= ? AND key < ?", tier.table());
    let first_key = |number| *series::keys_of(number).start();
    let (mut removed, mut start) = (0, 0);
    for end in kept.range(..number).copied().chain([number]) {
        removed += connection.execute(&delete, [first_key(start), first_key(end)])?;
        start = end + 1;
    }
    Ok(removed)
}

/// A new series has chunks of seconds first.
fn remove_unused_series(connection: &Connection) -> rusqlite::Result<()> {
    let delete = "DELETE FROM series WHERE id NOT IN
                  (SELECT key & 0xffffffff FROM hours UNION SELECT key & 0xffffffff FROM seconds)";
    connection.execute(delete, [])?;
    Ok(())
}

fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    Ok((pragma("page_count")? - pragma("freelist_count")?) * pragma("page_size")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::history::{series::SeriesId, tests::file};
    use std::time::Duration;

    fn count(connection: &Connection, table: &str) -> usize {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    /// A chunk of `bytes` for each of `hours`, in every tier.
    fn fill(connection: &Connection, path: &str, hours: std::ops::Range<u64>) {
        let id = SeriesId::of(connection, path).unwrap();
        for hour in hours {
            for tier in Tier::ALL {
                let number = tier.chunk_of(hour * Tier::Second.chunk_ms());
                let noise: Vec<_> = (0..tier.chunk_len()).map(|slot| (slot * 7919 % 100_003) as f64 / 3.0).collect();
                series::write(connection, tier, number, id, &[&noise]).unwrap();
            }
        }
    }

    #[test]
    fn seconds_end_first_and_then_minutes_and_hours_with_their_series() {
        let (_folder, mut file) = file();
        let (hour, day) = (Tier::Second.chunk_ms(), DAY_MS);
        fill(&file.connection, "memory.used_bytes", 0..48);
        let options =
            HistoryOptions { keep: HistoryTime::For(Duration::from_secs(24 * 60 * 60)), ..HistoryOptions::default() };
        let mut left = |newest| {
            apply(&mut file.connection, newest, &options, &Kept::default()).unwrap();
            ["seconds", "minutes", "hours", "series"].map(|table| count(&file.connection, table))
        };
        assert_eq!(left(48 * hour), [24, 2, 1, 1]);
        assert_eq!(left(367 * day), [0, 0, 1, 1]);
        assert_eq!(left(6 * 365 * day), [0, 0, 0, 0]);
    }

    #[test]
    fn file_that_is_too_large_loses_its_oldest_seconds() {
        let (_folder, mut file) = file();
        fill(&file.connection, "memory.used_bytes", 0..200);
        let size = used_bytes(&file.connection).unwrap() / 2;
        let options = HistoryOptions { size, ..HistoryOptions::default() };
        apply(&mut file.connection, 200 * Tier::Second.chunk_ms(), &options, &Kept::default()).unwrap();
        let left = count(&file.connection, "seconds");
        assert!((60..110).contains(&left) && used_bytes(&file.connection).unwrap() <= size, "{left}");
        let oldest = series::oldest(&file.connection, Tier::Second, &BTreeSet::new()).unwrap();
        assert!(oldest > Some(90), "the oldest are gone");
        assert!(count(&file.connection, "minutes") > 7);
    }

    #[test]
    fn recorded_hours_outlast_age_and_size_until_they_are_no_longer_kept() {
        let (_folder, mut file) = file();
        let hour = Tier::Second.chunk_ms();
        fill(&file.connection, "memory.used_bytes", 0..48);
        let options =
            HistoryOptions { keep: HistoryTime::For(Duration::from_secs(24 * 60 * 60)), ..HistoryOptions::default() };
        let mut left = |options: &HistoryOptions, kept: &Kept| {
            apply(&mut file.connection, 48 * hour, options, kept).unwrap();
            series::numbers(&file.connection, 0, 48).unwrap()
        };
        let kept = Kept::of(vec![3 * hour + 5..=4 * hour, 30 * hour..=30 * hour + 1]);
        let expected: Vec<_> = [3, 4].into_iter().chain(24..48).collect();
        assert_eq!(left(&options, &kept), expected);
        let tiny = HistoryOptions { size: 1, ..options };
        assert_eq!(left(&tiny, &kept), [3, 4, 30]);
        assert_eq!(left(&options, &Kept::default()), [30]);
    }

    #[test]
    fn recordings_larger_than_the_file_may_be_displace_nothing() {
        let (_folder, mut file) = file();
        fill(&file.connection, "memory.used_bytes", 0..48);
        let hour = Tier::Second.chunk_ms();
        let before = ["seconds", "minutes", "hours"].map(|table| count(&file.connection, table));
        let kept = Kept::of(vec![0..=47 * hour]);
        let kept_bytes = series::bytes_of(&file.connection, &kept.chunks(Tier::Second)).unwrap();
        let size = used_bytes(&file.connection).unwrap() - kept_bytes;
        assert!(kept_bytes > 0);
        apply(&mut file.connection, 48 * hour, &HistoryOptions { size, ..HistoryOptions::default() }, &kept).unwrap();
        assert_eq!(["seconds", "minutes", "hours"].map(|table| count(&file.connection, table)), before);
    }
}
