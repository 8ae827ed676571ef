//! Temperatures from `/sys/class/hwmon` (the kernel's `Documentation/hwmon/sysfs-interface.rst`), or else from
//! `/sys/class/thermal`; and the processor's frequency. Read on threads of their own, because some sensors answer
//! slowly or never.

use super::{Clock, HostSource, abandonable_reader::AbandonableReader, background::Poller, rate::PreviousReading};
use crate::schema::{Sample, Sensor, Temperature};
use std::{collections::BTreeMap, ops::Range, time::Duration};

/// In ticks.
const POLL_INTERVAL: u32 = 10;
/// A chip that takes longer to answer is read on while the others continue.
const CHIP_TIMEOUT: Duration = Duration::from_secs(3);
const MAX_SENSORS: usize = 40;
/// Cores whose frequency is read; reading it for every core of a large host takes a second.
const MAX_CORES: usize = 8;
/// Plausible temperatures: an unconnected sensor reports the ends of its 8-bit scale, and no part of a computer that
/// reports 127 °C still works.
const TEMPERATURE_RANGE: Range<f64> = -60.0..127.0;
/// Plausible limits; an unset limit is zero or very large.
const LIMIT_RANGE: Range<f64> = 1.0..127.0;

type ChipReader<S> = AbandonableReader<S, Vec<(String, Sensor)>>;

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
    /// Starts to read sources in the background.
    pub(super) fn start<S: HostSource + Send + 'static>(new_source: fn() -> S) -> Self {
        let (mut source, mut chips) = (new_source(), ChipReader::new(CHIP_TIMEOUT, new_source));
        let poller = Poller::start("sensors", POLL_INTERVAL, move || Some(read(&mut source, &mut chips)));
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

fn read<S: HostSource + Send + 'static>(source: &mut S, chips: &mut ChipReader<S>) -> SensorReadings {
    chips.forget_missing(|folder| source.list(folder).is_ok());
    let mut sensors = read_hwmon(source, chips);
    if sensors.is_empty() {
        sensors = read_thermal_zones(source, chips);
    }
    SensorReadings { temperature: plausible_temperatures(sensors), frequency: mean_frequency(source) }
}

fn read_hwmon<S: HostSource + Send + 'static>(source: &mut S, chips: &mut ChipReader<S>) -> Vec<(String, Sensor)> {
    let mut sensors = Vec::new();
    let mut chip_names = UniqueNames::default();
    for chip in list_sorted(source, "/sys/class/hwmon") {
        let folder = format!("/sys/class/hwmon/{chip}");
        let Some(name) = read_trimmed(source, &format!("{folder}/name")) else { continue };
        // A chip that is not read keeps its number, so that those after it keep theirs.
        let name = chip_names.unique(name);
        if is_suspended(source, &folder) {
            continue;
        }
        let readings = chips.read(&folder, read_chip).unwrap_or_default();
        sensors.extend(readings.into_iter().map(|(label, sensor)| (format!("{name} {label}"), sensor)));
    }
    sensors
}

/// Whether the chip's device sleeps, or the device that contains it: reading a sensor would wake it.
fn is_suspended(source: &mut impl HostSource, folder: &str) -> bool {
    ["device", "device/device"].iter().any(|device| {
        let status = read_trimmed(source, &format!("{folder}/{device}/power/runtime_status"));
        status.is_some_and(|status| status.starts_with("suspend"))
    })
}

/// Labels and values of a chip's sensors, without those that report a fault or are switched off.
fn read_chip(source: &mut impl HostSource, folder: &str) -> Vec<(String, Sensor)> {
    let files = list_sorted(source, folder);
    let sensors = files.iter().filter_map(|file| {
        let sensor = file.strip_suffix("_input").filter(|sensor| sensor.starts_with("temp"))?;
        let mut attribute = |attribute| read_trimmed(source, &format!("{folder}/{sensor}_{attribute}"));
        let is_faulty = attribute("fault").is_some_and(|fault| fault != "0");
        if is_faulty || attribute("enable").is_some_and(|enabled| enabled == "0") {
            return None;
        }
        let label = attribute("label").unwrap_or_else(|| sensor.to_owned());
        let [celsius, high, critical] = ["input", "max", "crit"].map(|name| degrees(attribute(name)));
        Some((label, Sensor { celsius, high_celsius: high, critical_celsius: critical }))
    });
    sensors.collect()
}

fn read_thermal_zones<S: HostSource + Send + 'static>(
    source: &mut S,
    chips: &mut ChipReader<S>,
) -> Vec<(String, Sensor)> {
    let zones = list_sorted(source, "/sys/class/thermal").into_iter().filter(|name| name.starts_with("thermal_zone"));
    let folders = zones.map(|zone| format!("/sys/class/thermal/{zone}"));
    folders.filter_map(|folder| chips.read(&folder, read_thermal_zone)).flatten().collect()
}

fn read_thermal_zone(source: &mut impl HostSource, folder: &str) -> Vec<(String, Sensor)> {
    let mut attribute = |name: &str| read_trimmed(source, &format!("{folder}/{name}"));
    let (kind, celsius) = (attribute("type"), degrees(attribute("temp")));
    let zone = folder.rsplit('/').next().unwrap_or_default().to_owned();
    vec![(kind.unwrap_or(zone), Sensor { celsius, ..Sensor::default() })]
}

/// Drops sensors and limits whose values are implausible.
fn plausible_temperatures(sensors: Vec<(String, Sensor)>) -> Temperature {
    let in_range = |value: Option<f64>, range: Range<f64>| value.filter(|value| range.contains(value));
    let mut temperature = Temperature::default();
    let mut names = UniqueNames::default();
    for (name, sensor) in sensors {
        let Some(celsius) = in_range(sensor.celsius, TEMPERATURE_RANGE) else { continue };
        temperature.highest_celsius =
            Some(temperature.highest_celsius.map_or(celsius, |highest: f64| highest.max(celsius)));
        let name = names.unique(name);
        if temperature.sensors.len() < MAX_SENSORS {
            let (high, critical) =
                (in_range(sensor.high_celsius, LIMIT_RANGE), in_range(sensor.critical_celsius, LIMIT_RANGE));
            temperature
                .sensors
                .insert(name, Sensor { celsius: Some(celsius), high_celsius: high, critical_celsius: critical });
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

    fn read_host(host: &RecordedHost) -> SensorReadings {
        let for_chips = host.clone();
        let mut chips = ChipReader::new(Duration::from_secs(20), move || for_chips.clone());
        read(&mut host.clone(), &mut chips)
    }

    fn chip(files: &[(&str, &str)]) -> RecordedHost {
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        let host = RecordedHost::default()
            .with_folder("/sys/class/hwmon", &["hwmon0"])
            .with_folder("/sys/class/hwmon/hwmon0", &names);
        files.iter().fold(host, |host, (name, text)| host.with(&format!("/sys/class/hwmon/hwmon0/{name}"), text))
    }

    #[test]
    fn unconnected_faulty_and_disabled_sensors_are_left_out() {
        let host = chip(&[
            ("name", "nct6779\n"),
            ("temp1_input", "45000\n"),
            ("temp1_fault", "0\n"),
            ("temp1_max", "127000\n"),
            ("temp2_input", "127000\n"),
            ("temp3_input", "98000\n"),
            ("temp3_fault", "1\n"),
            ("temp4_input", "97000\n"),
            ("temp4_enable", "0\n"),
        ]);
        let Temperature { highest_celsius: highest, sensors } = read_host(&host).temperature;
        assert_eq!(highest, Some(45.0));
        let sensor = Sensor { celsius: Some(45.0), ..Sensor::default() };
        assert_eq!(sensors, [("nct6779 temp1".to_owned(), sensor)].into());
    }

    #[test]
    fn sensor_of_suspended_device_is_not_read() {
        for status in ["device/power/runtime_status", "device/device/power/runtime_status"] {
            let read = |text| read_host(&chip(&[("name", "amdgpu\n"), ("temp1_input", "45000\n"), (status, text)]));
            assert_eq!(read("suspended\n").temperature.highest_celsius, None);
            assert_eq!(read("suspending\n").temperature.highest_celsius, None);
            assert_eq!(read("active\n").temperature.highest_celsius, Some(45.0));
        }
    }

    #[test]
    fn hwmon_sensors_have_plausible_limits_only() {
        let host = RecordedHost::default()
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
        let Temperature { highest_celsius: highest, sensors } = read_host(&host).temperature;
        assert_eq!(highest, Some(51.85));
        assert_eq!(sensors.keys().collect::<Vec<_>>(), ["coretemp Package id 0", "nvme 2 temp1", "nvme temp1"]);
        let package = Sensor { celsius: Some(46.5), high_celsius: Some(80.0), critical_celsius: Some(100.0) };
        assert_eq!(sensors["coretemp Package id 0"], package);
        assert_eq!(sensors["nvme temp1"].high_celsius, None, "an unset limit");
    }

    #[test]
    fn host_without_hwmon_reads_thermal_zones() {
        let host = RecordedHost::default()
            .with_folder("/sys/class/thermal", &["cooling_device0", "thermal_zone0"])
            .with("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
            .with("/sys/class/thermal/thermal_zone0/temp", "44312\n");
        assert_eq!(read_host(&host).temperature.sensors["cpu-thermal"].celsius, Some(44.312));
    }

    #[test]
    fn repeated_names_are_numbered_and_highest_covers_all() {
        let sensor = |celsius| ("acpitz".to_owned(), Sensor { celsius: Some(celsius), ..Sensor::default() });
        let Temperature { highest_celsius: highest, sensors } =
            plausible_temperatures((0..60).map(|n| sensor(f64::from(n))).collect());
        assert_eq!((highest, sensors.len()), (Some(59.0), MAX_SENSORS));
        assert_eq!((sensors["acpitz"].celsius, sensors["acpitz 2"].celsius), (Some(0.0), Some(1.0)));
    }

    #[test]
    fn host_without_sensors_reports_none() {
        assert_eq!(read_host(&RecordedHost::default()), SensorReadings::default());
    }

    #[test]
    fn frequency_is_mean_of_cores() {
        let host = RecordedHost::default()
            .with_folder("/sys/devices/system/cpu/cpufreq", &["boost", "policy0", "policy1"])
            .with("/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "1000000\n")
            .with("/sys/devices/system/cpu/cpufreq/policy1/scaling_cur_freq", "3000000\n");
        assert_eq!(read_host(&host).frequency, Some(2e9));
    }
}
