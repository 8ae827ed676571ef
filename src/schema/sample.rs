//! A sample of a group, and the tick: one sample of every group at one second.

use super::{
    Cgroup, Connections, Cpu, Disk, EventName, Load, Memory, Network, Pressure, Processes, RawCounters, Temperature,
    Verdict, Window,
    value::{SeriesPath, Values, Visit},
};
use serde::Serialize;
use std::sync::Arc;

/// A set of values that is read together and sent as one event.
pub trait Group: Values + Serialize {
    /// The event that carries it.
    const NAME: EventName;

    /// Visits every value with its path, `<group>.<field>…`: exactly the leaves of the group's JSON. Groups without
    /// series visit none.
    fn series(&self, visit: Visit<'_>) {
        self.visit(&mut SeriesPath::of(Self::NAME.as_str()), visit);
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

/// A sample of any group, as an event and as series of the window.
pub trait TickEvent {
    /// The event that carries it.
    fn name(&self) -> EventName;

    /// The event's data.
    ///
    /// # Errors
    /// If the values can't be written as JSON; the schema's types always can.
    fn json(&self) -> serde_json::Result<String>;

    /// Visits every value with its path, as [`Group::series`] does.
    fn series(&self, visit: Visit<'_>);
}

impl<G: Group> TickEvent for Sample<G> {
    fn name(&self) -> EventName {
        G::NAME
    }

    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    fn series(&self, visit: Visit<'_>) {
        self.values.series(visit);
    }
}

/// One sample of every group at one second. A group that the host lacks is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tick {
    /// Unix milliseconds, on a whole second.
    pub t: u64,
    /// CPU time by mode, and scheduler rates.
    pub cpu: Option<Sample<Cpu>>,
    /// Main memory and swap.
    pub memory: Option<Sample<Memory>>,
    /// Load averages.
    pub load: Option<Sample<Load>>,
    /// Pressure stall information (PSI).
    pub pressure: Option<Sample<Pressure>>,
    /// Viewers and sockets.
    pub connections: Option<Sample<Connections>>,
    /// Network interfaces.
    pub network: Option<Sample<Network>>,
    /// Block devices and filesystems.
    pub disk: Option<Sample<Disk>>,
    /// Temperature sensors.
    pub temperature: Option<Sample<Temperature>>,
    /// Containers and services.
    pub cgroup: Option<Sample<Cgroup>>,
    /// Top processes.
    pub processes: Option<Sample<Processes>>,
    /// The health verdict.
    pub verdict: Option<Sample<Verdict>>,
    /// The counters that the values follow from; part of no event.
    pub counters: Arc<RawCounters>,
}

impl Tick {
    /// The samples present, in sending order.
    pub fn events(&self) -> impl Iterator<Item = &dyn TickEvent> {
        fn event<G: Group>(sample: &Option<Sample<G>>) -> Option<&dyn TickEvent> {
            sample.as_ref().map(|sample| sample as &dyn TickEvent)
        }
        let events = [
            event(&self.cpu),
            event(&self.memory),
            event(&self.load),
            event(&self.pressure),
            event(&self.connections),
            event(&self.network),
            event(&self.disk),
            event(&self.temperature),
            event(&self.cgroup),
            event(&self.processes),
            event(&self.verdict),
        ];
        events.into_iter().flatten()
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
    use crate::schema::{Device, Filesystem, Interface, Sensor, Service, Stall, Tcp};
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
        assert_series_match_json(&Cpu { total: Some(3.5), cores: vec![Some(1.0), None], ..Cpu::default() });
        assert_series_match_json(&Memory { used: Some(7), ..Memory::default() });
        let tcp = Tcp { listen: Some(4), ..Tcp::default() };
        assert_series_match_json(&Connections { viewers: Some(1), tcp, ..Connections::default() });
        assert_series_match_json(&Load { one: Some(0.25), ..Load::default() });
        let io = Stall { some: Some(12.5), full: None };
        assert_series_match_json(&Pressure { io, ..Pressure::default() });
        let interface = Interface { rx_bytes: Some(7.0), ..Interface::default() };
        let interfaces = [("eth0.7".to_owned(), interface)].into();
        assert_series_match_json(&Network { tx_bytes: Some(3.0), interfaces, ..Network::default() });
        let devices = [("vda".to_owned(), Device { busy: Some(99.0), ..Device::default() })].into();
        let filesystems = [("/srv/a.b".to_owned(), Filesystem { used: Some(7), ..Filesystem::default() })].into();
        let sensors = [("coretemp Core 0".to_owned(), Sensor { celsius: Some(40.0), ..Sensor::default() })].into();
        assert_series_match_json(&Temperature { sensors, highest: Some(40.0) });
        let services = [("cron.service".to_owned(), Service { memory: Some(7), ..Service::default() })].into();
        assert_series_match_json(&Cgroup { throttled: Some(1.0), services, ..Cgroup::default() });
        assert_series_match_json(&Disk { write_bytes: Some(1.0), devices, filesystems, ..Disk::default() });
    }

    #[test]
    fn sample_serialises_as_flat_object() {
        let values = Memory { total: Some(2), ..Memory::default() };
        let json = serde_json::to_value(Sample { t: 1000, at: 1.000_25, dt: 0.999, values }).unwrap();
        assert_eq!(
            (&json["t"], &json["at"], &json["dt"], &json["total"]),
            (&1000.into(), &1.000_25.into(), &0.999.into(), &2.into())
        );
        assert!(json["used"].is_null());
    }
}
