//! Checks events against the contract in `docs/stream.md`: order, gaps, silence, lateness. Pure; callers pass the time.

use super::ProbeError;
use crate::{
    schema::{EventId, Identity},
    sse::Event,
};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// Longest silence: a heartbeat is due after 15 seconds, and one second covers the network.
const MAX_SILENCE_MS: f64 = 16_000.0;
/// Violations listed one by one in the printed report.
const MAX_LISTED: usize = 10;

/// State of a probe over all its connections.
#[derive(Debug, Default)]
pub(super) struct ContractCheck {
    /// Connections made.
    pub connections: u32,
    last_id: Option<EventId>,
    /// Whose stream it is, by the last `hello`.
    identity: Option<Identity>,
    interval_ms: u64,
    /// Whether this connection's `hello` has arrived.
    hello_received: bool,
    /// Server and local clock at the last `hello`, unix ms.
    clocks: Option<(f64, f64)>,
    /// Arrival of the last event on this connection, unix ms.
    last_arrival: Option<f64>,
    events: u64,
    missing_s: u64,
    lateness_ms: Vec<f64>,
    violations: Vec<String>,
}

impl ContractCheck {
    /// Value of `Last-Event-ID` for the next connection.
    pub(super) fn last_event_id(&self) -> Option<String> {
        self.last_id.map(|id| id.to_string())
    }

    pub(super) fn on_connect(&mut self) {
        self.connections += 1;
        (self.hello_received, self.last_arrival) = (false, None);
    }

    pub(super) fn on_resume_failure(&mut self, error: &ProbeError) {
        self.violations.push(format!("resume failed: {error}"));
    }

    /// Checks the next event, which arrived at `now` (unix ms).
    pub(super) fn on_event(&mut self, event: &Event, now: f64) {
        self.events += 1;
        self.check_silence(now);
        let Ok(data) = serde_json::from_str::<Value>(&event.data) else {
            return self.violations.push(format!("{}: data is not JSON: {:.60}", event.name, event.data));
        };
        match &*event.name {
            "hello" => self.on_hello(&data, now),
            _ if !self.hello_received => self.violations.push(format!("{} arrived before hello", event.name)),
            "heartbeat" | "shutdown" => {}
            name => self.on_sample(name, event, &data, now),
        }
    }

    fn check_silence(&mut self, now: f64) {
        let silent = self.last_arrival.map_or(0.0, |last| now - last);
        if silent > MAX_SILENCE_MS {
            self.violations.push(format!("no event and no heartbeat for {:.1} s", silent / 1000.0));
        }
        self.last_arrival = Some(now);
    }

    fn on_hello(&mut self, hello: &Value, now: f64) {
        self.hello_received = true;
        self.interval_ms = hello["interval_ms"].as_u64().unwrap_or(1000).max(1);
        self.clocks = hello["now"].as_f64().map(|server| (server, now));
        let Ok(identity) = Identity::deserialize(hello) else {
            return self.violations.push("hello names no host_id or no epoch".to_owned());
        };
        let id = self.last_id.filter(|id| id.tag == identity.tag());
        if let (Some(id), "reset") = (id, hello["start"].as_str().unwrap_or_default()) {
            self.violations.push(format!("server rejected its own id {id} with a reset"));
        }
        // Ids of another host or epoch have no order with those before.
        self.last_id = id;
        self.identity = Some(identity);
    }

    /// Checks the id of a `window` or of one group's event, then the event's time.
    fn on_sample(&mut self, name: &str, event: &Event, data: &Value, now: f64) {
        let Ok(id) = event.id.parse::<EventId>() else {
            return self.violations.push(format!("{name}: invalid event id {:?}", event.id));
        };
        if self.identity.as_ref().is_some_and(|identity| identity.tag() != id.tag) {
            self.violations.push(format!("{name}: id {id} has not the tag of host_id and epoch in hello"));
        }
        let last = self.last_id.replace(id);
        if last.is_some_and(|last| id <= last && name != "window") {
            self.violations.push(format!("{name}: duplicate or out of order: {id} after {}", last.unwrap_or(id)));
        }
        if name == "window" {
            return;
        }
        if let Some(last) = last
            && id.ms > last.ms
        {
            self.missing_s += (id.ms - last.ms) / self.interval_ms - 1;
        }
        self.check_time(id.ms, data, now);
    }

    /// Compares `t` with the id and records the lateness of a live tick by the server's clock.
    fn check_time(&mut self, t: u64, data: &Value, now: f64) {
        if data["t"].as_u64() != Some(t) {
            self.violations.push(format!("t is {} in the event with id time {t}", data["t"]));
        }
        if let Some((server, local)) = self.clocks
            && t as f64 > server
        {
            self.lateness_ms.push(now - t as f64 - (local - server));
        }
    }

    /// Ends the check at `now` (unix ms).
    pub(super) fn report(mut self, now: f64) -> ProbeReport {
        self.check_silence(now);
        if self.events == 0 {
            self.violations.push("no events received".to_owned());
        }
        self.lateness_ms.sort_by(f64::total_cmp);
        ProbeReport {
            connections: self.connections,
            events: self.events,
            missing_s: self.missing_s,
            lateness_ms: [0.50, 0.95, 0.99].map(|share| percentile(&self.lateness_ms, share)),
            violations: self.violations,
        }
    }
}

/// Percentile of sorted values by the nearest-rank method; `share` is 0 to 1.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// Result of a probe.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeReport {
    /// Connections made; more than one if a stream ended or broke.
    pub connections: u32,
    /// Events received, of every name.
    pub events: u64,
    /// Seconds without a sample.
    pub missing_s: u64,
    /// Delay from a tick to the arrival of its events: p50, p95 and p99; `None` without a live tick.
    pub lateness_ms: [Option<f64>; 3],
    /// Contract violations, in the order they occurred.
    pub violations: Vec<String>,
}

impl fmt::Display for ProbeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} events over {} connections, {} seconds without a sample",
            self.events, self.connections, self.missing_s
        )?;
        if let [Some(p50), Some(p95), Some(p99)] = self.lateness_ms {
            writeln!(f, "lateness: p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms")?;
        }
        for violation in self.violations.iter().take(MAX_LISTED) {
            writeln!(f, "violation: {violation}")?;
        }
        match self.violations.len() {
            0 => write!(f, "no contract violations"),
            1 => write!(f, "1 contract violation"),
            count => write!(f, "{count} contract violations"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = r#"{"schema":1,"interval_ms":1000,"now":10500,"start":"live","host_id":"","epoch":""}"#;

    fn event(name: &str, id: &str, data: &str) -> Event {
        Event { name: name.to_owned(), data: data.to_owned(), id: id.to_owned() }
    }

    fn cpu(id: &str) -> Event {
        let t = id.split('-').next().unwrap();
        event("cpu", id, &format!("{{\"t\":{t}}}"))
    }

    /// Report on one connection with `events`, each 4 ms after its tick; the local clock is an hour ahead.
    fn checked(events: &[Event]) -> ProbeReport {
        let mut check = ContractCheck::default();
        check.on_connect();
        let ahead = 3_600_000.0;
        check.on_event(&event("hello", "", HELLO), ahead + 10_500.0);
        let mut now = 0.0;
        for event in events {
            now = event.id.split('-').next().and_then(|t| t.parse().ok()).unwrap_or(now) + 4.0;
            check.on_event(event, ahead + now);
        }
        check.report(ahead + now)
    }

    #[test]
    fn stream_within_contract_reports_lateness() {
        let report = checked(&[
            cpu("11000-0-e3b0c4"),
            cpu("11000-1-e3b0c4"),
            cpu("12000-0-e3b0c4"),
            event("heartbeat", "12000-0-e3b0c4", "{}"),
        ]);
        assert_eq!((report.events, report.missing_s, report.violations.len()), (5, 0, 0), "{report}");
        assert_eq!(report.lateness_ms, [Some(4.0); 3]);
        assert!(report.to_string().ends_with("no contract violations"), "{report}");
    }

    #[test]
    fn missing_second_is_counted_but_no_violation() {
        let report = checked(&[cpu("11000-0-e3b0c4"), cpu("14000-0-e3b0c4")]);
        assert_eq!((report.missing_s, report.violations.len()), (2, 0), "{report}");
    }

    #[test]
    fn contract_violations_are_reported() {
        for (events, expected) in [
            (&[cpu("11000-0-e3b0c4"), cpu("11000-0-e3b0c4")][..], "duplicate"),
            (&[cpu("12000-0-e3b0c4"), cpu("11000-0-e3b0c4")], "out of order"),
            (&[cpu("11000-0-e3b0c4"), cpu("30000-0-e3b0c4")], "no heartbeat for 19.0 s"),
            (&[event("cpu", "11000-0-e3b0c4", "{")], "not JSON"),
            (&[cpu("11000-0-00f3a9")], "has not the tag"),
            (&[event("cpu", "x", "{}")], "invalid event id"),
            (&[event("cpu", "11000-0-e3b0c4", "{\"t\":12000}")], "t is 12000"),
        ] {
            let report = checked(events);
            assert!(report.to_string().contains(expected), "{expected}: {report}");
            assert!(!report.violations.is_empty());
        }
    }

    #[test]
    fn reset_of_a_known_id_is_a_violation() {
        let mut check = ContractCheck::default();
        check.on_connect();
        check.on_event(&event("hello", "", HELLO), 10_500.0);
        check.on_event(&cpu("11000-0-e3b0c4"), 11_000.0);
        check.on_connect();
        assert_eq!(check.last_event_id().as_deref(), Some("11000-0-e3b0c4"));
        check.on_event(&cpu("12000-0-e3b0c4"), 12_000.0);
        check.on_event(&event("hello", "", &HELLO.replace("live", "reset")), 12_000.0);
        let report = check.report(12_000.0);
        assert_eq!(report.connections, 2);
        assert_eq!(
            report.violations,
            ["cpu arrived before hello", "server rejected its own id 11000-0-e3b0c4 with a reset"]
        );
    }

    #[test]
    fn reset_by_another_host_is_no_violation() {
        let mut check = ContractCheck::default();
        check.on_connect();
        check.on_event(&event("hello", "", HELLO), 10_500.0);
        check.on_event(&cpu("11000-0-e3b0c4"), 11_000.0);
        let identity = Identity { host_id: "other".to_owned(), epoch: String::new() };
        let hello = HELLO.replace("live", "reset").replace("\"host_id\":\"\"", "\"host_id\":\"other\"");
        check.on_connect();
        check.on_event(&event("hello", "", &hello), 11_000.0);
        check.on_event(&cpu(&EventId { ms: 10_000, n: 0, tag: identity.tag() }.to_string()), 11_000.0);
        assert_eq!(check.report(11_000.0).violations, [""; 0]);
    }

    #[test]
    fn stream_without_events_is_a_violation() {
        assert_eq!(ContractCheck::default().report(0.0).violations, ["no events received"]);
    }

    #[test]
    fn percentiles_use_the_nearest_rank() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([0.50, 0.95, 0.99].map(|share| percentile(&values, share)), [Some(50.0), Some(95.0), Some(99.0)]);
        assert_eq!(percentile(&[7.0], 0.5), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
