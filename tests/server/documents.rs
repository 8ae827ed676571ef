//! Runs the curl commands of the documentation and checks what the responses contain.

use super::{
    server_process::{ServerProcess, hostbeat},
    support::{JSON, events, json, open_stream, project_path, request},
};
use eventsource_stream::Event;
use hostbeat::schema::EventId;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    io::Cursor,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const DOCUMENTS: [&str; 3] = ["README.md", "docs/stream.md", "docs/operations.md"];
/// The address in the documents.
const ADDRESS: &str = "127.0.0.1:3000";
/// Groups that every Linux host has.
const GROUPS: [&str; 5] = ["cpu", "memory", "load", "connections", "network"];

/// A documented command and the response to it.
struct Example {
    command: String,
    path: String,
    query: Vec<(String, String)>,
    head: String,
    body: String,
}

impl Example {
    /// Runs `command`, for three seconds at most: a stream has no end.
    fn run(command: &str, address: &str) -> Self {
        let url = command.split_once(ADDRESS).unwrap().1.split(['\'', ' ']).next().unwrap();
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let redirected = command.replace(ADDRESS, address);
        let script = format!("{redirected} --silent --show-error --include --max-time 3");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let response = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{command}: {error}"));
        let (path, head, body) = (path.to_owned(), head.to_lowercase(), body.to_owned());
        Self { command: command.to_owned(), path, query: pairs, head, body }
    }

    fn check(&self) {
        let status = if self.path == "/api/recordings" { 201 } else { 200 };
        assert!(self.head.starts_with(&format!("http/1.1 {status} ")), "{}: {}", self.command, self.head);
        match &*self.path {
            "/api/stream" => self.check_stream(),
            "/api/snapshot" => self.check_snapshot(),
            "/api/history" => self.check_history(),
            "/api/recordings" => self.check_recording(),
            "/chart/cpu.svg" => self.check_chart(),
            "/metrics" => self.check_metrics(),
            _ => panic!("{}: no check for {}", self.command, self.path),
        }
    }

    /// How the response starts: the ids in the documents are another host's.
    fn start(&self) -> &'static str {
        if self.command.contains("1700000000000-2-f3a91c") { "reset" } else { "window" }
    }

    fn check_stream(&self) {
        let groups = self.groups();
        self.check_content_type("text/event-stream");
        let events: Vec<Event> = events(Cursor::new(self.body.clone().into_bytes()), true).collect();
        let [hello, window, ticks @ ..] = &events[..] else { panic!("{}: {events:?}", self.command) };
        assert_eq!((&*hello.event, &json(hello)["start"]), ("hello", &self.start().into()), "{}", self.command);
        assert_eq!(window.event, "window", "{}", self.command);
        let seconds = self.parameter("window").map_or(300, |seconds| seconds.parse().unwrap());
        self.check_window(&json(window), seconds);

        let ids: Vec<EventId> = events[1..].iter().map(|event| event.id.parse().unwrap()).collect();
        assert!(ids.is_sorted_by(|id, next| id < next), "{}: {ids:?}", self.command);
        let names: BTreeSet<_> = ticks.iter().map(|event| &*event.event).collect();
        match groups {
            Some(groups) => assert_eq!(names, groups, "{}", self.command),
            None => assert!(names.is_superset(&BTreeSet::from(GROUPS)), "{}: {names:?}", self.command),
        }
        for tick in ticks.iter().map(json) {
            assert!(tick["t"].is_u64() && tick["dt"].is_number(), "{}: {tick}", self.command);
        }
    }

    fn check_snapshot(&self) {
        self.check_content_type("application/json");
        let snapshot: Value = serde_json::from_str(&self.body).unwrap();
        let id: EventId = snapshot["id"].as_str().unwrap().parse().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        for ms in [id.ms, snapshot["now"].as_u64().unwrap()] {
            assert!(now.abs_diff(Duration::from_millis(ms)).as_secs() < 10, "{}: {ms}", self.command);
        }
        assert_eq!(snapshot["start"], self.start(), "{}", self.command);
        self.check_window(&snapshot["window"], 300);
    }

    /// A server that has just started has no values of the documented times.
    fn check_history(&self) {
        self.check_content_type("application/json");
        let history: Value = serde_json::from_str(&self.body).unwrap();
        assert!(history["n"].is_u64() && history["series"].is_object(), "{}: {history}", self.command);
    }

    fn check_recording(&self) {
        self.check_content_type("application/json");
        let recording: Value = serde_json::from_str(&self.body).unwrap();
        let title = recording["title"].as_str().unwrap();
        assert!(!title.is_empty() && self.command.contains(title), "{}: {recording}", self.command);
    }

    /// The series are those of the requested groups, and have a sample of this host in their last seconds.
    fn check_window(&self, window: &Value, seconds: usize) {
        let n = window["n"].as_u64().unwrap() as usize;
        assert!((1..=seconds).contains(&n), "{}: {n} seconds", self.command);
        assert_eq!(window["step_ms"], 1000, "{}", self.command);
        let series = window["series"].as_object().unwrap();
        assert!(series.values().all(|values| values.as_array().unwrap().len() == n), "{}: {window}", self.command);
        let groups: BTreeSet<_> = series.keys().map(|path| path.split('.').next().unwrap()).collect();
        match self.groups() {
            Some(requested) => assert_eq!(groups, requested, "{}", self.command),
            None => assert!(groups.is_superset(&BTreeSet::from(GROUPS)), "{}: {groups:?}", self.command),
        }
        let totals = series["cpu.total_percent"].as_array().unwrap().iter().filter_map(Value::as_f64);
        let totals: Vec<_> = totals.collect();
        assert!(!totals.is_empty() && totals.iter().all(|total| (0.0..=100.0).contains(total)), "{totals:?}");
    }

    fn check_chart(&self) {
        self.check_content_type("image/svg+xml");
        assert!(self.body.starts_with("<svg ") && self.body.trim_end().ends_with("</svg>"), "{}", self.body);
        assert!(self.body.contains(" UTC") && self.body.contains("z\"/>"), "no time or no area: {}", self.body);
    }

    /// Every metric in the tables of the documents is exposed.
    fn check_metrics(&self) {
        self.check_content_type("text/plain; version=0.0.4");
        let text = fs::read_to_string(project_path("docs/operations.md")).unwrap();
        let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.split('|').next());
        let names = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
        let names: Vec<_> = names.filter_map(|name| name.split('{').next()).filter(|name| is_own(name)).collect();
        assert!(names.len() >= 10, "only {names:?} are documented");
        for name in names {
            let exposed = self.body.lines().any(|line| line.starts_with(name));
            assert!(exposed, "{name} is documented, but not in {}", self.body);
        }
    }

    fn check_content_type(&self, expected: &str) {
        let line = self.head.lines().find(|line| line.starts_with("content-type: "));
        assert!(line.is_some_and(|line| line.contains(expected)), "{}: {}", self.command, self.head);
    }

    /// The groups that the command requests; `None` for all.
    fn groups(&self) -> Option<BTreeSet<&str>> {
        self.parameter("events").map(|groups| groups.split(',').collect())
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }
}

/// Whether a metric is about the server itself rather than about the host.
fn is_own(name: &str) -> bool {
    ["hostbeat_stream", "hostbeat_sample", "process_", "hostbeat_events_", "hostbeat_fanout_", "hostbeat_conflations_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// The curl commands in a document's shell examples.
fn commands(document: &str) -> Vec<String> {
    let text = fs::read_to_string(project_path(document)).unwrap();
    let blocks = text.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.flat_map(str::lines).filter(|line| line.starts_with("curl ")).map(str::to_owned).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn documented_requests_return_the_documented_content() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--history", "30d", "--data", folder.path().to_str().unwrap()];
    let server = ServerProcess::start(hostbeat(&arguments));
    // Rates need two samples, and a counter with labels is exposed once it has counted.
    open_stream(&server.address, "?events=cpu&window=0", &[]).next_with_id();
    assert_eq!(request(&server.address, "GET", "/api/stream?events=unknown", JSON, "").0, 400);
    // Those that publish are run in publishing.rs.
    let reads = |command: &String| !command.contains("/api/publish");
    let commands: Vec<_> = DOCUMENTS.into_iter().flat_map(commands).filter(reads).collect();
    commands.iter().for_each(|command| Example::run(command, &server.address).check());
    let paths: BTreeSet<_> =
        commands.iter().map(|command| command.split_once(ADDRESS).unwrap().1.split(['?', '\'']).next()).collect();
    assert!(paths.len() >= 4, "only {paths:?} have an example");
}
