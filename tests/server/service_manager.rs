//! Tests of the notifications to systemd, and of the unit.

use super::server_process::{ServerProcess, hostbeat};
use super::support::{TIMEOUT, project_path};
use std::{
    os::unix::net::UnixDatagram,
    process::{Command, Stdio},
};

fn receive(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 256];
    let length = socket.recv(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[test]
fn start_ticks_reload_and_stop_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut command = hostbeat(&["--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", folder.path().join("notify")).env("WATCHDOG_USEC", "200000").stdin(Stdio::null());
    let mut server = ServerProcess::start(command);
    // The watchdog reports all the time in between.
    let next = || std::iter::repeat_with(|| receive(&socket)).find(|state| !state.starts_with("WATCHDOG=1"));
    assert!(next().unwrap().starts_with("READY=1"));
    std::iter::repeat_with(|| receive(&socket)).find(|state| state.starts_with("WATCHDOG=1")).unwrap();
    server.signal("HUP");
    let reloading = next().unwrap();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert!(next().unwrap().starts_with("READY=1"));
    server.terminate();
    assert!(next().unwrap().starts_with("STOPPING=1"));
    assert!(server.wait().success());
}

/// Whoever edits the unit keeps its sandbox.
#[test]
fn unit_exposes_little_of_the_host() {
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--offline=true", "--no-pager", "--threshold=20"]);
    let output = analyze.arg(project_path("deploy/hostbeat.service")).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "an exposure level over 2.0:\n{report}");
    assert!(report.contains("Overall exposure level for hostbeat.service"), "{report}");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// These would hide other processes, counters of the host, interfaces, sockets or names of users.
#[test]
fn unit_hides_nothing_that_is_sampled() {
    let unit = std::fs::read_to_string(project_path("deploy/hostbeat.service")).unwrap();
    let hiding = ["ProcSubset=", "ProtectProc=", "PrivateNetwork=", "PrivateUsers=", "PrivatePIDs=", "ProtectHome=y"];
    for line in unit.lines() {
        assert!(!hiding.iter().any(|key| line.starts_with(key)), "{line}");
    }
}
