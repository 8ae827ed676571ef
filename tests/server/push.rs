//! Tests of pushing metrics to other systems with the real binary: Debian's Prometheus and VictoriaMetrics, and a receiver
//! of OTLP that decodes the official messages.

use super::{
    server_process::{ServerProcess, hostbeat},
    support::wait_until,
    tls_client::{CertificateFiles, issued},
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::IntoResponse,
    routing::post,
};
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::any_value::Value as AnyValue,
    metrics::v1::{Metric, NumberDataPoint, metric::Data, number_data_point::Value as Number},
};
use prost::Message;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A metric that every host has at every tick, and the series that it shows.
const METRIC: &str = "node_procs_running";
const SERIES: &str = "cpu.running";

/// Values by their time, Unix milliseconds.
type Values = BTreeMap<u64, f64>;

/// A server that pushes.
fn start(args: &[&str]) -> ServerProcess {
    ServerProcess::start(hostbeat(&[&["--listen", "127.0.0.1:0"], args].concat()))
}

/// What the server sampled.
fn sampled(server: &ServerProcess) -> Values {
    let snapshot = format!("http://{}/api/snapshot?window=3600&events=cpu", server.address);
    let snapshot = ureq::get(snapshot).call().unwrap().body_mut().read_to_string().unwrap();
    let window = &serde_json::from_str::<Value>(&snapshot).unwrap()["window"];
    let t0 = window["t0"].as_u64().unwrap();
    let values = window["series"][SERIES].as_array().unwrap().iter();
    (t0..).step_by(1000).zip(values).filter_map(|(t, value)| Some((t, value.as_f64()?))).collect()
}

fn newest(values: &Values) -> u64 {
    values.keys().next_back().copied().unwrap_or_default()
}

/// One of the server's own metrics of pushing.
fn statistic(server: &ServerProcess, name: &str) -> f64 {
    let text =
        ureq::get(format!("http://{}/metrics", server.address)).call().unwrap().body_mut().read_to_string().unwrap();
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix('{')?.split_once("} ")?.1.parse().ok();
    text.lines().find_map(value).unwrap_or_else(|| panic!("{name} is missing in:\n{text}"))
}

/// Every sample up to the newest that was received is received once and with its value.
fn assert_complete(sampled: &Values, received: &[(u64, f64)]) {
    let end = received.last().unwrap().0;
    let expected: Vec<_> = sampled.iter().map(|(t, value)| (*t, *value)).filter(|(t, _)| *t <= end).collect();
    assert_eq!(received, expected);
}

/// A database that can be stopped, and started again with what it has.
struct Database {
    address: SocketAddr,
    folder: TempDir,
    command: fn(SocketAddr, &Path) -> Command,
    process: Option<Child>,
}

impl Database {
    fn prometheus() -> Self {
        Self::new(|address, folder| {
            let config = folder.join("prometheus.yml");
            fs::write(&config, "").unwrap();
            let mut command = Command::new("prometheus");
            command.arg(format!("--config.file={}", config.display())).arg("--web.enable-remote-write-receiver");
            command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
            command.arg(format!("--web.listen-address={address}"));
            command
        })
    }

    fn victoria_metrics() -> Self {
        Self::new(|address, folder| {
            let mut command = Command::new("victoria-metrics");
            command.arg(format!("-storageDataPath={}", folder.join("data").display()));
            command.arg(format!("-httpListenAddr={address}")).arg("-search.latencyOffset=0s");
            command
        })
    }

    fn new(command: fn(SocketAddr, &Path) -> Command) -> Self {
        let address = TcpListener::bind("127.0.2.1:0").unwrap().local_addr().unwrap();
        let mut database = Self { address, folder: tempfile::tempdir().unwrap(), command, process: None };
        database.start();
        database
    }

    fn start(&mut self) {
        let mut command = (self.command)(self.address, self.folder.path());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.process = Some(child.unwrap_or_else(|error| panic!("{command:?} ({error}): `make test` installs it")));
        wait_until("the database answers", || self.query("vector(1)").is_some());
    }

    /// Lets it write what it has, and waits.
    fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        let id = process.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        process.wait().unwrap();
    }

    fn endpoint(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    fn query(&self, expression: &str) -> Option<Value> {
        let request = ureq::get(format!("http://{}/api/v1/query", self.address)).query("query", expression);
        let answer = request.call().ok()?.body_mut().read_to_string().ok()?;
        Some(serde_json::from_str::<Value>(&answer).unwrap()["data"]["result"].take())
    }

    /// Labels and samples of the only series of a metric.
    fn series(&self, metric: &str) -> Option<(Value, Vec<(u64, f64)>)> {
        let mut result = self.query(&format!("{metric}[10m]"))?;
        let series = result.as_array_mut()?;
        assert!(series.len() <= 1, "{series:?}");
        let mut series = series.pop()?;
        let sample = |sample: &Value| {
            let (t, value) = (sample[0].as_f64().unwrap(), sample[1].as_str().unwrap());
            ((t * 1000.0).round() as u64, value.parse().unwrap())
        };
        let samples = series["values"].as_array().unwrap().iter().map(sample).collect();
        Some((series["metric"].take(), samples))
    }

    /// Waits for a sample of the tick at `t`, and returns all.
    fn samples_until(&self, t: u64) -> Vec<(u64, f64)> {
        let mut samples = Vec::new();
        wait_until("the database has the tick", || {
            samples = self.series(METRIC).map(|(_, samples)| samples).unwrap_or_default();
            samples.last().is_some_and(|newest| newest.0 >= t)
        });
        samples
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn outage_loses_and_doubles_nothing(mut database: Database) {
    let server = start(&["--remote-write", &database.endpoint()]);
    let first = newest(&sampled(&server));
    database.samples_until(first + 2000);
    let (labels, _) = database.series(METRIC).unwrap();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!((labels["instance"].as_str(), labels["job"].as_str()), (Some(host.trim_end()), Some("hostbeat")));

    database.stop();
    wait_until("requests are repeated", || statistic(&server, "hostbeat_push_failures_total") > 1.0);
    wait_until("ticks wait", || statistic(&server, "hostbeat_push_behind_seconds") >= 3.0);
    database.start();
    let received = database.samples_until(newest(&sampled(&server)) + 1000);
    assert_complete(&sampled(&server), &received);
    assert_eq!(statistic(&server, "hostbeat_push_dropped_samples_total"), 0.0);
    assert!(statistic(&server, "hostbeat_push_samples_total") > 100.0);
    wait_until("nothing waits", || statistic(&server, "hostbeat_push_behind_seconds") == 0.0);
}

#[test]
fn prometheus_that_was_away_has_every_sample_once() {
    outage_loses_and_doubles_nothing(Database::prometheus());
}

#[test]
fn victoria_metrics_that_was_away_has_every_sample_once() {
    outage_loses_and_doubles_nothing(Database::victoria_metrics());
}

#[test]
fn published_values_and_counters_are_pushed_with_their_labels() {
    let database = Database::prometheus();
    let server = start(&["--remote-write", &database.endpoint(), "--metrics-prefix", "hostbeat_host_"]);
    let body = "{\"channel\":\"shop\",\"label\":\"berlin\",\"values\":{\"orders\":42}}";
    let publish = format!("http://{}/api/publish", server.address);
    ureq::post(publish).content_type("application/json").send(body).unwrap();
    wait_until("the published value is pushed", || database.series("hostbeat_published_value").is_some());
    let (labels, samples) = database.series("hostbeat_published_value").unwrap();
    assert_eq!(
        (&labels["channel"], &labels["label"], &labels["value"]),
        (&"shop".into(), &"berlin".into(), &"orders".into())
    );
    assert!(samples.iter().all(|(_, value)| *value == 42.0), "{samples:?}");
    let (_, switches) = database.series("hostbeat_host_context_switches_total").unwrap();
    assert!(switches.is_sorted_by(|a, b| a.1 < b.1), "{switches:?}");
}

#[test]
fn encrypted_receiver_with_a_password_is_written_to_by_a_confined_server() {
    let address = TcpListener::bind("127.0.2.1:0").unwrap().local_addr().unwrap();
    let files = CertificateFiles::new(issued("127.0.2.1"));
    let mut command = Command::new("victoria-metrics");
    let path = |path: &Path| path.display().to_string();
    command.args([
        format!("-storageDataPath={}", path(&files.folder.path().join("data"))),
        format!("-httpListenAddr={address}"),
        "-tls".to_owned(),
        format!("-tlsCertFile={}", path(&files.certificate)),
        format!("-tlsKeyFile={}", path(&files.key)),
        "-httpAuth.username=ann".to_owned(),
        "-httpAuth.password=p@ss".to_owned(),
    ]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let _database = Database {
        address,
        folder: tempfile::tempdir().unwrap(),
        command: |_, _| unreachable!(),
        process: Some(child),
    };
    let mut command = hostbeat(&["--listen", "127.0.0.1:0"]);
    command.env("HOSTBEAT_REMOTE_WRITE", format!("https://ann:p%40ss@{address}/api/v1/write"));
    command.env("SSL_CERT_FILE", &files.certificate);
    let server = ServerProcess::start(command);
    wait_until("samples are accepted", || statistic(&server, "hostbeat_push_samples_total") > 100.0);
    assert_eq!(statistic(&server, "hostbeat_push_dropped_samples_total"), 0.0);
}

/// A receiver of OTLP that answers as it is told.
struct Collector {
    address: SocketAddr,
    state: Arc<Mutex<Received>>,
    _runtime: Runtime,
}

#[derive(Default)]
struct Received {
    refusal: Option<StatusCode>,
    refused: usize,
    requests: Vec<ExportMetricsServiceRequest>,
    head: Option<(Uri, HeaderMap)>,
}

impl Collector {
    fn start() -> Self {
        let state = Arc::<Mutex<Received>>::default();
        let runtime = Runtime::new().unwrap();
        let router = Router::new().route("/otel/v1/metrics", post(receive)).with_state(Arc::clone(&state));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.2.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, state, _runtime: runtime }
    }

    fn endpoint(&self) -> String {
        format!("http://{}/otel", self.address)
    }

    fn received(&self) -> MutexGuard<'_, Received> {
        self.state.lock().unwrap()
    }

    /// Refuses some requests with this status, then accepts requests again.
    fn refuse(&self, status: StatusCode, requests: usize) {
        let before = self.received().refused;
        self.received().refusal = Some(status);
        wait_until("requests are refused", || self.received().refused >= before + requests);
        self.received().refusal = None;
    }

    /// The points of a metric, in the order of their requests.
    fn points(&self, name: &str) -> Vec<NumberDataPoint> {
        let received = self.received();
        let metrics =
            received.requests.iter().flat_map(|request| &request.resource_metrics[0].scope_metrics[0].metrics);
        metrics.filter(|metric| metric.name == name).flat_map(points).collect()
    }

    fn values(&self) -> Vec<(u64, f64)> {
        let values = self.points(METRIC).into_iter();
        let values = values.map(|point| {
            (
                point.time_unix_nano / 1_000_000,
                match point.value {
                    Some(Number::AsDouble(value)) => value,
                    other => panic!("{other:?}"),
                },
            )
        });
        values.collect()
    }

    fn wait_for(&self, t: u64) {
        wait_until("the tick is received", || self.values().last().is_some_and(|newest| newest.0 >= t));
    }
}

async fn receive(
    State(state): State<Arc<Mutex<Received>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let mut state = state.lock().unwrap();
    if let Some(status) = state.refusal {
        state.refused += 1;
        return (status, [("retry-after", "1")], "not now").into_response();
    }
    let mut plain = Vec::new();
    GzDecoder::new(&*body).read_to_end(&mut plain).unwrap();
    state.requests.push(ExportMetricsServiceRequest::decode(&*plain).unwrap());
    state.head = Some((uri, headers));
    ([("content-type", "application/x-protobuf")], "").into_response()
}

fn points(metric: &Metric) -> Vec<NumberDataPoint> {
    match metric.data.clone().unwrap() {
        Data::Gauge(gauge) => gauge.data_points,
        Data::Sum(sum) => {
            assert!(sum.is_monotonic && metric.name.ends_with("_total"), "{}", metric.name);
            sum.data_points
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn collector_that_is_busy_gets_every_sample_once() {
    let collector = Collector::start();
    let token = tempfile::NamedTempFile::new().unwrap();
    fs::write(&token, "t0ken\n").unwrap();
    let server = start(&["--otlp", &collector.endpoint(), "--otlp-token-file", token.path().to_str().unwrap()]);
    let first = newest(&sampled(&server));
    collector.wait_for(first + 1000);
    collector.refuse(StatusCode::SERVICE_UNAVAILABLE, 3);
    collector.wait_for(newest(&sampled(&server)) + 1000);
    assert_complete(&sampled(&server), &collector.values());
    assert_eq!(statistic(&server, "hostbeat_push_dropped_samples_total"), 0.0);

    let received = collector.received();
    let (uri, headers) = received.head.as_ref().unwrap();
    assert_eq!(uri.path(), "/otel/v1/metrics");
    for (name, value) in [
        ("content-type", "application/x-protobuf"),
        ("authorization", "Bearer t0ken"),
        ("user-agent", concat!("hostbeat/", env!("CARGO_PKG_VERSION"))),
    ] {
        assert_eq!(headers[name], value);
    }
    let attributes = &received.requests[0].resource_metrics[0].resource.as_ref().unwrap().attributes;
    let attribute = |key: &str| {
        let attribute = attributes.iter().find(|attribute| attribute.key == key).unwrap();
        match attribute.value.as_ref().unwrap().value.as_ref().unwrap() {
            AnyValue::StringValue(text) => text.clone(),
            other => panic!("{other:?}"),
        }
    };
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!((&*attribute("service.name"), &*attribute("host.name")), ("hostbeat", host.trim_end()));
    assert_eq!(attribute("host.id").len(), 32);
    drop(received);
    let switches = collector.points("node_context_switches_total");
    assert!(
        switches
            .iter()
            .all(|point| 0 < point.start_time_unix_nano && point.start_time_unix_nano < point.time_unix_nano)
    );
}

#[test]
fn samples_that_a_receiver_refuses_are_dropped_and_later_ones_follow() {
    let collector = Collector::start();
    let mut server = start(&["--otlp", &collector.endpoint()]);
    collector.refuse(StatusCode::BAD_REQUEST, 2);
    server.find_line("answered with status 400: not now");
    server.find_line("metrics are accepted again");
    collector.wait_for(newest(&sampled(&server)) + 1000);
    wait_until("the refusal is counted", || statistic(&server, "hostbeat_push_dropped_samples_total") > 100.0);
    assert!(collector.values().is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn step_thins_the_samples_out() {
    let collector = Collector::start();
    let _server = start(&["--otlp", &collector.endpoint(), "--otlp-step", "3s"]);
    wait_until("three samples are received", || collector.values().len() >= 3);
    let times: Vec<_> = collector.values().iter().map(|(t, _)| t / 3000).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
}

#[test]
fn stop_waits_two_seconds_at_most_for_a_receiver_that_hangs() {
    let hanging = TcpListener::bind("127.0.2.1:0").unwrap();
    let mut server = start(&["--otlp", &format!("http://{}", hanging.local_addr().unwrap())]);
    let _connection = hanging.accept().unwrap();
    let before = Instant::now();
    server.terminate();
    assert!(server.wait().success());
    assert!(before.elapsed() < Duration::from_secs(6), "{:?}", before.elapsed());
}

#[test]
fn stop_sends_what_waits() {
    let collector = Collector::start();
    let mut server = start(&["--otlp", &collector.endpoint()]);
    collector.refuse(StatusCode::SERVICE_UNAVAILABLE, 1);
    let end = newest(&sampled(&server));
    server.terminate();
    assert!(server.wait().success());
    assert!(collector.values().last().is_some_and(|newest| newest.0 >= end));
}
