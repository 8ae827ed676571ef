//! Holds events against the contract in `docs/stream.md`. Pure: it is told the time.

use crate::{schema::EventId, sse::Event};
use serde_json::Value;
use std::fmt;

/// A stream is never silent for longer: after 15 seconds it sends a heartbeat, and a second is for the way.
const SILENCE_MS: f64 = 16_000.0;
/// Broken promises that are told one by one.
const TOLD: usize = 10;

/// What has been seen up to now.
#[derive(Debug, Default)]
pub(super) struct Check {
    /// Connections made.
    pub connections: u32,
    position: Option<EventId>,
    interval_ms: u64,
    /// Whether this connection's `hello` has come.
    greeted: bool,
    /// What the server's clock said in `hello`, and ours.
    clocks: Option<(f64, f64)>,
    heard: Option<f64>,
    events: u64,
    missing_s: u64,
    lateness_ms: Vec<f64>,
    broken: Vec<String>,
}

impl Check {
    /// The id to resume after.
    pub(super) fn position(&self) -> Option<String> {
        self.position.map(|id| id.to_string())
    }

    pub(super) fn connected(&mut self) {
        self.connections += 1;
        (self.greeted, self.heard) = (false, None);
    }

    pub(super) fn cannot_resume(&mut self, error: &str) {
        self.broken.push(format!("the stream could not be resumed: {error}"));
    }

    /// Takes the next event, which has come at `now` (unix ms).
    pub(super) fn hear(&mut self, event: &Event, now: f64) {
        self.events += 1;
        self.notice_silence(now);
        let Ok(data) = serde_json::from_str::<Value>(&event.data) else {
            return self.broken.push(format!("{} is no JSON: {:.60}", event.name, event.data));
        };
        match &*event.name {
            "hello" => self.greet(&data, now),
            _ if !self.greeted => self.broken.push(format!("{} came before hello", event.name)),
            "heartbeat" | "shutdown" => {}
            name => self.place(name, event, &data, now),
        }
    }

    fn notice_silence(&mut self, now: f64) {
        let silent = self.heard.map_or(0.0, |heard| now - heard);
        if silent > SILENCE_MS {
            self.broken.push(format!("nothing came for {:.1} s, not even a heartbeat", silent / 1000.0));
        }
        self.heard = Some(now);
    }

    fn greet(&mut self, hello: &Value, now: f64) {
        self.greeted = true;
        self.interval_ms = hello["interval_ms"].as_u64().unwrap_or(1000).max(1);
        self.clocks = hello["now"].as_f64().map(|server| (server, now));
        if let (Some(id), "reset") = (self.position, hello["start"].as_str().unwrap_or_default()) {
            self.broken.push(format!("the server doesn't know {id}, which came from it"));
        }
    }

    fn place(&mut self, name: &str, event: &Event, data: &Value, now: f64) {
        let Ok(id) = event.id.parse::<EventId>() else {
            return self.broken.push(format!("{name} has no id of ours: {:?}", event.id));
        };
        let last = self.position.replace(id);
        if last.is_some_and(|last| id <= last && name != "window") {
            self.broken.push(format!("{name} came twice or out of order: {id} after {}", last.unwrap_or(id)));
        }
        if name == "window" {
            return;
        }
        if let Some(last) = last
            && id.ms > last.ms
        {
            self.missing_s += (id.ms - last.ms) / self.interval_ms - 1;
        }
        self.time(id.ms, data, now);
    }

    /// Notes how late a live tick has come, by the server's clock.
    fn time(&mut self, t: u64, data: &Value, now: f64) {
        if data["t"].as_u64() != Some(t) {
            self.broken.push(format!("the event of {t} says it is of {}", data["t"]));
        }
        if let Some((server, own)) = self.clocks
            && t as f64 > server
        {
            self.lateness_ms.push(now - t as f64 - (own - server));
        }
    }

    /// Sums up at `now`.
    pub(super) fn report(mut self, now: f64) -> Report {
        self.notice_silence(now);
        if self.events == 0 {
            self.broken.push("not one event came".to_owned());
        }
        self.lateness_ms.sort_by(f64::total_cmp);
        Report {
            connections: self.connections,
            events: self.events,
            missing_s: self.missing_s,
            lateness_ms: [0.50, 0.95, 0.99].map(|share| percentile(&self.lateness_ms, share)),
            broken: self.broken,
        }
    }
}

/// The least value that so large a share of the values doesn't pass (the nearest-rank method).
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// What a probe has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Connections made: more than one where a stream has ended, or was cut off.
    pub connections: u32,
    /// Events of any kind.
    pub events: u64,
    /// Seconds that the server has not sampled.
    pub missing_s: u64,
    /// From the tick to its events' arrival, p50, p95 and p99; none without a live tick.
    pub lateness_ms: [Option<f64>; 3],
    /// What should not have happened.
    pub broken: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} events over {} connections, {} seconds not sampled",
            self.events, self.connections, self.missing_s
        )?;
        if let [Some(p50), Some(p95), Some(p99)] = self.lateness_ms {
            writeln!(f, "from a tick to its events' arrival: p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms")?;
        }
        for broken in self.broken.iter().take(TOLD) {
            writeln!(f, "broken: {broken}")?;
        }
        match self.broken.len() {
            0 => write!(f, "every promise was kept"),
            1 => write!(f, "1 promise was broken"),
            more => write!(f, "{more} promises were broken"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = r#"{"schema":1,"interval_ms":1000,"now":10500,"start":"live"}"#;

    fn event(name: &str, id: &str, data: &str) -> Event {
        Event { name: name.to_owned(), data: data.to_owned(), id: id.to_owned() }
    }

    fn cpu(id: &str) -> Event {
        let t = id.split('-').next().unwrap();
        event("cpu", id, &format!("{{\"t\":{t}}}"))
    }

    /// A connection with `events`, each 4 ms after its tick by a clock that is an hour ahead.
    fn checked(events: &[Event]) -> Report {
        let mut check = Check::default();
        check.connected();
        let ahead = 3_600_000.0;
        check.hear(&event("hello", "", HELLO), ahead + 10_500.0);
        let mut now = 0.0;
        for event in events {
            now = event.id.split('-').next().and_then(|t| t.parse().ok()).unwrap_or(now) + 4.0;
            check.hear(event, ahead + now);
        }
        check.report(ahead + now)
    }

    #[test]
    fn a_stream_that_keeps_its_promises_is_timed() {
        let report = checked(&[cpu("11000-0"), cpu("11000-1"), cpu("12000-0"), event("heartbeat", "12000-0", "{}")]);
        assert_eq!((report.events, report.missing_s, report.broken.len()), (5, 0, 0), "{report}");
        assert_eq!(report.lateness_ms, [Some(4.0); 3]);
        assert!(report.to_string().ends_with("every promise was kept"), "{report}");
    }

    #[test]
    fn a_second_that_was_not_sampled_is_no_broken_promise() {
        let report = checked(&[cpu("11000-0"), cpu("14000-0")]);
        assert_eq!((report.missing_s, report.broken.len()), (2, 0), "{report}");
    }

    #[test]
    fn a_broken_promise_is_told() {
        for (events, says) in [
            (&[cpu("11000-0"), cpu("11000-0")][..], "twice"),
            (&[cpu("12000-0"), cpu("11000-0")], "out of order"),
            (&[cpu("11000-0"), cpu("30000-0")], "nothing came for 19.0 s"),
            (&[event("cpu", "11000-0", "{")], "no JSON"),
            (&[event("cpu", "x", "{}")], "no id of ours"),
            (&[event("cpu", "11000-0", "{\"t\":12000}")], "says it is of 12000"),
        ] {
            let report = checked(events);
            assert!(report.to_string().contains(says), "{says}: {report}");
            assert!(!report.broken.is_empty());
        }
    }

    #[test]
    fn a_server_must_know_its_own_ids() {
        let mut check = Check::default();
        check.connected();
        check.hear(&event("hello", "", HELLO), 10_500.0);
        check.hear(&cpu("11000-0"), 11_000.0);
        check.connected();
        assert_eq!(check.position().as_deref(), Some("11000-0"));
        check.hear(&cpu("12000-0"), 12_000.0);
        check.hear(&event("hello", "", &HELLO.replace("live", "reset")), 12_000.0);
        let report = check.report(12_000.0);
        assert_eq!(report.connections, 2);
        assert_eq!(report.broken, ["cpu came before hello", "the server doesn't know 11000-0, which came from it"]);
    }

    #[test]
    fn silence_from_the_start_is_a_broken_promise() {
        assert_eq!(Check::default().report(0.0).broken, ["not one event came"]);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([0.50, 0.95, 0.99].map(|share| percentile(&values, share)), [Some(50.0), Some(95.0), Some(99.0)]);
        assert_eq!(percentile(&[7.0], 0.5), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
