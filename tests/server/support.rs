//! A server on a port of its own within the test process, a reader of its streams, and small helpers.

use eventsource_stream::{Event, Eventsource};
use flate2::read::GzDecoder;
use futures::{StreamExt, executor::block_on, stream};
use hostbeat::{
    schema::{Connections, Cpu, Memory, Sample, Tick},
    server::{
        ListenAddress, Server, Settings,
        log::TickLog,
        sampler::{HostSampler, Procfs, SamplerOptions, TickSource},
    },
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    iter,
    net::{SocketAddr, TcpStream},
    ops::Range,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, sync::oneshot};

/// Longer than any step takes on a busy host; a test that waits longer fails.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// Settings with streams handed off to the fan-out threads, and with streams served by hyper.
pub(crate) const DELIVERY_PATHS: [fn() -> Settings; 2] =
    [Settings::default, || Settings { hand_off: false, ..Settings::default() }];

/// A running server, stopped on drop.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) log: Arc<TickLog>,
    stop: Option<oneshot::Sender<()>>,
    stopped: mpsc::Receiver<()>,
}

impl TestServer {
    /// Samples this host.
    pub(crate) fn sample_host() -> Self {
        Self::sample(|log| HostSampler::new(&SamplerOptions::default(), log.subscribers()))
    }

    /// Samples `source`.
    pub(crate) fn sample<S: TickSource + Send + 'static>(source: impl FnOnce(&TickLog) -> S) -> Self {
        let log = TickLog::default();
        let source = source(&log);
        Self::start(log, Some(source), Settings::default())
    }

    /// Serves the ticks that a test publishes to `log`.
    pub(crate) fn serve(log: TickLog) -> Self {
        Self::serve_with(log, Settings::default())
    }

    /// Serves the ticks that a test publishes to `log`, with `settings`.
    pub(crate) fn serve_with(log: TickLog, settings: Settings) -> Self {
        Self::start(log, None::<HostSampler<Procfs>>, settings)
    }

    fn start(log: TickLog, source: Option<impl TickSource + Send + 'static>, settings: Settings) -> Self {
        let log = Arc::new(log);
        let (stop, stopping) = oneshot::channel::<()>();
        let (started, starting) = mpsc::channel();
        let (ended, stopped) = mpsc::channel();
        let shared = Arc::clone(&log);
        thread::spawn(move || {
            Runtime::new().unwrap().block_on(async {
                let address = ListenAddress::Tcp(([127, 0, 0, 1], 0).into());
                let server = Server::bind(address, shared, settings).await.unwrap();
                if let Some(source) = source {
                    server.sample(source).await.unwrap();
                }
                started.send(server.port_address().unwrap()).unwrap();
                server.serve_until(async { _ = stopping.await }).await.unwrap();
            });
            let _ = ended.send(());
        });
        let address = starting.recv_timeout(TIMEOUT).expect("the server starts");
        Self { address, log, stop: Some(stop), stopped }
    }

    /// Requests a graceful stop.
    pub(crate) fn stop(&mut self) {
        self.stop.take();
    }

    /// Waits until the server has stopped.
    pub(crate) fn wait(&self) {
        self.stopped.recv_timeout(TIMEOUT).expect("the server stops");
    }

    /// Sends `request` as it is and returns the whole response.
    pub(crate) fn send_raw(&self, request: &str) -> String {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut response = Vec::new();
        let _ = socket.read_to_end(&mut response);
        String::from_utf8_lossy(&response).into_owned()
    }

    /// Head and body of a response, whatever its status.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (ureq::http::response::Parts, String) {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, mut body) = agent().run(request.body(()).unwrap()).unwrap().into_parts();
        (head, body.read_to_string().unwrap())
    }

    pub(crate) fn get(&self, path: &str) -> (ureq::http::response::Parts, String) {
        self.request("GET", path, &[])
    }

    pub(crate) fn open_stream(&self, query: &str, headers: &[(&str, &str)]) -> StreamReader {
        open_stream(&self.address.to_string(), query, headers)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_recv_response(Some(TIMEOUT)).build().into()
}

/// Opens a stream of the server at `address`.
pub(crate) fn open_stream(address: &str, query: &str, headers: &[(&str, &str)]) -> StreamReader {
    let mut request = agent().get(format!("http://{address}/api/stream{query}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, body) = request.call().unwrap().into_parts();
    let body = body.into_reader();
    let compressed = head.headers.get("content-encoding").is_some_and(|coding| coding == "gzip");
    let events: Box<dyn Iterator<Item = Event> + Send> =
        if compressed { Box::new(events(GzDecoder::new(body), true)) } else { Box::new(events(body, false)) };
    StreamReader { head, events }
}

/// An open stream, as an iterator over its events.
pub(crate) struct StreamReader {
    pub(crate) head: ureq::http::response::Parts,
    events: Box<dyn Iterator<Item = Event> + Send>,
}

impl Iterator for StreamReader {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.events.next()
    }
}

impl StreamReader {
    /// The next event with an id.
    pub(crate) fn next_with_id(&mut self) -> Event {
        self.find(|event| !["hello", "heartbeat", "shutdown"].contains(&&*event.event)).expect("the stream continues")
    }
}

/// The events of a body. A read error ends them, or panics if the body must be `complete`.
pub(crate) fn events(body: impl Read + Send + 'static, complete: bool) -> impl Iterator<Item = Event> + Send {
    let mut body = BufReader::new(body);
    let chunks = iter::from_fn(move || {
        let chunk = match body.fill_buf() {
            Ok(chunk) => chunk.to_vec(),
            Err(error) if complete => panic!("the stream was cut off: {error}"),
            Err(_) => return None,
        };
        body.consume(chunk.len());
        (!chunk.is_empty()).then_some(Ok::<_, std::convert::Infallible>(chunk))
    });
    let mut events = Box::pin(stream::iter(chunks).eventsource());
    iter::from_fn(move || block_on(events.next()).map(Result::unwrap))
}

/// Where the body of a response starts; `None` if its head is incomplete.
pub(crate) fn body_start(response: &[u8]) -> Option<usize> {
    response.windows(4).position(|window| window == b"\r\n\r\n").map(|end| end + 4)
}

/// The data of each chunk in a response with chunked coding (RFC 9112, section 7.1); the last one may be cut off.
pub(crate) fn chunks(response: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut position = body_start(response).unwrap_or(response.len());
    iter::from_fn(move || {
        let line = response.get(position..)?;
        let line = &line[..line.windows(2).position(|window| window == b"\r\n")?];
        let length = usize::from_str_radix(std::str::from_utf8(line).unwrap(), 16).unwrap();
        let start = position + line.len() + 2;
        position = start + length + 2;
        Some(start..response.len().min(start + length))
    })
}

/// The decoded body of a response with chunked coding.
pub(crate) fn decode_chunked(response: &[u8]) -> Vec<u8> {
    chunks(response).flat_map(|chunk| &response[chunk]).copied().collect()
}

/// The absolute path of a file in the project.
pub(crate) fn project_path(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// The data of an event.
pub(crate) fn json(event: &Event) -> serde_json::Value {
    serde_json::from_str(&event.data).unwrap()
}

/// Polls `condition` until it holds.
pub(crate) fn wait_until(description: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !condition() {
        assert!(Instant::now() < deadline, "timed out waiting until {description}");
        thread::yield_now();
    }
}

/// A tick at `t` with three groups, whose `memory.used_bytes` is `t`.
pub(crate) fn tick(t: u64) -> Tick {
    fn sample<G>(t: u64, values: G) -> Option<Sample<G>> {
        Some(Sample { t, at: t as f64 / 1000.0, dt: 1.0, values })
    }
    Tick::at(t)
        .with(sample(t, Cpu { total_percent: Some(1.5), ..Cpu::default() }))
        .with(sample(t, Memory { used_bytes: Some(t), ..Memory::default() }))
        .with(sample(t, Connections::default()))
}

/// The content type of JSON.
pub(crate) const JSON: &str = "application/json";

/// Status, `Retry-After` and JSON body of a request.
pub(crate) fn request(
    address: &str,
    method: &str,
    path: &str,
    content_type: &str,
    body: &str,
) -> (u16, Option<u64>, serde_json::Value) {
    let request = ureq::http::Request::builder().method(method).uri(format!("http://{address}{path}"));
    let request = request.header("content-type", content_type).body(body.to_owned()).unwrap();
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true).build().into();
    let mut answer = agent.run(request).unwrap();
    let retry = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
    let body = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), retry, serde_json::from_str(&body).unwrap_or_default())
}
