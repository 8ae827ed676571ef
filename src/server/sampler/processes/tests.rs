//! Tests of processes on recorded hosts.

use super::{MAX_ROWS, directory::UserDirectory, reader::ProcessReader, users::UserNames};
use crate::{
    schema::{Process, Processes},
    server::sampler::{clock::ManualClock, linux::tests::RecordedHost},
};

/// A process of a recorded host.
struct FakeProcess {
    pid: u32,
    name: &'static str,
    ticks: u64,
    started: u64,
    rss: u64,
}

const IDLE: FakeProcess = FakeProcess { pid: 1, name: "init", ticks: 50, started: 10, rss: 100 };

fn host(processes: &[FakeProcess]) -> RecordedHost {
    let pids: Vec<String> = processes.iter().map(|process| process.pid.to_string()).collect();
    let names: Vec<&str> = ["self", "stat"].into_iter().chain(pids.iter().map(String::as_str)).collect();
    let host = RecordedHost::default()
        .with_folder("/proc", &names)
        .with("/proc/stat", "cpu 1 2 3\nbtime 1000000\n")
        .with("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nbroken\nwww-data:x:33:33::/:\n");
    processes.iter().fold(host, |host, FakeProcess { pid, name, ticks, started, rss }| {
        let stat = format!("{pid} ({name}) S 1 1 1 0 -1 4 0 0 0 0 {ticks} 0 0 0 20 0 3 0 {started} 9 {rss} 18446\n");
        host.with_owned(format!("/proc/{pid}/stat"), stat)
    })
}

fn reader() -> ProcessReader<RecordedHost> {
    let mut reader = ProcessReader::new(RecordedHost::default(), UserNames::default(), true);
    (reader.ticks_per_second, reader.page_size) = (100, 4096);
    reader
}

/// The sample of host `now`, two seconds after host `before`.
fn sample(before: RecordedHost, now: RecordedHost) -> Processes {
    let (mut reader, clock) = (reader(), ManualClock::at(1_000.0));
    reader.source = before;
    assert_eq!(reader.sample(&clock), None);
    clock.advance(2.0);
    reader.source = now;
    let sample = reader.sample(&clock).unwrap();
    assert_eq!(sample.dt, 2.0);
    sample.values
}

#[test]
fn process_reports_every_field() {
    let burner = |ticks| FakeProcess { pid: 77, name: "a) S 9 (b", ticks, started: 500, rss: 3 };
    let io = |read: u64| format!("rchar: 9\nread_bytes: {read}\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
    let with = |host: RecordedHost, read: u64| {
        host.with_owned("/proc/77/io".to_owned(), io(read))
            .with("/proc/77/status", "Name:\tx\nUid:\t0\t33\t0\t0\n")
            .with("/proc/77/cgroup", "1:name=systemd:/system.slice/burner.service\n0::/\n")
            .with("/proc/77/cmdline", "burn\0--password\0hunter2\0")
    };
    let (mut reader, clock) = (reader(), ManualClock::at(1_000.0));
    for (ticks, read) in [(100, 0), (200, 1000), (500, 5000)] {
        reader.source = with(host(&[IDLE, burner(ticks)]), read);
        let sample = reader.sample(&clock);
        clock.advance(2.0);
        if read < 5000 {
            continue;
        }
        let Processes { total, top } = sample.unwrap().values;
        assert_eq!(total, 2);
        let burner = Process {
            pid: 77,
            name: "a) S 9 (b".to_owned(),
            user: Some("www-data".to_owned()),
            cpu_percent: Some(150.0),
            rss_bytes: 3 * 4096,
            read_bytes_per_second: Some(2000.0),
            write_bytes_per_second: Some(0.0),
            threads: 3,
            start_time_seconds: Some(1_000_005),
            cgroup: Some("/system.slice/burner.service".to_owned()),
            command: Some("burn --password hunter2".to_owned()),
        };
        assert_eq!(top[0], burner);
        assert_eq!(
            (top[1].user.as_ref(), top[1].read_bytes_per_second, top[1].cpu_percent),
            (None, None, Some(0.0)),
            "not permitted"
        );
    }
}

#[test]
fn process_unreadable_before_has_unknown_cpu() {
    let old = FakeProcess { pid: 9, name: "old", ticks: 1_000_000, started: 3, rss: 7 };
    let top = sample(host(&[IDLE]), host(&[IDLE, old])).top;
    assert_eq!((top[0].pid, top[0].cpu_percent), (1, Some(0.0)));
    assert_eq!((top[1].pid, top[1].cpu_percent), (9, None));
}

#[test]
fn reused_pid_counts_cpu_since_its_start() {
    let now = FakeProcess { ticks: 30, started: 9000, ..IDLE };
    assert_eq!(sample(host(&[IDLE]), host(&[now])).top[0].cpu_percent, Some(15.0), "all CPU time since its start");
    let fallen = FakeProcess { ticks: 30, ..IDLE };
    assert_eq!(sample(host(&[IDLE]), host(&[fallen])).top[0].cpu_percent, None);
}

#[test]
fn busiest_processes_precede_largest() {
    let process = |pid: u32, busy: u64| FakeProcess {
        pid,
        name: "x",
        ticks: if pid <= 30 { 100 + busy * u64::from(pid) } else { 5 },
        started: 1,
        rss: u64::from(pid),
    };
    let all = |busy| host(&(1..=200).map(|pid| process(pid, busy)).collect::<Vec<_>>());
    let Processes { total, top } = sample(all(0), all(1));
    assert_eq!((total, top.len()), (200, 2 * MAX_ROWS));
    let pids: Vec<u32> = top.iter().map(|process| process.pid).collect();
    let expected: Vec<u32> = (11..=30).rev().chain((181..=200).rev()).collect();
    assert_eq!(pids, expected);
}

#[test]
fn reading_after_long_pause_starts_new_baseline() {
    let (mut reader, clock) = (reader(), ManualClock::at(1_000.0));
    reader.source = host(&[IDLE]);
    assert_eq!(reader.sample(&clock), None);
    clock.advance(60.0);
    assert_eq!(reader.sample(&clock), None);
    clock.advance(2.0);
    assert!(reader.sample(&clock).is_some());
}

#[test]
fn start_follows_a_clock_that_is_set() {
    let (mut reader, clock) = (reader(), ManualClock::at(1_000.0));
    let mut started = Vec::new();
    for boot in [1_000_000, 1_000_000, 9_000_000] {
        reader.source = host(&[IDLE]).with_owned("/proc/stat".to_owned(), format!("btime {boot}\n"));
        started.extend(reader.sample(&clock).map(|sample| sample.values.top[0].start_time_seconds));
        clock.advance(2.0);
    }
    assert_eq!(started, [Some(1_000_000), Some(9_000_000)]);
}

#[test]
fn user_outside_passwd_is_looked_up() {
    let directory = UserDirectory::start(|id| (id == 61_234).then(|| "alice".to_owned()));
    let (mut users, mut text) = (UserNames::with_directory(directory), String::new());
    let mut name = |id| loop {
        let mut source = host(&[]);
        if let Some(name) = users.name(id, &mut source, &mut text) {
            break name;
        }
        std::thread::yield_now();
    };
    assert_eq!([33, 61_234, 7].map(&mut name), ["www-data", "alice", "7"]);
}

#[test]
fn hidden_processes_are_skipped() {
    // As with hidepid=1: the folders exist, and their files are unreadable.
    let host = || host(&[IDLE]).with_folder("/proc", &["1", "2", "3"]);
    let Processes { total, top } = sample(host(), host());
    assert_eq!((total, top.len()), (1, 1));
}
