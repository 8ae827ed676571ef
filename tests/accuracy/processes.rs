//! Compares the streamed CPU time and memory of known processes with their files in `/proc`.

use crate::{
    ChildGuard, lock, now, number,
    support::{TestServer, json, wait_until},
};
use serde_json::Value;
use std::{fs, sync::mpsc, thread, time::Duration};

/// Error of a process: percentage points of one core, and percent of its resident memory.
const MAX_ERROR: f64 = 5.0;

#[test]
fn cpu_bound_process_matches_scheduler_time() {
    let _lock = lock();
    let server = TestServer::sample_host();
    let mut stream = server.open_stream("?events=processes&window=0", &[]);
    let load = ChildGuard::stress(&["--cpu", "1", "--cpu-load", "60"]);
    let mut worker: u32 = 0;
    wait_until("the worker runs", || {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", load.0.id())).unwrap_or_default();
        worker = children.trim().parse().unwrap_or_default();
        fs::read_to_string(format!("/proc/{worker}/comm")).is_ok_and(|name| name.starts_with("stress-ng-cpu"))
    });
    // Nanoseconds of CPU time.
    let cpu_time = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
        stat.split(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let (mut observations, mut checked) = (Vec::new(), 0);
    let deadline = now() + 30.0;
    let (sender, events) = mpsc::channel();
    thread::spawn(move || while sender.send(json(&stream.next_with_id())).is_ok() {});
    while checked < 5 {
        assert!(now() < deadline, "only {checked} samples contain the worker");
        observations.push((now(), cpu_time(worker)));
        let Ok(data) = events.recv_timeout(Duration::from_millis(50)) else { continue };
        let found = data["top"].as_array().unwrap().iter().find(|process| process["pid"] == worker);
        let at = |moment: f64| {
            let later = observations.partition_point(|(at, _)| *at < moment);
            let (before, after) = (observations.get(later.checked_sub(1)?)?, observations.get(later)?);
            Some(before.1 + (after.1 - before.1) * (moment - before.0) / (after.0 - before.0))
        };
        let (end, dt) = (number(&data["at"]), number(&data["dt"]));
        let (Some(found), Some(from), Some(to)) = (found, at(end - dt), at(end)) else { continue };
        let expected = (to - from) / 1e7 / dt;
        let streamed = number(&found["cpu_percent"]);
        assert!((streamed - expected).abs() < MAX_ERROR, "{streamed} % of a core, and {expected} % in schedstat");
        assert!(found["name"].as_str().unwrap().starts_with("stress-ng-"));
        checked += 1;
    }
}

#[test]
fn memory_bound_process_matches_its_resident_memory() {
    let _lock = lock();
    let server = TestServer::sample_host();
    let mut stream = server.open_stream("?events=processes&window=0", &[]);
    let _load = ChildGuard::stress(&["--vm", "1", "--vm-bytes", "300M", "--vm-keep", "--vm-method", "zero-one"]);
    let found = (0..10).find_map(|_| {
        let data = json(&stream.next_with_id());
        let is_worker = |process: &&Value| process["name"].as_str().unwrap().starts_with("stress-ng-vm");
        let largest = |process: &&Value| process["rss_bytes"].as_u64();
        let found = data["top"].as_array().unwrap().iter().filter(is_worker).max_by_key(largest)?;
        (number(&found["rss_bytes"]) > 300e6).then(|| found.clone())
    });
    let found = found.expect("the worker is among the largest processes");
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", found["pid"])).unwrap();
    let rss = rollup.lines().find_map(|line| line.strip_prefix("Rss:")?.split_whitespace().next()).unwrap();
    let (streamed, expected) = (number(&found["rss_bytes"]), rss.parse::<f64>().unwrap() * 1024.0);
    assert!((streamed / expected - 1.0).abs() * 100.0 < MAX_ERROR, "{streamed} bytes, and {expected} in smaps_rollup");
}
