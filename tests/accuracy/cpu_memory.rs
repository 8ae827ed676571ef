//! Compares streamed CPU and memory values with `/proc/stat` and `/proc/meminfo`, read ten times a second under load, and
//! checks that the comparison fails for faulty sources.

use crate::{
    ChildGuard, lock, now, number,
    support::{TestServer, json},
};
use hostbeat::{
    schema::Filesystem,
    server::sampler::{HostSampler, HostSource, Procfs, SocketStates},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    fs, io, mem, thread,
    time::Duration,
};

/// Share of the samples of a core that must be within [`CPU_ERROR`].
const CPU_SHARE: f64 = 0.95;
/// Errors of a core's utilisation, in percentage points.
const CPU_ERROR: f64 = 3.0;
const MAX_CPU_ERROR: f64 = 6.0;
/// Error of used memory, in bytes.
const MAX_MEMORY_ERROR: f64 = 64.0 * 1024.0 * 1024.0;
/// Clock ticks a second in `/proc/stat`.
const USER_HZ: f64 = 100.0;

/// The kernel's counters at one moment.
#[derive(Clone)]
struct CounterReading {
    at: f64,
    /// Busy time of each core since boot, in clock ticks.
    busy: Vec<f64>,
    /// Used memory, in bytes.
    used: f64,
}

/// Longest reading, in seconds. One that took longer is repeated, since its moment is too uncertain.
const MAX_DURATION: f64 = 0.002;

fn read_counters() -> CounterReading {
    let (at, stat) = loop {
        let before = now();
        let stat = fs::read_to_string("/proc/stat").unwrap();
        let after = now();
        if after - before <= MAX_DURATION {
            break ((before + after) / 2.0, stat);
        }
    };
    let core = |line: &str| {
        let ticks: Vec<f64> = line.split_whitespace().skip(1).map(|ticks| ticks.parse().unwrap()).collect();
        // All but idle and iowait, up to steal: guest time is part of user and nice.
        ticks[..3].iter().chain(&ticks[5..8]).sum()
    };
    let busy = stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).map(core).collect();
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap();
    let kib = |name: &str| {
        let line = meminfo.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap()
    };
    CounterReading { at, busy, used: (kib("MemTotal:") - kib("MemAvailable:")) * 1024.0 }
}

/// A value interpolated between two readings; `None` outside of all.
fn at(readings: &[CounterReading], moment: f64, value: impl Fn(&CounterReading) -> f64) -> Option<f64> {
    let later = readings.partition_point(|reading| reading.at < moment);
    let (before, after) = (readings.get(later.checked_sub(1)?)?, readings.get(later)?);
    let share = (moment - before.at) / (after.at - before.at);
    Some(value(before) + (value(after) - value(before)) * share)
}

/// The data of the streamed events.
#[derive(Default)]
struct Streamed {
    cpu: Vec<Value>,
    memory: Vec<Value>,
}

/// Errors of the samples: percentage points for each core and tick, bytes for each tick.
fn errors(streamed: &Streamed, readings: &[CounterReading]) -> (Vec<f64>, Vec<f64>) {
    let mut cpu_errors = Vec::new();
    for sample in &streamed.cpu {
        let (end, dt) = (number(&sample["at"]), number(&sample["dt"]));
        for (core, percent) in sample["cores_percent"].as_array().unwrap().iter().enumerate() {
            let busy = |moment| at(readings, moment, |reading| reading.busy[core]);
            if let (Some(from), Some(to)) = (busy(end - dt), busy(end)) {
                let expected = ((to - from) / USER_HZ / dt * 100.0).min(100.0);
                cpu_errors.push((number(percent) - expected).abs());
            }
        }
    }
    let used = |sample: &Value| {
        let expected = at(readings, number(&sample["at"]), |reading| reading.used)?;
        Some((number(&sample["used_bytes"]) - expected).abs())
    };
    (cpu_errors, streamed.memory.iter().filter_map(used).collect())
}

/// A summary of the errors; `Err` if they are too large.
fn compare(streamed: &Streamed, readings: &[CounterReading]) -> Result<String, String> {
    let (cpu, memory) = errors(streamed, readings);
    let close = cpu.iter().filter(|error| **error <= CPU_ERROR).count() as f64 / cpu.len().max(1) as f64;
    let (worst, worst_memory) =
        (cpu.iter().fold(0.0, |a: f64, b| a.max(*b)), memory.iter().fold(0.0, |a: f64, b| a.max(*b)));
    let summary = format!(
        "{} core samples: {:.1} % within {} points, maximum error {worst:.2}; maximum memory error {:.1} MiB",
        cpu.len(),
        close * 100.0,
        CPU_ERROR,
        worst_memory / 1024.0 / 1024.0
    );
    let enough = cpu.len() >= 20 && memory.len() >= 10;
    let accurate = close >= CPU_SHARE && worst <= MAX_CPU_ERROR && worst_memory <= MAX_MEMORY_ERROR;
    if enough && accurate { Ok(summary) } else { Err(summary) }
}

/// A server that samples `source`, and a thread that collects its stream until it stops.
fn collect(source: impl HostSource + Send + 'static) -> (TestServer, thread::JoinHandle<Streamed>) {
    let server = TestServer::sample(|log| HostSampler::with_source(source, log.subscribers()));
    let events = server.open_stream("?events=cpu,memory&window=0", &[]);
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

/// A faulty source whose files are one reading old.
#[derive(Default)]
struct DelayedSource {
    kernel: Procfs,
    previous: HashMap<String, String>,
}

impl HostSource for DelayedSource {
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

/// A faulty source whose numbers are a tenth too large.
#[derive(Default)]
struct InflatedSource(Procfs);

impl HostSource for InflatedSource {
    fn read_cached(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        self.0.read_cached(path, text)?;
        let inflate = |word: &str| {
            word.parse::<u64>().map_or(word.to_owned(), |number| (number.saturating_mul(11) / 10).to_string())
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

#[test]
fn cpu_and_memory_match_kernel_and_faulty_sources_do_not() {
    let _lock = lock();
    let servers = [collect(Procfs::default()), collect(DelayedSource::default()), collect(InflatedSource::default())];

    let mut readings = Vec::new();
    let mut load = None;
    // The load changes between ticks rather than at them. A change of memory between two readings can't be seen, so each
    // one is smaller than the tolerance.
    for tenth in 0..240 {
        match tenth {
            13 => load = Some(ChildGuard::stress(&["--cpu", "1"])),
            97 => load = Some(ChildGuard::stress(&["--vm", "1", "--vm-bytes", "60M", "--vm-keep"])),
            78 | 164 => load = None,
            181 => load = Some(ChildGuard::stress(&["--cpu", "1"])),
            _ => {}
        }
        readings.push(read_counters());
        // The interval of the readings.
        thread::sleep(Duration::from_millis(100));
    }
    drop(load);
    let [correct, delayed, inflated] = servers.map(|(server, streamed)| {
        drop(server);
        compare(&streamed.join().unwrap(), &readings)
    });

    correct.expect("the streamed values match the kernel's");
    for (fault, result) in [("delayed", delayed), ("inflated", inflated)] {
        assert!(result.is_err(), "the {fault} source passed the same comparison: {result:?}");
    }
}
