//! The values of an event, by path.

use crate::server::log::SentEvent;
use serde_json::{Map, Value};

/// What every event has beside its values.
const STAMPS: [&str; 3] = ["t", "at", "dt"];
/// Events whose values make no series.
const WITHOUT_SERIES: [&str; 4] = ["processes", "verdict", "channels", "annotation"];

/// Calls `visit` with each value that makes a series, and its path: the leaves of the event's JSON.
pub(super) fn visit(event: &SentEvent, mut visit: impl FnMut(&str, f64)) -> serde_json::Result<()> {
    if WITHOUT_SERIES.contains(&&*event.name) {
        return Ok(());
    }
    let fields: Map<String, Value> = serde_json::from_str(&event.data)?;
    let mut path = event.name.clone();
    for (name, value) in fields.iter().filter(|(name, _)| !STAMPS.contains(&&***name)) {
        below(&mut path, name, value, &mut visit);
    }
    Ok(())
}

fn below(path: &mut String, name: &str, value: &Value, visit: &mut impl FnMut(&str, f64)) {
    let length = path.len();
    path.push('.');
    path.push_str(name);
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| below(path, name, value, visit)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| below(path, &index.to_string(), value, visit));
        }
        leaf => _ = leaf.as_f64().map(|value| visit(path, value)),
    }
    path.truncate(length);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::{Cgroup, Cpu, Sample, Service, Tick, Window},
        server::log::{TickLog, sent_events},
    };

    #[test]
    fn values_of_an_event_are_those_that_the_window_records() {
        let cpu =
            Cpu { total_percent: Some(0.1 + 0.2), cores_percent: vec![Some(1.0), None, Some(3.0)], ..Cpu::default() };
        let services = [("a.b c".to_owned(), Service { memory_bytes: Some(1 << 52), ..Service::default() })].into();
        let sample = Sample { t: 1000, at: 1.0, dt: 1.0, values: cpu };
        let tick = Tick::at(1000).with(sample).with(Sample {
            t: 1000,
            at: 1.0,
            dt: 1.0,
            values: Cgroup { services, ..Cgroup::default() },
        });
        let log = TickLog::default();
        log.publish(&tick);
        let mut window = Window::new(1);
        window.advance(1000);
        for event in sent_events(&log.ticks_after(&mut 0).events).unwrap() {
            visit(&event, |path, value| window.set(path, Some(value))).unwrap();
        }
        let expected = log.window();
        let paths: Vec<_> = expected.paths().collect();
        assert!(paths.len() >= 4, "{paths:?}");
        assert!(window.paths().eq(paths.iter().copied()));
        for path in paths {
            assert_eq!(window.last(path).map(f64::to_bits), expected.last(path).map(f64::to_bits), "{path}");
        }
    }
}
