//! Counters and gauges of the network under node_exporter's names, read from the kernel at each scrape.

use super::{
    family_writer::{DeviceCounter, FamilyWriter},
    kernel_counters::read,
};
use crate::server::sampler::{HostSource, InterfaceCounters, parse_net_dev, table_value};
use prometheus_client::metrics::MetricType::{Gauge, Unknown};
use std::{collections::BTreeMap, fmt};

/// Columns of `/proc/net/snmp` and `/proc/net/netstat`, by protocol: those that node_exporter exposes.
const COLUMNS: [(&str, &[&str]); 6] = [
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

/// Writes what the host has.
pub(super) fn write_all(writer: &mut FamilyWriter<'_>, source: &mut impl HostSource) -> fmt::Result {
    let mut read_text = |path| read(source, path);
    write_netstat(writer, &[read_text("/proc/net/snmp"), read_text("/proc/net/netstat")].concat())?;
    write_netstat6(writer, &read_text("/proc/net/snmp6"))?;
    write_sockstat(writer, &read_text("/proc/net/sockstat"))?;
    write_sockstat(writer, &read_text("/proc/net/sockstat6"))?;
    let interfaces = parse_net_dev(&read_text("/proc/net/dev"));
    write_interfaces(writer, &interfaces)?;
    write_states(writer, source, &interfaces)
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

fn write_sockstat(writer: &mut FamilyWriter<'_>, sockstat: &str) -> fmt::Result {
    for (protocol, fields) in sockstat.lines().filter_map(|line| line.split_once(": ")) {
        let words: Vec<&str> = fields.split_ascii_whitespace().collect();
        for (field, value) in words.iter().zip(words.iter().skip(1)).step_by(2) {
            let name = format!("node_sockstat_{protocol}_{field}");
            writer.single(&name, "From /proc/net/sockstat", Gauge, value.parse().ok())?;
        }
    }
    Ok(())
}

fn write_interfaces(writer: &mut FamilyWriter<'_>, interfaces: &BTreeMap<String, InterfaceCounters>) -> fmt::Result {
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
    writer.devices("node_network", "From /proc/net/dev", interfaces, &COUNTERS)
}

fn write_states(
    writer: &mut FamilyWriter<'_>,
    source: &mut impl HostSource,
    interfaces: &BTreeMap<String, InterfaceCounters>,
) -> fmt::Result {
    let mut text = String::new();
    let mut is_up = |name: &str| {
        source.read_first_page(&format!("/sys/class/net/{name}/operstate"), &mut text).ok()?;
        Some(f64::from(u8::from(text.trim_end() == "up")))
    };
    let states = interfaces.keys().filter_map(|name| Some((vec![("device", name.as_str())], is_up(name)?)));
    writer.family("node_network_up", "1 if the interface is up, else 0", Gauge, states.collect())
}
