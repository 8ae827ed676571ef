//! Counters and states of network interfaces under node_exporter's names, from the raw counters.

use super::family_writer::{DeviceCounter, FamilyWriter};
use crate::{
    schema::{Link, RawCounters},
    server::procfs::{InterfaceCounters, parse_net_dev},
};
use prometheus_client::metrics::MetricType::Gauge;
use std::fmt;

const COUNTERS: [DeviceCounter<InterfaceCounters>; 16] = [
    ("receive_bytes", |c| Some(c.rx_bytes), 1.0),
    ("receive_packets", |c| Some(c.rx_packets), 1.0),
    ("receive_errs", |c| Some(c.rx_errors), 1.0),
    ("receive_drop", |c| Some(c.rx_drops), 1.0),
    ("receive_fifo", |c| Some(c.rx_fifo), 1.0),
    ("receive_frame", |c| Some(c.rx_frame_errors), 1.0),
    ("receive_compressed", |c| Some(c.rx_compressed), 1.0),
    ("receive_multicast", |c| Some(c.rx_multicast), 1.0),
    ("transmit_bytes", |c| Some(c.tx_bytes), 1.0),
    ("transmit_packets", |c| Some(c.tx_packets), 1.0),
    ("transmit_errs", |c| Some(c.tx_errors), 1.0),
    ("transmit_drop", |c| Some(c.tx_drops), 1.0),
    ("transmit_fifo", |c| Some(c.tx_fifo), 1.0),
    ("transmit_colls", |c| Some(c.tx_collisions), 1.0),
    ("transmit_carrier", |c| Some(c.tx_carrier_errors), 1.0),
    ("transmit_compressed", |c| Some(c.tx_compressed), 1.0),
];
const LINK_COUNTERS: [DeviceCounter<Link>; 1] = [("receive_nohandler", |link| link.rx_unhandled, 1.0)];

/// Name, help text and value of a gauge.
type LinkGauge = (&'static str, &'static str, fn(&Link) -> Option<f64>);

const LINK_GAUGES: [LinkGauge; 4] = [
    ("node_network_up", "1 if the interface is up, else 0", |link| link.up.map(|up| f64::from(u8::from(up)))),
    ("node_network_carrier", "1 if the interface has a carrier, else 0", |link| {
        link.carrier.map(|carrier| f64::from(u8::from(carrier)))
    }),
    ("node_network_mtu_bytes", "Largest packet", |link| link.mtu.map(|mtu| mtu as f64)),
    ("node_network_speed_bytes", "Bytes per second that the interface can take", |link| {
        link.speed_mbit.map(|speed| speed as f64 * 1e6 / 8.0)
    }),
];

/// Writes what the host has.
pub(super) fn write_all(writer: &mut FamilyWriter<'_>, counters: &RawCounters) -> fmt::Result {
    writer.devices("node_network", "From /proc/net/dev", &parse_net_dev(counters.file("/proc/net/dev")), &COUNTERS)?;
    writer.devices("node_network", "From /sys/class/net", &counters.slow.links, &LINK_COUNTERS)?;
    for (name, help, value) in LINK_GAUGES {
        let values =
            counters.slow.links.iter().filter_map(|(name, link)| Some((vec![("device", name.as_str())], value(link)?)));
        writer.family(name, help, Gauge, values.collect())?;
    }
    Ok(())
}
