//! One reading of one group, and the tick that holds one of each.

use super::{Connections, Cpu, EventName, Memory, Window};
use serde::Serialize;

/// A set of figures that is read together and sent as one event.
pub trait Group: Serialize {
    /// The event that carries it.
    const NAME: EventName;

    /// Visits every figure with its path, `<group>.<field>` by nesting: the leaves of its JSON, neither more nor less.
    fn series(&self, visit: &mut dyn FnMut(&str, Option<f64>));
}

/// A group as it was read, and when: the `data` of an event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample<G> {
    /// The tick it belongs to, unix milliseconds, on a whole second.
    pub t: u64,
    /// When the counters were really read, unix seconds, exact to the microsecond.
    pub at: f64,
    /// Seconds between this reading and the one before: what every rate in it was divided by.
    pub dt: f64,
    /// The figures.
    #[serde(flatten)]
    pub values: G,
}

/// All that was sampled at one second. A group that the host doesn't have is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Unix milliseconds, on a whole second.
    pub t: u64,
    /// Processor time.
    pub cpu: Option<Sample<Cpu>>,
    /// Main memory and swap.
    pub memory: Option<Sample<Memory>>,
    /// Viewers and sockets.
    pub connections: Option<Sample<Connections>>,
}

impl Tick {
    /// Puts every group that was read into `window`.
    pub fn record_into(&self, window: &mut Window) {
        window.advance(self.t);
        if let Some(cpu) = &self.cpu {
            window.record(self.t, &cpu.values);
        }
        if let Some(memory) = &self.memory {
            window.record(self.t, &memory.values);
        }
        if let Some(connections) = &self.connections {
            window.record(self.t, &connections.values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Tcp;
    use serde_json::Value;

    /// Every leaf of a JSON value with its path.
    fn leaves(path: String, value: &Value, into: &mut Vec<(String, Option<f64>)>) {
        let below = |key: &str| format!("{path}.{key}");
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| leaves(below(key), value, into)),
            Value::Array(items) => items.iter().enumerate().for_each(|(i, v)| leaves(below(&i.to_string()), v, into)),
            leaf => into.push((path, leaf.as_f64())),
        }
    }

    fn series_are_the_leaves_of<G: Group>(group: &G) {
        let mut expected = Vec::new();
        leaves(G::NAME.to_string(), &serde_json::to_value(group).unwrap(), &mut expected);
        let mut series = Vec::new();
        group.series(&mut |path, value| series.push((path.to_owned(), value)));
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        series.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(series, expected);
    }

    #[test]
    fn the_series_of_a_group_are_the_leaves_of_its_json() {
        series_are_the_leaves_of(&Cpu { total: Some(3.5), cores: vec![Some(1.0), None], ..Cpu::default() });
        series_are_the_leaves_of(&Memory { used: Some(7), ..Memory::default() });
        let tcp = Tcp { listen: Some(4), ..Tcp::default() };
        series_are_the_leaves_of(&Connections { viewers: Some(1), tcp, ..Connections::default() });
    }

    #[test]
    fn a_sample_is_one_flat_object() {
        let values = Memory { total: Some(2), ..Memory::default() };
        let json = serde_json::to_value(Sample { t: 1000, at: 1.000_25, dt: 0.999, values }).unwrap();
        assert_eq!(
            (&json["t"], &json["at"], &json["dt"], &json["total"]),
            (&1000.into(), &1.000_25.into(), &0.999.into(), &2.into())
        );
        assert!(json["used"].is_null());
    }
}
