//! Overwrites bytes of a file at random places, and compares what a start makes of it with what was there.

use super::{data, recent, record, reopen};
use crate::{
    schema::{Identity, kind_of},
    server::{
        history::{
            check, compaction,
            file::{DATABASE, HistoryFile},
            pages::PAGE,
            recent_ticks,
            series::{self, SeriesId},
            tier::Tier,
        },
        store::Folder,
        unix_time::unix_ms,
    },
};
use rusqlite::Connection;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::Path,
    sync::Arc,
};

const ROUNDS: u64 = 200;
const SERIES: u64 = 12;
const HOURS: u64 = 6;
/// Chunks on a page, at most.
const ON_PAGE: usize = 40;

/// The bits of each column of each chunk.
type Chunks = BTreeMap<(&'static str, u64, String), Vec<Vec<u64>>>;

fn paths() -> impl Iterator<Item = String> {
    (0..SERIES).map(|series| format!("test.value_{series}"))
}

/// Hours of values that differ, some of which take more than a page, and the newest ticks.
fn fill(file: &mut HistoryFile) {
    let mut random = fastrand::Rng::with_seed(1);
    let present = Tier::Second.chunk_of(unix_ms());
    let hours: BTreeSet<u64> = (present - HOURS..present).collect();
    let transaction = file.connection.transaction().unwrap();
    for &hour in &hours {
        for (index, path) in paths().enumerate() {
            let bits = [1, 6, 10, 30][index % 4];
            let column: Vec<_> = (0..Tier::Second.chunk_len()).map(|_| random.u32(..1 << bits).into()).collect();
            let id = SeriesId::of(&transaction, &path).unwrap();
            series::write(&transaction, Tier::Second, hour, id, &[&column]).unwrap();
        }
    }
    compaction::summarise(&transaction, &hours, kind_of).unwrap();
    transaction.execute("UPDATE state SET summarised_until = ?", [present * Tier::Second.chunk_ms()]).unwrap();
    transaction.commit().unwrap();
    record(file, recent(300));
}

fn chunks(connection: &Connection) -> Chunks {
    let mut chunks = Chunks::new();
    let present = Tier::Second.chunk_of(unix_ms()) * Tier::Second.chunk_ms();
    for path in paths() {
        let Some(id) = SeriesId::find(connection, &path).unwrap() else { continue };
        for tier in Tier::ALL {
            let first = tier.chunk_of(present - (HOURS + 2) * Tier::Second.chunk_ms());
            for number in first..=tier.chunk_of(present) {
                let bits = |column: Vec<f64>| column.into_iter().map(f64::to_bits).collect();
                if let Some(columns) = series::read(connection, tier, number, id).unwrap() {
                    chunks.insert((tier.as_str(), number, path.clone()), columns.into_iter().map(bits).collect());
                }
            }
        }
    }
    chunks
}

/// Whether each value is as it was, or missing: a lost summary may be recomputed from the samples that are left.
fn is_part_of(columns: &[Vec<u64>], before: &[Vec<u64>]) -> bool {
    let missing = [f64::NAN.to_bits(), 0];
    columns.len() == before.len()
        && columns
            .concat()
            .into_iter()
            .zip(before.concat())
            .all(|(bits, before)| bits == before || missing.contains(&bits))
}

/// Overwrites up to `places` ranges of `bytes`, and returns how many.
fn damage(random: &mut fastrand::Rng, bytes: &mut [u8], places: usize) -> usize {
    let places = random.usize(1..=places);
    for _ in 0..places {
        let first = if random.u8(..20) == 0 { random.usize(..PAGE) } else { random.usize(..bytes.len()) };
        let len = [1, 16, 200, PAGE][random.usize(..4)];
        let end = (first + random.usize(1..=len)).min(bytes.len());
        match random.bool() {
            true => bytes[first..end].fill(0),
            false => random.fill(&mut bytes[first..end]),
        }
    }
    places
}

/// What `run` returns, and what it logs.
fn logged<T>(run: impl FnOnce() -> T) -> (T, String) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let writer = Arc::new(log.reopen().unwrap());
    let subscriber = tracing_subscriber::fmt().with_writer(writer).with_ansi(false).finish();
    let result = tracing::subscriber::with_default(subscriber, run);
    (result, fs::read_to_string(log.path()).unwrap())
}

fn history_in(folder: &Path) -> HistoryFile {
    let file = HistoryFile::open(&Folder::find(&data(folder)).unwrap()).unwrap();
    file.set_identity(&Identity { host_id: "host".to_owned(), ..Identity::default() }).unwrap();
    file
}

#[test]
fn damaged_pages_cost_their_chunks_only_and_never_the_start() {
    let original = tempfile::tempdir().unwrap();
    let mut file = history_in(original.path());
    fill(&mut file);
    let before = chunks(&file.connection);
    drop(file);
    let whole = fs::read(original.path().join(DATABASE)).unwrap();
    let mut random = fastrand::Rng::with_seed(5);
    for round in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = whole.clone();
        let places = damage(&mut random, &mut bytes, 4);
        fs::write(folder.path().join(DATABASE), bytes).unwrap();
        let (after, log) = logged(|| {
            let (mut history, _log) = reopen(&folder);
            // As the recorder does.
            if let Err(error) = check::check(&folder.path().join(DATABASE)) {
                assert!(error.is_damage(), "round {round}: {error}");
                history.file.as_mut().unwrap().mend(&error).unwrap();
            }
            chunks(&history.file.as_ref().unwrap().connection)
        });
        let lost = before.iter().filter(|(key, _)| !after.contains_key(key)).count();
        for (key, columns) in &after {
            assert!(is_part_of(columns, &before[key]), "round {round}: {key:?} is altered");
        }
        // A range is on two pages, at most.
        assert!(lost <= places * 2 * ON_PAGE, "round {round}: {lost} chunks for {places} places\n{log}");
        assert!(lost == 0 || log.contains("lost") || log.contains("can't be read"), "round {round}: {log}");
        // It records.
        let (mut history, _log) = reopen(&folder);
        record(history.file.as_mut().unwrap(), recent(10));
        compaction::compact(&mut history.file.as_mut().unwrap().connection, unix_ms(), kind_of).unwrap();
    }
}

#[test]
fn damaged_log_of_writes_costs_the_newest_commits_only() {
    let original = tempfile::tempdir().unwrap();
    let mut file = history_in(original.path());
    fill(&mut file);
    file.connection.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
    let before = chunks(&file.connection);
    record(&mut file, recent(300));
    let wal = format!("{DATABASE}-wal");
    let [database, log] = [DATABASE, &wal].map(|name| fs::read(original.path().join(name)).unwrap());
    let ids = |connection: &Connection| {
        let mut ids = Vec::new();
        let visit = |row: recent_ticks::Row| {
            ids.push(row.number);
            Ok(())
        };
        recent_ticks::for_each_after(connection, 0, visit).unwrap();
        ids
    };
    let all = ids(&file.connection);
    let mut random = fastrand::Rng::with_seed(6);
    for round in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = log.clone();
        damage(&mut random, &mut bytes, 2);
        fs::write(folder.path().join(DATABASE), &database).unwrap();
        fs::write(folder.path().join(&wal), bytes).unwrap();
        let (history, _log) = reopen(&folder);
        check::check(&folder.path().join(DATABASE)).unwrap();
        assert!(chunks(&history.file.as_ref().unwrap().connection) == before, "round {round}");
        let kept = ids(&history.file.as_ref().unwrap().connection);
        assert!(all.starts_with(&kept) && kept.len() >= 30, "round {round}: {kept:?}");
    }
}

#[test]
fn second_start_finishes_what_a_killed_one_began() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = history_in(folder.path());
    fill(&mut file);
    let before = chunks(&file.connection);
    drop(file);
    fs::rename(folder.path().join(DATABASE), folder.path().join("history.db.mended")).unwrap();
    assert!(chunks(&history_in(folder.path()).connection) == before);
    // An incomplete copy is made again.
    fs::write(folder.path().join("history.db.mended"), "half").unwrap();
    File::options().write(true).open(folder.path().join(DATABASE)).unwrap().set_len(40 * PAGE as u64).unwrap();
    let (mut history, _log) = reopen(&folder);
    if let Err(error) = check::check(&folder.path().join(DATABASE)) {
        history.file.as_mut().unwrap().mend(&error).unwrap();
    }
    check::check(&folder.path().join(DATABASE)).unwrap();
}
