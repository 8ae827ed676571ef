//! Temperatures from `/sys/class/hwmon` (the kernel's `Documentation/hwmon/sysfs-interface.rst`), or where there is none
//! from `/sys/class/thermal`; and how fast the processor runs. A sensor may take its time to answer, so that they are asked
//! on a thread of their own.

use super::{Clock, HostSource, background::Background, rate::PreviousReading};
use crate::schema::{Sample, Sensor, Temperature};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// Ticks after which they are asked anew.
const ASK_EVERY: u32 = 10;
/// Sensors that are shown.
const SHOWN: usize = 40;
/// Cores whose frequency is asked for: on many of them, asking all takes a second.
const CORES: usize = 8;
/// What a sensor tells that measures something; one that nothing is connected to tells anything.
const PLAUSIBLE: RangeInclusive<f64> = -60.0..=200.0;
/// A limit that was set.
const LIMITS: RangeInclusive<f64> = 1.0..=200.0;

/// What the sensors tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sensors {
    temperature: Temperature,
    /// Of the processor, in hertz.
    pub frequency: Option<f64>,
}

/// Samples sensors.
#[derive(Debug, Default)]
pub(super) struct SensorsSampler {
    background: Option<Background<Sensors>>,
    /// What they last told.
    pub known: Sensors,
    last: PreviousReading<Temperature>,
    ticks: u32,
    /// Ticks since they told something.
    silent: u32,
}

impl SensorsSampler {
    /// Asks `source` on a thread of its own.
    pub(super) fn start(mut source: impl HostSource + Send + 'static) -> Self {
        let background = Background::start("sensors", move || Some(read(&mut source)));
        Self { background: Some(background), ..Self::default() }
    }

    pub(super) fn sample(&mut self, t: u64, clock: &impl Clock) -> Option<Sample<Temperature>> {
        let background = self.background.as_ref()?;
        if self.ticks.is_multiple_of(ASK_EVERY) {
            background.ask();
        }
        self.ticks = self.ticks.wrapping_add(1);
        self.silent += 1;
        if let Some(told) = background.take() {
            (self.known, self.silent) = (told, 0);
        } else if self.silent > 3 * ASK_EVERY {
            // A sensor that never answers: what the others told is no longer of the present.
            self.known = Sensors::default();
        }
        let known = &self.known.temperature;
        let read = || (!known.sensors.is_empty()).then(|| known.clone());
        self.last.sample(t, clock, read, |_, now, _| now.clone())
    }
}

fn read(source: &mut impl HostSource) -> Sensors {
    let mut sensors = Vec::new();
    let mut chips: BTreeMap<String, u32> = BTreeMap::new();
    for chip in sorted(source, "/sys/class/hwmon") {
        let folder = format!("/sys/class/hwmon/{chip}");
        let Some(name) = word(source, &format!("{folder}/name")) else { continue };
        // Two disks have two chips of one name.
        let number = chips.entry(name.clone()).and_modify(|number| *number += 1).or_insert(1);
        let name = if *number > 1 { format!("{name} {number}") } else { name };
        for file in sorted(source, &folder) {
            let Some(sensor) = file.strip_suffix("_input").filter(|sensor| sensor.starts_with("temp")) else {
                continue;
            };
            let mut part = |part| word(source, &format!("{folder}/{sensor}_{part}"));
            let label = part("label").unwrap_or_else(|| sensor.to_owned());
            let [celsius, high, critical] = ["input", "max", "crit"].map(|name| degrees(part(name)));
            sensors.push((format!("{name} {label}"), Sensor { celsius, high, critical }));
        }
    }
    if sensors.is_empty() {
        for zone in sorted(source, "/sys/class/thermal").iter().filter(|name| name.starts_with("thermal_zone")) {
            let mut part = |part: &str| word(source, &format!("/sys/class/thermal/{zone}/{part}"));
            let (name, celsius) = (part("type").unwrap_or_else(|| zone.clone()), degrees(part("temp")));
            sensors.push((name, Sensor { celsius, ..Sensor::default() }));
        }
    }
    Sensors { temperature: gather(sensors), frequency: frequency(source) }
}

/// Those that measure something, with those of their limits that somebody has set. Two of one name are told apart by a number.
fn gather(told: Vec<(String, Sensor)>) -> Temperature {
    let mut temperature = Temperature::default();
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    for (name, sensor) in told {
        let Some(celsius) = plausible(sensor.celsius, PLAUSIBLE) else { continue };
        temperature.highest = Some(temperature.highest.map_or(celsius, |highest: f64| highest.max(celsius)));
        let number = names.entry(name.clone()).and_modify(|number| *number += 1).or_insert(1);
        let name = if *number > 1 { format!("{name} {number}") } else { name };
        if temperature.sensors.len() < SHOWN {
            let (high, critical) = (plausible(sensor.high, LIMITS), plausible(sensor.critical, LIMITS));
            temperature.sensors.insert(name, Sensor { celsius: Some(celsius), high, critical });
        }
    }
    temperature
}

/// Thousandths of a degree, as the kernel counts.
fn degrees(text: Option<String>) -> Option<f64> {
    text?.parse::<i64>().ok().map(|figure| figure as f64 / 1000.0)
}

fn plausible(figure: Option<f64>, range: RangeInclusive<f64>) -> Option<f64> {
    figure.filter(|figure| range.contains(figure))
}

/// The mean of some cores, which the kernel tells in thousands.
fn frequency(source: &mut impl HostSource) -> Option<f64> {
    let policies = sorted(source, "/sys/devices/system/cpu/cpufreq");
    let policies = policies.iter().filter(|name| name.starts_with("policy")).take(CORES);
    let told = policies.filter_map(|policy| {
        word(source, &format!("/sys/devices/system/cpu/cpufreq/{policy}/scaling_cur_freq"))?.parse::<u64>().ok()
    });
    let told: Vec<u64> = told.collect();
    let count = told.len() as u64;
    (count > 0).then(|| (told.iter().sum::<u64>() * 1000 / count) as f64)
}

/// The names in a folder, `hwmon2` before `hwmon10`.
fn sorted(source: &mut impl HostSource, path: &str) -> Vec<String> {
    let mut names = source.list(path).unwrap_or_default();
    names.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    names
}

fn word(source: &mut impl HostSource, path: &str) -> Option<String> {
    let mut text = String::new();
    source.read_once(path, &mut text).ok()?;
    let word = text.trim();
    (!word.is_empty()).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::linux::tests::Recorded;

    #[test]
    fn sensors_are_told_with_the_limits_that_were_set() {
        let mut host = Recorded::default()
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
        assert_eq!(sensors["nvme temp1"].high, None, "nobody has set that");
    }

    #[test]
    fn a_board_without_chips_has_zones() {
        let mut host = Recorded::default()
            .with_folder("/sys/class/thermal", &["cooling_device0", "thermal_zone0"])
            .with("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
            .with("/sys/class/thermal/thermal_zone0/temp", "44312\n");
        assert_eq!(read(&mut host).temperature.sensors["cpu-thermal"].celsius, Some(44.312));
    }

    #[test]
    fn none_is_lost_to_another_of_its_name_and_the_highest_is_that_of_all() {
        let sensor = |celsius| ("acpitz".to_owned(), Sensor { celsius: Some(celsius), ..Sensor::default() });
        let Temperature { highest, sensors } = gather((0..60).map(|n| sensor(f64::from(n))).collect());
        assert_eq!((highest, sensors.len()), (Some(59.0), SHOWN));
        assert_eq!((sensors["acpitz"].celsius, sensors["acpitz 2"].celsius), (Some(0.0), Some(1.0)));
    }

    #[test]
    fn a_host_without_sensors_has_none() {
        assert_eq!(read(&mut Recorded::default()), Sensors::default());
    }

    #[test]
    fn the_frequency_is_that_of_some_cores() {
        let mut host = Recorded::default()
            .with_folder("/sys/devices/system/cpu/cpufreq", &["boost", "policy0", "policy1"])
            .with("/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "1000000\n")
            .with("/sys/devices/system/cpu/cpufreq/policy1/scaling_cur_freq", "3000000\n");
        assert_eq!(read(&mut host).frequency, Some(2e9));
    }
}
