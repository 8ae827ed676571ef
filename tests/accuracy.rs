//! The streamed figures against the kernel's own counters, read independently ten times a second while a known load
//! comes and goes.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

#[allow(dead_code, reason = "this test needs only a part of what the server's tests share")]
#[path = "server/support.rs"]
mod support;

use hostbeat::{
    schema::Filesystem,
    server::sampler::{HostSampler, HostSource, Procfs, SocketStates},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    mem,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use support::{Running, json};

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
fn stream(source: impl HostSource + Send + 'static) -> (Running, thread::JoinHandle<Streamed>) {
    let server = Running::sample(|log| HostSampler::with_source(source, log.subscribers()));
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

impl HostSource for Late {
    fn read_cached(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        self.kernel.read_cached(path, text)?;
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

impl HostSource for Inflated {
    fn read_cached(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        self.0.read_cached(path, text)?;
        let inflate = |word: &str| {
            word.parse::<u64>().map_or(word.to_owned(), |figure| (figure.saturating_mul(11) / 10).to_string())
        };
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

/// A program that is gone when dropped.
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
    let _alone = alone();
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

/// Waits until no other of these tests runs, in this process or another: what one of them does is not what another looks
/// for.
fn alone() -> fs::File {
    let file = fs::File::create(concat!(env!("CARGO_TARGET_TMPDIR"), "/accuracy.lock")).unwrap();
    file.lock().unwrap();
    file
}

/// What is sent over the loopback interface, and written to a disk.
const AMOUNT: usize = 128 << 20;
/// How long a busy host is waited for.
const SECONDS: usize = 60;
/// Sockets that are opened.
const LISTENERS: usize = 100;

/// Adds a rate up, times the seconds that each one is over, until it has stood still for two ticks after it had moved.
fn total_of(mut next: impl FnMut() -> Value, act: impl FnOnce(), path: &str) -> f64 {
    let mut risen = || {
        let data = next();
        data.pointer(path).and_then(Value::as_f64).unwrap_or(0.0) * number(&data["dt"])
    };
    const STILL: f64 = AMOUNT as f64 / 100.0;
    // What is under way already is none of ours.
    let busy = (0..SECONDS).take_while(|_| risen() >= STILL).count();
    assert!(busy < SECONDS, "this host is too busy to tell: something goes on for {busy} seconds already");
    act();
    let (mut total, mut quiet, mut ticks) = (0.0, 0, 0);
    while quiet < 2 {
        ticks += 1;
        assert!(ticks < SECONDS, "nothing of it, or no end of it, in {ticks} seconds");
        let risen = risen();
        quiet = if total > 0.0 && risen < STILL { quiet + 1 } else { 0 };
        total += risen;
        assert!(total < 3.0 * AMOUNT as f64, "this host is too busy to tell: {total} bytes, and no end");
    }
    total
}

#[test]
fn a_known_transfer_is_found_in_the_stream() {
    let _alone = alone();
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
    let total = total_of(|| json(&stream.next_with_id()), transfer, "/interfaces/lo/rx_bytes") / AMOUNT as f64;
    // Headers, and what acknowledges them, are a percent or so.
    assert!((1.0..1.03).contains(&total), "{total} times what was sent");
}

/// Bytes of a packet that is sent over the cable, and of all of it on the wire: IP, UDP, Ethernet.
const PACKET: usize = 1400;
const ON_WIRE: usize = PACKET + 8 + 20 + 14;

/// A server in a network of its own, with a cable to another network, from where packets are sent when told how many. That
/// one, and the cable with it, is there until its input ends.
struct Cabled {
    server: Child,
    address: String,
}

impl Cabled {
    fn start() -> Self {
        let script = format!(
            "ip link set lo up
             exec 3<&0
             unshare --net bash -c 'read count; dd if=/dev/zero bs={PACKET} count=$count >/dev/udp/10.99.0.3/9; read' <&3 &
             until [ \"$(readlink /proc/$!/ns/net)\" != \"$(readlink /proc/self/ns/net)\" ]; do :; done
             ip link add near address 02:00:00:00:00:01 type veth peer name far netns $!
             ip link set near up
             nsenter --net=/proc/$!/ns/net sh -c 'ip address add 10.99.0.2/24 dev far; ip link set far up
                 ip neighbour add 10.99.0.3 lladdr 02:00:00:00:00:01 dev far'
             exec {} --listen 127.0.0.1:0",
            env!("CARGO_BIN_EXE_hostbeat")
        );
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", "sh", "-c", &script]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = command.spawn().unwrap_or_else(|error| panic!("unshare: {error}; install util-linux"));
        let mut said = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
        let Some(line) = said.find(|line| line.contains("listening on")) else {
            let mut reason = String::new();
            server.stderr.take().unwrap().read_to_string(&mut reason).unwrap();
            panic!("no network of its own (that takes iproute2, and the right to make one): {reason}");
        };
        let address = line.split("http://").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Self { server, address }
    }

    /// Data of the events of one name, asked for from within that network.
    fn follow(&self, event: &str) -> (Load, impl Iterator<Item = Value> + use<>) {
        let mut curl = Command::new("nsenter");
        curl.args(["--user", "--preserve-credentials", "--net", "--target", &self.server.id().to_string()]);
        curl.args(["curl", "-sN", &format!("http://{}/api/stream?window=0&events={event}", self.address)]);
        let mut curl = curl.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(curl.stdout.take().unwrap()).lines().map(Result::unwrap);
        let data = lines.filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok());
        (Load(curl), data.filter(|data: &Value| data["at"].is_number()))
    }
}

impl Drop for Cabled {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn what_comes_over_a_cable_is_found_in_the_stream() {
    let _alone = alone();
    let mut cabled = Cabled::start();
    let (_curl, mut stream) = cabled.follow("network");
    let packets = AMOUNT / ON_WIRE;
    let mut far = cabled.server.stdin.take().unwrap();
    let next = || stream.next().expect("the stream goes on");
    let total = total_of(next, || writeln!(far, "{packets}").unwrap(), "/interfaces/near/rx_bytes");
    let sent = (packets * ON_WIRE) as f64;
    // What came in all, since the cable was laid: also what a new interface says of itself to its neighbours. What there was
    // no room for has not come.
    let counters = fs::read_to_string(format!("/proc/{}/net/dev", cabled.server.id())).unwrap();
    let came = counters.lines().find_map(|line| line.trim().strip_prefix("near:")?.split_whitespace().next()).unwrap();
    let came: f64 = came.parse().unwrap();
    assert!((0.9 * sent..sent + 1e4).contains(&came), "{came} bytes came, of {sent}");
    assert!((total - came).abs() < 1e4, "{total} bytes in the stream, of {came}");
}

#[test]
fn a_known_write_is_found_in_the_stream() {
    let _alone = alone();
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
    let total = total_of(|| json(&stream.next_with_id()), write, "/write_bytes") / AMOUNT as f64;
    fs::remove_file(path).unwrap();
    // The file system's own records, and what others write meanwhile.
    assert!((1.0..1.2).contains(&total), "{total} times what was written");
}

#[test]
fn a_known_number_of_listeners_is_found_in_the_stream() {
    let _alone = alone();
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

/// What is asked of a process' figures: percent of one core, and of its bytes.
const PROCESS: f64 = 5.0;

#[test]
fn a_known_burner_is_found_among_the_processes() {
    let _alone = alone();
    let server = Running::start();
    let mut stream = server.follow("?events=processes&window=0", &[]);
    let load = Load::start(&["--cpu", "1", "--cpu-load", "60"]);
    let mut burner: u32 = 0;
    support::eventually("it burns", || {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", load.0.id())).unwrap_or_default();
        burner = children.trim().parse().unwrap_or_default();
        fs::read_to_string(format!("/proc/{burner}/comm")).is_ok_and(|name| name.starts_with("stress-ng-cpu"))
    });
    // Nanoseconds on a core, at some moments.
    let spent = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
        stat.split(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let (mut observations, mut checked) = (Vec::new(), 0);
    let deadline = now() + 30.0;
    let (sender, events) = std::sync::mpsc::channel();
    thread::spawn(move || while sender.send(json(&stream.next_with_id())).is_ok() {});
    while checked < 5 {
        assert!(now() < deadline, "{checked} samples have it");
        observations.push((now(), spent(burner)));
        let Ok(data) = events.recv_timeout(Duration::from_millis(50)) else { continue };
        let found = data["top"].as_array().unwrap().iter().find(|process| process["pid"] == burner);
        let at = |moment: f64| {
            let later = observations.partition_point(|(at, _)| *at < moment);
            let (before, after) = (observations.get(later.checked_sub(1)?)?, observations.get(later)?);
            Some(before.1 + (after.1 - before.1) * (moment - before.0) / (after.0 - before.0))
        };
        let (end, dt) = (number(&data["at"]), number(&data["dt"]));
        let (Some(found), Some(from), Some(to)) = (found, at(end - dt), at(end)) else { continue };
        let expected = (to - from) / 1e7 / dt;
        let told = number(&found["cpu"]);
        assert!((told - expected).abs() < PROCESS, "{told} % of a core, and {expected} % by the scheduler");
        assert!(found["name"].as_str().unwrap().starts_with("stress-ng-"));
        checked += 1;
    }
}

#[test]
fn a_known_allocator_is_found_among_the_processes() {
    let _alone = alone();
    let server = Running::start();
    let mut stream = server.follow("?events=processes&window=0", &[]);
    let _load = Load::start(&["--vm", "1", "--vm-bytes", "300M", "--vm-keep", "--vm-method", "zero-one"]);
    let found = (0..10).find_map(|_| {
        let data = json(&stream.next_with_id());
        let is_it = |process: &&Value| process["name"].as_str().unwrap().starts_with("stress-ng-vm");
        let largest = |process: &&Value| process["rss"].as_u64();
        let found = data["top"].as_array().unwrap().iter().filter(is_it).max_by_key(largest)?;
        (number(&found["rss"]) > 300e6).then(|| found.clone())
    });
    let found = found.expect("it is among the largest");
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", found["pid"])).unwrap();
    let rss = rollup.lines().find_map(|line| line.strip_prefix("Rss:")?.split_whitespace().next()).unwrap();
    let (told, expected) = (number(&found["rss"]), rss.parse::<f64>().unwrap() * 1024.0);
    assert!((told / expected - 1.0).abs() * 100.0 < PROCESS, "{told} bytes, and {expected} by its pages");
}
