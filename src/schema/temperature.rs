//! The `temperature` group: sensors in °C with their limits, and CPU frequency.

use super::{EventName, Group};
use serde::Serialize;
use std::collections::BTreeMap;

/// Temperatures in degrees Celsius, read every ten seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Temperature {
    /// The highest of all sensors.
    pub highest: Option<f64>,
    /// Sensors by chip and label: `coretemp Core 0`.
    pub sensors: BTreeMap<String, Sensor>,
}

/// One sensor.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sensor {
    /// Temperature.
    pub celsius: Option<f64>,
    /// Upper limit of normal operation.
    pub high: Option<f64>,
    /// Critical limit, at which the hardware throttles or shuts down.
    pub critical: Option<f64>,
}

impl Group for Temperature {
    const NAME: EventName = EventName::Temperature;

    fn series(&self, visit: &mut dyn FnMut(&str, Option<f64>)) {
        visit("temperature.highest", self.highest);
        for (name, sensor) in &self.sensors {
            let mut visit_field = |field, value| visit(&format!("temperature.sensors.{name}.{field}"), value);
            visit_field("celsius", sensor.celsius);
            visit_field("high", sensor.high);
            visit_field("critical", sensor.critical);
        }
    }
}
