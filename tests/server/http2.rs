//! Tests of HTTP/2: many streams over a connection, one that stalls, floods, and the end of the server.

use super::{
    server_process::ServerProcess,
    support::TIMEOUT,
    tls_client::{TlsStream, client_config, connect, self_signed_server},
};
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use h2::{
    RecvStream,
    client::{self, SendRequest},
};
use std::io::{Read, Write};
use tokio::{net::TcpStream, runtime::Runtime, time::timeout};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

/// Bytes of a stream that a client takes before it grants more.
const WINDOW: u32 = 4096;

/// A client of one connection.
struct Client {
    requests: SendRequest<Bytes>,
    /// Ends with the connection.
    ended: tokio::task::JoinHandle<Result<(), h2::Error>>,
}

impl Client {
    async fn connect(server: &ServerProcess) -> Self {
        let socket = TcpStream::connect(&server.address).await.unwrap();
        let connector = TlsConnector::from(client_config("h2"));
        let stream = connector.connect(ServerName::try_from("localhost").unwrap(), socket).await.unwrap();
        let mut builder = client::Builder::new();
        builder.initial_window_size(WINDOW).initial_connection_window_size(1 << 20);
        let (requests, connection) = builder.handshake(stream).await.unwrap();
        Self { requests, ended: tokio::spawn(connection) }
    }

    async fn get(&mut self, url: &str) -> (StatusCode, RecvStream) {
        let mut requests = self.requests.clone().ready().await.unwrap();
        let request = Request::get(url).body(()).unwrap();
        let (response, _) = requests.send_request(request, true).unwrap();
        let response = timeout(TIMEOUT, response).await.unwrap().unwrap();
        (response.status(), response.into_body())
    }

    async fn stream(&mut self) -> RecvStream {
        let (status, body) = self.get("https://localhost/api/stream?events=cpu&window=0").await;
        assert_eq!(status, 200);
        body
    }
}

/// Reads until the text contains `end`, or the stream ends if it is empty.
async fn read_until(body: &mut RecvStream, end: &str) -> String {
    let mut text = String::new();
    while end.is_empty() || !text.contains(end) {
        match timeout(TIMEOUT, body.data()).await.unwrap() {
            Some(data) => {
                let data = data.unwrap();
                body.flow_control().release_capacity(data.len()).unwrap();
                text += &String::from_utf8_lossy(&data);
            }
            None if end.is_empty() => break,
            None => panic!("the stream ended after {text}"),
        }
    }
    text
}

#[cfg(unix)]
#[test]
fn hundred_streams_of_a_connection_get_ticks_and_shutdown() {
    let (mut server, _folder) = self_signed_server(&["--max-streams-per-address", "100"]);
    Runtime::new().unwrap().block_on(async {
        let mut client = Client::connect(&server).await;
        let mut streams = Vec::new();
        let is_cut = (0..1000).any(|_| stream.write_all(&frame(CONTINUATION, 0, 1, &fields)).is_err());
    assert!(is_cut, "13 MB of headers were read");
    serves(&server);
}

#[test]
fn endless_headers_end_the_connection() {
    let (server, _folder) = self_signed_server(&[]);
    let mut stream = raw_connection(&server);
    stream.write_all(&frame(HEADERS, END_STREAM, 1, &get())).unwrap();
    // A literal field without indexing, over and over.
    let fields = [&[0, 1][..], b"x", &[126], &[b'a'; 126]].concat().repeat(100);
    for _ in 0..100 {
        if stream.write_all(&frame(CONTINUATION, 0, 1, &fields)).is_err() {
            break;
        }
    }
    assert_eq!(read_goaway(&mut stream), ENHANCE_YOUR_CALM);
    serves(&server);
}

fn serves(server: &ServerProcess) {
    Runtime::new().unwrap().block_on(async {
        assert_eq!(Client::connect(server).await.get("https://localhost/healthz").await.0, 200);
    });
}
