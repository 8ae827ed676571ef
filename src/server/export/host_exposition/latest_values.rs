//! Gauges under node_exporter's names from the newest tick: load, TCP states, filesystems, sensors and services.

use super::family_writer::FamilyWriter;
use crate::{schema::Window, server::sampler::MountSource};
use prometheus_client::metrics::MetricType::Gauge;
use std::{collections::BTreeMap, fmt};

/// Name, help text and series path of a gauge without labels.
const GAUGES: [(&str, &str, &str); 7] = [
    ("node_load1", "1 minute load average", "load.one"),
    ("node_load5", "5 minute load average", "load.five"),
    ("node_load15", "15 minute load average", "load.fifteen"),
    ("node_procs_running", "Number of runnable tasks", "cpu.running"),
    ("node_procs_blocked", "Number of tasks blocked on I/O", "cpu.blocked"),
    ("node_cpu_scaling_frequency_hertz", "Mean frequency of the cores", "cpu.frequency_hertz"),
    ("node_zfs_arc_size", "Size of the ZFS ARC in bytes", "memory.zfs_arc_bytes"),
];

const TCP_STATES: [&str; 10] = [
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
];

/// Name and help text of a gauge, and how its value follows from the fields of one filesystem, sensor or service.
type FieldGauge = (&'static str, &'static str, fn(&dyn Fn(&str) -> Option<f64>) -> Option<f64>);

const FILESYSTEM_GAUGES: [FieldGauge; 7] = [
    ("node_filesystem_size_bytes", "Filesystem size in bytes", |field| field("size_bytes")),
    ("node_filesystem_free_bytes", "Filesystem free space in bytes", |field| {
        Some(field("size_bytes")? - field("used_bytes")?)
    }),
    ("node_filesystem_avail_bytes", "Filesystem space available to unprivileged users in bytes", |field| {
        field("available_bytes")
    }),
    ("node_filesystem_files", "Filesystem total inodes", |field| field("inodes")),
    ("node_filesystem_files_free", "Filesystem free inodes", |field| Some(field("inodes")? - field("inodes_used")?)),
    ("node_filesystem_readonly", "Filesystem read-only status", |field| field("read_only")),
    ("hostbeat_filesystem_age_seconds", "Time since the filesystem last answered", |field| field("age_seconds")),
];

const SENSOR_GAUGES: [FieldGauge; 3] = [
    ("node_hwmon_temp_celsius", "Temperature", |field| field("celsius")),
    ("node_hwmon_temp_max_celsius", "Temperature above which the hardware is too hot", |field| field("high_celsius")),
    ("node_hwmon_temp_crit_celsius", "Temperature at which the hardware protects itself", |field| {
        field("critical_celsius")
    }),
];

const SERVICE_GAUGES: [FieldGauge; 4] = [
    ("hostbeat_cgroup_cpu_ratio", "CPU time, as a ratio of one core", |field| Some(field("cpu_percent")? / 100.0)),
    ("hostbeat_cgroup_throttled_ratio", "Throttled time, as a ratio of elapsed time", |field| {
        Some(field("throttled_percent")? / 100.0)
    }),
    ("container_memory_working_set_bytes", "Memory in use, without inactive file cache", |field| field("memory_bytes")),
    ("container_spec_memory_limit_bytes", "Memory limit", |field| field("memory_limit_bytes")),
];

const MOUNTPOINT: &str = "mountpoint";

/// Gauges of every filesystem, sensor or service.
struct LabelledGauges {
    gauges: &'static [FieldGauge],
    label: &'static str,
    /// Prefix of the series paths, before the label's value.
    prefix: &'static str,
    /// Ends of series paths: a row with a value in one of them is listed.
    suffixes: &'static [&'static str],
}

const LABELLED_GAUGES: [LabelledGauges; 3] = [
    LabelledGauges {
        gauges: &FILESYSTEM_GAUGES,
        label: MOUNTPOINT,
        prefix: "disk.filesystems.",
        suffixes: &[".size_bytes", ".age_seconds"],
    },
    LabelledGauges { gauges: &SENSOR_GAUGES, label: "sensor", prefix: "temperature.sensors.", suffixes: &[".celsius"] },
    LabelledGauges {
        gauges: &SERVICE_GAUGES,
        label: "name",
        prefix: "cgroup.services.",
        suffixes: &[".cpu_percent", ".memory_bytes"],
    },
];

/// Writes the gauges that have a value in the window's newest second. Filesystems are labelled with what is mounted, too.
pub(super) fn write_all(
    writer: &mut FamilyWriter<'_>,
    window: &Window,
    mounts: &BTreeMap<String, MountSource>,
) -> fmt::Result {
    for (name, help, path) in GAUGES {
        writer.single(name, help, Gauge, window.last(path))?;
    }
    let state = |state: &'static str| {
        window.last(&format!("connections.tcp.{state}")).map(|value| (vec![("state", state)], value))
    };
    let states = TCP_STATES.into_iter().filter_map(state).collect();
    writer.family("node_tcp_connection_states", "Number of TCP sockets by state", Gauge, states)?;
    for LabelledGauges { gauges, label, prefix, suffixes } in LABELLED_GAUGES {
        let rows = window.names(prefix, suffixes);
        for (name, help, value) in gauges {
            let value = |row: &str| value(&|field| window.last(&format!("{prefix}{row}.{field}")));
            let values = rows.iter().filter_map(|row| Some((labels(label, row, mounts), value(row)?)));
            writer.family(name, help, Gauge, values.collect())?;
        }
    }
    Ok(())
}

/// The label of a row, and for a filesystem those of its mount.
fn labels<'a>(
    label: &'static str,
    row: &'a str,
    mounts: &'a BTreeMap<String, MountSource>,
) -> Vec<(&'static str, &'a str)> {
    let mount = mounts.get(row).filter(|_| label == MOUNTPOINT);
    let of_mount = mount.map(|mount| [("device", mount.device.as_str()), ("fstype", &mount.fs_type)]);
    of_mount.into_iter().flatten().chain([(label, row)]).collect()
}

/// The paths of all series that gauges read, with `*` for the value of a label.
#[cfg(test)]
pub(crate) fn series_paths() -> Vec<String> {
    let mut paths: Vec<String> = GAUGES.iter().map(|(_, _, path)| (*path).to_owned()).collect();
    paths.extend(TCP_STATES.map(|state| format!("connections.tcp.{state}")));
    for LabelledGauges { gauges, prefix, suffixes, .. } in LABELLED_GAUGES {
        let fields = std::cell::RefCell::new(Vec::new());
        for (_, _, value) in gauges {
            value(&|field| {
                fields.borrow_mut().push(format!("{prefix}*.{field}"));
                Some(1.0)
            });
        }
        paths.extend(fields.into_inner());
        paths.extend(suffixes.iter().map(|suffix| format!("{prefix}*{suffix}")));
    }
    paths
}
