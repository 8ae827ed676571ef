//! nginx, HAProxy and Caddy in front, with the configurations in `deploy/`.

use super::{
    clients::Client,
    support::{PATIENCE, Running, eventually, root, tick},
};
use hostbeat::server::{Settings, log::TickLog};
use std::{
    fs,
    net::{TcpListener, TcpStream},
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

/// A running proxy; dropped, it stops.
struct Proxy {
    child: Child,
    folder: PathBuf,
    certificate: String,
    origin: String,
}

impl Proxy {
    /// Starts one in front of `server`, with `deploy/`'s configuration moved to this machine's addresses and files.
    fn start(kind: Kind, server: &Running) -> Self {
        let port = TcpListener::bind("127.0.1.1:0").unwrap();
        let address = port.local_addr().unwrap();
        let folder = PathBuf::from(format!("{}/{kind:?}-{}", env!("CARGO_TARGET_TMPDIR"), address.port()));
        fs::create_dir_all(&folder).unwrap();
        let file = |name: &str| folder.join(name).display().to_string();
        certify(&file("crt.pem"), &file("key.pem"));
        let certificate = [file("crt.pem"), file("key.pem")].map(|path| fs::read_to_string(path).unwrap()).concat();
        fs::write(file("both.pem"), certificate).unwrap();

        let moved = |name: &str, to: &[(&str, &str)]| {
            let mut text = fs::read_to_string(root(&format!("deploy/{name}"))).unwrap();
            let upstream = server.address.to_string();
            for (from, to) in
                [("127.0.0.1:3000", &*upstream), ("/etc/ssl/private/hostbeat.pem", &file("both.pem"))].iter().chain(to)
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
                fs::write(file("htpasswd"), format!("viewer:{}\n", said(&["openssl", "passwd", "-5", "secret"])))
                    .unwrap();
                let site = moved(
                    "nginx.conf",
                    &[
                        ("    listen [::]:443 ssl http2;\n", ""),
                        ("443", &address.to_string()),
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
                let site = moved("haproxy.cfg", &[(":::443 v4v6", &address.to_string())]);
                command = Command::new("haproxy");
                command.args(["-db", "-f", &site]);
                command.env("HOSTBEAT_PASSWORD", said(&["openssl", "passwd", "-5", "secret"]));
            }
            Kind::Caddy => {
                let tls = format!("https://{address} {{\n\ttls {} {}", file("crt.pem"), file("key.pem"));
                let site = moved("Caddyfile", &[("hostbeat.example.com {", &tls)]);
                // Its defaults, which are for machines of which it is the only server.
                let global = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n";
                fs::write(&site, global.to_owned() + &fs::read_to_string(&site).unwrap()).unwrap();
                command = Command::new("caddy");
                command.args(["run", "--adapter", "caddyfile", "--config", &site]);
                command.env("HOSTBEAT_PASSWORD", said(&["caddy", "hash-password", "--plaintext", "secret"]));
                command.envs([("XDG_DATA_HOME", &folder), ("XDG_CONFIG_HOME", &folder)]);
            }
        }
        drop(port);
        let log = fs::File::create(file("log")).unwrap();
        let child = command.stdout(Stdio::null()).stderr(log).spawn();
        let child = child.unwrap_or_else(|error| panic!("{kind:?} is missing ({error}): `make test` installs it"));
        let certificate = file("crt.pem");
        let proxy = Self { child, folder, certificate, origin: format!("https://{address}") };
        eventually("the proxy listens", || TcpStream::connect(address).is_ok());
        proxy
    }

    fn url(&self) -> String {
        format!("{}/api/stream", self.origin)
    }

    /// What curl has to be told, and `more`.
    fn options<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&["--cacert", &self.certificate, "--user", "viewer:secret"], more].concat()
    }

    fn client(&self, name: &'static str, more: &[&str]) -> Client {
        let origin = format!("Origin: {}", self.origin);
        Client::curl(name, &[&self.options(more)[..], &["--header", &origin]].concat(), &self.url())
    }

    /// The status that curl sees, of a stream that is not followed.
    fn status(&self, options: &[&str]) -> String {
        let patience = PATIENCE.as_secs().to_string();
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            "--max-time",
            &patience,
            "--head",
        ]);
        let output = command.args(options).arg(self.url()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // nginx's workers would outlive a killed master.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a program prints, without the line's end.
fn said(command: &[&str]) -> String {
    let output = Command::new(command[0]).args(&command[1..]).output();
    let output = output.unwrap_or_else(|error| panic!("{} is missing ({error}): `make test` installs it", command[0]));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Writes a certificate that vouches for itself, and its key.
fn certify(certificate: &str, key: &str) {
    let options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=hostbeat -addext subjectAltName=IP:127.0.1.1";
    let command = ["openssl"].into_iter().chain(options.split(' ')).chain(["-out", certificate, "-keyout", key]);
    said(&command.collect::<Vec<_>>());
}

/// A server that has published five ticks, and believes proxies on this host.
fn server(settings: Settings) -> Running {
    let log = TickLog::with_ring(100_000);
    (1..=5).for_each(|second| log.publish(&tick(second * 1000)));
    let trusted_proxy = vec!["127.0.0.1".parse::<std::net::IpAddr>().unwrap().into()];
    Running::show_by(log, Settings { trusted_proxy, ..settings })
}

/// No tick is published before every client has told of the one before: a proxy that held an event back would hold up
/// all of them.
#[test]
fn events_pass_at_once_and_streams_resume() {
    for kind in KINDS {
        let server = server(Settings { stream_age: Duration::from_secs(2), ..Settings::default() });
        let proxy = Proxy::start(kind, &server);
        let mut clients = [
            Client::curl("direct", &[], &format!("http://{}/api/stream", server.address)),
            proxy.client("HTTP/1.1", &["--http1.1"]),
            proxy.client("HTTP/2", &["--http2"]),
            proxy.client("HTTP/2, packed", &["--http2", "--compressed"]),
        ];
        let mut second = 5;
        clients.iter_mut().for_each(|client| client.reach("5000-2"));
        while clients.iter().any(|client| client.connections < 2) || second < 20 {
            second += 1;
            server.log.publish(&tick(second * 1000));
            clients.iter_mut().for_each(|client| client.reach(&format!("{second}000-2")));
        }
        let [direct, proxied @ ..] = &clients;
        for client in proxied {
            client
                .log
                .iter()
                .zip(&direct.log)
                .for_each(|(told, sent)| assert_eq!(told, sent, "{kind:?}, {}", client.name));
            assert_eq!(client.log.len(), direct.log.len(), "{kind:?}, {}", client.name);
        }
    }
}

#[test]
fn clients_are_told_apart_whatever_they_say_and_need_the_password() {
    for kind in KINDS {
        let server = server(Settings { max_streams_per_address: 2, ..Settings::default() });
        let proxy = Proxy::start(kind, &server);
        let lie = ["--header", "X-Forwarded-For: 203.0.113.5", "--header", "Forwarded: for=203.0.113.6"];
        let from = |host: &'static str| [&["--interface", host][..], &lie].concat();
        let mut open = [(); 2].map(|()| proxy.client("one host", &from("127.0.0.7")));
        open.iter_mut().for_each(|client| client.reach("5000-2"));
        let status = |host| proxy.status(&proxy.options(&from(host)));
        assert_eq!((status("127.0.0.7"), status("127.0.0.8")), ("429".to_owned(), "200".to_owned()), "{kind:?}");
        assert_eq!(proxy.status(&["--cacert", &proxy.certificate]), "401", "{kind:?}");
    }
}
