//! Compares streamed network and disk rates with the kernel's byte counters while a known amount is transferred.

use crate::{
    ChildGuard, lock, number,
    observer::{Observations, Observer},
    support::{TestServer, json},
};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

/// Bytes sent over an interface, or written to a disk.
const AMOUNT: usize = 128 << 20;
/// Bytes a second below which a counter counts as idle.
const IDLE: f64 = AMOUNT as f64 / 100.0;
/// Ticks to wait for an idle host, and for the end of the transfer.
const MAX_TICKS: usize = 60;
/// Bytes by which the streamed total may leave the kernel's bounds: rates and times are rounded.
const ROUNDING: f64 = 1e4;
/// Bytes of a sector in the kernel's counters.
const SECTOR: f64 = 512.0;

/// Bytes that the streamed rates add up to, and the samples between which they do.
struct Total {
    bytes: f64,
    from: f64,
    to: f64,
}

impl Total {
    /// Adds up the rate at `path` over a transfer: from an idle tick to the second idle tick after it.
    fn measure(mut next: impl FnMut() -> Value, transfer: impl FnOnce(), path: &str) -> Self {
        let mut next = || {
            let sample = next();
            let rate = sample.pointer(path).and_then(Value::as_f64).unwrap_or(0.0);
            (number(&sample["at"]), rate * number(&sample["dt"]))
        };
        let idle = (0..MAX_TICKS).map(|_| next()).find(|(_, bytes)| *bytes < IDLE);
        let (from, _) = idle.expect("this host is too busy: its counter is never idle");
        transfer();
        let (mut bytes, mut idle_ticks) = (0.0, 0);
        for _ in 0..MAX_TICKS {
            let (to, risen) = next();
            idle_ticks = if bytes > 0.0 && risen < IDLE { idle_ticks + 1 } else { 0 };
            bytes += risen;
            if idle_ticks == 2 {
                return Self { bytes, from, to };
            }
        }
        panic!("the transfer did not end in {MAX_TICKS} seconds, with {bytes} bytes");
    }

    /// Checks that the total is at least `amount`, and as much as the kernel's counter rose.
    fn check(&self, observations: &Observations, amount: f64) {
        let Self { bytes, from, to } = *self;
        let (low, high) = observations.rise(from, to);
        assert!(
            (low - ROUNDING..=high + ROUNDING).contains(&bytes),
            "{bytes} bytes, and {low} to {high} in the kernel"
        );
        assert!(bytes >= amount, "{bytes} of {amount} bytes");
    }
}

/// Bytes that an interface has received, from the text of `/proc/net/dev`.
fn received_bytes(text: &str, interface: &str) -> f64 {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(interface)?.strip_prefix(':'));
    line.unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn loopback_transfer_matches_kernel_counter() {
    let _lock = lock();
    let server = TestServer::sample_host();
    let observer = Observer::start(|| received_bytes(&fs::read_to_string("/proc/net/dev").unwrap(), "lo"));
    let mut stream = server.open_stream("?events=network&window=0", &[]);
    let transfer = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut receiver, _) = listener.accept().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| sender.write_all(&vec![7; AMOUNT]).unwrap());
            receiver.read_exact(&mut vec![0; AMOUNT]).unwrap();
        });
    };
    let total = Total::measure(|| json(&stream.next_with_id()), transfer, "/interfaces/lo/rx_bytes_per_second");
    total.check(&observer.stop(), AMOUNT as f64);
}

/// Bytes written to the devices that aren't layered on others.
fn written_bytes() -> f64 {
    let disks = fs::read_dir("/sys/block").unwrap().map(|entry| entry.unwrap().path());
    let written = disks.filter(|disk| Path::new(disk).join("device").exists()).map(|disk| {
        let text = fs::read_to_string(disk.join("stat")).unwrap();
        text.split_whitespace().nth(6).unwrap().parse::<f64>().unwrap() * SECTOR
    });
    written.sum()
}

#[test]
fn disk_write_matches_kernel_counter() {
    let _lock = lock();
    let server = TestServer::sample_host();
    let observer = Observer::start(written_bytes);
    let mut stream = server.open_stream("?events=disk&window=0", &[]);
    let path = format!("{}/known-write", env!("CARGO_TARGET_TMPDIR"));
    let write = || {
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(&vec![7; AMOUNT]).unwrap();
        file.sync_all().unwrap();
    };
    // The build has left dirty pages, which the kernel could write at any moment.
    rustix::fs::sync();
    let total = Total::measure(|| json(&stream.next_with_id()), write, "/write_bytes_per_second");
    fs::remove_file(path).unwrap();
    total.check(&observer.stop(), AMOUNT as f64);
}

/// Bytes of a UDP packet's payload, and of its Ethernet frame.
const PACKET: usize = 1400;
const FRAME: usize = PACKET + 8 + 20 + 14;

/// A server in a network namespace with a veth pair to a second namespace, which sends as many packets as are written to
/// the server's input. The second namespace and the pair exist until that input ends.
struct VethServer {
    server: Child,
    address: String,
}

impl VethServer {
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
        let mut output = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
        let Some(line) = output.find(|line| line.contains("listening on")) else {
            let mut reason = String::new();
            server.stderr.take().unwrap().read_to_string(&mut reason).unwrap();
            panic!("no network namespace (it needs iproute2 and the permission to create one): {reason}");
        };
        let address = line.split("http://").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Self { server, address }
    }

    /// The data of the stream's `network` events, read by curl inside the namespace.
    fn open_stream(&self) -> (ChildGuard, impl Iterator<Item = Value> + use<>) {
        let mut curl = Command::new("nsenter");
        curl.args(["--user", "--preserve-credentials", "--net", "--target", &self.server.id().to_string()]);
        curl.args(["curl", "-sN", &format!("http://{}/api/stream?window=0&events=network", self.address)]);
        let mut curl = curl.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(curl.stdout.take().unwrap()).lines().map(Result::unwrap);
        let data = lines.filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok());
        (ChildGuard(curl), data.filter(|data: &Value| data["at"].is_number()))
    }
}

impl Drop for VethServer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn veth_traffic_matches_kernel_counter() {
    let _lock = lock();
    let mut veth = VethServer::start();
    let (_curl, mut stream) = veth.open_stream();
    let counters = format!("/proc/{}/net/dev", veth.server.id());
    let observer = Observer::start(move || received_bytes(&fs::read_to_string(&counters).unwrap(), "near"));
    let packets = AMOUNT / FRAME;
    let mut input = veth.server.stdin.take().unwrap();
    let next = || stream.next().expect("the stream continues");
    let total = Total::measure(next, || writeln!(input, "{packets}").unwrap(), "/interfaces/near/rx_bytes_per_second");
    // The kernel may drop packets of a full queue.
    total.check(&observer.stop(), 0.9 * (packets * FRAME) as f64);
}
