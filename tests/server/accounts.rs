//! Tests of the commands that change users and tokens, and of the data folder of a server.

use super::{
    server_process::{ServerProcess, hostbeat},
    support::wait_until,
};
use std::{
    fs,
    io::Write,
    path::Path,
    process::{Child, Output, Stdio},
};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery";

fn spawn(folder: &Path, args: &[&str], input: &str) -> Child {
    let mut command = hostbeat(args);
    let mut child = command.arg("--data").arg(folder).stdin(Stdio::piped()).spawn().unwrap();
    // A command that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child
}

/// Exit code, standard output and standard error.
fn run(folder: &TempDir, args: &[&str], input: &str) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = spawn(folder.path(), args, input).wait_with_output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn add(folder: &TempDir, name: &str) -> (Option<i32>, String, String) {
    run(folder, &["user", "add", name, "--password-stdin"], PASSWORD)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn users_are_added_listed_changed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(&folder, &["user", "list"], "").1.lines().count(), 1);
    assert!(names(folder.path()).is_empty(), "a list makes no file");
    assert_eq!(add(&folder, "alice").0, Some(0));
    let admin = ["user", "add", "bob@example.com", "--role", "admin", "--password-stdin"];
    assert_eq!(run(&folder, &admin, "a password\n").0, Some(0));
    let (code, list, _) = run(&folder, &["user", "list"], "");
    let rows: Vec<Vec<_>> = list.lines().skip(1).map(|line| line.split_whitespace().take(2).collect()).collect();
    assert_eq!((code, rows), (Some(0), vec![vec!["alice", "viewer"], vec!["bob@example.com", "admin"]]));
    assert_eq!(run(&folder, &["user", "passwd", "alice", "--password-stdin"], "another password").0, Some(0));
    assert_eq!(run(&folder, &["user", "remove", "alice"], "").0, Some(0));
    let (code, _, message) = run(&folder, &["user", "remove", "bob@example.com"], "");
    assert!(code == Some(0) && message.contains("no user is left"), "{message}");
}

#[test]
fn invalid_input_exits_with_2_and_says_what_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let add = ["user", "add", "alice", "--password-stdin"];
    for (args, input, hint) in [
        (&["user", "add", "al ice", "--password-stdin"][..], PASSWORD, "ASCII letters"),
        (&["user", "add", "alice", "--role", "root", "--password-stdin"], PASSWORD, "viewer"),
        (&add, "short", "8 to 1024"),
        (&add, "", "8 to 1024"),
        (&add, "one line\nanother line", "one line"),
        (&["user", "add", "alice-long", "--password-stdin"], "alice-long", "differ"),
        (&["user", "passwd", "alice", "--password-stdin"], PASSWORD, "user list"),
        (&["user", "remove", "alice"], "", "user list"),
        (&["token", "add", "ci"], "", "--can"),
        (&["token", "add", "ci", "--can", "write"], "", "publish"),
        (&["token", "add", "ci", "--can", "read", "--expires", "soon"], "", "90d"),
        (&["token", "revoke", "ci"], "", "token list"),
    ] {
        let (code, _, message) = run(&folder, args, input);
        assert!(code == Some(2) && message.contains(hint), "{args:?}: {code:?} {message}");
        assert!(names(folder.path()).is_empty(), "{args:?} leaves a file");
    }
}

#[test]
fn taken_name_exits_with_2_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(add(&folder, "alice").0, Some(0));
    let (code, _, message) = add(&folder, "alice");
    assert!(code == Some(2) && message.contains("user passwd alice"), "{message}");
    let token = ["token", "add", "ci", "--can", "read"];
    assert_eq!(run(&folder, &token, "").0, Some(0));
    let (code, secret, message) = run(&folder, &token, "");
    assert!(code == Some(2) && secret.is_empty() && message.contains("token revoke ci"), "{message}");
}

#[test]
fn token_secret_is_printed_once() {
    let folder = tempfile::tempdir().unwrap();
    let (code, secret, message) = run(&folder, &["token", "add", "ci", "--can", "publish", "--expires", "90d"], "");
    assert!(code == Some(0) && secret.starts_with("hb_") && secret.len() == 47, "{secret}");
    assert!(message.contains("expires 2") && !message.contains("hb_"), "{message}");
    let list = run(&folder, &["token", "list"], "").1;
    assert!(list.contains("publish") && !list.contains("hb_"), "{list}");
    let id = list.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    assert_eq!(run(&folder, &["token", "revoke", id], "").0, Some(0));
    assert_eq!(run(&folder, &["token", "list"], "").1.lines().count(), 1);
}

#[test]
fn files_hold_no_password() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(add(&folder, "alice").0, Some(0));
    for name in names(folder.path()) {
        let content = fs::read(folder.path().join(&name)).unwrap();
        assert!(!content.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn folder_and_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("new");
    let server = ServerProcess::start(start_with(&folder));
    assert!(spawn(&folder, &["user", "add", "alice", "--password-stdin"], PASSWORD).wait().unwrap().success());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert!(names(&folder).contains(&"hostbeat.db".to_owned()));
    for name in names(&folder) {
        assert_eq!(mode(&folder.join(&name)), 0o600, "{name}");
    }
    drop(server);
}

fn start_with(folder: &Path) -> std::process::Command {
    let mut command = hostbeat(&["--listen", "127.0.0.1:0"]);
    command.arg("--data").arg(folder);
    command
}

#[test]
fn newer_file_is_refused_and_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(add(&folder, "alice").0, Some(0));
    let path = folder.path().join("hostbeat.db");
    let mut newer = fs::read(&path).unwrap();
    // user_version in SQLite's file header.
    newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&path, &newer).unwrap();
    let server = start_with(folder.path()).output().unwrap();
    let log = String::from_utf8_lossy(&server.stdout).into_owned();
    assert!(server.status.code() == Some(2) && log.contains("99"), "{log}");
    let (code, _, message) = add(&folder, "bob");
    assert!(code == Some(2) && message.contains("newer Hostbeat"), "{message}");
    assert_eq!(fs::read(&path).unwrap(), newer);
}

#[test]
fn damaged_file_is_refused_by_commands_and_set_aside_by_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let content = vec![0x5a; 8192];
    fs::write(folder.path().join("hostbeat.db"), &content).unwrap();
    let (code, _, message) = add(&folder, "alice");
    assert!(code == Some(1) && message.contains("damaged"), "{message}");
    let _server = ServerProcess::start(start_with(folder.path()));
    let kept = names(folder.path())
        .into_iter()
        .find(|name| name.starts_with("hostbeat.db.damaged-") && !name.ends_with("-wal") && !name.ends_with("-shm"))
        .unwrap();
    assert_eq!(fs::read(folder.path().join(kept)).unwrap(), content);
    assert_eq!(add(&folder, "alice").0, Some(0));
}

#[test]
fn second_server_of_a_named_folder_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let _first = ServerProcess::start(start_with(folder.path()));
    let second = start_with(folder.path()).output().unwrap();
    let log = String::from_utf8_lossy(&second.stdout).into_owned();
    assert!(second.status.code() == Some(2) && log.contains("--data"), "{log}");
}

#[test]
fn second_server_of_the_default_folder_answers_this_host_only() {
    let parent = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = hostbeat(&["--listen", "127.0.0.1:0"]);
        command.env("XDG_STATE_HOME", parent.path());
        ServerProcess::start(command)
    };
    let status = |server: &ServerProcess, forwarded: Option<&str>| {
        let request = ureq::get(format!("http://{}/api/snapshot", server.address));
        let request = forwarded.into_iter().fold(request, |request, client| request.header("x-forwarded-for", client));
        request.config().http_status_as_error(false).build().call().unwrap().status().as_u16()
    };
    let (first, other) = (start(), start());
    assert!(names(&parent.path().join("hostbeat")).is_empty(), "nothing to share yet");
    assert_eq!((status(&first, None), status(&other, None)), (200, 200));
    drop(other);
    let add = ["user", "add", "alice", "--password-stdin"];
    assert!(spawn(&parent.path().join("hostbeat"), &add, PASSWORD).wait().unwrap().success());
    wait_until("the first server has read the user", || status(&first, None) == 401);
    let second = start();
    assert_eq!((status(&second, None), status(&second, Some("127.0.0.1"))), (200, 403));
}

#[test]
fn killed_commands_leave_a_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(add(&folder, "alice").0, Some(0));
    for delay_ms in (0..24).map(|step| step * 5) {
        let mut child = spawn(folder.path(), &["token", "add", &format!("t{delay_ms}"), "--can", "read"], "");
        // Kills at many moments; each must leave a whole file.
        std::thread::sleep(std::time::Duration::from_millis(delay_ms / 4));
        child.kill().unwrap();
        child.wait().unwrap();
        let (code, list, message) = run(&folder, &["user", "list"], "");
        assert!(code == Some(0) && list.contains("alice"), "{message}");
    }
}

#[test]
fn simultaneous_commands_all_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let add = |n| spawn(folder.path(), &["token", "add", &format!("t{n}"), "--can", "read"], "");
    let children: Vec<_> = (0..8).map(add).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(run(&folder, &["token", "list"], "").1.lines().count(), 9);
}
