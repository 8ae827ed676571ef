//! Counters and gauges of the network's protocols under node_exporter's names, from the raw counters.

use super::family_writer::FamilyWriter;
use crate::{schema::RawCounters, server::procfs::table_value};
use prometheus_client::metrics::MetricType::{Counter, Gauge, Unknown};
use std::fmt;

/// Columns of `/proc/net/snmp` and `/proc/net/netstat`, by protocol: those that node_exporter exposes.
const COLUMNS: [(&str, &[&str]); 7] = [
    ("Ip", &["Forwarding"]),
    ("Icmp", &["InMsgs", "OutMsgs", "InErrors"]),
    (
        "Tcp",
        &[
            "CurrEstab",
            "ActiveOpens",
            "PassiveOpens",
            "InSegs",
            "OutSegs",
            "RetransSegs",
            "InErrs",
            "EstabResets",
            "OutRsts",
        ],
    ),
    ("Udp", &["InDatagrams", "OutDatagrams", "NoPorts", "InErrors", "RcvbufErrors", "SndbufErrors"]),
    (
        "TcpExt",
        &[
            "ListenOverflows",
            "ListenDrops",
            "SyncookiesSent",
            "SyncookiesRecv",
            "SyncookiesFailed",
            "TCPSynRetrans",
            "TCPTimeouts",
            "TCPOFOQueue",
            "TCPRcvQDrop",
        ],
    ),
    ("IpExt", &["InOctets", "OutOctets"]),
    ("UdpLite", &["InErrors"]),
];

/// Lines of `/proc/net/snmp6`, each a name and a value.
const IPV6: [&str; 10] = [
    "Ip6InOctets",
    "Ip6OutOctets",
    "Icmp6InMsgs",
    "Icmp6OutMsgs",
    "Icmp6InErrors",
    "Udp6InDatagrams",
    "Udp6OutDatagrams",
    "Udp6NoPorts",
    "Udp6InErrors",
    "Udp6RcvbufErrors",
];

/// Columns of `/proc/net/softnet_stat`, which are hexadecimal, with a line for each CPU.
const SOFTNET: [(&str, &str, usize); 5] = [
    ("node_softnet_processed", "Packets that a CPU processed", 0),
    ("node_softnet_dropped", "Packets that a CPU dropped, its queue being full", 1),
    ("node_softnet_times_squeezed", "Times that a CPU left packets for its next turn", 2),
    ("node_softnet_received_rps", "Times that another CPU passed packets on to this one", 9),
    ("node_softnet_flow_limit_count", "Times that a flow reached its limit", 10),
];

/// Writes what the host has. `page_size`, in bytes, is the unit of the memory of sockets.
pub(super) fn write_all(writer: &mut FamilyWriter<'_>, counters: &RawCounters, page_size: f64) -> fmt::Result {
    write_netstat(writer, &[counters.file("/proc/net/snmp"), counters.file("/proc/net/netstat")].concat())?;
    write_netstat6(writer, counters.file("/proc/net/snmp6"))?;
    write_sockstat(writer, counters.file("/proc/net/sockstat"), page_size)?;
    write_sockstat(writer, counters.file("/proc/net/sockstat6"), page_size)?;
    write_softnet(writer, counters.file("/proc/net/softnet_stat"))
}

fn write_netstat(writer: &mut FamilyWriter<'_>, tables: &str) -> fmt::Result {
    for (protocol, columns) in COLUMNS {
        for column in columns {
            let value = table_value(tables, &format!("{protocol}:"), column).map(|value| value as f64);
            writer.single(&format!("node_netstat_{protocol}_{column}"), "From /proc/net", Unknown, value)?;
        }
    }
    Ok(())
}

fn write_netstat6(writer: &mut FamilyWriter<'_>, snmp6: &str) -> fmt::Result {
    for (name, value) in snmp6.lines().filter_map(|line| line.split_once(char::is_whitespace)) {
        if IPV6.contains(&name) {
            // `Udp6InErrors` is node_exporter's `Udp6_InErrors`.
            let (protocol, column) = name.split_at(name.find('6').map_or(0, |digit| digit + 1));
            let name = format!("node_netstat_{protocol}_{column}");
            writer.single(&name, "From /proc/net/snmp6", Unknown, value.trim().parse().ok())?;
        }
    }
    Ok(())
}

fn write_sockstat(writer: &mut FamilyWriter<'_>, sockstat: &str, page_size: f64) -> fmt::Result {
    for (protocol, fields) in sockstat.lines().filter_map(|line| line.split_once(": ")) {
        let words: Vec<&str> = fields.split_ascii_whitespace().collect();
        for (field, value) in words.iter().zip(words.iter().skip(1)).step_by(2) {
            let (name, value) = (format!("node_sockstat_{protocol}_{field}"), value.parse().ok());
            writer.single(&name, "From /proc/net/sockstat", Gauge, value)?;
            if *field == "mem" {
                let bytes = value.map(|pages: f64| pages * page_size);
                writer.single(&format!("{name}_bytes"), "From /proc/net/sockstat", Gauge, bytes)?;
            }
        }
    }
    Ok(())
}

fn write_softnet(writer: &mut FamilyWriter<'_>, softnet_stat: &str) -> fmt::Result {
    let column = |line: &str, index| u32::from_str_radix(line.split(' ').nth(index)?, 16).ok();
    let cpus: Vec<_> = softnet_stat.lines().enumerate().map(|(index, line)| (index.to_string(), line)).collect();
    for (name, help, index) in SOFTNET {
        let values =
            cpus.iter().filter_map(|(cpu, line)| Some((vec![("cpu", cpu.as_str())], column(line, index)?.into())));
        writer.family(name, help, Counter, values.collect())?;
    }
    Ok(())
}
