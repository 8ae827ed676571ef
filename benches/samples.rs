//! What a sample costs, side by side with node_exporter and psutil, which tell about the same; and whether ticks stay on
//! time on a host with very much to tell. Run it with `make bench`; it makes interfaces in a network of its own, and so
//! needs to be root.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that panics has failed"
)]

mod server;

use server::{Server, cpu, hostbeat};
use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Seconds over which is measured, after some that let things settle.
const SECONDS: u32 = 30;
const SETTLE: Duration = Duration::from_secs(3);
const INTERFACES: usize = 101;
const PROCESSES: usize = 375;
/// Both ends of a connection are one each. A process may have no more than some thousands open.
const SOCKETS: usize = 100_000;
const HOLDERS: usize = 10;

/// Milliseconds of processor time that a sample may cost, of all groups but processes.
const SAMPLE_BUDGET: f64 = 0.5;
/// The same, on a host with many interfaces.
const INTERFACES_BUDGET: f64 = 1.0;
/// The same, of processes alone.
const PROCESSES_BUDGET: f64 = 6.0;
/// Milliseconds from its second to its viewer, after which a tick is late.
const LATE: f64 = 100.0;

/// Its name, and what measures it and tells whether the budget was kept.
type Part = (&'static str, fn() -> bool);

fn main() {
    if env::args().nth(1).as_deref() == Some("hold") {
        return hold();
    }
    let all: [Part; 4] =
        [("sample", sample), ("interfaces", interfaces), ("processes", processes), ("sockets", sockets)];
    // `cargo bench` adds a flag of its own.
    let named: Vec<_> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|wanted| wanted == name);
    let kept: Vec<_> = all.into_iter().filter(|(name, _)| wanted(name)).map(|(_, measure)| measure()).collect();
    assert!(kept.into_iter().all(|kept| kept), "hostbeat is over its budget");
}

fn report(what: &str, milliseconds: f64, budget: Option<f64>) -> bool {
    match budget {
        Some(budget) => println!("  {what:28} {milliseconds:8.3} ms, budget {budget}"),
        None => println!("  {what:28} {milliseconds:8.3} ms"),
    }
    budget.is_none_or(|budget| milliseconds <= budget)
}

/// A program that is gone when dropped.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Milliseconds that each second, or two, costs of what `spent` tells the nanoseconds of.
fn each(spent: impl Fn() -> f64, seconds: u32, of: f64) -> f64 {
    let before = spent();
    thread::sleep(Duration::from_secs(seconds.into()));
    (spent() - before) / 1e6 / f64::from(seconds) * of
}

/// psutil, from the distribution.
fn psutil(args: &[&str]) -> Child {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/samples.py");
    Command::new("/usr/bin/python3").arg(script).args(args).stdout(Stdio::piped()).spawn().unwrap()
}

fn told(child: Child) -> f64 {
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().parse().expect("psutil is missing")
}

fn sample() -> bool {
    println!("one sample, all groups but processes, nobody watching, {SECONDS} s each in turn");
    let server = Server::start(hostbeat());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let exporter = Command::new("prometheus-node-exporter")
        .arg(format!("--web.listen-address={address}"))
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus-node-exporter is missing");
    let exporter = Peer(exporter);
    thread::sleep(SETTLE);
    let each = |spent: f64| spent / 1e6 / f64::from(SECONDS);
    let (read, all) = (cost(&server), server.cpu());
    thread::sleep(Duration::from_secs(SECONDS.into()));
    let (idle, all) = (cost(&server) - read, server.cpu() - all);
    let (read, exported) = (cost(&server), cpu(exporter.0.id(), |_| true));
    for _ in 0..SECONDS {
        // Off the whole second, when we sample.
        sleep_to(0.3);
        scrape(address);
    }
    let (beside, exported) = (cost(&server) - read, cpu(exporter.0.id(), |_| true) - exported);
    let psutil = told(psutil(&[&SECONDS.to_string()]));
    let kept = report("hostbeat", each(idle), Some(SAMPLE_BUDGET));
    report("  where TCP is in use", each(beside), None);
    report("  and all else it does", each(all), None);
    report("node_exporter", each(exported), None);
    report("psutil, without sockets", psutil, None);
    kept
}

/// Nanoseconds of processor time that a server has spent on reading its host.
fn cost(server: &Server) -> f64 {
    // It may be in a network of its own.
    let network = format!("--net=/proc/{}/ns/net", server.id());
    let mut scrape = Command::new("nsenter");
    scrape.args([&network, "curl", "-s", &format!("http://{}/metrics", server.address)]);
    let text = String::from_utf8(scrape.output().unwrap().stdout).unwrap();
    let sampler = text.lines().find_map(|line| line.strip_prefix("hostbeat_sample_cpu_seconds_total "));
    let others = ["filesystems", "sensors", "services"].map(|thread| server.cpu_of(thread));
    sampler.expect("it tells its figures").parse::<f64>().unwrap() * 1e9 + others.iter().sum::<f64>()
}

/// Sleeps to so much after the next whole second.
fn sleep_to(offset: f64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    thread::sleep(Duration::from_secs_f64(1.0 - (now - offset).fract()));
}

fn scrape(address: SocketAddr) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    socket.read_to_end(&mut Vec::new()).unwrap();
}

fn interfaces() -> bool {
    println!("the same, with {INTERFACES} interfaces");
    let program = hostbeat();
    let words = [program.get_program()].into_iter().chain(program.get_args()).map(|word| word.to_str().unwrap());
    let script = format!(
        "ip link set lo up; for n in $(seq {}); do ip link add one$n type veth peer name two$n; done; exec {}",
        INTERFACES / 2,
        words.collect::<Vec<_>>().join(" ")
    );
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", &script]);
    let server = Server::start(command);
    thread::sleep(SETTLE);
    let shown = fs::read_to_string(format!("/proc/{}/net/dev", server.id())).unwrap().lines().count();
    assert_eq!(shown, INTERFACES + 2, "the interfaces could not be made; this needs to be root");
    let kept = report("hostbeat", each(|| cost(&server), SECONDS, 1.0), Some(INTERFACES_BUDGET));
    report("  and all else it does", each(|| server.cpu(), SECONDS, 1.0), None);
    kept
}

fn processes() -> bool {
    println!("one sample of {PROCESSES} processes, one viewer");
    let there = fs::read_dir("/proc")
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().parse::<u32>().is_ok());
    let missing = PROCESSES.saturating_sub(there.count() + 3);
    let _idle: Vec<Peer> = (0..missing).map(|_| Peer(Command::new("sleep").arg("1000").spawn().unwrap())).collect();
    let server = Server::start(hostbeat());
    let mut viewer = TcpStream::connect(server.address).unwrap();
    viewer.write_all(b"GET /api/stream?window=0&events=processes HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    thread::sleep(SETTLE);
    let psutil = psutil(&[&(SECONDS / 2).to_string(), "processes"]);
    let kept = report("hostbeat", each(|| server.cpu_of("processes"), SECONDS, 2.0), Some(PROCESSES_BUDGET));
    report("psutil", told(psutil), None);
    kept
}

fn sockets() -> bool {
    println!("ticks with {SOCKETS} sockets");
    let this = env::current_exe().unwrap();
    let holders: Vec<_> = (0..HOLDERS)
        .map(|n| {
            let mut holder = Command::new(&this);
            holder.args(["hold", &n.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
            Peer(holder.spawn().unwrap())
        })
        .collect();
    let holders: Vec<_> = holders
        .into_iter()
        .map(|mut holder| {
            let mut line = String::new();
            BufReader::new(holder.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
            assert_eq!(line, "held\n");
            holder
        })
        .collect();
    let server = Server::start(hostbeat());
    let mut viewer = TcpStream::connect(server.address).unwrap();
    viewer.write_all(b"GET /api/stream?window=0&events=connections HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let (mut latest, mut ticks, mut missing, mut last): (f64, _, _, Option<f64>) = (0.0, 0, 0.0, None);
    for line in BufReader::new(viewer).lines().map(Result::unwrap) {
        let Some(t) = line.strip_prefix("id: ").and_then(|id| id.split('-').next()?.parse::<f64>().ok()) else {
            continue;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1000.0;
        latest = latest.max(now - t);
        missing += last.map_or(0.0, |last| (t - last) / 1000.0 - 1.0);
        (last, ticks) = (Some(t), ticks + 1);
        if ticks == SECONDS {
            break;
        }
    }
    drop(holders);
    println!("  of {ticks} ticks {missing} missing");
    report("the latest reached a viewer", latest, Some(LATE)) && missing == 0.0
}

/// Holds its share of the sockets until its input ends.
fn hold() {
    let n: u8 = env::args().nth(2).unwrap().parse().unwrap();
    rustix::process::setrlimit(
        rustix::process::Resource::Nofile,
        rustix::process::Rlimit { current: Some(20_000), maximum: Some(20_000) },
    )
    .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 9, n + 1), 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let held: Vec<_> = (0..SOCKETS / HOLDERS / 2)
        .map(|_| (TcpStream::connect(address).unwrap(), listener.accept().unwrap()))
        .collect();
    println!("held");
    let _ = std::io::stdin().read(&mut [0]);
    drop(held);
}
