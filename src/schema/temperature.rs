//! The `temperature` group: sensors in °C with their limits, and CPU frequency.

use super::{Group, value::values};
use std::collections::BTreeMap;

values! {
    /// Temperatures in degrees Celsius, read every ten seconds.
    pub struct Temperature {
        /// The highest of all sensors.
        highest_celsius: Option<f64> = Gauge, Celsius;
        /// Sensors by chip and label: `coretemp Core 0`.
        sensors: BTreeMap<String, Sensor>;
    }
}

values! {
    /// One sensor.
    pub struct Sensor {
        /// Temperature.
        celsius: Option<f64> = Gauge, Celsius;
        /// Upper limit of normal operation.
        high_celsius: Option<f64> = Gauge, Celsius;
        /// Critical limit, at which the hardware throttles or shuts down.
        critical_celsius: Option<f64> = Gauge, Celsius;
    }
}

impl Group for Temperature {
    const NAME: &'static str = "temperature";
}
