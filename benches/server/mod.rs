//! Starts servers as child processes and reads their CPU time and memory.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

/// The release build of Hostbeat, listening on a free port without a limit of streams.
#[allow(dead_code, reason = "one benchmark serves its own log")]
pub(crate) fn hostbeat() -> Command {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/target/release/hostbeat");
    let args = ["--listen", "127.0.0.1:0", "--log-format", "text", "--max-streams-per-address", "1000000"];
    let mut command = Command::new(program);
    command.args(args);
    // The developer's own users are no part of a benchmark.
    command.env("XDG_STATE_HOME", concat!(env!("CARGO_MANIFEST_DIR"), "/target/tmp/no-state"));
    // Nor is what is recorded, unless a benchmark measures it.
    command.env("HOSTBEAT_HISTORY", "off");
    command
}

/// A server process that is killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts the server and waits until it prints its address.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let line = lines.find(|line| line.contains("://")).expect("the server prints its address");
        let address = line.split("://").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
        Self { child, address }
    }

    /// CPU time of all threads, in nanoseconds.
    #[allow(dead_code, reason = "one benchmark measures no CPU time")]
    pub(crate) fn cpu_time(&self) -> f64 {
        cpu_time(self.child.id(), |_| true)
    }

    /// The server's process id.
    #[allow(dead_code, reason = "only one benchmark reads the server's network namespace")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of the threads of one name, in nanoseconds.
    #[allow(dead_code, reason = "only one benchmark measures single threads")]
    pub(crate) fn thread_cpu_time(&self, thread: &str) -> f64 {
        cpu_time(self.child.id(), |name| name == thread)
    }

    /// Resident memory in KiB.
    #[allow(dead_code, reason = "only one benchmark measures memory")]
    pub(crate) fn resident_memory(&self) -> f64 {
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

/// CPU time in nanoseconds of a process' threads, those with a name that `is_counted` accepts.
pub(crate) fn cpu_time(process: u32, is_counted: impl Fn(&str) -> bool) -> f64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let spent = |task: fs::DirEntry| {
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        let stat = fs::read_to_string(task.path().join("schedstat")).ok()?;
        is_counted(name.trim()).then(|| stat.split(' ').next()?.parse::<f64>().ok())?
    };
    tasks.filter_map(|task| spent(task.unwrap())).sum()
}
