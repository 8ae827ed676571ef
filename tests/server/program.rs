//! The program in a process of its own.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
};

/// The program, with what it writes to be read.
pub(crate) fn hostbeat(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hostbeat"));
    command.args(args).env_remove("HOSTBEAT_LISTEN").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The same, with so many files that it may open.
#[cfg(unix)]
pub(crate) fn limited(files: usize) -> Command {
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_hostbeat");
    command.args(["-c", &format!("ulimit -n {files} && exec {program} --listen 127.0.0.1:0")]);
    command.stdout(Stdio::piped());
    command
}

/// A server in a process of its own; dropped, it is ended.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
    /// What it wrote first.
    pub(crate) first_line: String,
}

impl Program {
    /// Starts it, and waits until it tells where it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).peekable();
        let first_line = lines.peek().cloned().unwrap_or_default();
        let line = lines.find(|line| line.contains("listening on")).expect("it says where it listens");
        let address = line.split("http://").nth(1).unwrap();
        let end = address.find(|c: char| !c.is_ascii_digit() && !".:".contains(c)).unwrap_or(address.len());
        Self { child, address: address[..end].to_owned(), first_line }
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
    }

    /// Ends it without asking.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.wait();
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
