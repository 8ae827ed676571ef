//! A server in this process, and a client by other hands.

use eventsource_stream::{Event, Eventsource};
use flate2::read::GzDecoder;
use futures::{StreamExt, executor::block_on, stream};
use hostbeat::{
    schema::{Connections, Cpu, Memory, Sample, Tick},
    server::{
        Server, Settings,
        log::TickLog,
        sampler::{HostSampler, Procfs, SamplerOptions, TickSource},
    },
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, sync::oneshot};

/// Longer than anything here should take; a test that waits for more has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Streams that leave hyper, and streams that stay: whatever holds for the one holds for the other.
pub(crate) const WAYS: [fn() -> Settings; 2] =
    [Settings::default, || Settings { hand_off: false, ..Settings::default() }];

/// A running server; dropped, it stops.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) log: Arc<TickLog>,
    stop: Option<oneshot::Sender<()>>,
    stopped: mpsc::Receiver<()>,
}

impl Running {
    /// Serves this host.
    pub(crate) fn start() -> Self {
        Self::sample(|log| HostSampler::new(&SamplerOptions::default(), log.subscribers()))
    }

    /// Serves what is read from `groups`.
    pub(crate) fn sample<G: TickSource + Send + 'static>(groups: impl FnOnce(&TickLog) -> G) -> Self {
        let log = TickLog::default();
        let groups = groups(&log);
        Self::start_with(log, Some(groups), Settings::default())
    }

    /// Serves what a test publishes to `log`.
    pub(crate) fn show(log: TickLog) -> Self {
        Self::show_by(log, Settings::default())
    }

    /// Serves what a test publishes to `log`, by rules of its own.
    pub(crate) fn show_by(log: TickLog, settings: Settings) -> Self {
        Self::start_with(log, None::<HostSampler<Procfs>>, settings)
    }

    fn start_with(log: TickLog, groups: Option<impl TickSource + Send + 'static>, settings: Settings) -> Self {
        let log = Arc::new(log);
        let (stop, stopping) = oneshot::channel::<()>();
        let (started, starting) = mpsc::channel();
        let (ended, stopped) = mpsc::channel();
        let shared = Arc::clone(&log);
        thread::spawn(move || {
            Runtime::new().unwrap().block_on(async {
                let server = Server::bind(([127, 0, 0, 1], 0).into(), shared, settings).await.unwrap();
                if let Some(groups) = groups {
                    server.sample(groups).await.unwrap();
                }
                started.send(server.address).unwrap();
                server.serve_until(async { _ = stopping.await }).await.unwrap();
            });
            let _ = ended.send(());
        });
        let address = starting.recv_timeout(PATIENCE).expect("the server starts");
        Self { address, log, stop: Some(stop), stopped }
    }

    /// Asks it to stop.
    pub(crate) fn stop(&mut self) {
        self.stop.take();
    }

    /// Waits for its end.
    pub(crate) fn wait(&self) {
        self.stopped.recv_timeout(PATIENCE).expect("the server stops");
    }

    /// Sends a request as it stands; returns the whole answer.
    pub(crate) fn raw(&self, request: &str) -> String {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Answers with head and body, whatever the status.
    pub(crate) fn send(
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
        self.send("GET", path, &[])
    }

    /// Opens a stream.
    pub(crate) fn follow(&self, query: &str, headers: &[(&str, &str)]) -> Follower {
        follow(&self.address.to_string(), query, headers)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_recv_response(Some(PATIENCE)).build().into()
}

/// Opens a stream of the server at `address`.
pub(crate) fn follow(address: &str, query: &str, headers: &[(&str, &str)]) -> Follower {
    let mut request = agent().get(format!("http://{address}/api/stream{query}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, body) = request.call().unwrap().into_parts();
    let body = body.into_reader();
    let packed = head.headers.get("content-encoding").is_some_and(|coding| coding == "gzip");
    let events: Box<dyn Iterator<Item = Event> + Send> =
        if packed { Box::new(events(GzDecoder::new(body), true)) } else { Box::new(events(body, false)) };
    Follower { head, events }
}

/// An open stream, event by event.
pub(crate) struct Follower {
    pub(crate) head: ureq::http::response::Parts,
    events: Box<dyn Iterator<Item = Event> + Send>,
}

impl Iterator for Follower {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.events.next()
    }
}

impl Follower {
    /// The next event that carries an id.
    pub(crate) fn next_with_id(&mut self) -> Event {
        self.find(|event| !["hello", "heartbeat", "shutdown"].contains(&&*event.event)).expect("the stream goes on")
    }
}

/// The events of a body; one that must be `whole` may not break off.
pub(crate) fn events(body: impl Read + Send + 'static, whole: bool) -> impl Iterator<Item = Event> + Send {
    let mut body = BufReader::new(body);
    let chunks = std::iter::from_fn(move || {
        let chunk = match body.fill_buf() {
            Ok(chunk) => chunk.to_vec(),
            Err(error) if whole => panic!("the stream broke off: {error}"),
            Err(_) => return None,
        };
        body.consume(chunk.len());
        (!chunk.is_empty()).then_some(Ok::<_, std::convert::Infallible>(chunk))
    });
    let mut events = Box::pin(stream::iter(chunks).eventsource());
    std::iter::from_fn(move || block_on(events.next()).map(Result::unwrap))
}

/// A path in the project.
pub(crate) fn root(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// Data of an event.
pub(crate) fn json(event: &Event) -> serde_json::Value {
    serde_json::from_str(&event.data).unwrap()
}

/// Waits until a condition holds.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::yield_now();
    }
}

/// A tick at `t` whose `memory.used` is `t`.
pub(crate) fn tick(t: u64) -> Tick {
    fn sample<G>(t: u64, values: G) -> Option<Sample<G>> {
        Some(Sample { t, at: t as f64 / 1000.0, dt: 1.0, values })
    }
    Tick {
        t,
        cpu: sample(t, Cpu { total: Some(1.5), ..Cpu::default() }),
        memory: sample(t, Memory { used: Some(t), ..Memory::default() }),
        connections: sample(t, Connections::default()),
        ..Tick::default()
    }
}
