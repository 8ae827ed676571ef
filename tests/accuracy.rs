//! The streamed figures against the kernel's own counters, read independently ten times a second while a known load
//! comes and goes.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

#[allow(dead_code, reason = "this test needs only a part of what the server's tests share")]
#[path = "server/support.rs"]
mod support;

use hostbeat::{
    metrics::Filesystem,
    server::sampler::{Host, Procfs, SocketStates, Source},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Write},
    mem,
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use support::{Follower, Running, json};

/// What is asked of every core's figure, in points of percent: nearly always, and always.
const MOSTLY: (f64, f64) = (0.95, 3.0);
const ALWAYS: f64 = 6.0;
/// What is asked of memory, in bytes.
const MEMORY: f64 = 64.0 * 1024.0 * 1024.0;
/// Clock ticks a second, as every Linux reports them to programs.
const USER_HZ: f64 = 100.0;

/// The kernel's counters at one moment.
#[derive(Clone)]
struct Observation {
    at: f64,
    /// Ticks that each core was busy since boot.
    busy: Vec<f64>,
    /// Bytes.
    used: f64,
}

/// What an observation may take. One that was interrupted for longer doesn't know its moment, and is made again.
const OBSERVATION: f64 = 0.002;

fn observe() -> Observation {
    let (at, stat) = loop {
        let before = now();
        let stat = fs::read_to_string("/proc/stat").unwrap();
        let after = now();
        if after - before <= OBSERVATION {
            break ((before + after) / 2.0, stat);
        }
    };
    let core = |line: &str| {
        let figures: Vec<f64> = line.split_whitespace().skip(1).map(|figure| figure.parse().unwrap()).collect();
        // All but idle and iowait, up to steal; what follows is contained in the first two.
        figures[..3].iter().chain(&figures[5..8]).sum()
    };
    let busy = stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).map(core).collect();
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap();
    let kib = |name: &str| {
        let line = meminfo.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap()
    };
    Observation { at, busy, used: (kib("MemTotal:") - kib("MemAvailable:")) * 1024.0 }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// A figure at a moment between two observations; `None` outside them.
fn at(observations: &[Observation], moment: f64, figure: impl Fn(&Observation) -> f64) -> Option<f64> {
    let later = observations.partition_point(|observation| observation.at < moment);
    let (before, after) = (observations.get(later.checked_sub(1)?)?, observations.get(later)?);
    let share = (moment - before.at) / (after.at - before.at);
    Some(figure(before) + (figure(after) - figure(before)) * share)
}

/// What a server streamed: the data of its events.
#[derive(Default)]
struct Streamed {
    cpu: Vec<Value>,
    memory: Vec<Value>,
}

/// How far the samples are from the observations: points of percent for each core and tick, bytes for each tick.
fn errors(streamed: &Streamed, observations: &[Observation]) -> (Vec<f64>, Vec<f64>) {
    let mut cpu_errors = Vec::new();
    for sample in &streamed.cpu {
        let (end, dt) = (number(&sample["at"]), number(&sample["dt"]));
        for (core, figure) in sample["cores"].as_array().unwrap().iter().enumerate() {
            let busy = |moment| at(observations, moment, |observation| observation.busy[core]);
            if let (Some(from), Some(to)) = (busy(end - dt), busy(end)) {
                let expected = ((to - from) / USER_HZ / dt * 100.0).min(100.0);
                cpu_errors.push((number(figure) - expected).abs());
            }
        }
    }
    let used = |sample: &Value| {
        let expected = at(observations, number(&sample["at"]), |observation| observation.used)?;
        Some((number(&sample["used"]) - expected).abs())
    };
    (cpu_errors, streamed.memory.iter().filter_map(used).collect())
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no figure"))
}

/// How close the samples are; an error if that is not close enough.
fn verdict(streamed: &Streamed, observations: &[Observation]) -> Result<String, String> {
    let (cpu, memory) = errors(streamed, observations);
    let close = cpu.iter().filter(|error| **error <= MOSTLY.1).count() as f64 / cpu.len().max(1) as f64;
    let (worst, worst_memory) =
        (cpu.iter().fold(0.0, |a: f64, b| a.max(*b)), memory.iter().fold(0.0, |a: f64, b| a.max(*b)));
    let figures = format!(
        "{} figures of cores: {:.1} % within {} points, the worst off by {worst:.2}; memory off by {:.1} MiB at most",
        cpu.len(),
        close * 100.0,
        MOSTLY.1,
        worst_memory / 1024.0 / 1024.0
    );
    let enough = cpu.len() >= 20 && memory.len() >= 10;
    let right = close >= MOSTLY.0 && worst <= ALWAYS && worst_memory <= MEMORY;
    if enough && right { Ok(figures) } else { Err(figures) }
}

/// A server of the host that `source` tells about, and what it streams until it stops.
fn stream(source: impl Source + Send + 'static) -> (Running, thread::JoinHandle<Streamed>) {
    let server = Running::sample(|hub| Host::with_source(source, hub.audience()));
    let events = server.follow("?events=cpu,memory&window=0", &[]);
    let read = move || {
        let mut streamed = Streamed::default();
        for event in events {
            match &*event.event {
                "cpu" => streamed.cpu.push(json(&event)),
                "memory" => streamed.memory.push(json(&event)),
                _ => {}
            }
        }
        streamed
    };
    (server, thread::spawn(read))
}

/// A fault: every file is delivered as it was a second ago.
#[derive(Default)]
struct Late {
    kernel: Procfs,
    previous: std::collections::HashMap<String, String>,
}

impl Source for Late {
    fn read(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        self.kernel.read(path, text)?;
        let previous = self.previous.entry(path.to_owned()).or_insert_with(|| text.clone());
        mem::swap(previous, text);
        Ok(())
    }

    fn list(&mut self, path: &str) -> io::Result<Vec<String>> {
        self.kernel.list(path)
    }

    fn filesystems(&mut self) -> BTreeMap<String, Filesystem> {
        self.kernel.filesystems()
    }

    fn socket_states(&mut self) -> io::Result<SocketStates> {
        self.kernel.socket_states()
    }
}

/// A fault: the kernel's ticks are taken for a tenth more than they are.
#[derive(Default)]
struct Inflated(Procfs);

impl Source for Inflated {
    fn read(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        self.0.read(path, text)?;
        let inflate = |word: &str| word.parse::<u64>().map_or(word.to_owned(), |figure| (figure * 11 / 10).to_string());
        let lines = text.lines().map(|line| line.split_whitespace().map(inflate).collect::<Vec<_>>().join(" "));
        *text = lines.map(|line| line + "\n").collect();
        Ok(())
    }

    fn list(&mut self, path: &str) -> io::Result<Vec<String>> {
        self.0.list(path)
    }

    fn filesystems(&mut self) -> BTreeMap<String, Filesystem> {
        self.0.filesystems()
    }

    fn socket_states(&mut self) -> io::Result<SocketStates> {
        self.0.socket_states()
    }
}

/// A load that is gone when dropped.
struct Load(Child);

impl Load {
    fn start(args: &[&str]) -> Self {
        let child = Command::new("stress-ng").args(args).arg("--quiet").spawn();
        Self(child.unwrap_or_else(|error| panic!("stress-ng: {error}; install it with: apt-get install stress-ng")))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // Its workers end with it, which they would not if it were killed.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

#[test]
fn streamed_figures_are_the_kernels_and_a_fault_would_be_noticed() {
    let servers = [stream(Procfs::default()), stream(Late::default()), stream(Inflated::default())];

    let mut observations = Vec::new();
    let mut load = None;
    // A load of one core comes and goes, off the beat of the ticks; memory is taken and given back, no more at once than
    // may pass between two observations without being seen.
    for tenth in 0..240 {
        match tenth {
            13 => load = Some(Load::start(&["--cpu", "1"])),
            97 => load = Some(Load::start(&["--vm", "1", "--vm-bytes", "60M", "--vm-keep"])),
            78 | 164 => load = None,
            181 => load = Some(Load::start(&["--cpu", "1"])),
            _ => {}
        }
        observations.push(observe());
        // The rate of observation, not a wait for anything.
        thread::sleep(Duration::from_millis(100));
    }
    drop(load);
    let [right, late, inflated] = servers.map(|(server, streamed)| {
        drop(server);
        verdict(&streamed.join().unwrap(), &observations)
    });

    right.expect("the streamed figures are the kernel's");
    for (fault, verdict) in [("late", late), ("inflated", inflated)] {
        assert!(verdict.is_err(), "the {fault} sampler passed the same check: {verdict:?}");
    }
}

/// What is sent over the loopback interface, and written to a disk.
const AMOUNT: usize = 128 << 20;
/// How long a busy host is waited for.
const SECONDS: usize = 60;
/// Sockets that are opened.
const LISTENERS: usize = 100;

/// Adds a rate up, times the seconds that each one is over, until it has stood still for two ticks after it had moved.
fn total_of(stream: &mut Follower, act: impl FnOnce(), path: &str) -> f64 {
    let mut risen = || {
        let data = json(&stream.next_with_id());
        data.pointer(path).and_then(Value::as_f64).unwrap_or(0.0) * number(&data["dt"])
    };
    const STILL: f64 = AMOUNT as f64 / 100.0;
    // What is under way already is none of ours.
    let busy = (0..SECONDS).take_while(|_| risen() >= STILL).count();
    assert!(busy < SECONDS, "this host is too busy to tell: something goes on for {busy} seconds already");
    act();
    let (mut total, mut quiet) = (0.0, 0);
    while quiet < 2 {
        let risen = risen();
        quiet = if total > 0.0 && risen < STILL { quiet + 1 } else { 0 };
        total += risen;
        assert!(total < 3.0 * AMOUNT as f64, "this host is too busy to tell: {total} bytes, and no end");
    }
    total
}

#[test]
fn a_known_transfer_is_found_in_the_stream() {
    let server = Running::start();
    let mut stream = server.follow("?events=network&window=0", &[]);
    let transfer = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut receiver, _) = listener.accept().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| sender.write_all(&vec![7; AMOUNT]).unwrap());
            receiver.read_exact(&mut vec![0; AMOUNT]).unwrap();
        });
    };
    let total = total_of(&mut stream, transfer, "/interfaces/lo/rx_bytes") / AMOUNT as f64;
    // Headers, and what acknowledges them, are a percent or so.
    assert!((1.0..1.03).contains(&total), "{total} times what was sent");
}

#[test]
fn a_known_write_is_found_in_the_stream() {
    let server = Running::start();
    let mut stream = server.follow("?events=disk&window=0", &[]);
    let path = format!("{}/known-write", env!("CARGO_TARGET_TMPDIR"));
    let write = || {
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(&vec![7; AMOUNT]).unwrap();
        file.sync_all().unwrap();
    };
    // What compiled this test has left much to be written, at whatever moment the kernel sees fit.
    rustix::fs::sync();
    let total = total_of(&mut stream, write, "/write_bytes") / AMOUNT as f64;
    fs::remove_file(path).unwrap();
    // The file system's own records, and what others write meanwhile.
    assert!((1.0..1.2).contains(&total), "{total} times what was written");
}

#[test]
fn a_known_number_of_listeners_is_found_in_the_stream() {
    let server = Running::start();
    let mut stream = server.follow("?events=connections&window=0", &[]);
    let mut listening = || json(&stream.next_with_id())["tcp"]["listen"].as_u64().unwrap();
    let before = listening();
    let listeners: Vec<_> = (0..LISTENERS).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    // The first tick may have been on its way.
    listening();
    assert_eq!(listening(), before + LISTENERS as u64);
    drop(listeners);
    listening();
    assert_eq!(listening(), before);
}
