//! Clients by other hands, which must all make the same of the stream, packed or not, and resume it when it ends.

use super::{
    prometheus::Peer,
    support::{PATIENCE, Running, events, eventually, root, tick},
};
use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, header::CONTENT_TYPE},
    routing::{get, post},
};
use eventsource_client::{Client as _, ClientBuilder, SSE};
use eventsource_stream::Event;
use futures::StreamExt;
use hostbeat::server::{Settings, log::TickLog};
use launchdarkly_sdk_transport::HyperTransport;
use serde_json::json;
use std::{
    io::{BufRead, BufReader},
    iter, mem,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Runtime};

/// An event as a client tells it: name, id, data.
type Entry = (String, Option<String>, String);

/// A client that goes on for ever, and what it has told.
pub(crate) struct Client {
    pub(crate) name: &'static str,
    told: mpsc::Receiver<Entry>,
    /// What carries an id.
    pub(crate) log: Vec<Entry>,
    /// Streams that have begun, and those that were ended on purpose.
    pub(crate) connections: usize,
    goodbyes: usize,
    process: Arc<Mutex<Process>>,
}

/// What is to be ended along with a client.
#[derive(Default)]
enum Process {
    #[default]
    None,
    Running(Child),
    Ended,
}

impl Client {
    fn start(name: &'static str, tell: impl FnOnce(Arc<Mutex<Process>>, mpsc::Sender<Entry>) + Send + 'static) -> Self {
        let (sender, told) = mpsc::channel();
        let process = Arc::default();
        let shared = Arc::clone(&process);
        thread::spawn(move || tell(shared, sender));
        Self { name, told, log: Vec::new(), connections: 0, goodbyes: 0, process }
    }

    fn python(name: &'static str, url: &str) -> Self {
        Self::program(name, &fetched("target/venv/bin/python"), "tests/clients/python.py", url)
    }

    fn node(name: &'static str, url: &str) -> Self {
        fetched("tests/clients/node_modules");
        Self::program(name, "node", "tests/clients/node.mjs", url)
    }

    /// A program that writes each event as a JSON array a line.
    fn program(name: &'static str, interpreter: &str, script: &str, url: &str) -> Self {
        let mut command = Command::new(interpreter);
        command.args([&root(script), name, url]);
        Self::start(name, move |process, sender| {
            let Some(output) = spawn(&process, command) else { return };
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let entry = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{name}: {error}: {line}"));
                if sender.send(entry).is_err() {
                    return;
                }
            }
        })
    }

    /// curl, called again with the last id whenever a stream ends.
    pub(crate) fn curl(name: &'static str, options: &[&str], url: &str) -> Self {
        let options: Vec<_> = options.iter().chain(&[url]).map(|&option| option.to_owned()).collect();
        Self::start(name, move |process, sender| {
            let mut last_id = String::new();
            loop {
                let mut command = Command::new("curl");
                command.args(["--no-buffer", "--silent", "--show-error", "--fail"]).args(&options);
                command.args(["--header", &format!("Last-Event-ID:{last_id}")]);
                let Some(output) = spawn(&process, command) else { return };
                for Event { event, data, id, .. } in events(output, false) {
                    // A new stream, whose parser knows of no other, begins with events that have none.
                    if !id.is_empty() {
                        last_id.clone_from(&id);
                    }
                    if sender.send((event, Some(id), data)).is_err() {
                        return;
                    }
                }
            }
        })
    }

    fn eventsource_client(url: &str) -> Self {
        let client = ClientBuilder::for_url(url).unwrap().build_with_transport(HyperTransport::new().unwrap());
        Self::start("eventsource-client", move |_, sender| {
            Runtime::new().unwrap().block_on(async {
                let mut stream = client.stream();
                while let Some(told) = stream.next().await {
                    // What it takes for an error, such as the end of a stream, it recovers from by itself.
                    let Ok(SSE::Event(event)) = told else { continue };
                    if sender.send((event.event_type, event.id, event.data)).is_err() {
                        return;
                    }
                }
            });
        })
    }

    /// Waits until it has told of the event `id`.
    pub(crate) fn reach(&mut self, id: &str) {
        while self.log.last().is_none_or(|(_, last, _)| last.as_deref() != Some(id)) {
            let told = self.told.recv_timeout(PATIENCE);
            let entry = told.unwrap_or_else(|error| panic!("{} never told of {id}: {error}", self.name));
            match &*entry.0 {
                "hello" => self.connections += 1,
                "shutdown" => self.goodbyes += 1,
                "heartbeat" => {}
                _ => self.log.push(entry),
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Process::Running(mut child) = mem::replace(&mut *self.process.lock().unwrap(), Process::Ended) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A path in the project that `make clients` fills.
fn fetched(path: &str) -> String {
    let path = root(path);
    assert!(std::path::Path::new(&path).exists(), "{path} is missing: `make clients` fetches it");
    path
}

/// Starts a program after the one before has ended, unless the client is gone; what it writes.
fn spawn(process: &Mutex<Process>, mut command: Command) -> Option<ChildStdout> {
    let mut process = process.lock().unwrap();
    match &mut *process {
        Process::None => {}
        Process::Running(before) => _ = before.wait(),
        Process::Ended => return None,
    }
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let output = child.stdout.take();
    *process = Process::Running(child);
    output
}

/// No tick is published before every client has told of the one before: whoever held an event back would hold up all.
#[test]
fn every_client_logs_the_same() {
    let log = TickLog::with_ring(100_000);
    (1..=5).for_each(|second| log.publish(&tick(second * 1000)));
    let server = Running::show_by(log, Settings { stream_age: Duration::from_secs(2), ..Settings::default() });
    let url = format!("http://{}/api/stream", server.address);
    let window = server.follow("", &[]).next_with_id();

    let mut clients = [
        Client::curl("curl", &[], &url),
        Client::curl("curl --compressed", &["--compressed"], &url),
        Client::eventsource_client(&url),
        Client::python("httpx-sse", &url),
        Client::python("sseclient-py", &url),
        Client::python("zlib", &url),
        Client::node("eventsource", &url),
        Client::node("eventsource-parser", &url),
    ];
    clients.iter_mut().for_each(|client| client.reach("5000-2"));
    let mut second = 5;
    // Every stream has ended and was resumed, some of them more than once, and went on for a while.
    while clients.iter().any(|client| client.connections < 2) || second < 20 {
        second += 1;
        server.log.publish(&tick(second * 1000));
        clients.iter_mut().for_each(|client| client.reach(&format!("{second}000-2")));
    }

    let replay = server.follow("?last_event_id=5000-2", &[]).skip(1).take((second - 5) as usize * 3);
    let sent: Vec<_> =
        iter::once(window).chain(replay).map(|event| (event.event, Some(event.id), event.data)).collect();
    for client in &clients {
        client.log.iter().zip(&sent).for_each(|(told, sent)| assert_eq!(told, sent, "{}", client.name));
        assert_eq!((client.log.len(), client.goodbyes), (sent.len(), client.connections - 1), "{}", client.name);
    }
}

#[test]
fn the_bridge_does_what_suites_of_tests_ask_for() {
    const EVENTS: &str = "event: put\r\nid: a\r\ndata: 1\r\ndata: 2\r\n\r\nid: b\r\ndata: lost";
    let program = std::env::current_exe().unwrap().parent().unwrap().with_file_name("examples/bridge");
    let bridge = Peer::start(program.to_str().unwrap(), |address| vec![address.to_string()]);
    let url = format!("http://{}", bridge.address);
    eventually("the bridge answers", || ureq::get(&url).call().is_ok());

    let (connected, connections) = mpsc::channel();
    let (told, messages) = mpsc::channel();
    let stream = async move |headers: HeaderMap| {
        let id = headers.get("last-event-id").map(|id| id.to_str().unwrap().to_owned());
        connected.send((headers["accept"].to_str().unwrap().to_owned(), id)).unwrap();
        ([(CONTENT_TYPE, "text/event-stream")], EVENTS)
    };
    let hear = async move |Path(number): Path<u32>, body: String| told.send((number, body)).unwrap();
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let suite = listener.local_addr().unwrap();
    let routes = Router::new().route("/stream", get(stream)).route("/told/{number}", post(hear));
    runtime.spawn(axum::serve(listener, routes).into_future());

    let order = json!({"streamUrl": format!("http://{suite}/stream"), "callbackUrl": format!("http://{suite}/told"), "initialDelayMs": 0});
    let created = ureq::post(&url).content_type("application/json").send(order.to_string()).unwrap();
    assert_eq!((created.status().as_u16(), &created.headers()["location"]), (201, &"/streams/0".parse().unwrap()));
    for (number, id) in [(1, None), (2, Some("a".to_owned()))] {
        assert_eq!(connections.recv_timeout(PATIENCE), Ok(("text/event-stream".to_owned(), id)));
        let message = r#"{"event":{"data":"1\n2","id":"a","type":"put"},"kind":"event"}"#.to_owned();
        assert_eq!(messages.recv_timeout(PATIENCE), Ok((number, message)));
    }
    assert_eq!(ureq::delete(format!("{url}/streams/0")).call().unwrap().status(), 204);
}
