//! Temperatures from `/sys/class/hwmon` (the kernel's `Documentation/hwmon/sysfs-interface.rst`), or else from
//! `/sys/class/thermal`; and the processor's frequency. Read on a thread of their own, because some sensors answer
//! slowly.

use super::{Clock, HostSource, background::Poller, rate::PreviousReading};
use crate::schema::{Sample, Sensor, Temperature};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// In ticks.
const POLL_INTERVAL: u32 = 10;
const MAX_SENSORS: usize = 40;
/// Cores whose frequency is read; reading it for every core of a large host takes a second.
const MAX_CORES: usize = 8;
/// Plausible temperatures; an unconnected sensor reports arbitrary ones.
const TEMPERATURE_RANGE: RangeInclusive<f64> = -60.0..=200.0;
/// Plausible limits; an unset limit is zero or very large.
const LIMIT_RANGE: RangeInclusive<f64> = 1.0..=200.0;

#[derive(Clone, Debug, Default, PartialEq)]
struct SensorReadings {
    temperature: Temperature,
    /// Of the processor, in hertz.
    frequency: Option<f64>,
}

/// Samples temperatures and the processor's frequency.
#[derive(Debug, Default)]
pub(super) struct SensorsSampler {
    /// `None` reads no sensors.
    poller: Option<Poller<SensorReadings>>,
    previous: PreviousReading<Temperature>,
}

impl SensorsSampler {
    /// Starts to read `source` in the background.
    pub(super) fn start(mut source: impl HostSource + Send + 'static) -> Self {
        let poller = Poller::start("sensors", POLL_INTERVAL, move || Some(read(&mut source)));
        Self { poller: Some(poller), ..Self::default() }
    }

    /// Temperatures; `None` on a host without sensors.
    pub(super) fn sample(&mut self, t: u64, clock: &impl Clock) -> Option<Sample<Temperature>> {
        let temperature = &self.poller.as_mut()?.tick().temperature;
        let read = || (!temperature.sensors.is_empty()).then(|| temperature.clone());
        self.previous.next_sample(t, clock, read, |_, current, _| current.clone())
    }

    /// Processor frequency in hertz, at the last tick.
    pub(super) fn frequency(&self) -> Option<f64> {
        self.poller.as_ref()?.value().frequency
    }
}

fn read(source: &mut impl HostSource) -> SensorReadings {
    let mut sensors = read_hwmon(source);
    if sensors.is_empty() {
        sensors = read_thermal_zones(source);
    }
    SensorReadings { temperature: plausible_temperatures(sensors), frequency: mean_frequency(source) }
}

fn read_hwmon(source: &mut impl HostSource) -> Vec<(String, Sensor)> {
    let mut sensors = Vec::new();
    let mut chip_names = UniqueNames::default();
    for chip in list_sorted(source, "/sys/class/hwmon") {
        let folder = format!("/sys/class/hwmon/{chip}");
        let Some(name) = read_trimmed(source, &format!("{folder}/name")) else { continue };
        let name = chip_names.unique(name);
        for file in list_sorted(source, &folder) {
            let Some(sensor) = file.strip_suffix("_input").filter(|sensor| sensor.starts_with("temp")) else {
                continue;
            };
            let mut attribute = |attribute| read_trimmed(source, &format!("{folder}/{sensor}_{attribute}"));
            let label = attribute("label").unwrap_or_else(|| sensor.to_owned());
            let [celsius, high, critical] = ["input", "max", "crit"].map(|name| degrees(attribute(name)));
            sensors.push((format!("{name} {label}"), Sensor { celsius, high, critical }));
        }
    }
    sensors
}

fn read_thermal_zones(source: &mut impl HostSource) -> Vec<(String, Sensor)> {
    let zones = list_sorted(source, "/sys/class/thermal").into_iter().filter(|name| name.starts_with("thermal_zone"));
    zones
        .map(|zone| {
            let mut attribute = |name: &str| read_trimmed(source, &format!("/sys/class/thermal/{zone}/{name}"));
            let (kind, celsius) = (attribute("type"), degrees(attribute("temp")));
            (kind.unwrap_or(zone), Sensor { celsius, ..Sensor::default() })
        })
        .collect()
}

/// Drops sensors and limits whose values are implausible.
fn plausible_temperatures(sensors: Vec<(String, Sensor)>) -> Temperature {
    let in_range = |value: Option<f64>, range: RangeInclusive<f64>| value.filter(|value| range.contains(value));
    let mut temperature = Temperature::default();
    let mut names = UniqueNames::default();
    for (name, sensor) in sensors {
        let Some(celsius) = in_range(sensor.celsius, TEMPERATURE_RANGE) else { continue };
        temperature.highest = Some(temperature.highest.map_or(celsius, |highest: f64| highest.max(celsius)));
        let name = names.unique(name);
        if temperature.sensors.len() < MAX_SENSORS {
            let (high, critical) = (in_range(sensor.high, LIMIT_RANGE), in_range(sensor.critical, LIMIT_RANGE));
            temperature.sensors.insert(name, Sensor { celsius: Some(celsius), high, critical });
        }
    }
    temperature
}

/// Numbers repeated names, such as those of two disks' chips.
#[derive(Default)]
struct UniqueNames(BTreeMap<String, u32>);

impl UniqueNames {
    fn unique(&mut self, name: String) -> String {
        let count = self.0.entry(name.clone()).and_modify(|count| *count += 1).or_insert(1);
        if *count > 1 { format!("{name} {count}") } else { name }
    }
}

/// Degrees from the kernel's thousandths.
fn degrees(text: Option<String>) -> Option<f64> {
    text?.parse::<i64>().ok().map(|millidegrees| millidegrees as f64 / 1000.0)
}

/// Mean frequency of the first cores in hertz, from the kernel's kilohertz.
fn mean_frequency(source: &mut impl HostSource) -> Option<f64> {
    let policies = list_sorted(source, "/sys/devices/system/cpu/cpufreq");
    let policies = policies.iter().filter(|name| name.starts_with("policy")).take(MAX_CORES);
    let khz = policies.filter_map(|policy| {
        read_trimmed(source, &format!("/sys/devices/system/cpu/cpufreq/{policy}/scaling_cur_freq"))?.parse::<u64>().ok()
    });
    let khz: Vec<u64> = khz.collect();
    let count = khz.len() as u64;
    (count > 0).then(|| (khz.iter().sum::<u64>() * 1000 / count) as f64)
}

/// Names in a folder, in the order of their numbers: `hwmon2` before `hwmon10`.
fn list_sorted(source: &mut impl HostSource, path: &str) -> Vec<String> {
    let mut names = source.list(path).unwrap_or_default();
    names.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    names
}

fn read_trimmed(source: &mut impl HostSource, path: &str) -> Option<String> {
    let mut text = String::new();
    source.read_first_page(path, &mut text).ok()?;
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::linux::tests::RecordedHost;

    #[test]
    fn hwmon_sensors_have_plausible_limits_only() {
        let mut host = RecordedHost::default()
            .with_folder("/sys/class/hwmon", &["hwmon10", "hwmon2", "hwmon1"])
            .with_folder(
                "/sys/class/hwmon/hwmon1",
                &["name", "temp1_input", "temp1_label", "temp2_input", "fan1_input"],
            )
            .with("/sys/class/hwmon/hwmon1/name", "coretemp\n")
            .with("/sys/class/hwmon/hwmon1/temp1_input", "46500\n")
            .with("/sys/class/hwmon/hwmon1/temp1_label", "Package id 0\n")
            .with("/sys/class/hwmon/hwmon1/temp1_max", "80000\n")
            .with("/sys/class/hwmon/hwmon1/temp1_crit", "100000\n")
            .with("/sys/class/hwmon/hwmon1/temp2_input", "-128000\n")
            .with_folder("/sys/class/hwmon/hwmon2", &["temp1_input"])
            .with("/sys/class/hwmon/hwmon2/name", "nvme\n")
            .with("/sys/class/hwmon/hwmon2/temp1_input", "38850\n")
            .with("/sys/class/hwmon/hwmon2/temp1_max", "65261850\n")
            .with_folder("/sys/class/hwmon/hwmon10", &["temp1_input"])
            .with("/sys/class/hwmon/hwmon10/name", "nvme\n")
            .with("/sys/class/hwmon/hwmon10/temp1_input", "51850\n");
        let Temperature { highest, sensors } = read(&mut host).temperature;
        assert_eq!(highest, Some(51.85));
        assert_eq!(sensors.keys().collect::<Vec<_>>(), ["coretemp Package id 0", "nvme 2 temp1", "nvme temp1"]);
        let package = Sensor { celsius: Some(46.5), high: Some(80.0), critical: Some(100.0) };
        assert_eq!(sensors["coretemp Package id 0"], package);
        assert_eq!(sensors["nvme temp1"].high, None, "an unset limit");
    }

    #[test]
    fn host_without_hwmon_reads_thermal_zones() {
        let mut host = RecordedHost::default()
            .with_folder("/sys/class/thermal", &["cooling_device0", "thermal_zone0"])
            .with("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
            .with("/sys/class/thermal/thermal_zone0/temp", "44312\n");
        assert_eq!(read(&mut host).temperature.sensors["cpu-thermal"].celsius, Some(44.312));
    }

    #[test]
    fn repeated_names_are_numbered_and_highest_covers_all() {
        let sensor = |celsius| ("acpitz".to_owned(), Sensor { celsius: Some(celsius), ..Sensor::default() });
        let Temperature { highest, sensors } = plausible_temperatures((0..60).map(|n| sensor(f64::from(n))).collect());
        assert_eq!((highest, sensors.len()), (Some(59.0), MAX_SENSORS));
        assert_eq!((sensors["acpitz"].celsius, sensors["acpitz 2"].celsius), (Some(0.0), Some(1.0)));
    }

    #[test]
    fn host_without_sensors_reports_none() {
        assert_eq!(read(&mut RecordedHost::default()), SensorReadings::default());
    }

    #[test]
    fn frequency_is_mean_of_cores() {
        let mut host = RecordedHost::default()
            .with_folder("/sys/devices/system/cpu/cpufreq", &["boost", "policy0", "policy1"])
            .with("/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "1000000\n")
            .with("/sys/devices/system/cpu/cpufreq/policy1/scaling_cur_freq", "3000000\n");
        assert_eq!(read(&mut host).frequency, Some(2e9));
    }
}
