//! How hot it is inside.

use super::{EventName, Group};
use serde::Serialize;
use std::collections::BTreeMap;

/// Temperatures, in degrees Celsius. They are asked every ten seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Temperature {
    /// The highest there is.
    pub highest: Option<f64>,
    /// By what they measure: `coretemp Core 0`.
    pub sensors: BTreeMap<String, Sensor>,
}

/// One sensor.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sensor {
    /// What it measures.
    pub celsius: Option<f64>,
    /// From here on it is too hot.
    pub high: Option<f64>,
    /// From here on the hardware protects itself.
    pub critical: Option<f64>,
}

impl Group for Temperature {
    const NAME: EventName = EventName::Temperature;

    fn series(&self, visit: &mut dyn FnMut(&str, Option<f64>)) {
        visit("temperature.highest", self.highest);
        for (name, sensor) in &self.sensors {
            let mut below = |field, value| visit(&format!("temperature.sensors.{name}.{field}"), value);
            below("celsius", sensor.celsius);
            below("high", sensor.high);
            below("critical", sensor.critical);
        }
    }
}
