//! Serves a synthetic host with the same values in every run, for end-to-end tests: `synthetic_host NAME`. Each line on
//! standard input publishes the next tick; end of input stops the server.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a fixture that panics fails its test")]

use hostbeat::{
    schema::{
        Connections, Cpu, Device, Disk, Filesystem, Finding, HostFacts, Interface, Level, Load, Memory, Network,
        Pressure, Process, Processes, Sample, Sensor, Stall, Tcp, Temperature, Tick, Udp, Verdict,
    },
    server::{Server, Settings, log::TickLog},
};
use std::{
    env,
    io::{self, BufRead},
    sync::Arc,
    thread,
};
use tokio::sync::oneshot;

/// 2050-01-01 12:00:00 UTC, in unix seconds. Ticks in the future are never late.
const NOON: u64 = 2_524_651_200;
const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

struct SyntheticHost {
    name: &'static str,
    /// Seconds before noon.
    history: u64,
    cores: usize,
    interfaces: usize,
    disks: usize,
    sensors: usize,
    finding: Option<&'static str>,
}

impl SyntheticHost {
    fn named(name: &str) -> Self {
        let typical =
            Self { name: "web-01", history: 300, cores: 16, interfaces: 3, disks: 2, sensors: 4, finding: None };
        match name {
            "typical" => typical,
            // As long as Linux takes.
            "long-name" => Self { name: "ip-10-0-123-234.eu-central-1.compute.internal.production-k8s-wrk", ..typical },
            // A virtual machine without sensors.
            "small" => Self { cores: 2, interfaces: 2, disks: 1, sensors: 0, ..typical },
            // Just started.
            "short-history" => Self { history: 3, ..typical },
            // More history than the 900 s window.
            "long-history" => Self { history: 1200, ..Self::named("small") },
            "unhealthy" => Self { finding: Some("Disk nvme0n1 slow: 400 ms per request."), ..Self::named("small") },
            "large" => Self { cores: 128, interfaces: 40, disks: 24, sensors: 0, ..typical },
            _ => panic!(
                "unknown host {name:?}; use typical, long-name, small, short-history, long-history, unhealthy or large"
            ),
        }
    }

    fn facts(&self) -> HostFacts {
        HostFacts {
            name: self.name.to_owned(),
            os: Some("Linux (Debian GNU/Linux 12)".to_owned()),
            kernel: Some("6.1.0".to_owned()),
            cpu: Some("AMD EPYC".to_owned()),
            cores: self.cores,
            boot_time: NOON - 12 * 86_400,
        }
    }

    fn tick(&self, second: u64) -> Tick {
        let t = second * 1000;
        // A sine between 0 and 1, with a period of 2π `period` seconds.
        let wave = |period: f64, phase: usize| (1.0 + (second as f64 / period + phase as f64).sin()) / 2.0;
        let numbered = |name: &str, count: usize| (0..count).map(|n| (n, format!("{name}{n}"))).collect::<Vec<_>>();
        let busy = |core: usize| Some(100.0 * wave(7.0, core) * wave(41.0, core / 4));
        let (user, system) = (40.0 * wave(23.0, 0) + 8.0 * wave(3.0, 1), 9.0 * wave(11.0, 2) + 2.0);
        let (used, free) = (12.0 + wave(90.0, 0), 4.0 + wave(60.0, 1));
        let bytes = |gib: f64| Some((gib * GIB) as u64);
        let interface = |n: usize| Interface {
            rx_bytes_per_second: Some(9e6 * wave(13.0, n)),
            tx_bytes_per_second: Some(4e6 * wave(17.0, n)),
            rx_packets_per_second: Some(6e3 * wave(13.0, n)),
            tx_packets_per_second: Some(4e3 * wave(17.0, n)),
            errors_per_second: Some(0.0),
            drops_per_second: Some(0.0),
            lost_per_second: Some(0.0),
        };
        let device = |n: usize| Device {
            read_bytes_per_second: Some(3e6 * wave(19.0, n)),
            write_bytes_per_second: Some(3e7 * wave(29.0, n) * wave(5.0, n)),
            reads_per_second: Some(90.0 * wave(19.0, n)),
            writes_per_second: Some(400.0 * wave(29.0, n)),
            busy_percent: Some(60.0 * wave(29.0, n)),
            queue: Some(wave(29.0, n)),
        };
        let filesystem = |n: usize| Filesystem {
            size_bytes: bytes(200.0),
            used_bytes: bytes(90.0 + n as f64),
            available_bytes: bytes(110.0 - n as f64),
            full_percent: Some(45.0 + n as f64 / 2.0),
            inodes: Some(13_000_000),
            inodes_used: Some(400_000),
            read_only: Some(0),
            age_seconds: Some(0.0),
        };
        let sensor = |n: usize| Sensor {
            celsius: Some(48.0 + 9.0 * wave(50.0, n)),
            high_celsius: Some(80.0),
            critical_celsius: Some(95.0),
        };
        let process = |(n, name): (usize, &str)| Process {
            pid: 800 + 7 * n as u32,
            name: name.to_owned(),
            user: Some("www-data".to_owned()),
            cpu_percent: Some(60.0 / (n + 1) as f64),
            rss_bytes: 1_900_000_000 / (n as u64 + 1),
            read_bytes_per_second: Some(0.0),
            write_bytes_per_second: Some(1e5 / (n + 1) as f64),
            threads: 4 + n as u64,
            start_time_seconds: Some(NOON - 3600 * (n as u64 + 1)),
            cgroup: None,
            command: None,
        };
        let interfaces = numbered("eth", self.interfaces).into_iter().map(|(n, name)| (name, interface(n)));
        let devices = numbered("nvme", self.disks).into_iter().map(|(n, name)| (name, device(n)));
        let filesystems = numbered("/srv/", self.disks).into_iter().map(|(n, name)| (name, filesystem(n)));
        let sensors: Vec<_> = numbered("Core ", self.sensors).into_iter().map(|(n, name)| (name, sensor(n))).collect();
        let sum = |of: &dyn Fn(usize) -> Option<f64>, count: usize| Some((0..count).filter_map(of).sum());
        Tick::at(t)
            .with(sample(
                t,
                Cpu {
                    total_percent: Some(user + system + 0.4),
                    cores_percent: (0..self.cores).map(busy).collect(),
                    user_percent: Some(user),
                    nice_percent: Some(0.0),
                    system_percent: Some(system),
                    irq_percent: Some(0.0),
                    iowait_percent: Some(1.1),
                    steal_percent: Some(0.4),
                    context_switches_per_second: Some(12_000.0),
                    interrupts_per_second: Some(7_000.0),
                    forks_per_second: Some(3.0),
                    running: Some(4),
                    blocked: Some(0),
                    frequency_hertz: None,
                },
            ))
            .with(sample(
                t,
                Memory {
                    total_bytes: bytes(23.5),
                    used_bytes: bytes(used),
                    available_bytes: bytes(23.5 - used),
                    free_bytes: bytes(free),
                    buffers_bytes: bytes(0.2),
                    cached_bytes: bytes(6.0),
                    swap_total_bytes: bytes(0.0),
                    swap_used_bytes: bytes(0.0),
                    ..Memory::default()
                },
            ))
            .with(sample(
                t,
                Load {
                    one: Some(3.0 + 2.0 * wave(60.0, 0)),
                    five: Some(3.6),
                    fifteen: Some(3.1),
                    tasks: Some(412),
                    uptime_seconds: None,
                },
            ))
            .with(sample(
                t,
                Pressure {
                    cpu: Stall { some_percent: Some(4.0 * wave(9.0, 0)), full_percent: Some(0.0) },
                    memory: Stall { some_percent: Some(0.0), full_percent: Some(0.0) },
                    io: Stall { some_percent: Some(2.0 * wave(31.0, 1)), full_percent: Some(0.2) },
                },
            ))
            .with(sample(
                t,
                Connections {
                    viewers: Some(3),
                    tcp: Tcp {
                        established: Some((400.0 + 90.0 * wave(40.0, 0)) as u64),
                        listen: Some(9),
                        time_wait: Some((180.0 * wave(33.0, 2)) as u64),
                        ..Tcp::default()
                    },
                    udp: Udp { in_use: Some(6) },
                },
            ))
            .with(sample(
                t,
                Network {
                    rx_bytes_per_second: sum(&|n| interface(n).rx_bytes_per_second, self.interfaces),
                    tx_bytes_per_second: sum(&|n| interface(n).tx_bytes_per_second, self.interfaces),
                    interfaces: interfaces.collect(),
                },
            ))
            .with(sample(
                t,
                Disk {
                    read_bytes_per_second: sum(&|n| device(n).read_bytes_per_second, self.disks),
                    write_bytes_per_second: sum(&|n| device(n).write_bytes_per_second, self.disks),
                    devices: devices.collect(),
                    filesystems: filesystems.collect(),
                },
            ))
            .with(
                (!sensors.is_empty())
                    .then(|| Temperature {
                        highest_celsius: Some(57.0 - wave(50.0, 0)),
                        sensors: sensors.into_iter().collect(),
                    })
                    .and_then(|values| sample(t, values)),
            )
            .with(sample(
                t,
                Processes {
                    total: 214,
                    top: ["postgres", "nginx", "node", "redis-server", "hostbeat"]
                        .into_iter()
                        .enumerate()
                        .map(process)
                        .collect(),
                },
            ))
            .with(sample(
                t,
                self.finding.map_or(Verdict { level: Level::Fine, findings: Vec::new() }, |text| {
                    let finding = Finding { level: Level::Trouble, text: text.to_owned(), since: Some(NOON - 60) };
                    Verdict { level: Level::Trouble, findings: vec![finding] }
                }),
            ))
    }
}

fn sample<G>(t: u64, values: G) -> Option<Sample<G>> {
    Some(Sample { t, at: t as f64 / 1000.0, dt: 1.0, values })
}

#[tokio::main]
async fn main() {
    let host = SyntheticHost::named(&env::args().nth(1).unwrap_or_default());
    let log = Arc::new(TickLog::default());
    for second in NOON - host.history..NOON {
        log.publish(&host.tick(second));
    }
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), Arc::clone(&log), Settings::default()).await.unwrap();
    let server = server.showing(host.facts());
    println!("listening on http://{}", server.port_address().unwrap());
    let (input, ended) = oneshot::channel::<()>();
    thread::spawn(move || {
        for (second, line) in (NOON..).zip(io::stdin().lock().lines()) {
            line.unwrap();
            log.publish(&host.tick(second));
        }
        // Stops the server when the test closes standard input.
        drop(input);
    });
    server.serve_until(async { ended.await.unwrap_or_default() }).await.unwrap();
}
