//! Kills a process that records, a thousand times at random, and compares what is kept with what was recorded.

use super::{data, query, tick};
use crate::{
    schema::{Identity, kind_of},
    server::{
        history::{
            HistoryOptions, compaction, file::HistoryFile, kept_ranges::Kept, recent_ticks, retention, tier::Tier,
        },
        log::TickLog,
        store::Folder,
    },
};
use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

const KILLS: usize = 1_000;
/// Names the folder to the process that records.
const FOLDER: &str = "HOSTBEAT_TEST_HISTORY";
/// Has the number of commits after which that process ends; without, it goes on.
pub(super) const LIMIT: &str = "HOSTBEAT_TEST_COMMITS";
/// The first second.
pub(super) const START: u64 = 400_000 * 3600;
pub(super) const TICKS_PER_COMMIT: u64 = 10;
/// Commits from one compaction to the next.
const COMMITS: u64 = 30;

pub(super) fn open(folder: &Path) -> HistoryFile {
    HistoryFile::open(&Folder::find(&data(folder)).unwrap()).unwrap()
}

/// The second after the last one that is kept.
pub(super) fn end(file: &HistoryFile) -> u64 {
    let last: Option<u64> =
        file.connection.query_row("SELECT max(last) FROM recent_ticks", [], |row| row.get(0)).unwrap();
    last.map_or(START, |last| last / 1000 + 1)
}

/// A process that records in `folder`.
pub(super) fn recorder(folder: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["server::history::tests::kills::recording_process", "--exact", "--nocapture"]).env(FOLDER, folder);
    command
}

/// Records until it is killed. The kept second goes to standard output after each commit.
#[test]
fn recording_process() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let mut file = open(Path::new(&folder));
    file.set_identity(&Identity::default()).unwrap();
    let (log, mut next) = (TickLog::default(), 0);
    let mut second = end(&file);
    let limit = env::var(LIMIT).map_or(u64::MAX, |limit| limit.parse().unwrap());
    for commit in 1..=limit {
        for _ in 0..TICKS_PER_COMMIT {
            log.publish(&tick(second * 1000));
            second += 1;
        }
        let newest = (second - 1) * 1000;
        recent_ticks::append(&file.connection, newest, &log.ticks_after(&mut next).events).unwrap();
        writeln!(std::io::stdout(), "kept {newest}").unwrap();
        std::io::stdout().flush().unwrap();
        if commit % COMMITS == 0 {
            compaction::compact(&mut file.connection, newest, kind_of).unwrap();
            recent_ticks::remove_unused(&file.connection, newest).unwrap();
            retention::apply(&mut file.connection, newest, &HistoryOptions::default(), &Kept::default()).unwrap();
        }
    }
}

#[test]
fn killed_recorder_keeps_every_commit_unaltered() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    for kill in 0..KILLS {
        let mut child = recorder(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            let kept = output.lines().map_while(Result::ok);
            kept.filter_map(|line| line.strip_prefix("kept ")?.parse::<u64>().ok()).last()
        });
        std::thread::sleep(Duration::from_micros(random.u64(10_000..60_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged = reader.join().unwrap();
        let mut file = open(folder.path());
        let end = end(&file);
        assert!(acknowledged.is_none_or(|acknowledged| acknowledged < end * 1000), "kill {kill}: a commit is lost");
        // All of it at last, before that what may have changed.
        let oldest = if kill + 1 == KILLS { START } else { START.max(end.saturating_sub(2 * 3600)) };
        if file.state().unwrap().is_some() {
            compaction::compact(&mut file.connection, end * 1000, kind_of).unwrap();
            assert_kept(&file, oldest, end);
        }
    }
}

/// Compares each second with what was recorded.
pub(super) fn assert_kept(file: &HistoryFile, from: u64, end: u64) {
    for start in (from..end).step_by(3600) {
        let last = end.min(start + 3600) - 1;
        let (steps, values) = query(&file.connection, "cpu.total_percent", start * 1000, last * 1000, 10_000);
        assert_eq!((steps.tier, steps.start, steps.step_ms), (Tier::Second, start * 1000, 1000));
        let values = values.unwrap().mean;
        for second in start..=last {
            let expected = (second % 3600) as f64 / 100.0;
            assert_eq!(values[(second - start) as usize].to_bits(), expected.to_bits(), "second {second}");
        }
    }
}
