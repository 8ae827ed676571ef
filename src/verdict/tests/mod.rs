//! Rule tests: each plays a recorded situation second by second and checks level, sentence and start.

mod scenario;

use super::*;
use crate::schema::{Connections, Finding, Level, Process};
use proptest::prelude::*;
use scenario::{GIB, IDLE, START_S, Second, idle_then};

fn processes() -> Processes {
    let process = |name: &str, cpu, rss, write_bytes| Process {
        name: name.to_owned(),
        cpu_percent: Some(cpu),
        rss_bytes: rss,
        write_bytes_per_second: Some(write_bytes),
        ..Process::default()
    };
    Processes { total: 200, top: vec![process("ffmpeg", 380.0, GIB, 10.0), process("postgres", 20.0, 9 * GIB, 5e6)] }
}

/// The first, most severe finding after ten idle minutes and `seconds` of `scenario`.
fn worst_after(seconds: u64, scenario: impl Fn(u64) -> Second) -> (Level, String, Option<u64>) {
    let verdict = assess(&idle_then(seconds, scenario), Some(&processes()));
    let none = Finding { level: Level::Fine, ..Finding::default() };
    let first = verdict.findings.first().cloned().unwrap_or(none);
    assert_eq!(verdict.level, first.level);
    (first.level, first.text, first.since)
}

#[test]
fn idle_host_has_no_findings() {
    let healthy = Verdict { level: Level::Fine, findings: Vec::new() };
    assert_eq!(assess(&idle_then(600, |_| IDLE), None), healthy);
}

/// Level and first text on `window`, whose host has no other findings.
fn only_finding(window: &Window) -> (Level, String) {
    let verdict = assess(window, None);
    assert!(verdict.findings.len() <= 1, "{verdict:?}");
    (verdict.level, verdict.findings.first().map_or_else(String::new, |finding| finding.text.clone()))
}

#[test]
fn first_minute_is_unknown_until_it_has_samples() {
    let mut window = Window::new(3600);
    assert_eq!(only_finding(&window), (Level::Unknown, "No samples yet.".to_owned()));
    for second in 1..=60 {
        IDLE.record(&mut window, (START_S + second) * 1000);
        let expected = match second {
            ..54 => (Level::Unknown, format!("Not enough samples: {second} of the last 60 seconds.")),
            _ => (Level::Fine, String::new()),
        };
        assert_eq!(only_finding(&window), expected);
    }
}

#[test]
fn swap_storm_with_half_the_ticks_missing_is_unknown() {
    let storm = Second { swap_in: 4e6, used: 15 * GIB, ..IDLE };
    let mut window = idle_then(0, |_| IDLE);
    for second in (0..120).step_by(2) {
        storm.record(&mut window, (START_S + second) * 1000);
        let is_unknown = only_finding(&window).0 == Level::Unknown;
        assert_eq!(is_unknown, second >= 14, "after {second} s");
    }
    assert_eq!(only_finding(&window).1, "Not enough samples: 30 of the last 60 seconds.");
}

#[test]
fn problem_outweighs_missing_samples() {
    let mut window = Window::new(3600);
    Second { full: 99.0, ..IDLE }.record(&mut window, START_S * 1000);
    let levels: Vec<_> = assess(&window, None).findings.iter().map(|finding| finding.level).collect();
    assert_eq!(levels, [Level::Trouble, Level::Unknown]);
}

#[test]
fn host_without_cpu_or_memory_values_is_unknown() {
    let mut window = Window::new(3600);
    for second in 0..120 {
        let viewers = Connections { viewers: Some(1), ..Connections::default() };
        window.record((START_S + second) * 1000, &viewers);
    }
    assert_eq!(only_finding(&window), (Level::Unknown, "CPU and memory can't be read.".to_owned()));
}

#[test]
fn cpu_use_is_busy_and_with_waiting_tasks_trouble() {
    let loaded = Second { cpu: 99.0, waiting_cpu: 80.0, load: 12.0, ..IDLE };
    let (level, text, since) = worst_after(90, |_| loaded.clone());
    assert_eq!((level, since), (Level::Busy, Some(START_S)));
    assert_eq!(text, "CPU busy 99 %; ffmpeg uses 3.8 of 4 cores.");
    let (level, text, since) = worst_after(400, |_| loaded.clone());
    assert_eq!((level, since), (Level::Trouble, Some(START_S)));
    assert_eq!(text, "CPU saturated: tasks wait 80 % of the time; ffmpeg uses 3.8 of 4 cores.");
}

#[test]
fn finding_ends_with_its_condition() {
    let loaded = Second { cpu: 99.0, busy: 97.0, waiting_cpu: 80.0, ..IDLE };
    let level = |quiet: u64| worst_after(400, |second| if second < 400 - quiet { loaded.clone() } else { IDLE }).0;
    assert_eq!((level(0), level(10)), (Level::Trouble, Level::Fine));
}

#[test]
fn largest_service_is_named_without_processes() {
    let window = idle_then(90, |_| Second { cpu: 99.0, service: 390.0, ..IDLE });
    assert_eq!(assess(&window, None).findings[0].text, "CPU busy 99 %; web.service uses 3.9 of 4 cores.");
    let window = idle_then(90, |_| Second { cpu: 99.0, ..IDLE });
    assert_eq!(assess(&window, None).findings[0].text, "CPU busy 99 %.", "a service that uses little is not named");
}

#[test]
fn swap_in_stalls_and_low_memory_are_memory_findings() {
    let (level, text, since) = worst_after(120, |_| Second { swap_in: 4e6, used: 15 * GIB, ..IDLE });
    assert_eq!((level, since), (Level::Trouble, Some(START_S)));
    assert_eq!(text, "Memory short: swapping in 4.0 MB/s; postgres holds 9.0 GiB.");
    let (level, text, _) = worst_after(120, |_| Second { waiting_memory: 30.0, ..IDLE });
    assert_eq!((level, text.contains("all tasks stall 30 % of the time")), (Level::Trouble, true), "{text}");
    let (level, text, _) = worst_after(30, |_| Second { used: 16 * GIB - GIB / 2, ..IDLE });
    assert_eq!((level, text.starts_with("Only 3 % of memory available")), (Level::Watch, true), "{text}");
}

#[test]
fn oom_kill_is_reported_for_ten_minutes() {
    let kill = |at: u64| move |second| Second { oom_kills: if second == at { 1.0 } else { 0.0 }, ..IDLE };
    assert_eq!(worst_after(500, kill(5)).2, Some(START_S + 5));
    assert_eq!(worst_after(500, kill(5)).0, Level::Trouble);
    assert_eq!(worst_after(700, kill(5)).0, Level::Fine);
}

#[test]
fn steady_memory_growth_is_reported_as_leak() {
    // 10 MiB/s fills the memory in a quarter of an hour.
    let leak = |second: u64| Second { used: 5 * GIB + second * (10 << 20), ..IDLE };
    let (level, text, _) = worst_after(650, leak);
    assert_eq!(level, Level::Watch);
    assert_eq!(text, "Memory use grows by 600.0 MiB/min, full in 8 min; postgres holds 9.0 GiB.");
    // Garbage collection: use rises and falls.
    let sawtooth = |second: u64| Second { used: 5 * GIB + second % 120 * (40 << 20), ..IDLE };
    assert_eq!(worst_after(650, sawtooth).0, Level::Fine);
}

#[test]
fn full_and_stuck_filesystems_are_named() {
    let (level, text, _) = worst_after(20, |_| Second { full: 99.0, ..IDLE });
    assert_eq!((level, &*text), (Level::Trouble, "Filesystem /srv is 99 % full."));
    let (level, text, _) = worst_after(20, |_| Second { full: 91.0, ..IDLE });
    assert_eq!((level, &*text), (Level::Watch, "Filesystem /srv is 91 % full."));
    let (level, text, _) = worst_after(20, |_| Second { inodes_used: 990_000, ..IDLE });
    assert_eq!((level, &*text), (Level::Trouble, "Filesystem /srv: 99 % of inodes used."));
    let (level, text, since) = worst_after(60, |second| Second { age: second, ..IDLE });
    assert_eq!((level, &*text, since), (Level::Trouble, "Filesystem /srv is not responding.", Some(START_S)));
}

#[test]
fn full_filesystem_that_is_read_only_is_fine() {
    let read_only = Second { full: 100.0, inodes_used: 1_000_000, read_only: 1, ..IDLE };
    assert_eq!(worst_after(20, |_| read_only.clone()).0, Level::Fine);
}

#[test]
fn disk_use_is_busy_and_with_long_requests_trouble() {
    let copy = Second { busy: 97.0, writes: 900.0, queue: 12.0, waiting_io: 70.0, ..IDLE };
    let (level, text, since) = worst_after(400, |_| copy.clone());
    assert_eq!((level, since), (Level::Busy, Some(START_S)));
    assert_eq!(text, "Disk nvme0n1 busy 97 %; postgres writes 5.0 MB/s.");
    let dying = Second { writes: 19.0, queue: 8.0, ..copy };
    let (level, text, _) = worst_after(400, |_| dying.clone());
    assert_eq!((level, &*text), (Level::Trouble, "Disk nvme0n1 slow: 400 ms per request; postgres writes 5.0 MB/s."));
}

#[test]
fn syn_flood_listen_overflow_and_connection_rise_are_distinguished() {
    let (level, text, since) = worst_after(30, |_| Second { syn_recv: 900, ..IDLE });
    assert_eq!(
        (level, &*text, since),
        (Level::Trouble, "Possible SYN flood: 900 half-open connections.", Some(START_S))
    );
    let (level, text, _) = worst_after(60, |_| Second { overflows: 12.0, ..IDLE });
    assert_eq!((level, text.contains("overflows 12 /s")), (Level::Trouble, true), "{text}");
    let (level, text, _) = worst_after(30, |_| Second { in_use: 9000, ..IDLE });
    assert_eq!((level, text.starts_with("TCP connections up to 9000")), (Level::Watch, true), "{text}");
}

#[test]
fn steal_and_throttling_are_distinguished() {
    let (level, text, since) = worst_after(90, |_| Second { steal: 25.0, cpu: 40.0, ..IDLE });
    assert_eq!((level, since, text.starts_with("CPU steal 25 %")), (Level::Trouble, Some(START_S), true), "{text}");
    let (level, text, _) = worst_after(90, |_| Second { throttled: 60.0, ..IDLE });
    assert_eq!(level, Level::Trouble);
    assert_eq!(text, "This container is throttled 60 % of the time by its CPU limit.");
}

#[test]
fn hot_sensor_and_packet_errors_are_named() {
    let (level, text, _) = worst_after(30, |_| Second { celsius: 97.0, ..IDLE });
    assert_eq!((level, &*text), (Level::Trouble, "Sensor coretemp Core 0 at 97 °C; its critical limit is 95 °C."));
    let (level, text, _) = worst_after(90, |_| Second { errors: 3.0, ..IDLE });
    assert_eq!((level, &*text), (Level::Watch, "Network interface eth0: 3 packet errors per second."));
}

#[test]
fn findings_are_sorted_by_severity() {
    let both = idle_then(90, |_| Second { full: 99.0, cpu: 99.0, ..IDLE });
    let levels: Vec<_> = assess(&both, None).findings.iter().map(|finding| finding.level).collect();
    assert_eq!(levels, [Level::Trouble, Level::Busy]);
}

/// Ordinary load: builds and backups of some minutes, garbage collection, a working day's connections.
fn ordinary_load() -> impl Strategy<Value = Vec<(u64, Second)>> {
    let burst = (5u64..180, 0.0..100.0f64, 0.0..100.0f64, 0.0..100.0f64, 2 * GIB..12 * GIB, 20u64..900);
    let work = burst.prop_map(|(seconds, cpu, busy, waiting, used, in_use)| {
        let second = Second {
            cpu,
            waiting_cpu: cpu * waiting / 100.0,
            load: cpu / 20.0,
            used,
            waiting_io: busy * waiting / 100.0,
            busy,
            writes: 20.0 + busy * 10.0,
            queue: busy / 5.0,
            in_use,
            ..IDLE
        };
        (seconds, second)
    });
    let idle = (60u64..240).prop_map(|seconds| (seconds, IDLE));
    prop::collection::vec((work, idle), 12..30).prop_map(|pairs| pairs.into_iter().flat_map(|(a, b)| [a, b]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn ordinary_load_is_at_most_busy(parts in ordinary_load()) {
        let mut window = Window::new(3600);
        let seconds = parts.into_iter().flat_map(|(seconds, second)| std::iter::repeat_n(second, seconds as usize));
        for (second, values) in seconds.take(3600).enumerate() {
            values.record(&mut window, (START_S + second as u64) * 1000);
            if second % 7 == 0 {
                let verdict = assess(&window, None);
                let expected = if second < 60 { Level::Unknown } else { Level::Busy };
                prop_assert!(verdict.level <= expected, "after {} s: {:?}", second, verdict);
            }
        }
    }
}
