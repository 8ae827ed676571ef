//! Situations as they are recorded on hosts, second by second.

use super::*;
use crate::schema::{
    Cgroup, Connections, Cpu, Device, Disk, Filesystem, Interface, Level, Load, Memory, Network, Pressure, Process,
    Sensor, Service, Stall, Temperature,
};
use proptest::prelude::*;

const GIB: u64 = 1 << 30;
/// Ten o'clock.
const START_S: u64 = 1_700_042_400;

/// What a host of four cores with 16 GiB does in a second.
#[derive(Clone, Debug)]
struct Second {
    cpu: f64,
    steal: f64,
    waiting_cpu: f64,
    load: f64,
    used: u64,
    swap_in: f64,
    oom_kills: f64,
    waiting_memory: f64,
    waiting_io: f64,
    busy: f64,
    writes: f64,
    queue: f64,
    full: f64,
    inodes_used: u64,
    age: u64,
    in_use: u64,
    syn_recv: u64,
    overflows: f64,
    errors: f64,
    throttled: f64,
    celsius: f64,
    /// Of the processor, by a service.
    service: f64,
}

/// A second in which little happens.
const IDLE: Second = Second {
    cpu: 4.0,
    steal: 0.0,
    waiting_cpu: 0.5,
    load: 0.2,
    used: 5 * GIB,
    swap_in: 0.0,
    oom_kills: 0.0,
    waiting_memory: 0.0,
    waiting_io: 0.2,
    busy: 2.0,
    writes: 5.0,
    queue: 0.01,
    full: 62.0,
    inodes_used: 300_000,
    age: 4,
    in_use: 180,
    syn_recv: 0,
    overflows: 0.0,
    errors: 0.0,
    throttled: 0.0,
    celsius: 48.0,
    service: 12.0,
};

impl Second {
    fn record(&self, window: &mut Window, t: u64) {
        let stall = |some: f64| Stall { some: Some(some), full: Some(some) };
        window.record(
            t,
            &Cpu { total: Some(self.cpu), steal: Some(self.steal), cores: vec![Some(self.cpu); 4], ..Cpu::default() },
        );
        window.record(
            t,
            &Memory {
                total: Some(16 * GIB),
                used: Some(self.used),
                available: Some(16 * GIB - self.used),
                swap_in: Some(self.swap_in),
                oom_kills: Some(self.oom_kills),
                ..Memory::default()
            },
        );
        window.record(t, &Load { one: Some(self.load), ..Load::default() });
        let (cpu, memory, io) = (stall(self.waiting_cpu), stall(self.waiting_memory), stall(self.waiting_io));
        window.record(t, &Pressure { cpu, memory, io });
        let mut connections = Connections::default();
        connections.tcp.in_use = Some(self.in_use);
        connections.tcp.syn_recv = Some(self.syn_recv);
        connections.tcp.listen_overflows = Some(self.overflows);
        window.record(t, &connections);
        let interface = Interface { errors: Some(self.errors), drops: Some(0.2), ..Interface::default() };
        window.record(t, &Network { interfaces: [("eth0".to_owned(), interface)].into(), ..Network::default() });
        let device = Device {
            busy: Some(self.busy),
            reads: Some(1.0),
            writes: Some(self.writes),
            queue: Some(self.queue),
            ..Device::default()
        };
        let filesystem = Filesystem {
            full: Some(self.full),
            inodes: Some(1_000_000),
            inodes_used: Some(self.inodes_used),
            age: Some(self.age as f64),
            ..Filesystem::default()
        };
        let devices = [("nvme0n1".to_owned(), device)].into();
        window.record(t, &Disk { devices, filesystems: [("/srv".to_owned(), filesystem)].into(), ..Disk::default() });
        let sensor = Sensor { celsius: Some(self.celsius), high: Some(80.0), critical: Some(95.0) };
        let sensors = [("coretemp Core 0".to_owned(), sensor)].into();
        window.record(t, &Temperature { sensors, highest: Some(self.celsius) });
        let service = Service { cpu: Some(self.service), memory: Some(GIB), ..Service::default() };
        let services = [("web.service".to_owned(), service)].into();
        window.record(t, &Cgroup { throttled: Some(self.throttled), services, ..Cgroup::default() });
    }
}

/// Ten minutes of little, and then what `of` has for each second from the first.
fn after_a_quiet_time(seconds: u64, of: impl Fn(u64) -> Second) -> Window {
    let mut window = Window::new(3600);
    for second in 0..600 {
        IDLE.record(&mut window, (START_S - 600 + second) * 1000);
    }
    for second in 0..seconds {
        of(second).record(&mut window, (START_S + second) * 1000);
    }
    window
}

fn processes() -> Processes {
    let process = |name: &str, cpu, rss, write_bytes| Process {
        name: name.to_owned(),
        cpu: Some(cpu),
        rss,
        write_bytes: Some(write_bytes),
        ..Process::default()
    };
    Processes { total: 200, top: vec![process("ffmpeg", 380.0, GIB, 10.0), process("postgres", 20.0, 9 * GIB, 5e6)] }
}

/// The worst that is found.
fn worst(window: &Window) -> (Level, String, Option<u64>) {
    let verdict = assess(window, Some(&processes()));
    let first = verdict.findings.first().cloned().unwrap_or_default();
    assert_eq!(verdict.level, first.level);
    (first.level, first.text, first.since)
}

fn worst_after(seconds: u64, of: impl Fn(u64) -> Second) -> (Level, String, Option<u64>) {
    worst(&after_a_quiet_time(seconds, of))
}

#[test]
fn a_host_that_does_little_is_all_right() {
    assert_eq!(assess(&after_a_quiet_time(600, |_| IDLE), None), Verdict::default());
    assert_eq!(assess(&Window::new(60), None), Verdict::default(), "nothing is known, so that nothing is found");
}

#[test]
fn a_processor_in_use_is_busy_and_one_that_tasks_wait_for_is_too_small() {
    let bound = Second { cpu: 99.0, waiting_cpu: 80.0, load: 12.0, ..IDLE };
    let (level, text, since) = worst_after(90, |_| bound.clone());
    assert_eq!((level, since), (Level::Busy, Some(START_S)));
    assert_eq!(text, "The processor is 99 % busy. ffmpeg takes 3.8 of 4 cores.");
    let (level, text, since) = worst_after(400, |_| bound.clone());
    assert_eq!((level, since), (Level::Trouble, Some(START_S)));
    assert_eq!(text, "Tasks have to wait for a processor 80 % of the time. ffmpeg takes 3.8 of 4 cores.");
}

#[test]
fn what_has_ended_is_told_no_more() {
    let bound = Second { cpu: 99.0, busy: 97.0, waiting_cpu: 80.0, ..IDLE };
    let level = |quiet: u64| worst_after(400, |second| if second < 400 - quiet { bound.clone() } else { IDLE }).0;
    assert_eq!((level(0), level(10)), (Level::Trouble, Level::Fine));
}

#[test]
fn without_processes_the_service_is_named() {
    let window = after_a_quiet_time(90, |_| Second { cpu: 99.0, service: 390.0, ..IDLE });
    assert_eq!(assess(&window, None).findings[0].text, "The processor is 99 % busy. web.service takes 3.9 of 4 cores.");
    let window = after_a_quiet_time(90, |_| Second { cpu: 99.0, ..IDLE });
    assert_eq!(assess(&window, None).findings[0].text, "The processor is 99 % busy.", "who takes little isn't blamed");
}

#[test]
fn a_host_that_swaps_is_short_of_memory() {
    let (level, text, since) = worst_after(120, |_| Second { swap_in: 4e6, used: 15 * GIB, ..IDLE });
    assert_eq!((level, since), (Level::Trouble, Some(START_S)));
    assert_eq!(text, "Memory is short: the host swaps in 4.0 MB/s. postgres holds 9.0 GiB.");
    let (level, text, _) = worst_after(120, |_| Second { waiting_memory: 30.0, ..IDLE });
    assert_eq!((level, text.contains("everything waits for it 30 % of the time")), (Level::Trouble, true), "{text}");
    let (level, text, _) = worst_after(30, |_| Second { used: 16 * GIB - GIB / 2, ..IDLE });
    assert_eq!((level, text.starts_with("Only 3 % of the memory")), (Level::Watch, true), "{text}");
}

#[test]
fn a_killed_process_is_told_of_for_a_while() {
    let kill = |at: u64| move |second| Second { oom_kills: if second == at { 1.0 } else { 0.0 }, ..IDLE };
    assert_eq!(worst_after(500, kill(5)).2, Some(START_S + 5));
    assert_eq!(worst_after(500, kill(5)).0, Level::Trouble);
    assert_eq!(worst_after(700, kill(5)).0, Level::Fine);
}

#[test]
fn a_leak_is_seen_before_memory_is_short() {
    // 10 MiB a second: full in a quarter of an hour.
    let leak = |second: u64| Second { used: 5 * GIB + second * (10 << 20), ..IDLE };
    let (level, text, _) = worst_after(650, leak);
    assert_eq!(level, Level::Watch);
    assert_eq!(
        text,
        "Memory fills up by 600.0 MiB a minute; at this rate it is full in 8 min. postgres holds 9.0 GiB."
    );
    // One that collects its garbage goes up and down.
    let saw = |second: u64| Second { used: 5 * GIB + second % 120 * (40 << 20), ..IDLE };
    assert_eq!(worst_after(650, saw).0, Level::Fine);
}

#[test]
fn a_filesystem_without_room_or_without_an_answer_is_named() {
    let (level, text, _) = worst_after(20, |_| Second { full: 99.0, ..IDLE });
    assert_eq!((level, &*text), (Level::Trouble, "The filesystem /srv: it is full to 99 %."));
    let (level, text, _) = worst_after(20, |_| Second { full: 91.0, ..IDLE });
    assert_eq!((level, &*text), (Level::Watch, "The filesystem /srv: it is full to 91 %."));
    let (level, text, _) = worst_after(20, |_| Second { inodes_used: 990_000, ..IDLE });
    assert_eq!((level, &*text), (Level::Trouble, "The filesystem /srv: its inodes are used up to 99 %."));
    let (level, text, since) = worst_after(60, |second| Second { age: second, ..IDLE });
    assert_eq!((level, &*text, since), (Level::Trouble, "The filesystem /srv doesn't answer.", Some(START_S)));
}

#[test]
fn a_disk_in_use_is_busy_and_one_that_takes_long_is_slow() {
    let copy = Second { busy: 97.0, writes: 900.0, queue: 12.0, waiting_io: 70.0, ..IDLE };
    let (level, text, since) = worst_after(400, |_| copy.clone());
    assert_eq!((level, since), (Level::Busy, Some(START_S)));
    assert_eq!(text, "The disk nvme0n1 is 97 % busy. postgres moves 5.0 MB/s.");
    let dying = Second { writes: 19.0, queue: 8.0, ..copy };
    let (level, text, _) = worst_after(400, |_| dying.clone());
    assert_eq!(
        (level, &*text),
        (Level::Trouble, "The disk nvme0n1 is slow: a request takes 400 ms. postgres moves 5.0 MB/s.")
    );
}

#[test]
fn a_flood_of_connections_is_told_from_a_program_that_is_slow() {
    let (level, text, since) = worst_after(30, |_| Second { syn_recv: 900, ..IDLE });
    assert_eq!((level, &*text, since), (Level::Trouble, "A flood of connections: 900 are half open.", Some(START_S)));
    let (level, text, _) = worst_after(60, |_| Second { overflows: 12.0, ..IDLE });
    assert_eq!((level, text.contains("12 /s are turned away")), (Level::Trouble, true), "{text}");
    let (level, text, _) = worst_after(30, |_| Second { in_use: 9000, ..IDLE });
    assert_eq!((level, text.starts_with("Connections have risen to 9000")), (Level::Watch, true), "{text}");
}

#[test]
fn what_others_take_of_the_processor_is_told_from_what_a_limit_keeps_away() {
    let (level, text, since) = worst_after(90, |_| Second { steal: 25.0, cpu: 40.0, ..IDLE });
    assert_eq!(
        (level, since, text.starts_with("25 % of the processor")),
        (Level::Trouble, Some(START_S), true),
        "{text}"
    );
    let (level, text, _) = worst_after(90, |_| Second { throttled: 60.0, ..IDLE });
    assert_eq!(level, Level::Trouble);
    assert_eq!(text, "This container is kept from the processor by its own limit 60 % of the time.");
}

#[test]
fn a_sensor_above_its_limit_and_an_interface_that_damages_packets_are_named() {
    let (level, text, _) = worst_after(30, |_| Second { celsius: 97.0, ..IDLE });
    assert_eq!((level, &*text), (Level::Trouble, "coretemp Core 0 is at 97 °C; it should stay below 95."));
    let (level, text, _) = worst_after(90, |_| Second { errors: 3.0, ..IDLE });
    assert_eq!((level, &*text), (Level::Watch, "The interface eth0 damages 3 packets a second."));
}

#[test]
fn the_worst_comes_first() {
    let both = after_a_quiet_time(90, |_| Second { full: 99.0, cpu: 99.0, ..IDLE });
    let levels: Vec<_> = assess(&both, None).findings.iter().map(|finding| finding.level).collect();
    assert_eq!(levels, [Level::Trouble, Level::Busy]);
}

/// Work as it comes and goes: builds and backups of minutes, garbage that is collected, connections of a working day.
fn ordinary_second() -> impl Strategy<Value = Vec<(u64, Second)>> {
    let burst = (5u64..180, 0.0..100.0f64, 0.0..100.0f64, 0.0..100.0f64, 2 * GIB..12 * GIB, 20u64..900);
    let work = burst.prop_map(|(seconds, cpu, busy, waits, used, in_use)| {
        let second = Second {
            cpu,
            waiting_cpu: cpu * waits / 100.0,
            load: cpu / 20.0,
            used,
            waiting_io: busy * waits / 100.0,
            busy,
            writes: 20.0 + busy * 10.0,
            queue: busy / 5.0,
            in_use,
            ..IDLE
        };
        (seconds, second)
    });
    let rest = (60u64..240).prop_map(|seconds| (seconds, IDLE));
    prop::collection::vec((work, rest), 12..30).prop_map(|pairs| pairs.into_iter().flat_map(|(a, b)| [a, b]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn an_hour_of_ordinary_load_is_no_reason_to_worry(parts in ordinary_second()) {
        let mut window = Window::new(3600);
        let seconds = parts.into_iter().flat_map(|(seconds, second)| std::iter::repeat_n(second, seconds as usize));
        for (second, does) in seconds.take(3600).enumerate() {
            does.record(&mut window, (START_S + second as u64) * 1000);
            if second % 7 == 0 {
                let verdict = assess(&window, None);
                prop_assert!(verdict.level <= Level::Busy, "after {} s of it: {:?}", second, verdict);
            }
        }
    }
}
