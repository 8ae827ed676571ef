//! Tests of what systemd is told.

use super::server_process::{ServerProcess, hostbeat};
use super::support::TIMEOUT;
use std::{os::unix::net::UnixDatagram, process::Stdio};

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
