//! Benchmarks the CPU time of a sample against node_exporter and psutil, which read about the same values, and the
//! lateness of ticks on a host with many sockets. Run it with `make bench`, as root: it creates interfaces in a network
//! namespace.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that panics has failed"
)]

mod server;

use server::{Server, cpu_time, hostbeat};
use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Seconds of each measurement, after a warm-up.
const SECONDS: u32 = 30;
const WARM_UP: Duration = Duration::from_secs(3);
const INTERFACES: usize = 101;
const PROCESSES: usize = 375;
/// Two per connection, spread over several processes because each may open only some thousands.
const SOCKETS: usize = 100_000;
const SOCKET_HOLDERS: usize = 10;
/// Sockets in the time-wait state that do not change the cost of a sample.
const MAX_TIME_WAIT: usize = 1000;

/// Milliseconds of CPU time that a sample of all groups but processes may cost.
const SAMPLE_BUDGET: f64 = 0.5;
/// Milliseconds of CPU time of such a sample on a host with many interfaces.
const INTERFACES_BUDGET: f64 = 1.0;
/// Milliseconds of CPU time that a sample of processes may cost.
const PROCESSES_BUDGET: f64 = 6.0;
/// Milliseconds from its whole second within which a tick must reach a viewer.
const LATENCY_BUDGET: f64 = 100.0;

/// Name of a benchmark, and a function that runs it and returns whether it kept its budget.
type Benchmark = (&'static str, fn() -> bool);

fn main() {
    if env::args().nth(1).as_deref() == Some("hold-sockets") {
        return hold_sockets();
    }
    let all: [Benchmark; 4] =
        [("sample", sample), ("interfaces", interfaces), ("processes", processes), ("sockets", sockets)];
    // `cargo bench` adds the flag `--bench`.
    let named: Vec<_> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let selected = |name: &str| named.is_empty() || named.iter().any(|selected| selected == name);
    let kept: Vec<_> = all.into_iter().filter(|(name, _)| selected(name)).map(|(_, run)| run()).collect();
    assert!(kept.into_iter().all(|kept| kept), "hostbeat is over its budget");
}

/// Prints a value and returns whether it is within its budget.
fn report(label: &str, milliseconds: f64, budget: Option<f64>) -> bool {
    match budget {
        Some(budget) => println!("  {label:28} {milliseconds:8.3} ms, budget {budget}"),
        None => println!("  {label:28} {milliseconds:8.3} ms"),
    }
    budget.is_none_or(|budget| milliseconds <= budget)
}

/// A child process that is killed when dropped.
struct ChildGuard(Child);

impl Drop for ChildGuard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Milliseconds of CPU time per sample, measured over [`SECONDS`]; `cpu_time` is in nanoseconds, `interval` in seconds.
fn per_sample(cpu_time: impl Fn() -> f64, interval: f64) -> f64 {
    let before = cpu_time();
    thread::sleep(Duration::from_secs(SECONDS.into()));
    (cpu_time() - before) / 1e6 / f64::from(SECONDS) * interval
}

/// Starts the psutil script, with the distribution's Python.
fn start_psutil(args: &[&str]) -> Child {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/samples.py");
    Command::new("/usr/bin/python3").arg(script).args(args).stdout(Stdio::piped()).spawn().unwrap()
}

/// The milliseconds that the psutil script prints.
fn printed_milliseconds(child: Child) -> f64 {
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().parse().expect("psutil is missing")
}

/// Waits until the sockets of an earlier run have left the time-wait state: the kernel passes each when it counts others.
fn wait_for_closed_sockets() {
    let time_wait = || -> Option<usize> {
        let text = fs::read_to_string("/proc/net/sockstat").ok()?;
        text.split_once(" tw ")?.1.split(' ').next()?.parse().ok()
    };
    while time_wait().is_some_and(|sockets| sockets > MAX_TIME_WAIT) {
        thread::sleep(Duration::from_secs(1));
    }
}

fn sample() -> bool {
    wait_for_closed_sockets();
    println!("CPU time per sample, all groups but processes, no viewers, {SECONDS} s");
    let server = Server::start(hostbeat());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let exporter = Command::new("prometheus-node-exporter")
        .arg(format!("--web.listen-address={address}"))
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus-node-exporter is missing");
    let exporter = ChildGuard(exporter);
    thread::sleep(WARM_UP);
    let per_second = |nanoseconds: f64| nanoseconds / 1e6 / f64::from(SECONDS);
    let (sampling, process) = (sampling_time(&server), server.cpu_time());
    thread::sleep(Duration::from_secs(SECONDS.into()));
    let (idle, process) = (sampling_time(&server) - sampling, server.cpu_time() - process);
    let (sampling, exporting) = (sampling_time(&server), cpu_time(exporter.0.id(), |_| true));
    for _ in 0..SECONDS {
        // Between whole seconds, when Hostbeat is idle.
        sleep_until_offset(0.3);
        scrape(address);
    }
    let (with_tcp, exporting) = (sampling_time(&server) - sampling, cpu_time(exporter.0.id(), |_| true) - exporting);
    let psutil = printed_milliseconds(start_psutil(&[&SECONDS.to_string()]));
    let kept = report("hostbeat", per_second(idle), Some(SAMPLE_BUDGET));
    report("  with TCP traffic", per_second(with_tcp), None);
    report("  whole process", per_second(process), None);
    report("node_exporter", per_second(exporting), None);
    report("psutil, without sockets", psutil, None);
    kept
}

/// CPU time that a server has spent on sampling, in nanoseconds.
fn sampling_time(server: &Server) -> f64 {
    // The server may run in a network namespace.
    let network = format!("--net=/proc/{}/ns/net", server.id());
    let mut scrape = Command::new("nsenter");
    scrape.args([&network, "curl", "-s", &format!("http://{}/metrics", server.address)]);
    let text = String::from_utf8(scrape.output().unwrap().stdout).unwrap();
    let sampler = text.lines().find_map(|line| line.strip_prefix("hostbeat_sample_cpu_seconds_total "));
    let background =
        ["filesystems", "sensors", "services", "slow counters"].map(|thread| server.thread_cpu_time(thread));
    sampler.expect("the server exposes its metrics").parse::<f64>().unwrap() * 1e9 + background.iter().sum::<f64>()
}

/// Sleeps until `offset` seconds past a whole second.
fn sleep_until_offset(offset: f64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    thread::sleep(Duration::from_secs_f64(1.0 - (now - offset).fract()));
}

fn scrape(address: SocketAddr) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    socket.read_to_end(&mut Vec::new()).unwrap();
}

fn interfaces() -> bool {
    println!("CPU time per sample with {INTERFACES} interfaces");
    let program = hostbeat();
    let arguments =
        [program.get_program()].into_iter().chain(program.get_args()).map(|argument| argument.to_str().unwrap());
    let script = format!(
        "ip link set lo up; for n in $(seq {}); do ip link add one$n type veth peer name two$n; done; exec {}",
        INTERFACES / 2,
        arguments.collect::<Vec<_>>().join(" ")
    );
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", &script]);
    let server = Server::start(command);
    thread::sleep(WARM_UP);
    let lines = fs::read_to_string(format!("/proc/{}/net/dev", server.id())).unwrap().lines().count();
    assert_eq!(lines, INTERFACES + 2, "interfaces could not be created; run as root");
    let kept = report("hostbeat", per_sample(|| sampling_time(&server), 1.0), Some(INTERFACES_BUDGET));
    report("  whole process", per_sample(|| server.cpu_time(), 1.0), None);
    kept
}

fn processes() -> bool {
    println!("CPU time per sample of {PROCESSES} processes, one viewer");
    let running = fs::read_dir("/proc")
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().parse::<u32>().is_ok());
    let missing = PROCESSES.saturating_sub(running.count() + 3);
    let _idle: Vec<ChildGuard> =
        (0..missing).map(|_| ChildGuard(Command::new("sleep").arg("1000").spawn().unwrap())).collect();
    let server = Server::start(hostbeat());
    let mut viewer = TcpStream::connect(server.address).unwrap();
    viewer.write_all(b"GET /api/stream?window=0&events=processes HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    thread::sleep(WARM_UP);
    let psutil = start_psutil(&[&(SECONDS / 2).to_string(), "processes"]);
    let kept = report("hostbeat", per_sample(|| server.thread_cpu_time("processes"), 2.0), Some(PROCESSES_BUDGET));
    report("psutil", printed_milliseconds(psutil), None);
    kept
}

fn sockets() -> bool {
    println!("latency of ticks with {SOCKETS} sockets");
    let program = env::current_exe().unwrap();
    let holders: Vec<_> = (0..SOCKET_HOLDERS)
        .map(|n| {
            let mut holder = Command::new(&program);
            holder.args(["hold-sockets", &n.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
            ChildGuard(holder.spawn().unwrap())
        })
        .collect();
    let holders: Vec<_> = holders
        .into_iter()
        .map(|mut holder| {
            let mut line = String::new();
            BufReader::new(holder.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
            assert_eq!(line, "ready\n");
            holder
        })
        .collect();
    let server = Server::start(hostbeat());
    let mut viewer = TcpStream::connect(server.address).unwrap();
    viewer.write_all(b"GET /api/stream?window=0&events=connections HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let (mut max_latency, mut ticks, mut missing, mut last): (f64, _, _, Option<f64>) = (0.0, 0, 0.0, None);
    for line in BufReader::new(viewer).lines().map(Result::unwrap) {
        let Some(t) = line.strip_prefix("id: ").and_then(|id| id.split('-').next()?.parse::<f64>().ok()) else {
            continue;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1000.0;
        max_latency = max_latency.max(now - t);
        missing += last.map_or(0.0, |last| (t - last) / 1000.0 - 1.0);
        (last, ticks) = (Some(t), ticks + 1);
        if ticks == SECONDS {
            break;
        }
    }
    drop(holders);
    println!("  {ticks} ticks, {missing} missing");
    report("maximum latency to a viewer", max_latency, Some(LATENCY_BUDGET)) && missing == 0.0
}

/// Opens this process' share of the sockets and holds them until standard input ends.
fn hold_sockets() {
    let n: u8 = env::args().nth(2).unwrap().parse().unwrap();
    rustix::process::setrlimit(
        rustix::process::Resource::Nofile,
        rustix::process::Rlimit { current: Some(20_000), maximum: Some(20_000) },
    )
    .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 9, n + 1), 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let connections: Vec<_> = (0..SOCKETS / SOCKET_HOLDERS / 2)
        .map(|_| (TcpStream::connect(address).unwrap(), listener.accept().unwrap()))
        .collect();
    println!("ready");
    let _ = std::io::stdin().read(&mut [0]);
    drop(connections);
}
