//! Counters and gauges under node_exporter's names from the raw counters: CPU, memory, PSI, disks, open files and the
//! kernel's name. `network_counters.rs` has the others.

use super::family_writer::{DeviceCounter, FamilyWriter};
use crate::{
    schema::RawCounters,
    server::{
        procfs::{CpuTime, DiskCounters, parse_diskstats, parse_kib, parse_pressure, parse_stat},
        unix_time::unix_ms,
    },
};
use prometheus_client::metrics::MetricType::{Counter, Gauge, Unknown};
use rustix::system::uname;
use std::{collections::BTreeMap, fmt};

/// Files that hold one value.
const SINGLE_VALUES: [(&str, &str, &str); 4] = [
    ("node_entropy_available_bits", "Bits of entropy", "/proc/sys/kernel/random/entropy_avail"),
    ("node_entropy_pool_size_bits", "Bits of entropy at most", "/proc/sys/kernel/random/poolsize"),
    ("node_nf_conntrack_entries", "Connections that are tracked", "/proc/sys/net/netfilter/nf_conntrack_count"),
    (
        "node_nf_conntrack_entries_limit",
        "Connections that are tracked at most",
        "/proc/sys/net/netfilter/nf_conntrack_max",
    ),
];

/// Writes every group that the host has.
pub(super) fn write_all(writer: &mut FamilyWriter<'_>, counters: &RawCounters, ticks_per_second: f64) -> fmt::Result {
    write_cpu(writer, counters.file("/proc/stat"), ticks_per_second)?;
    write_meminfo(writer, counters.file("/proc/meminfo"))?;
    write_vmstat(writer, counters.file("/proc/vmstat"))?;
    for resource in ["cpu", "memory", "io", "irq"] {
        write_pressure(writer, resource, counters.file(&format!("/proc/pressure/{resource}")))?;
    }
    write_open_files(writer, counters.file("/proc/sys/fs/file-nr"))?;
    for (name, help, path) in SINGLE_VALUES {
        writer.single(name, help, Gauge, counters.file(path).trim_end().parse().ok())?;
    }
    write_disks(writer, &parse_diskstats(counters.file("/proc/diskstats"), counters.whole_disks.as_deref()))
}

/// Writes the kernel's name and the clock, which need no tick.
pub(super) fn write_kernel(writer: &mut FamilyWriter<'_>) -> fmt::Result {
    let name = uname();
    let fields = [
        ("domainname", name.domainname()),
        ("machine", name.machine()),
        ("nodename", name.nodename()),
        ("release", name.release()),
        ("sysname", name.sysname()),
        ("version", name.version()),
    ];
    let fields = fields.map(|(label, value)| (label, value.to_string_lossy()));
    let labels = fields.iter().map(|(label, value)| (*label, &**value)).collect();
    writer.family("node_uname_info", "The kernel's name, from uname(2)", Gauge, vec![(labels, 1.0)])?;
    writer.single("node_time_seconds", "Unix time, in seconds", Gauge, Some(unix_ms() as f64 / 1000.0))
}

/// `1504 0 9223372036854775807`: allocated, unused, at most (proc_sys_fs(5)).
fn write_open_files(writer: &mut FamilyWriter<'_>, file_nr: &str) -> fmt::Result {
    let mut fields = file_nr.split_ascii_whitespace();
    let (allocated, maximum) = (fields.next(), fields.nth(1));
    for (name, help, field) in [
        ("node_filefd_allocated", "Open files of the host", allocated),
        ("node_filefd_maximum", "Files that can be open at most", maximum),
    ] {
        writer.single(name, help, Gauge, field.and_then(|field| field.parse().ok()))?;
    }
    Ok(())
}

fn write_cpu(writer: &mut FamilyWriter<'_>, stat: &str, ticks_per_second: f64) -> fmt::Result {
    type Ticks = fn(&CpuTime) -> u64;
    const MODES: [(&str, Ticks); 8] = [
        ("user", |time| time.user),
        ("nice", |time| time.nice),
        ("system", |time| time.system),
        ("idle", |time| time.idle),
        ("iowait", |time| time.iowait),
        ("irq", |time| time.irq),
        ("softirq", |time| time.softirq),
        ("steal", |time| time.steal),
    ];
    const GUEST_MODES: [(&str, Ticks); 2] = [("user", |time| time.guest), ("nice", |time| time.guest_nice)];
    let counters = parse_stat(stat);
    let cores: Vec<_> = counters.cores.iter().map(|(core, time)| (core.to_string(), time)).collect();
    let mut family = |name, help, modes: &[(&'static str, Ticks)]| {
        let values = cores.iter().flat_map(|(core, time)| {
            let labels = |mode| vec![("cpu", core.as_str()), ("mode", mode)];
            modes.iter().map(move |(mode, ticks)| (labels(*mode), ticks(time) as f64 / ticks_per_second))
        });
        writer.family(name, help, Counter, values.collect())
    };
    family("node_cpu_seconds", "Seconds the CPUs spent in each mode", &MODES)?;
    family("node_cpu_guest_seconds", "Seconds the CPUs spent in virtual machines", &GUEST_MODES)?;
    for (name, help, kind, value) in [
        ("node_context_switches", "Total number of context switches", Counter, counters.context_switches),
        ("node_intr", "Total number of interrupts serviced", Counter, counters.interrupts),
        ("node_forks", "Total number of forks", Counter, counters.forks),
        ("node_boot_time_seconds", "Unix time of boot, in seconds", Gauge, counters.boot_time),
    ] {
        writer.single(name, help, kind, value.map(|value| value as f64))?;
    }
    Ok(())
}

fn write_meminfo(writer: &mut FamilyWriter<'_>, meminfo: &str) -> fmt::Result {
    for (name, value) in meminfo.lines().filter_map(|line| line.split_once(':')) {
        // node_exporter turns `Active(anon)` into `Active_anon`.
        let name = name.replace('(', "_").replace(')', "");
        let (unit, value) = match parse_kib(value) {
            Some(bytes) => ("_bytes", Some(bytes as f64)),
            // Numbers of huge pages have no unit.
            None => ("", value.trim().parse().ok()),
        };
        writer.single(&format!("node_memory_{name}{unit}"), "From /proc/meminfo", Gauge, value)?;
    }
    Ok(())
}

fn write_vmstat(writer: &mut FamilyWriter<'_>, vmstat: &str) -> fmt::Result {
    for (name, value) in vmstat.lines().filter_map(|line| line.split_once(' ')) {
        if ["oom_kill", "pgfault", "pgmajfault", "pgpgin", "pgpgout", "pswpin", "pswpout"].contains(&name) {
            let name = format!("node_vmstat_{name}");
            writer.single(&name, "From /proc/vmstat", Unknown, value.trim().parse().ok())?;
        }
    }
    Ok(())
}

fn write_pressure(writer: &mut FamilyWriter<'_>, resource: &str, text: &str) -> fmt::Result {
    let totals = parse_pressure(text);
    // For the CPU, `full` is undefined at the system level (psi.rst).
    let full = totals.full.filter(|_| resource != "cpu");
    for (state, help, micros) in [
        ("waiting", "Seconds in which some tasks were stalled", totals.some),
        ("stalled", "Seconds in which all tasks were stalled", full),
    ] {
        let name = format!("node_pressure_{resource}_{state}_seconds");
        writer.single(&name, help, Counter, micros.map(|micros| micros as f64 / 1e6))?;
    }
    Ok(())
}

fn write_disks(writer: &mut FamilyWriter<'_>, disks: &BTreeMap<String, DiskCounters>) -> fmt::Result {
    const COUNTERS: [DeviceCounter<DiskCounters>; 16] = [
        ("reads_completed", |c| Some(c.reads), 1.0),
        ("reads_merged", |c| Some(c.merged_reads), 1.0),
        ("read_bytes", |c| Some(c.read_bytes), 1.0),
        ("read_time_seconds", |c| Some(c.read_ms), 1000.0),
        ("writes_completed", |c| Some(c.writes), 1.0),
        ("writes_merged", |c| Some(c.merged_writes), 1.0),
        ("written_bytes", |c| Some(c.write_bytes), 1.0),
        ("write_time_seconds", |c| Some(c.write_ms), 1000.0),
        ("io_time_seconds", |c| Some(c.io_ms), 1000.0),
        ("io_time_weighted_seconds", |c| Some(c.weighted_io_ms), 1000.0),
        ("discards_completed", |c| c.discards, 1.0),
        ("discards_merged", |c| c.merged_discards, 1.0),
        ("discarded_sectors", |c| c.discarded_sectors, 1.0),
        ("discard_time_seconds", |c| c.discard_ms, 1000.0),
        ("flush_requests", |c| c.flushes, 1.0),
        ("flush_requests_time_seconds", |c| c.flush_ms, 1000.0),
    ];
    writer.devices("node_disk", "From /proc/diskstats", disks, &COUNTERS)?;
    let in_flight = disks.iter().map(|(disk, counters)| (vec![("device", disk.as_str())], counters.in_flight as f64));
    writer.family("node_disk_io_now", "Requests in flight", Gauge, in_flight.collect())
}
