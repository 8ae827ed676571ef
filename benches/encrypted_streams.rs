//! Benchmarks the CPU time and memory per viewer over TLS, with HTTP/1.1, and with 100 HTTP/2 streams a connection.
//!
//! This process runs all viewers. Run it with `make bench`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that panics has failed"
)]

mod server;

use bytes::Bytes;
use h2::client::{self, SendRequest};
use rcgen::{CertificateParams, KeyPair};
use server::{Server, hostbeat};
use std::{fs, net::SocketAddr, sync::Arc, thread, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

const VIEWERS: usize = 10_000;
const STREAMS_PER_CONNECTION: usize = 100;
const TICKS: u64 = 15;
const WARM_UP: Duration = Duration::from_secs(4);
/// Resident memory per viewer, in KiB.
const MEMORY_BUDGET: f64 = 12.0;
const PATH: &str = "/api/stream?window=0&events=cpu,memory,load,pressure,connections,network,disk,cgroup";

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
    let files = ["crt.pem", "key.pem"].map(|name| folder.path().join(name));
    fs::write(&files[0], &certificate).unwrap();
    fs::write(&files[1], key.serialize_pem()).unwrap();
    println!("{:16} {:>12} {:>12}   {VIEWERS} viewers, {TICKS} ticks", "", "CPU, us", "memory, KiB");
    let mut within_budget = true;
    for protocol in ["http/1.1", "h2"] {
        let mut command = hostbeat();
        command.arg("--tls-cert").arg(&files[0]).arg("--tls-key").arg(&files[1]);
        command.args(["--data", folder.path().join(protocol.replace('/', "-")).to_str().unwrap()]);
        let (cpu, memory) = measure(&Server::start(command), &Viewers::new(protocol, &certificate));
        println!("{protocol:16} {cpu:>12.2} {memory:>12.2}");
        within_budget &= memory <= MEMORY_BUDGET;
    }
    assert!(within_budget, "a viewer takes over {MEMORY_BUDGET} KiB");
}

/// CPU time per tick in microseconds and memory in KiB, both per viewer.
fn measure(server: &Server, viewers: &Viewers) -> (f64, f64) {
    // The first connections pay for the server's one-time allocations.
    viewers.open(server.address, STREAMS_PER_CONNECTION);
    thread::sleep(Duration::from_secs(2));
    let before = server.resident_memory();
    viewers.open(server.address, VIEWERS - STREAMS_PER_CONNECTION);
    thread::sleep(WARM_UP);
    let memory = (server.resident_memory() - before) / (VIEWERS - STREAMS_PER_CONNECTION) as f64;
    let before = server.cpu_time();
    thread::sleep(Duration::from_secs(TICKS));
    let cpu = (server.cpu_time() - before) / 1000.0 / (TICKS as usize * VIEWERS) as f64;
    (cpu, memory)
}

/// Connections that read as soon as data arrives.
struct Viewers {
    runtime: Runtime,
    connector: TlsConnector,
    is_http2: bool,
}

impl Viewers {
    fn new(protocol: &str, certificate: &str) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.into()];
        let connector = TlsConnector::from(Arc::new(config));
        Self { runtime: Runtime::new().unwrap(), connector, is_http2: protocol == "h2" }
    }

    fn open(&self, address: SocketAddr, count: usize) {
        self.runtime.block_on(async {
            if self.is_http2 {
                for _ in 0..count / STREAMS_PER_CONNECTION {
                    read_streams(self.connect(address).await).await;
                }
            } else {
                for _ in 0..count {
                    tokio::spawn(read_stream(self.connect(address).await));
                }
            }
        });
    }

    async fn connect(&self, address: SocketAddr) -> TlsStream<TcpStream> {
        let socket = TcpStream::connect(address).await.unwrap();
        self.connector.connect(ServerName::try_from("localhost").unwrap(), socket).await.unwrap()
    }
}

async fn read_stream(mut stream: TlsStream<TcpStream>) {
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 4096];
    // Reading ends with the server.
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}

async fn read_streams(stream: TlsStream<TcpStream>) {
    let mut builder = client::Builder::new();
    builder.initial_window_size(1 << 20).initial_connection_window_size(1 << 24);
    let (requests, connection) = builder.handshake::<_, Bytes>(stream).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..STREAMS_PER_CONNECTION {
        open_stream(requests.clone()).await;
    }
}

async fn open_stream(requests: SendRequest<Bytes>) {
    let request = axum::http::Request::get(format!("https://localhost{PATH}")).body(()).unwrap();
    let response = requests.ready().await.unwrap().send_request(request, true).unwrap().0.await.unwrap();
    assert_eq!(response.status(), 200);
    tokio::spawn(async move {
        let mut body = response.into_body();
        while let Some(Ok(data)) = body.data().await {
            body.flow_control().release_capacity(data.len()).unwrap();
        }
    });
}
