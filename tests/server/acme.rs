//! Tests of certificates by ACME, against Pebble, the authority that Let's Encrypt made for tests.

use super::{
    server_process::{ServerProcess, hostbeat},
    support::wait_until,
    tls_client::{certificate, params, self_signed, try_connect},
};
use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

const DOMAIN: &str = "hostbeat.test";

/// A program that is killed when dropped.
struct Program(Child);

impl Program {
    fn start(command: &mut Command) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?}: {error}; tools/need.sh pebble installs it")))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Pebble at `directory`, which looks for domains at `server`, and the name server that it asks.
fn pebble(folder: &Path, directory: &str, server: &str) -> [Program; 2] {
    let (certificate, key) = self_signed(params("localhost"));
    fs::write(folder.join("pebble.pem"), certificate).unwrap();
    fs::write(folder.join("pebble.key"), key).unwrap();
    let config = serde_json::json!({"pebble": {
        "listenAddress": directory,
        "managementListenAddress": free_address(),
        "certificate": folder.join("pebble.pem"),
        "privateKey": folder.join("pebble.key"),
        "httpPort": 1,
        "tlsPort": server.rsplit_once(':').unwrap().1.parse::<u16>().unwrap(),
    }});
    fs::write(folder.join("pebble.json"), config.to_string()).unwrap();
    let (names, management) = (free_address(), free_address());
    let resolver = Program::start(Command::new("pebble-challtestsrv").args([
        "-dns01",
        &names,
        "-management",
        &management,
        "-http01",
        "",
        "-https01",
        "",
        "-tlsalpn01",
        "",
        "-defaultIPv4",
        "127.0.0.1",
        "-defaultIPv6",
        "",
    ]));
    let config = folder.join("pebble.json");
    let mut pebble = Command::new("pebble");
    pebble.args(["-config", config.to_str().unwrap(), "-dnsserver", &names]).env("PEBBLE_VA_NOSLEEP", "1");
    [Program::start(&mut pebble), resolver]
}

#[test]
fn certificate_is_ordered_once_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (server, directory) = (free_address(), free_address());
    let authority = pebble(folder.path(), &directory, &server);
    wait_until("Pebble listens", || std::net::TcpStream::connect(&directory).is_ok());
    let path = |name| folder.path().join(name).to_str().unwrap().to_owned();
    let url = format!("https://localhost:{}/dir", directory.rsplit_once(':').unwrap().1);
    let start = || {
        ServerProcess::start(hostbeat(&[
            "--listen",
            &server,
            "--data",
            &path("data"),
            "--acme",
            DOMAIN,
            "--acme-contact",
            "ops@hostbeat.test",
            "--acme-directory",
            &url,
            "--acme-ca",
            &path("pebble.pem"),
        ]))
    };
    let current = || try_connect(&server, DOMAIN, "h2").map(|stream| certificate(&stream)).ok();
    let mut first = start();
    assert!(first.log.contains("listening on https://"), "{}", first.log);
    let mut issued = None;
    wait_until("the certificate is issued", || {
        issued = current();
        issued.is_some()
    });
    // It is kept a moment after it is used.
    let is_kept = || {
        let files = std::fs::read_dir(folder.path().join("data/acme")).unwrap().flatten();
        files.into_iter().any(|file| file.file_name().to_string_lossy().starts_with("cached_cert_"))
    };
    wait_until("the certificate is kept", is_kept);
    first.kill();

    drop(authority);
    let _second = start();
    wait_until("the certificate is loaded", || current().is_some());
    assert_eq!(current(), issued);
}
