//! The server program in a process of its own.

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

/// The program with piped output, and without a history unless a test asks for one.
pub(crate) fn hostbeat(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hostbeat"));
    command.args(args).env_remove("HOSTBEAT_LISTEN").env_remove("HOSTBEAT_DATA").env_remove("STATE_DIRECTORY");
    // The developer's own users are no part of a test.
    command.env("XDG_STATE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/no-state"));
    command.env("HOSTBEAT_HISTORY", "off");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The program with an open-file limit.
#[cfg(unix)]
pub(crate) fn hostbeat_with_file_limit(files: usize) -> Command {
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_hostbeat");
    command.args(["-c", &format!("ulimit -n {files} && exec {program} --listen 127.0.0.1:0")]);
    command.stdout(Stdio::piped());
    command
}

/// The program on another host: with another machine id, in a mount namespace.
#[cfg(target_os = "linux")]
pub(crate) fn hostbeat_on_other_host(args: &[&str]) -> Command {
    let script = "file=$(mktemp); tr -d - </proc/sys/kernel/random/uuid >$file; mount --bind $file /etc/machine-id; \
                  rm $file; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-ec", script, "sh", env!("CARGO_BIN_EXE_hostbeat")]).args(args);
    command.stdout(Stdio::piped());
    command
}

/// A server process, killed on drop.
pub(crate) struct ServerProcess {
    child: Child,
    pub(crate) address: String,
    /// The first line of its output.
    pub(crate) first_line: String,
    /// Its output up to the address.
    pub(crate) log: String,
    lines: Lines<BufReader<ChildStdout>>,
}

impl ServerProcess {
    /// Starts the process and waits for the address in its log.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut log = String::new();
        let line = lines.by_ref().map(Result::unwrap).find(|line| {
            log.push_str(line);
            log.push('\n');
            line.contains("listening on")
        });
        let line = line.expect("the log contains the address");
        let address = line.rsplit("http://").next().and_then(|rest| rest.rsplit("https://").next()).unwrap();
        let end = address.find(|c: char| !c.is_ascii_digit() && !".:".contains(c)).unwrap_or(address.len());
        let first_line = log.lines().next().unwrap_or_default().to_owned();
        Self { child, address: address[..end].to_owned(), first_line, log, lines }
    }

    /// Waits for a line of its output that contains `text`.
    pub(crate) fn find_line(&mut self, text: &str) -> String {
        self.lines.by_ref().map(Result::unwrap).find(|line| line.contains(text)).expect("the log contains the text")
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends the signal of that name.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Sends SIGKILL and waits.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.wait();
    }

    /// Waits for its exit.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
