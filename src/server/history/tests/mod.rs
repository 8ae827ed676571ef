//! The history as a whole: what is recorded is what is read, also after a kill.

mod damage;
mod kills;
#[cfg(target_os = "linux")]
mod power_cuts;

use super::{file::HistoryFile, kept_ranges::Kept, tier::Tier, *};
use crate::{
    schema::{Cpu, EventFilter, Identity, Memory, Sample, Tick, kind_of},
    server::{
        log::{Coding, Progress},
        store::DataOptions,
        unix_time::unix_ms,
    },
};
use rusqlite::Connection;
use std::{path::Path, time::Duration};
use tempfile::TempDir;

const HOUR: u64 = 3_600_000;

fn data(folder: &Path) -> DataOptions {
    DataOptions { data: Some(folder.to_owned()) }
}

/// A new history file that has an identity.
pub(super) fn file() -> (TempDir, HistoryFile) {
    let folder = tempfile::tempdir().unwrap();
    let file = HistoryFile::open(&Folder::find(&data(folder.path())).unwrap()).unwrap();
    file.set_identity(&Identity::default()).unwrap();
    (folder, file)
}

/// Second `t` of a host whose CPU is as busy as the second of the hour, in hundredths.
fn tick(t: u64) -> Tick {
    let second = t / 1000 % 3600;
    let cpu = Cpu { total_percent: Some(second as f64 / 100.0), ..Cpu::default() };
    let memory = Memory { used_bytes: Some(1 << 30 | second), ..Memory::default() };
    Tick::at(t).with(Sample { t, at: t as f64 / 1000.0, dt: 1.0, values: cpu }).with(Sample {
        t,
        at: t as f64 / 1000.0,
        dt: 1.0,
        values: memory,
    })
}

fn publish(log: &TickLog, seconds: std::ops::Range<u64>) {
    seconds.for_each(|second| log.publish(&tick(second * 1000)));
}

/// Commits what a log has, one commit for each 10 ticks.
fn record(file: &mut HistoryFile, seconds: std::ops::Range<u64>) {
    let log = TickLog::default();
    let mut next = 0;
    for second in seconds.clone() {
        log.publish(&tick(second * 1000));
        if second % 10 == 9 || second + 1 == seconds.end {
            let ticks = log.ticks_after(&mut next);
            recent_ticks::append(&file.connection, second * 1000, &ticks.events).unwrap();
        }
    }
}

fn query(connection: &Connection, path: &str, from: u64, to: u64, points: usize) -> (Steps, Option<Summaries>) {
    let steps = query::steps(connection, from, to, points, &Kept::default()).unwrap();
    (steps, query::series(connection, &crate::schema::Window::new(1), path, steps, kind_of).unwrap())
}

#[test]
fn compacted_seconds_are_read_as_sampled() {
    let (_folder, mut file) = file();
    // Over the end of an hour, with a gap.
    record(&mut file, 3500..3600);
    record(&mut file, 3610..3700);
    compaction::compact(&mut file.connection, 3_699_000, kind_of).unwrap();
    let (steps, values) = query(&file.connection, "cpu.total_percent", 3_500_000, 3_699_000, 1000);
    assert_eq!((steps.tier, steps.start, steps.step_ms, steps.count), (Tier::Second, 3_500_000, 1000, 200));
    let values = values.unwrap();
    for second in 3500..3700u64 {
        let value = values.mean[(second - 3500) as usize];
        let expected = (!(3600..3610).contains(&second)).then_some((second % 3600) as f64 / 100.0);
        assert_eq!((!value.is_nan()).then_some(value), expected, "{second}");
    }
    assert_eq!(query(&file.connection, "cpu.unknown", 0, 1000, 10).1, None);
}

#[test]
fn hours_that_are_over_have_summaries() {
    let (_folder, mut file) = file();
    record(&mut file, 7200..10_800);
    record(&mut file, 10_800..10_900);
    compaction::compact(&mut file.connection, 10_899_000, kind_of).unwrap();
    let (steps, values) = query(&file.connection, "cpu.total_percent", 2 * HOUR, 3 * HOUR - 1, 60);
    assert_eq!((steps.tier, steps.step_ms, steps.count), (Tier::Minute, 60_000, 60));
    let values = values.unwrap();
    assert_eq!((values.min[1], values.mean[1], values.max[1], values.count[1]), (0.6, 0.895, 1.19, 60.0));
    let (steps, values) = query(&file.connection, "memory.used_bytes", 0, 10 * HOUR, 10);
    assert_eq!((steps.tier, steps.step_ms), (Tier::Hour, 2 * HOUR));
    let values = values.unwrap();
    assert_eq!((values.min[1], values.max[1]), (f64::from(1 << 30), f64::from((1 << 30) + 3599)));
    // Of the third hour a hundred seconds are known, which are not yet summarised.
    assert_eq!(values.count[1], 3700.0);
}

#[test]
fn compacting_twice_changes_nothing() {
    let (_folder, mut file) = file();
    record(&mut file, 100..200);
    compaction::compact(&mut file.connection, 199_000, kind_of).unwrap();
    let before = query(&file.connection, "cpu.total_percent", 0, 300_000, 1000);
    file.connection.execute("UPDATE state SET compacted_row = 0", []).unwrap();
    compaction::compact(&mut file.connection, 199_000, kind_of).unwrap();
    let after = query(&file.connection, "cpu.total_percent", 0, 300_000, 1000);
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
}

#[test]
fn damaged_chunk_costs_that_chunk_only() {
    let (_folder, mut file) = file();
    record(&mut file, 3500..3700);
    compaction::compact(&mut file.connection, 3_699_000, kind_of).unwrap();
    let damage = "UPDATE seconds SET data = zeroblob(30) WHERE key < 2 * (1 << 31)";
    assert!(file.connection.execute(damage, []).unwrap() > 0);
    let (_, values) = query(&file.connection, "cpu.total_percent", 3_500_000, 3_699_000, 1000);
    let values = values.unwrap();
    assert!(values.mean[..100].iter().all(|value| value.is_nan()));
    assert!(values.mean[100..].iter().all(|value| !value.is_nan()));
}

#[test]
fn seconds_no_longer_kept_are_answered_by_minutes() {
    let steps = |from, to, points, oldest| Steps::of(from, to, points, oldest);
    let (day, now) = (24 * HOUR, 400 * 24 * HOUR);
    let oldest = [now - 30 * day, now - 365 * day, 0];
    assert_eq!(steps(now - HOUR, now, 4000, oldest).tier, Tier::Second);
    assert_eq!(steps(now - 40 * day, now - 40 * day + HOUR, 4000, oldest).tier, Tier::Minute);
    assert_eq!(steps(now - 380 * day, now, 100_000, oldest).tier, Tier::Hour);
    assert_eq!(steps(now - 30 * day, now, 1000, oldest).tier, Tier::Minute);
    // An empty history.
    assert_eq!(steps(0, 1000, 10, [u64::MAX; 3]).tier, Tier::Second);
}

#[test]
fn second_server_of_a_named_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = || OpenHistory::open(&HistoryOptions::default(), &data(folder.path()));
    let first = open().unwrap();
    assert!(first.is_some() && open().unwrap_err().is_bad_input());
    let off = HistoryOptions { keep: HistoryTime::Off, ..HistoryOptions::default() };
    assert!(OpenHistory::open(&off, &data(folder.path())).unwrap().is_none());
}

#[test]
fn file_that_is_no_database_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("history.db"), "no database at all, but long enough to be one".repeat(100))
        .unwrap();
    let history = OpenHistory::open(&HistoryOptions::default(), &data(folder.path())).unwrap();
    assert!(history.is_some());
    let names =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().any(|name| name.starts_with("history.db.damaged-")));
}

/// Ticks up to now, so that a restart takes them for the present.
fn recent(seconds: u64) -> std::ops::Range<u64> {
    let now = unix_ms() / 1000;
    now - seconds..now
}

fn reopen(folder: &TempDir) -> (OpenHistory, TickLog) {
    let history = OpenHistory::open(&HistoryOptions::default(), &data(folder.path())).unwrap().unwrap();
    history.restore(Some("host".to_owned()), None).unwrap()
}

#[test]
fn restart_has_the_window_the_newest_ticks_and_the_ids() {
    let folder = tempfile::tempdir().unwrap();
    let (history, log) = reopen(&folder);
    let log = Arc::new(log);
    let (recorder, _reader) = history.record(&log).unwrap();
    publish(&log, recent(600));
    drop(recorder);
    let (_history, restored) = reopen(&folder);
    assert_eq!(restored.identity(), log.identity());
    assert_eq!(restored.snapshot(3600), log.snapshot(3600));
    let (_, last) = log.snapshot(1);
    let replayed = |log: &TickLog| {
        let first = EventFilter::All;
        let id = crate::schema::EventId { ms: last.unwrap().ms - 500_000, ..last.unwrap() };
        let (_, mut cursor) = log.open_cursor(first, Some(Ok(id)), 0);
        let mut sent = Vec::new();
        while let Progress::Events(chunk) = log.advance(&mut cursor, Coding::Identity) {
            sent.extend_from_slice(&chunk.data());
        }
        sent
    };
    assert!(replayed(&restored).len() > 10_000);
    assert_eq!(replayed(&restored), replayed(&log));
}

#[test]
fn history_of_another_host_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    drop(reopen(&folder));
    let history = OpenHistory::open(&HistoryOptions::default(), &data(folder.path())).unwrap().unwrap();
    let (_history, log) = history.restore(Some("another".to_owned()), None).unwrap();
    assert_eq!(log.identity().host_id, "another");
    let names =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().any(|name| name.starts_with("history.db.other-host-")));
}

#[tokio::test]
async fn values_that_are_not_committed_come_from_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let (history, log) = reopen(&folder);
    let log = Arc::new(log);
    let (_recorder, reader) = history.record(&log).unwrap();
    let seconds = recent(120);
    publish(&log, seconds.clone());
    assert_eq!(reader.paths().await.unwrap(), ["cpu.total_percent", "memory.used_bytes"]);
    let (from, to) = (seconds.start * 1000, seconds.end * 1000 - 1000);
    let read = reader.series(vec!["cpu.total_percent".to_owned()], from, to, 1000).await.unwrap();
    let [(_, values)] = &read.series[..] else { panic!("{read:?}") };
    let expected: Vec<_> = seconds.clone().map(|second| (second % 3600) as f64 / 100.0).collect();
    assert_eq!(values.mean, expected);
    // Steps of two minutes begin at even minutes.
    let read = reader.series(vec!["cpu.total_percent".to_owned()], from, to, 2).await.unwrap();
    assert_eq!(read.series[0].1.count.iter().sum::<f64>(), 120.0, "{read:?}");
}

#[test]
fn file_of_an_earlier_version_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let log = TickLog::of(Identity { host_id: "host".to_owned(), epoch: "1".to_owned() });
    publish(&log, recent(100));
    let (window, newest) = log.snapshot(3600);
    let hello = r#"{"schema":2,"host_id":"host","epoch":"1"}"#;
    let window = serde_json::to_string(&window).unwrap();
    let mut text = format!("event: hello\ndata: {hello}\n\nid: {}\nevent: window\ndata: {window}\n\n", newest.unwrap());
    text += std::str::from_utf8(&log.ticks_after(&mut 0).events).unwrap();
    let state_file = folder.path().join("state");
    std::fs::write(&state_file, text).unwrap();
    let options = HistoryOptions { commit: Duration::from_secs(3600), ..HistoryOptions::default() };
    let history = OpenHistory::open(&options, &data(folder.path())).unwrap().unwrap();
    let (history, restored) = history.restore(Some("host".to_owned()), Some(&state_file)).unwrap();
    assert_eq!((restored.identity(), restored.snapshot(3600)), (log.identity(), log.snapshot(3600)));
    drop(history);
    // From then on, the file is not read again.
    std::fs::write(&state_file, "damaged").unwrap();
    let (_history, again) = reopen(&folder);
    assert_eq!(again.snapshot(3600), log.snapshot(3600));
}

#[test]
fn seconds_of_a_recording_answer_its_range_and_no_other() {
    let (_folder, mut file) = file();
    record(&mut file, 3600..3610);
    record(&mut file, 400 * 3600..400 * 3600 + 10);
    compaction::compact(&mut file.connection, 400 * HOUR + 9000, kind_of).unwrap();
    let kept = Kept::of(vec![HOUR..=HOUR + 9000]);
    let tier = |from, to| query::steps(&file.connection, from, to, 4000, &kept).unwrap().tier;
    assert_eq!(tier(HOUR, HOUR + 60_000), Tier::Second);
    assert_eq!(tier(300 * HOUR, 301 * HOUR), Tier::Minute);
    assert_eq!(tier(400 * HOUR, 401 * HOUR), Tier::Second);
    // A new server has nothing but what is recorded.
    let all = Kept::of(vec![HOUR..=HOUR, 400 * HOUR..=400 * HOUR]);
    assert_eq!(query::steps(&file.connection, HOUR, 401 * HOUR, 1_500_000, &all).unwrap().tier, Tier::Second);
}
