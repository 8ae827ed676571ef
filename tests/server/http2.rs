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
        for _ in 0..100 {
            streams.push(client.stream().await);
        }
        let (status, _) = client.get("https://localhost/api/stream").await;
        assert_eq!(status, 429, "streams count, not connections");
        for stream in &mut streams {
            read_until(stream, "event: cpu\n").await;
            read_until(stream, "event: cpu\n").await;
        }
        server.terminate();
        for stream in &mut streams {
            let end = read_until(stream, "").await;
            assert!(end.contains("event: shutdown\n"), "{end}");
        }
        // What the client sent last may meet a closed socket.
        let _ = timeout(TIMEOUT, client.ended).await.unwrap().unwrap();
    });
    assert!(server.wait().success());
}

#[test]
fn page_is_served_whole_under_a_known_name_only() {
    let (server, _folder) = self_signed_server(&[]);
    Runtime::new().unwrap().block_on(async {
        let mut client = Client::connect(&server).await;
        let (status, mut page) = client.get("https://localhost/").await;
        assert_eq!(status, 200);
        assert!(read_until(&mut page, "").await.ends_with("</html>"));
        let (status, _) = client.get("https://evil.example/").await;
        assert_eq!(status, 421);
        let (status, _) = client.get("https://user@localhost/").await;
        assert_eq!(status, 400);
    });
}

#[test]
fn stalled_stream_is_reset_and_its_neighbour_goes_on() {
    let (server, _folder) = self_signed_server(&[]);
    Runtime::new().unwrap().block_on(async {
        let mut client = Client::connect(&server).await;
        let (_, mut stalled) = client.get("https://localhost/api/stream").await;
        let mut neighbour = client.stream().await;
        let reset = async {
            let mut taken = 0;
            loop {
                match stalled.data().await.unwrap() {
                    Ok(data) => taken += data.len(),
                    Err(error) => break (taken, error),
                }
            }
        };
        let ticks = async {
            loop {
                read_until(&mut neighbour, "event: cpu\n").await;
            }
        };
        let (taken, error) = tokio::select! {
            reset = timeout(TIMEOUT, reset) => reset.unwrap(),
            () = ticks => unreachable!(),
        };
        assert_eq!((taken, error.reason()), (WINDOW as usize, Some(h2::Reason::CANCEL)), "{error}");
        read_until(&mut neighbour, "event: cpu\n").await;
        let (_, mut metrics) = client.get("https://localhost/metrics").await;
        let metrics = read_until(&mut metrics, "").await;
        assert!(metrics.contains("reason=\"stalled\"} 1\n"), "{metrics}");
    });
}

const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ENHANCE_YOUR_CALM: u8 = 11;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields of `GET https://localhost/` (RFC 7541, appendix A).
fn get() -> Vec<u8> {
    [&[0x82, 0x84, 0x87, 0x41, 9][..], b"localhost"].concat()
}

/// A connection whose frames a test writes.
fn raw_connection(server: &ServerProcess) -> TlsStream {
    let mut stream = connect(&server.address, "h2");
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).unwrap();
    stream
}

/// The error code of the frame that ends the connection; `None` if it ends without one.
fn read_goaway(stream: &mut TlsStream) -> Option<u8> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload).ok()?;
        if head[3] == GOAWAY {
            return Some(payload[7]);
        }
    }
}

#[test]
fn rapid_resets_end_the_connection() {
    let (server, _folder) = self_signed_server(&[]);
    let mut stream = raw_connection(&server);
    let resets = (0..1000).flat_map(|n| {
        let id = 2 * n + 1;
        [frame(HEADERS, END_STREAM | END_HEADERS, id, &get()), frame(RESET, 0, id, &[0, 0, 0, 8])].concat()
    });
    // The server may close before it has read all.
    let _ = stream.write_all(&resets.collect::<Vec<_>>());
    assert_eq!(read_goaway(&mut stream), Some(ENHANCE_YOUR_CALM));
    serves(&server);
}

#[test]
fn endless_headers_end_the_connection() {
    let (server, _folder) = self_signed_server(&[]);
    let mut stream = raw_connection(&server);
    stream.write_all(&frame(HEADERS, END_STREAM, 1, &get())).unwrap();
    // A literal field without indexing, over and over.
    let fields = [&[0, 1][..], b"x", &[126], &[b'a'; 126]].concat().repeat(100);
    let is_cut = (0..1000).any(|_| stream.write_all(&frame(CONTINUATION, 0, 1, &fields)).is_err());
    assert!(is_cut, "13 MB of headers were read");
    serves(&server);
}

fn serves(server: &ServerProcess) {
    Runtime::new().unwrap().block_on(async {
        assert_eq!(Client::connect(server).await.get("https://localhost/healthz").await.0, 200);
    });
}
