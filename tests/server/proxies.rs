//! Tests streams through nginx, HAProxy and Caddy with the configurations in `deploy/`.

use super::{
    clients::Client,
    proxied_users,
    support::{TIMEOUT, TestServer, project_path, tick, wait_until},
};
use hostbeat::server::{Settings, log::TickLog};
use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

#[derive(Clone, Copy, Debug)]
enum Kind {
    Nginx,
    Haproxy,
    Caddy,
}

const KINDS: [Kind; 3] = [Kind::Nginx, Kind::Haproxy, Kind::Caddy];

/// A running proxy, stopped on drop.
struct Proxy {
    child: Child,
    folder: PathBuf,
    certificate: String,
    origin: String,
    /// The path of the location that is passed on, without its final slash.
    base_path: &'static str,
}

impl Proxy {
    /// Starts a proxy for `server` with the configuration in `deploy/`, adapted to test addresses and files.
    fn start(kind: Kind, server: &TestServer) -> Self {
        Self::start_below("", kind, &server.address.to_string())
    }

    /// The same for nginx with the location below `base_path`.
    fn start_below(base_path: &'static str, kind: Kind, upstream: &str) -> Self {
        let port = TcpListener::bind((own_address(), 0)).unwrap();
        let address = port.local_addr().unwrap();
        let folder = PathBuf::from(format!("{}/{kind:?}-{}", env!("CARGO_TARGET_TMPDIR"), address.port()));
        fs::create_dir_all(&folder).unwrap();
        let file = |name: &str| folder.join(name).display().to_string();
        write_certificate(&file("crt.pem"), &file("key.pem"));
        let certificate = [file("crt.pem"), file("key.pem")].map(|path| fs::read_to_string(path).unwrap()).concat();
        fs::write(file("both.pem"), certificate).unwrap();

        let adapt = |name: &str, to: &[(&str, &str)]| {
            let mut text = fs::read_to_string(project_path(&format!("deploy/{name}"))).unwrap();
            for (from, to) in
                [("127.0.0.1:3000", upstream), ("/etc/ssl/private/hostbeat.pem", &file("both.pem"))].iter().chain(to)
            {
                assert!(matches!(kind, Kind::Caddy) || text.contains(from), "{name} has no {from}");
                text = text.replace(from, to);
            }
            fs::write(file(name), text).unwrap();
            file(name)
        };
        let mut command;
        match kind {
            Kind::Nginx => {
                fs::write(file("htpasswd"), format!("viewer:{}\n", output_of(&["openssl", "passwd", "-5", "secret"])))
                    .unwrap();
                let site = adapt(
                    "nginx.conf",
                    &[
                        ("    listen [::]:443 ssl http2;\n", ""),
                        ("listen 443", &format!("listen {address}")),
                        ("location / {", &format!("location {base_path}/ {{")),
                        ("/etc/nginx/hostbeat.htpasswd", &file("htpasswd")),
                    ],
                );
                let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                    .map(|name| format!("{name}_temp_path {};\n", file(name)))
                    .concat();
                let main = format!(
                    "pid {};\nevents {{}}\nhttp {{\naccess_log off;\n{folders}include {site};\n}}\n",
                    file("pid")
                );
                fs::write(file("main.conf"), main).unwrap();
                command = Command::new("nginx");
                command.args(["-c", &file("main.conf"), "-g", "daemon off; error_log stderr;"]);
            }
            Kind::Haproxy => {
                let site = adapt("haproxy.cfg", &[(":::443 v4v6", &address.to_string())]);
                command = Command::new("haproxy");
                command.args(["-db", "-f", &site]);
                command.env("HOSTBEAT_PASSWORD", output_of(&["openssl", "passwd", "-5", "secret"]));
            }
            Kind::Caddy => {
                let tls = format!("https://{address} {{\n\ttls {} {}", file("crt.pem"), file("key.pem"));
                let site = adapt("Caddyfile", &[("hostbeat.example.com {", &tls)]);
                // Without the admin endpoint, redirects and certificate store of Caddy's defaults.
                let global = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n";
                fs::write(&site, global.to_owned() + &fs::read_to_string(&site).unwrap()).unwrap();
                command = Command::new("caddy");
                command.args(["run", "--adapter", "caddyfile", "--config", &site]);
                command.env("HOSTBEAT_PASSWORD", output_of(&["caddy", "hash-password", "--plaintext", "secret"]));
                command.envs([("XDG_DATA_HOME", &folder), ("XDG_CONFIG_HOME", &folder)]);
            }
        }
        drop(port);
        let log = fs::File::create(file("log")).unwrap();
        let child = command.stdout(Stdio::null()).stderr(log).spawn();
        let child = child.unwrap_or_else(|error| panic!("{kind:?} is missing ({error}): `make test` installs it"));
        let certificate = file("crt.pem");
        let mut proxy = Self { child, folder, certificate, origin: format!("https://{address}"), base_path };
        let log = proxy.folder.join("log");
        wait_until("the proxy listens", || {
            let ended = proxy.child.try_wait().unwrap();
            assert!(ended.is_none(), "{kind:?} ended: {}", fs::read_to_string(&log).unwrap());
            TcpStream::connect(address).is_ok()
        });
        proxy
    }

    fn url(&self) -> String {
        format!("{}{}/api/stream", self.origin, self.base_path)
    }

    /// curl's options for the certificate and the password, and `more`.
    fn options<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&["--cacert", &self.certificate, "--user", "viewer:secret"], more].concat()
    }

    fn client(&self, name: &'static str, more: &[&str]) -> Client {
        let origin = format!("Origin: {}", self.origin);
        Client::curl(name, &[&self.options(more)[..], &["--header", &origin]].concat(), &self.url())
    }

    /// The status of a HEAD request for the stream.
    fn status(&self, options: &[&str]) -> String {
        let timeout = TIMEOUT.as_secs().to_string();
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            "--max-time",
            &timeout,
            "--head",
        ]);
        let output = command.args(options).arg(self.url()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // SIGTERM, since nginx's workers would outlive a killed master.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The trimmed output of a command.
fn output_of(command: &[&str]) -> String {
    let output = Command::new(command[0]).args(&command[1..]).output();
    let output = output.unwrap_or_else(|error| panic!("{} is missing ({error}): `make test` installs it", command[0]));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A loopback address of this process alone: the port of a proxy is free between the choice and its start.
fn own_address() -> Ipv4Addr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}

/// Writes a self-signed certificate and its key.
fn write_certificate(certificate: &str, key: &str) {
    let options = format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=hostbeat \
         -addext subjectAltName=IP:{}",
        own_address()
    );
    let command = ["openssl"].into_iter().chain(options.split(' ')).chain(["-out", certificate, "-keyout", key]);
    output_of(&command.collect::<Vec<_>>());
}

/// A server with five published ticks, which trusts proxies on this host.
fn server(settings: Settings) -> TestServer {
    let log = TickLog::with_ring(100_000);
    (1..=5).for_each(|second| log.publish(&tick(second * 1000)));
    let trusted_proxy = vec!["127.0.0.1".parse::<std::net::IpAddr>().unwrap().into()];
    TestServer::serve_with(log, Settings { trusted_proxy, ..settings })
}

/// A tick is published only when every client has reported the previous one, so a proxy that buffers fails the test.
#[test]
fn streams_through_proxies_are_unbuffered_and_resume() {
    for kind in KINDS {
        let server = server(Settings { stream_age: Duration::from_secs(2), ..Settings::default() });
        let proxy = Proxy::start(kind, &server);
        let mut clients = [
            Client::curl("direct", &[], &format!("http://{}/api/stream", server.address)),
            proxy.client("HTTP/1.1", &["--http1.1"]),
            proxy.client("HTTP/2", &["--http2"]),
            proxy.client("HTTP/2, compressed", &["--http2", "--compressed"]),
        ];
        let mut second = 5;
        clients.iter_mut().for_each(|client| client.reach("5000-2-e3b0c4"));
        while clients.iter().any(|client| client.connections < 2) || second < 20 {
            second += 1;
            server.log.publish(&tick(second * 1000));
            clients.iter_mut().for_each(|client| client.reach(&format!("{second}000-2-e3b0c4")));
        }
        let [direct, proxied @ ..] = &clients;
        for client in proxied {
            client
                .log
                .iter()
                .zip(&direct.log)
                .for_each(|(received, sent)| assert_eq!(received, sent, "{kind:?}, {}", client.name));
            assert_eq!(client.log.len(), direct.log.len(), "{kind:?}, {}", client.name);
        }
    }
}

#[test]
fn stream_below_a_path_passes_through_proxy() {
    let server = server(Settings { base_path: "/monitor".to_owned(), ..Settings::default() });
    let proxy = Proxy::start_below("/monitor", Kind::Nginx, &server.address.to_string());
    proxy.client("below a path", &["--http2"]).reach("5000-2-e3b0c4");
    assert_eq!(proxy.status(&proxy.options(&[])), "200");
}

#[test]
fn clients_behind_proxies_have_own_limits_and_need_password() {
    for kind in KINDS {
        let server = server(Settings { max_streams_per_address: 2, ..Settings::default() });
        let proxy = Proxy::start(kind, &server);
        let spoofed = ["--header", "X-Forwarded-For: 203.0.113.5", "--header", "Forwarded: for=203.0.113.6"];
        let from = |host: &'static str| [&["--interface", host][..], &spoofed].concat();
        let mut open = [(); 2].map(|()| proxy.client("one host", &from("127.0.0.7")));
        open.iter_mut().for_each(|client| client.reach("5000-2-e3b0c4"));
        let status = |host| proxy.status(&proxy.options(&from(host)));
        assert_eq!((status("127.0.0.7"), status("127.0.0.8")), ("429".to_owned(), "200".to_owned()), "{kind:?}");
        assert_eq!(proxy.status(&["--cacert", &proxy.certificate]), "401", "{kind:?}");
    }
}

#[test]
fn user_of_nginx_gets_a_session_and_a_forged_name_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let server = proxied_users::start(&folder, "127.0.0.1");
    let proxy = Proxy::start_below("", Kind::Nginx, &server.address);
    let forged = ["--header", "Remote-User: admin", "--header", "Accept: text/html"];
    let options = proxy.options(&[&forged[..], &["--silent", "--include", &proxy.origin]].concat()).join("\n");
    let response = output_of(&[&["curl"], &*options.split('\n').collect::<Vec<_>>()].concat());
    assert!(response.contains("<summary>viewer</summary>") && response.contains("hostbeat="), "{response}");
    let session = response.split("hostbeat=").nth(1).unwrap().split(';').next().unwrap();
    let stream = format!("http://{}/api/stream", server.address);
    let cookie = format!("hostbeat={session}");
    assert_eq!(ureq::get(&stream).header("cookie", &cookie).call().unwrap().status(), 200);
    assert!(ureq::get(&stream).call().is_err(), "without the session");
}
