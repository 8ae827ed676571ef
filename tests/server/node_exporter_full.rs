//! Whether the dashboard "Node Exporter Full" shows for a server what it shows for node_exporter: real Prometheus scrapes both.

use super::{
    prometheus::{PeerProcess, Prometheus},
    support::{TestServer, project_path},
};
use std::{collections::BTreeMap, fs};

/// Of the queries that return data for node_exporter with a collector that Hostbeat has.
const MIN_SHARE: f64 = 0.95;

/// What a query of the dashboard needs, as a line of `tests/prometheus/node-exporter-full.txt` has it.
struct DashboardQuery {
    needs: String,
    /// Whether Hostbeat has the collector.
    has_collector: bool,
}

fn dashboard() -> Vec<DashboardQuery> {
    let list = fs::read_to_string(project_path("tests/prometheus/node-exporter-full.txt")).unwrap();
    let mut has_collector = true;
    let mut queries = Vec::new();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[') {
            Some(collector) => has_collector = !collector.starts_with('-'),
            None => queries.push(DashboardQuery { needs: line.to_owned(), has_collector }),
        }
    }
    queries
}

impl DashboardQuery {
    /// Returns data if all the series that the query combines do.
    fn expression(&self, job: &str) -> String {
        let count = |need: &str| {
            let (rate, selector) = need.strip_prefix("rate ").map_or((false, need), |selector| (true, selector));
            let (name, matchers) = selector.trim_end_matches('}').split_once('{').unwrap_or((selector, ""));
            let selector = format!("{name}{{job=\"{job}\",{matchers}}}");
            if rate { format!("count(rate({selector}[20s]))") } else { format!("count({selector})") }
        };
        self.needs.split("  ").map(count).collect::<Vec<_>>().join(" * ")
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "the share is a result")]
fn dashboard_shows_for_the_server_what_it_shows_for_node_exporter() {
    let server = TestServer::sample_host();
    let exporter = PeerProcess::start("prometheus-node-exporter", |address| {
        vec![format!("--web.listen-address={address}"), "--collector.tcpstat".to_owned()]
    });
    let prometheus = Prometheus::start(server.address, exporter.address);
    prometheus.wait_for_scrapes();
    // Returning data or not, by whether Hostbeat has the collector.
    let mut shown: BTreeMap<bool, (usize, usize)> = BTreeMap::new();
    let queries = dashboard();
    for query in &queries {
        let returns_data = |job| !prometheus.query(&query.expression(job)).is_empty();
        if returns_data("node") {
            let (ours, theirs) = shown.entry(query.has_collector).or_default();
            *theirs += 1;
            if returns_data("hostbeat") {
                *ours += 1;
            } else if query.has_collector {
                println!("no data: {}", query.needs);
            }
        }
    }
    let (ours, theirs) = shown[&true];
    let share = ours as f64 / theirs as f64;
    println!(
        "of {} queries {theirs} return data for node_exporter by collectors that Hostbeat has; {ours} of these do for \
         Hostbeat, {:.1} %; by others: {:?}",
        queries.len(),
        100.0 * share,
        shown.get(&false)
    );
    assert!(theirs > 150, "node_exporter has data for {theirs} queries only");
    assert!(share >= MIN_SHARE, "{ours} of {theirs} queries return data");
}
