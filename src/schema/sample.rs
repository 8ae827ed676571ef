//! A sample of a group, and the tick: one sample of every group at one second.

use super::{
    Window,
    value::{SeriesPath, Values, Visit},
};
use serde::Serialize;
use std::{any::Any, fmt, sync::Arc};

/// A set of values that is read together and sent as one event.
pub trait Group: Values + Serialize + fmt::Debug + Send + Sync + 'static {
    /// The event that carries it.
    const NAME: &'static str;

    /// Visits every value with its path, `<group>.<field>…`: exactly the leaves of the group's JSON. Groups without
    /// series visit none.
    fn series(&self, visit: Visit<'_>) {
        self.visit(&mut SeriesPath::of(Self::NAME), visit);
    }
}

/// A group's values and when they were read: the `data` of an event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample<G> {
    /// The tick it belongs to, unix milliseconds, on a whole second.
    pub t: u64,
    /// When the counters were read, unix seconds, to the microsecond.
    pub at: f64,
    /// Seconds since the previous reading: the divisor of every rate.
    pub dt: f64,
    /// The values.
    #[serde(flatten)]
    pub values: G,
}

/// A sample of any group or channel, as an event and as series of the window.
pub trait TickEvent: Any + fmt::Debug + Send + Sync {
    /// The event that carries it.
    fn name(&self) -> &str;

    /// The event's data.
    ///
    /// # Errors
    /// If the values can't be written as JSON; the schema's types always can.
    fn json(&self) -> serde_json::Result<String>;

    /// Visits every value with its path, as [`Group::series`] does.
    fn series(&self, visit: Visit<'_>);
}

impl<G: Group> TickEvent for Sample<G> {
    fn name(&self) -> &str {
        G::NAME
    }

    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    fn series(&self, visit: Visit<'_>) {
        self.values.series(visit);
    }
}

/// One sample of every group at one second. A group that the host lacks has none.
#[derive(Clone, Debug, Default)]
pub struct Tick {
    /// Unix milliseconds, on a whole second.
    pub t: u64,
    samples: Vec<Arc<dyn TickEvent>>,
}

impl Tick {
    /// A tick without samples.
    pub fn at(t: u64) -> Self {
        Self { t, samples: Vec::new() }
    }

    /// Adds a sample, which is sent after those before.
    pub fn push(&mut self, sample: impl TickEvent + 'static) {
        self.samples.push(Arc::new(sample));
    }

    /// Adds the sample of a group, if there is one, in place of an earlier one.
    #[must_use]
    pub fn with<G: Group>(mut self, sample: impl Into<Option<Sample<G>>>) -> Self {
        let sample = sample.into().map(|sample| Arc::new(sample) as Arc<dyn TickEvent>);
        match self.samples.iter().position(|other| other.name() == G::NAME) {
            Some(index) => drop(self.samples.splice(index..=index, sample)),
            None => self.samples.extend(sample),
        }
        self
    }

    /// The sample of a group.
    pub fn get<G: Group>(&self) -> Option<&Sample<G>> {
        self.samples.iter().find_map(|sample| (&**sample as &dyn Any).downcast_ref())
    }

    /// The samples, in sending order.
    pub fn events(&self) -> impl Iterator<Item = &dyn TickEvent> {
        self.samples.iter().map(|sample| &**sample)
    }

    /// Records every sample into `window`.
    pub fn record_into(&self, window: &mut Window) {
        window.advance(self.t);
        self.events().for_each(|event| event.series(&mut |path, value| window.set(path, value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{
        Cgroup, Connections, Cpu, Device, Disk, Filesystem, Interface, Load, Memory, Network, Pressure, Sensor,
        Service, Stall, Tcp, Temperature,
    };
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

    fn assert_series_match_json<G: Group>(group: &G) {
        let mut expected = Vec::new();
        leaves(G::NAME.to_string(), &serde_json::to_value(group).unwrap(), &mut expected);
        let mut series = Vec::new();
        group.series(&mut |path, value| series.push((path.to_owned(), value)));
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        series.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(series, expected);
    }

    #[test]
    fn group_series_equal_its_json_leaves() {
        assert_series_match_json(&Cpu {
            total_percent: Some(3.5),
            cores_percent: vec![Some(1.0), None],
            ..Cpu::default()
        });
        assert_series_match_json(&Memory { used_bytes: Some(7), ..Memory::default() });
        let tcp = Tcp { listen: Some(4), ..Tcp::default() };
        assert_series_match_json(&Connections { viewers: Some(1), tcp, ..Connections::default() });
        assert_series_match_json(&Load { one: Some(0.25), ..Load::default() });
        let io = Stall { some_percent: Some(12.5), full_percent: None };
        assert_series_match_json(&Pressure { io, ..Pressure::default() });
        let interface = Interface { rx_bytes_per_second: Some(7.0), ..Interface::default() };
        let interfaces = [("eth0.7".to_owned(), interface)].into();
        assert_series_match_json(&Network { tx_bytes_per_second: Some(3.0), interfaces, ..Network::default() });
        let devices = [("vda".to_owned(), Device { busy_percent: Some(99.0), ..Device::default() })].into();
        let filesystems = [("/srv/a.b".to_owned(), Filesystem { used_bytes: Some(7), ..Filesystem::default() })].into();
        let sensors = [("coretemp Core 0".to_owned(), Sensor { celsius: Some(40.0), ..Sensor::default() })].into();
        assert_series_match_json(&Temperature { sensors, highest_celsius: Some(40.0) });
        let services = [("cron.service".to_owned(), Service { memory_bytes: Some(7), ..Service::default() })].into();
        assert_series_match_json(&Cgroup { throttled_percent: Some(1.0), services, ..Cgroup::default() });
        assert_series_match_json(&Disk { write_bytes_per_second: Some(1.0), devices, filesystems, ..Disk::default() });
    }

    #[test]
    fn sample_serialises_as_flat_object() {
        let values = Memory { total_bytes: Some(2), ..Memory::default() };
        let json = serde_json::to_value(Sample { t: 1000, at: 1.000_25, dt: 0.999, values }).unwrap();
        assert_eq!(
            (&json["t"], &json["at"], &json["dt"], &json["total"]),
            (&1000.into(), &1.000_25.into(), &0.999.into(), &2.into())
        );
        assert!(json["used"].is_null());
    }
}
