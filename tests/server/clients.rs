//! Tests that independent SSE clients receive the same events, compressed or not, and resume when a stream ends.

use super::{
    prometheus::PeerProcess,
    support::{TIMEOUT, TestServer, events, project_path, tick, wait_until},
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

/// An event as a client reports it: name, id, data.
type Entry = (String, Option<String>, String);

/// A client that reconnects until it is dropped, with the events that it reported.
pub(crate) struct Client {
    pub(crate) name: &'static str,
    reported: mpsc::Receiver<Entry>,
    /// Events with an id.
    pub(crate) log: Vec<Entry>,
    /// Streams opened, and streams ended by the server.
    pub(crate) connections: usize,
    shutdowns: usize,
    process: Arc<Mutex<ClientProcess>>,
}

/// The process of a client, killed with it.
#[derive(Default)]
enum ClientProcess {
    #[default]
    None,
    Running(Child),
    Ended,
}

impl Client {
    fn start(
        name: &'static str,
        report: impl FnOnce(Arc<Mutex<ClientProcess>>, mpsc::Sender<Entry>) + Send + 'static,
    ) -> Self {
        let (sender, reported) = mpsc::channel();
        let process = Arc::default();
        let shared = Arc::clone(&process);
        thread::spawn(move || report(shared, sender));
        Self { name, reported, log: Vec::new(), connections: 0, shutdowns: 0, process }
    }

    fn python(name: &'static str, url: &str) -> Self {
        Self::program(name, &installed("target/venv/bin/python"), "tests/clients/python.py", url)
    }

    fn node(name: &'static str, url: &str) -> Self {
        installed("tests/clients/node_modules");
        Self::program(name, "node", "tests/clients/node.mjs", url)
    }

    /// A program that writes each event as a JSON array on a line.
    fn program(name: &'static str, interpreter: &str, script: &str, url: &str) -> Self {
        let mut command = Command::new(interpreter);
        command.args([&project_path(script), name, url]);
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

    /// curl, started again with the last id whenever a stream ends.
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
                    // The parser is new for each stream, so `hello` has no id.
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
                while let Some(item) = stream.next().await {
                    // The client reports the end of a stream as an error and reconnects.
                    let Ok(SSE::Event(event)) = item else { continue };
                    if sender.send((event.event_type, event.id, event.data)).is_err() {
                        return;
                    }
                }
            });
        })
    }

    /// Waits until the client has reported the event `id`.
    pub(crate) fn reach(&mut self, id: &str) {
        while self.log.last().is_none_or(|(_, last, _)| last.as_deref() != Some(id)) {
            let entry = self.reported.recv_timeout(TIMEOUT);
            let entry = entry.unwrap_or_else(|error| panic!("{} did not report {id}: {error}", self.name));
            match &*entry.0 {
                "hello" => self.connections += 1,
                "shutdown" => self.shutdowns += 1,
                "heartbeat" => {}
                _ => self.log.push(entry),
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let ClientProcess::Running(mut child) =
            mem::replace(&mut *self.process.lock().unwrap(), ClientProcess::Ended)
        {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A path that `make clients` creates.
fn installed(path: &str) -> String {
    let path = project_path(path);
    assert!(std::path::Path::new(&path).exists(), "{path} is missing: `make clients` installs it");
    path
}

/// The output of a new process, started after the previous one has exited; `None` if the client is dropped.
fn spawn(process: &Mutex<ClientProcess>, mut command: Command) -> Option<ChildStdout> {
    let mut process = process.lock().unwrap();
    match &mut *process {
        ClientProcess::None => {}
        ClientProcess::Running(previous) => _ = previous.wait(),
        ClientProcess::Ended => return None,
    }
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let output = child.stdout.take();
    *process = ClientProcess::Running(child);
    output
}

/// A tick is published only when every client has reported the previous one, so a delayed event fails the test.
#[test]
fn independent_clients_receive_the_same_events() {
    let log = TickLog::with_ring(100_000);
    (1..=5).for_each(|second| log.publish(&tick(second * 1000)));
    let server = TestServer::serve_with(log, Settings { stream_age: Duration::from_secs(2), ..Settings::default() });
    let url = format!("http://{}/api/stream", server.address);
    let window = server.open_stream("", &[]).next_with_id();

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
    clients.iter_mut().for_each(|client| client.reach("5000-2-e3b0c4"));
    let mut second = 5;
    // Until every stream has ended and resumed at least once.
    while clients.iter().any(|client| client.connections < 2) || second < 20 {
        second += 1;
        server.log.publish(&tick(second * 1000));
        clients.iter_mut().for_each(|client| client.reach(&format!("{second}000-2-e3b0c4")));
    }

    let replay = server.open_stream("?last_event_id=5000-2-e3b0c4", &[]).skip(1).take((second - 5) as usize * 3);
    let sent: Vec<_> =
        iter::once(window).chain(replay).map(|event| (event.event, Some(event.id), event.data)).collect();
    for client in &clients {
        client.log.iter().zip(&sent).for_each(|(received, sent)| assert_eq!(received, sent, "{}", client.name));
        assert_eq!((client.log.len(), client.shutdowns), (sent.len(), client.connections - 1), "{}", client.name);
    }
}

#[test]
fn bridge_follows_contract_test_service_specification() {
    const EVENTS: &str = "event: put\r\nid: a\r\ndata: 1\r\ndata: 2\r\n\r\nid: b\r\ndata: lost";
    let program = std::env::current_exe().unwrap().parent().unwrap().with_file_name("examples/bridge");
    let bridge = PeerProcess::start(program.to_str().unwrap(), |address| vec![address.to_string()]);
    let url = format!("http://{}", bridge.address);
    wait_until("the bridge responds", || ureq::get(&url).call().is_ok());

    let (connected, connections) = mpsc::channel();
    let (posted, messages) = mpsc::channel();
    let stream = async move |headers: HeaderMap| {
        let id = headers.get("last-event-id").map(|id| id.to_str().unwrap().to_owned());
        connected.send((headers["accept"].to_str().unwrap().to_owned(), id)).unwrap();
        ([(CONTENT_TYPE, "text/event-stream")], EVENTS)
    };
    let receive = async move |Path(number): Path<u32>, body: String| posted.send((number, body)).unwrap();
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let suite = listener.local_addr().unwrap();
    let routes = Router::new().route("/stream", get(stream)).route("/callback/{number}", post(receive));
    runtime.spawn(axum::serve(listener, routes).into_future());

    let order = json!({"streamUrl": format!("http://{suite}/stream"), "callbackUrl": format!("http://{suite}/callback"), "initialDelayMs": 0});
    let created = ureq::post(&url).content_type("application/json").send(order.to_string()).unwrap();
    assert_eq!((created.status().as_u16(), &created.headers()["location"]), (201, &"/streams/0".parse().unwrap()));
    for (number, id) in [(1, None), (2, Some("a".to_owned()))] {
        assert_eq!(connections.recv_timeout(TIMEOUT), Ok(("text/event-stream".to_owned(), id)));
        let message = r#"{"event":{"data":"1\n2","id":"a","type":"put"},"kind":"event"}"#.to_owned();
        assert_eq!(messages.recv_timeout(TIMEOUT), Ok((number, message)));
    }
    assert_eq!(ureq::delete(format!("{url}/streams/0")).call().unwrap().status(), 204);
}
