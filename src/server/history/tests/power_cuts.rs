//! Cuts the power of a recording process at random: of its traced writes, those that were not yet on the disk are kept, lost
//! or torn at will.

use super::{
    super::check,
    kills::{LIMIT, START, TICKS_PER_COMMIT, assert_kept, end, open, recorder},
};
use crate::{
    schema::kind_of,
    server::history::{compaction, file::DATABASE},
};
use std::{collections::BTreeMap, fs, iter, path::Path, process::Command};

const CUTS: usize = 400;
/// Commits that the process makes.
const COMMITS: u64 = 300;
/// What a disk writes at once.
const SECTOR: usize = 512;

/// A system call of the process.
enum Call {
    Write {
        file: String,
        at: usize,
        data: Vec<u8>,
    },
    Truncate {
        file: String,
        len: usize,
    },
    Sync {
        file: String,
    },
    Remove {
        file: String,
    },
    /// It reported that it has kept what is before that time, unix ms.
    Kept(u64),
}

/// A file as the disk has it, and what was written since it was last synced.
#[derive(Default)]
struct CachedFile {
    disk: Vec<u8>,
    cache: Vec<(usize, Change)>,
}

#[derive(Clone)]
enum Change {
    Data(Vec<u8>),
    Length,
}

fn apply(disk: &mut Vec<u8>, at: usize, change: &Change) {
    match change {
        Change::Data(data) => {
            disk.resize(disk.len().max(at + data.len()), 0);
            disk[at..at + data.len()].copy_from_slice(data);
        }
        Change::Length => disk.resize(at, 0),
    }
}

impl CachedFile {
    fn sync(&mut self) {
        for (at, change) in self.cache.drain(..) {
            apply(&mut self.disk, at, &change);
        }
    }

    /// What is there after a power cut.
    fn after_cut(&self, random: &mut fastrand::Rng) -> Vec<u8> {
        let mut disk = self.disk.clone();
        // None of it, all of it but the last, or any part.
        let (kept, is_torn) = (random.f64() * 1.4 - 0.2, random.bool());
        for (at, change) in &self.cache {
            match change {
                Change::Data(data) if is_torn => {
                    for (index, sector) in data.chunks(SECTOR).enumerate().filter(|_| random.f64() < kept) {
                        apply(&mut disk, at + index * SECTOR, &Change::Data(sector.to_vec()));
                    }
                }
                _ if random.f64() < kept => apply(&mut disk, *at, change),
                _ => {}
            }
        }
        disk
    }
}

/// The file's name and the rest of the arguments of a call on a file descriptor, such as `5<\x2f\x61>, "\x00", 1, 0`.
fn on_file(call: &str) -> Option<(String, &str)> {
    let (path, arguments) = call.split_once('<')?.1.split_once('>')?;
    Some((file_name(path)?, arguments.trim_start_matches(", ")))
}

fn file_name(path: &str) -> Option<String> {
    Some(Path::new(&String::from_utf8(unescape(path)?).ok()?).file_name()?.to_str()?.to_owned())
}

/// `"\x68\x69"…` as bytes, and what follows.
fn bytes(text: &str) -> Option<(Vec<u8>, &str)> {
    let (escaped, rest) = text.strip_prefix('"')?.split_once('"')?;
    Some((unescape(escaped)?, rest))
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    text.split("\\x").skip(1).map(|byte| u8::from_str_radix(byte, 16).ok()).collect()
}

fn parse(line: &str) -> Option<Call> {
    // `<process> <call>(<arguments>) = <result>`
    let (call, result) = line.split_once(' ')?.1.trim_start().rsplit_once(" = ")?;
    let (name, arguments) = call.trim_end().strip_suffix(')')?.split_once('(')?;
    match name {
        "pwrite64" => {
            let (file, arguments) = on_file(arguments)?;
            let (mut data, rest) = bytes(arguments)?;
            data.truncate(result.parse().ok()?);
            Some(Call::Write { file, at: rest.rsplit(", ").next()?.parse().ok()?, data })
        }
        "write" => {
            let text = String::from_utf8(bytes(arguments.split_once(", ")?.1)?.0).ok()?;
            text.trim().strip_prefix("kept ")?.parse().ok().map(Call::Kept)
        }
        "ftruncate" => on_file(arguments).and_then(|(file, len)| Some(Call::Truncate { file, len: len.parse().ok()? })),
        "fsync" | "fdatasync" => on_file(arguments).map(|(file, _)| Call::Sync { file }),
        "unlink" => file_name(arguments.trim_matches('"')).map(|file| Call::Remove { file }),
        _ => None,
    }
}

/// The calls of a process that records.
fn traced() -> Vec<Call> {
    let (folder, trace) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let recorder = recorder(folder.path());
    let output = Command::new("strace")
        .args(["-f", "-y", "-xx", "-s", "1000000", "-e", "trace=write,pwrite64,ftruncate,fsync,fdatasync,unlink", "-o"])
        .arg(trace.path())
        .arg(recorder.get_program())
        .args(recorder.get_args())
        .envs(recorder.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env(LIMIT, COMMITS.to_string())
        .output()
        .expect("strace is installed; `make test` installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(trace.path()).unwrap().lines().filter_map(parse).collect()
}

#[test]
fn power_cut_loses_two_commits_at_most_and_alters_nothing() {
    let calls = traced();
    let mut random = fastrand::Rng::with_seed(9);
    let mut cuts: Vec<_> = iter::repeat_with(|| random.usize(..calls.len())).take(CUTS).collect();
    cuts.sort_unstable();
    let mut cuts = cuts.into_iter().peekable();
    let mut files: BTreeMap<String, CachedFile> = BTreeMap::new();
    let mut acknowledged = None;
    for (index, call) in calls.iter().enumerate() {
        while cuts.next_if_eq(&index).is_some() {
            let folder = tempfile::tempdir().unwrap();
            for (name, file) in &files {
                fs::write(folder.path().join(name), file.after_cut(&mut random)).unwrap();
            }
            assert_recovered(folder.path(), index, acknowledged);
        }
        match call {
            Call::Write { file, at, data } => {
                files.entry(file.clone()).or_default().cache.push((*at, Change::Data(data.clone())));
            }
            Call::Truncate { file, len } => files.entry(file.clone()).or_default().cache.push((*len, Change::Length)),
            Call::Sync { file } => files.entry(file.clone()).or_default().sync(),
            Call::Remove { file } => drop(files.remove(file)),
            Call::Kept(newest) => acknowledged = Some(*newest),
        }
    }
    assert_eq!(acknowledged, Some((START + COMMITS * TICKS_PER_COMMIT - 1) * 1000), "the trace is complete");
}

fn assert_recovered(folder: &Path, cut: usize, acknowledged: Option<u64>) {
    let mut file = open(folder);
    let end = end(&file);
    let lost = acknowledged.map_or(0, |newest| (newest / 1000 + 1).saturating_sub(end));
    assert!(lost <= 2 * TICKS_PER_COMMIT, "cut {cut}: {lost} s are lost");
    check::check(&folder.join(DATABASE)).unwrap();
    if file.state().unwrap().is_some() && end > START {
        compaction::compact(&mut file.connection, end * 1000, kind_of).unwrap();
        assert_kept(&file, START, end);
    }
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!names.into_iter().any(|name| name.contains("damaged")), "cut {cut}: the file is damaged");
}
