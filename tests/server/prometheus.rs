//! Compares the host metrics of a server and of node_exporter, both scraped by Prometheus with the configuration in `deploy/`.

use super::support::{TestServer, project_path, wait_until};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// A program with a port of its own, killed on drop.
pub(crate) struct PeerProcess {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl PeerProcess {
    pub(crate) fn start(program: &str, args: impl FnOnce(SocketAddr) -> Vec<String>) -> Self {
        let address = TcpListener::bind("127.0.2.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(program).args(args(address)).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{program} is missing ({error}): `make test` installs it"));
        Self { child, address }
    }
}

impl Drop for PeerProcess {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Prometheus that scrapes a server and a node_exporter once a second.
pub(crate) struct Prometheus {
    peer: PeerProcess,
    folder: PathBuf,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.peer.child.kill();
        let _ = self.peer.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Prometheus {
    pub(crate) fn start(hostbeat: SocketAddr, node: SocketAddr) -> Self {
        let folder = PathBuf::from(format!("{}/prometheus-{}", env!("CARGO_TARGET_TMPDIR"), hostbeat.port()));
        fs::create_dir_all(&folder).unwrap();
        let config = fs::read_to_string(project_path("deploy/prometheus.yml")).unwrap();
        let adapted = config.replace("127.0.0.1:3000", &hostbeat.to_string()).replace("15s", "1s");
        assert_ne!(adapted, config);
        let node_job = format!(
            "  - job_name: node\n    scrape_interval: 1s\n    static_configs:\n      - targets: [\"{node}\"]\n"
        );
        let file = folder.join("prometheus.yml").display().to_string();
        fs::write(&file, adapted + &node_job).unwrap();
        let peer = PeerProcess::start("prometheus", |address| {
            let storage = folder.display();
            vec![
                format!("--config.file={file}"),
                format!("--storage.tsdb.path={storage}/data"),
                format!("--web.listen-address={address}"),
            ]
        });
        Self { peer, folder }
    }

    /// The values of an expression by their labels, except for `job` and `instance`.
    pub(crate) fn query(&self, expression: &str) -> BTreeMap<String, f64> {
        let request = ureq::get(format!("http://{}/api/v1/query", self.peer.address)).query("query", expression);
        let Ok(mut response) = request.call() else { return BTreeMap::new() };
        let result: Value = serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap();
        let value = |result: &Value| {
            let labels = result["metric"].as_object()?.iter();
            let labels = labels.filter(|(name, _)| !["__name__", "job", "instance"].contains(&name.as_str()));
            let labels: Vec<_> = labels.map(|(name, value)| format!("{name}={value}")).collect();
            Some((labels.join(","), result["value"][1].as_str()?.parse().ok()?))
        };
        result["data"]["result"].as_array().unwrap().iter().filter_map(value).collect()
    }

    /// Waits until both have been scraped a few times.
    pub(crate) fn wait_for_scrapes(&self) {
        wait_until("Prometheus has scraped both a few times", || {
            let scraped = self.query("min by (job) (count_over_time(up[1m])) > 3 and min by (job) (up) == 1");
            scraped.len() == 1 && self.query("count(up == 1)").values().eq(&[2.0])
        });
    }

    /// The newest values of a metric from the server and from node_exporter.
    fn both(&self, name: &str) -> [BTreeMap<String, f64>; 2] {
        ["hostbeat", "node"].map(|job| self.query(&format!("{name}{{job=\"{job}\"}}")))
    }
}

#[test]
#[cfg(target_os = "linux")]
fn host_metrics_in_prometheus_match_node_exporter() {
    let server = TestServer::sample_host();
    let exporter =
        PeerProcess::start("prometheus-node-exporter", |address| vec![format!("--web.listen-address={address}")]);
    let prometheus = Prometheus::start(server.address, exporter.address);
    prometheus.wait_for_scrapes();

    for name in ["node_memory_MemTotal_bytes", "node_memory_SwapTotal_bytes"] {
        let [ours, theirs] = prometheus.both(name);
        assert_eq!((ours.len(), &ours), (1, &theirs), "{name}");
    }
    // The kernel derives the boot time from the adjusted clock, so two reads may differ by a second.
    let [ours, theirs] = prometheus.both("node_boot_time_seconds").map(|values| values.into_values().next().unwrap());
    assert!((ours - theirs).abs() <= 1.0, "booted at {ours}, and at {theirs} in node_exporter");
    for (name, slack) in [
        ("node_cpu_seconds_total", 5.0),
        ("node_context_switches_total", 1e5),
        ("node_forks_total", 200.0),
        ("node_load1", 2.0),
        ("node_load15", 0.5),
        ("node_memory_MemAvailable_bytes", 5e8),
        ("node_memory_Active_anon_bytes", 5e8),
        ("node_vmstat_pgfault", 5e6),
        ("node_pressure_cpu_waiting_seconds_total", 5.0),
        ("node_pressure_io_stalled_seconds_total", 5.0),
        ("node_network_receive_bytes_total", 2e8),
        ("node_network_transmit_packets_total", 1e6),
        ("node_disk_written_bytes_total", 5e8),
        ("node_disk_io_time_seconds_total", 5.0),
    ] {
        let [ours, theirs] = prometheus.both(name);
        let both: Vec<_> =
            ours.iter().filter_map(|(labels, value)| Some((labels, value, theirs.get(labels)?))).collect();
        assert!(!both.is_empty() || theirs.is_empty(), "{name}: {ours:?}, and {theirs:?} in node_exporter");
        for (labels, value, other) in both {
            let near = (value - other).abs() <= slack + 0.05 * other.abs();
            assert!(near, "{name}{{{labels}}} is {value}, and {other} in node_exporter");
        }
    }
    let [ours, theirs] = prometheus.both("node_cpu_seconds_total").map(|values| values.into_keys().collect::<Vec<_>>());
    assert_eq!(ours, theirs, "cores and modes");
    let cores = ours.len() as f64 / 8.0;
    wait_until("the CPU time in all modes adds up to the elapsed time", || {
        let rates = prometheus.query("sum(irate(node_cpu_seconds_total{job=\"hostbeat\"}[10s]))");
        rates.values().any(|rate| (rate - cores).abs() < 0.1 * cores)
    });
    assert!(!prometheus.query("hostbeat_samples_total").is_empty());
}
