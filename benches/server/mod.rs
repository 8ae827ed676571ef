//! Servers in processes of their own, and what they cost.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

/// The program, as `make build` has built it.
pub(crate) fn hostbeat() -> Command {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/target/release/hostbeat");
    let args = ["--listen", "127.0.0.1:0", "--log-format", "text", "--max-streams-per-address", "1000000"];
    let mut command = Command::new(program);
    command.args(args);
    command
}

/// A server that is gone when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts it, and waits until it says where it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let line = lines.find(|line| line.contains("http://")).expect("it says where it listens");
        let address = line.split("http://").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
        Self { child, address }
    }

    /// Processor time of all its threads, in nanoseconds.
    pub(crate) fn cpu(&self) -> f64 {
        cpu(self.child.id(), |_| true)
    }

    /// Its process.
    #[allow(dead_code, reason = "only one of the benchmarks looks at its network")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The same, of the threads of one name.
    #[allow(dead_code, reason = "only one of the benchmarks looks at threads")]
    pub(crate) fn cpu_of(&self, thread: &str) -> f64 {
        cpu(self.child.id(), |name| name == thread)
    }

    /// Resident memory in KiB.
    #[allow(dead_code, reason = "only one of the benchmarks looks at memory")]
    pub(crate) fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time of those threads of a process whose names are `wanted`, in nanoseconds.
pub(crate) fn cpu(process: u32, wanted: impl Fn(&str) -> bool) -> f64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let spent = |task: fs::DirEntry| {
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        let stat = fs::read_to_string(task.path().join("schedstat")).ok()?;
        wanted(name.trim()).then(|| stat.split(' ').next()?.parse::<f64>().ok())?
    };
    tasks.filter_map(|task| spent(task.unwrap())).sum()
}
