//! Counters and gauges under node_exporter's names that are read from the kernel at each scrape: CPU, memory, PSI, disks,
//! open files and the kernel's name. `network_counters.rs` has the others.

use super::{
    family_writer::{DeviceCounter, FamilyWriter},
    network_counters,
};
use crate::server::{
    sampler::{
        CpuTime, DiskCounters, HostSource, list_whole_disks, parse_diskstats, parse_kib, parse_pressure, parse_stat,
    },
    unix_time::unix_ms,
};
use prometheus_client::metrics::MetricType::{self, Gauge};
use rustix::system::uname;
use std::{collections::BTreeMap, fmt};

/// Writes every group that the host has.
pub(super) fn write_all(
    writer: &mut FamilyWriter<'_>,
    source: &mut impl HostSource,
    ticks_per_second: f64,
) -> fmt::Result {
    write_kernel(writer)?;
    let mut read_text = |path: &str| read(source, path);
    write_cpu(writer, &read_text("/proc/stat"), ticks_per_second)?;
    write_meminfo(writer, &read_text("/proc/meminfo"))?;
    write_vmstat(writer, &read_text("/proc/vmstat"))?;
    for resource in ["cpu", "memory", "io"] {
        write_pressure(writer, resource, &read_text(&format!("/proc/pressure/{resource}")))?;
    }
    write_open_files(writer, &read_text("/proc/sys/fs/file-nr"))?;
    network_counters::write_all(writer, source)?;
    let diskstats = read(source, "/proc/diskstats");
    write_disks(writer, &parse_diskstats(&diskstats, list_whole_disks(source).as_ref()))
}

/// The contents of a file; empty if it can't be read.
pub(super) fn read(source: &mut impl HostSource, path: &str) -> String {
    let mut text = String::new();
    source.read_cached(path, &mut text).map(|()| text).unwrap_or_default()
}

fn write_kernel(writer: &mut FamilyWriter<'_>) -> fmt::Result {
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
    let counters = parse_stat(stat);
    let cores: Vec<_> = counters.cores.iter().map(|(core, time)| (core.to_string(), time)).collect();
    let values = cores.iter().flat_map(|(core, time)| {
        let labels = |mode| vec![("cpu", core.as_str()), ("mode", mode)];
        MODES.iter().map(move |(mode, ticks)| (labels(*mode), ticks(time) as f64 / ticks_per_second))
    });
    let help = "Seconds the CPUs spent in each mode";
    writer.family("node_cpu_seconds", help, MetricType::Counter, values.collect())?;
    for (name, help, value) in [
        ("node_context_switches", "Total number of context switches", counters.context_switches),
        ("node_intr", "Total number of interrupts serviced", counters.interrupts),
        ("node_forks", "Total number of forks", counters.forks),
    ] {
        writer.single(name, help, MetricType::Counter, value.map(|value| value as f64))?;
    }
    let boot = stat.lines().find_map(|line| line.strip_prefix("btime ")?.parse().ok());
    writer.single("node_boot_time_seconds", "Unix time of boot, in seconds", MetricType::Gauge, boot)
}

fn write_meminfo(writer: &mut FamilyWriter<'_>, meminfo: &str) -> fmt::Result {
    let fields = meminfo.lines().filter_map(|line| {
        let (name, kib) = line.split_once(':')?;
        Some((name, parse_kib(kib)?))
    });
    for (name, bytes) in fields {
        // node_exporter turns `Active(anon)` into `Active_anon`.
        let name = format!("node_memory_{}_bytes", name.replace('(', "_").replace(')', ""));
        writer.single(&name, "From /proc/meminfo", MetricType::Gauge, Some(bytes as f64))?;
    }
    Ok(())
}

fn write_vmstat(writer: &mut FamilyWriter<'_>, vmstat: &str) -> fmt::Result {
    for (name, value) in vmstat.lines().filter_map(|line| line.split_once(' ')) {
        if ["oom_kill", "pgfault", "pgmajfault", "pgpgin", "pgpgout", "pswpin", "pswpout"].contains(&name) {
            let name = format!("node_vmstat_{name}");
            writer.single(&name, "From /proc/vmstat", MetricType::Unknown, value.trim().parse().ok())?;
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
        writer.single(&name, help, MetricType::Counter, micros.map(|micros| micros as f64 / 1e6))?;
    }
    Ok(())
}

fn write_disks(writer: &mut FamilyWriter<'_>, disks: &BTreeMap<String, DiskCounters>) -> fmt::Result {
    const COUNTERS: [DeviceCounter<DiskCounters>; 10] = [
        ("reads_completed", |c| c.reads, 1.0),
        ("reads_merged", |c| c.merged_reads, 1.0),
        ("read_bytes", |c| c.read_bytes, 1.0),
        ("read_time_seconds", |c| c.read_ms, 1000.0),
        ("writes_completed", |c| c.writes, 1.0),
        ("writes_merged", |c| c.merged_writes, 1.0),
        ("written_bytes", |c| c.write_bytes, 1.0),
        ("write_time_seconds", |c| c.write_ms, 1000.0),
        ("io_time_seconds", |c| c.io_ms, 1000.0),
        ("io_time_weighted_seconds", |c| c.weighted_io_ms, 1000.0),
    ];
    writer.devices("node_disk", "From /proc/diskstats", disks, &COUNTERS)?;
    let in_flight = disks.iter().map(|(disk, counters)| (vec![("device", disk.as_str())], counters.in_flight as f64));
    writer.family("node_disk_io_now", "Requests in flight", Gauge, in_flight.collect())
}
