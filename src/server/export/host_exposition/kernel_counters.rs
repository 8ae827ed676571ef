//! Counters and gauges under node_exporter's names that are read from the kernel at each scrape: CPU, memory, PSI, sockets,
//! network and disks.

use super::family_writer::{DeviceCounter, FamilyWriter};
use crate::server::sampler::{
    CpuTime, DiskCounters, HostSource, InterfaceCounters, list_whole_disks, parse_diskstats, parse_kib, parse_net_dev,
    parse_pressure, parse_stat, table_value,
};
use prometheus_client::metrics::MetricType;
use std::{collections::BTreeMap, fmt};

/// Writes every group that the host has.
pub(super) fn write_all(
    writer: &mut FamilyWriter<'_>,
    source: &mut impl HostSource,
    ticks_per_second: f64,
) -> fmt::Result {
    let mut read = |path: &str| read(source, path);
    write_cpu(writer, &read("/proc/stat"), ticks_per_second)?;
    write_meminfo(writer, &read("/proc/meminfo"))?;
    write_vmstat(writer, &read("/proc/vmstat"))?;
    for resource in ["cpu", "memory", "io"] {
        write_pressure(writer, resource, &read(&format!("/proc/pressure/{resource}")))?;
    }
    write_netstat(writer, &read("/proc/net/snmp"), &read("/proc/net/netstat"))?;
    write_sockstat(writer, &read("/proc/net/sockstat"))?;
    write_sockstat(writer, &read("/proc/net/sockstat6"))?;
    write_network(writer, &read("/proc/net/dev"))?;
    let diskstats = read("/proc/diskstats");
    write_disks(writer, &parse_diskstats(&diskstats, list_whole_disks(source).as_ref()))
}

/// The contents of a file; empty if it can't be read.
fn read(source: &mut impl HostSource, path: &str) -> String {
    let mut text = String::new();
    source.read_cached(path, &mut text).map(|()| text).unwrap_or_default()
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

fn write_netstat(writer: &mut FamilyWriter<'_>, snmp: &str, netstat: &str) -> fmt::Result {
    const TCP: [&str; 6] = ["CurrEstab", "ActiveOpens", "PassiveOpens", "RetransSegs", "EstabResets", "OutRsts"];
    for (text, protocol, columns) in [(snmp, "Tcp", &TCP[..]), (netstat, "TcpExt", &["ListenOverflows", "ListenDrops"])]
    {
        for column in columns {
            let value = table_value(text, &format!("{protocol}:"), column).map(|value| value as f64);
            let name = format!("node_netstat_{protocol}_{column}");
            writer.single(&name, "From /proc/net", MetricType::Unknown, value)?;
        }
    }
    Ok(())
}

fn write_sockstat(writer: &mut FamilyWriter<'_>, sockstat: &str) -> fmt::Result {
    for (protocol, fields) in sockstat.lines().filter_map(|line| line.split_once(": ")) {
        let words: Vec<&str> = fields.split_ascii_whitespace().collect();
        for (field, value) in words.iter().zip(words.iter().skip(1)).step_by(2) {
            let name = format!("node_sockstat_{protocol}_{field}");
            writer.single(&name, "From /proc/net/sockstat", MetricType::Gauge, value.parse().ok())?;
        }
    }
    Ok(())
}

fn write_network(writer: &mut FamilyWriter<'_>, net_dev: &str) -> fmt::Result {
    const COUNTERS: [DeviceCounter<InterfaceCounters>; 8] = [
        ("receive_bytes", |c| c.rx_bytes, 1.0),
        ("receive_packets", |c| c.rx_packets, 1.0),
        ("receive_errs", |c| c.rx_errors, 1.0),
        ("receive_drop", |c| c.rx_drops, 1.0),
        ("transmit_bytes", |c| c.tx_bytes, 1.0),
        ("transmit_packets", |c| c.tx_packets, 1.0),
        ("transmit_errs", |c| c.tx_errors, 1.0),
        ("transmit_drop", |c| c.tx_drops, 1.0),
    ];
    writer.devices("node_network", "From /proc/net/dev", &parse_net_dev(net_dev), &COUNTERS)
}

fn write_disks(writer: &mut FamilyWriter<'_>, disks: &BTreeMap<String, DiskCounters>) -> fmt::Result {
    const COUNTERS: [DeviceCounter<DiskCounters>; 6] = [
        ("reads_completed", |c| c.reads, 1.0),
        ("read_bytes", |c| c.read_bytes, 1.0),
        ("writes_completed", |c| c.writes, 1.0),
        ("written_bytes", |c| c.write_bytes, 1.0),
        ("io_time_seconds", |c| c.io_ms, 1000.0),
        ("io_time_weighted_seconds", |c| c.weighted_io_ms, 1000.0),
    ];
    writer.devices("node_disk", "From /proc/diskstats", disks, &COUNTERS)
}
