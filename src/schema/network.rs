//! The `network` group: throughput, errors and drops of interfaces.

use super::{EventName, Group};
use serde::Serialize;
use std::collections::BTreeMap;

/// Network throughput. Rates are over the last `dt` seconds; `None` is a value that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Network {
    /// Bytes received per second from other hosts. Loopback, bridges and veth pairs are left out, here and in
    /// `tx_bytes`, since their traffic stays on the host or would count twice.
    pub rx_bytes: Option<f64>,
    /// Bytes sent per second to other hosts.
    pub tx_bytes: Option<f64>,
    /// Interfaces by name. Virtual ones, and those beyond forty, are summed up as `all others`.
    pub interfaces: BTreeMap<String, Interface>,
}

/// One network interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Interface {
    /// Bytes received per second.
    pub rx_bytes: Option<f64>,
    /// Bytes sent per second.
    pub tx_bytes: Option<f64>,
    /// Packets received per second.
    pub rx_packets: Option<f64>,
    /// Packets sent per second.
    pub tx_packets: Option<f64>,
    /// Packets with errors per second, both directions.
    pub errors: Option<f64>,
    /// Packets dropped per second, both directions, including those of protocols that the host does not speak.
    pub drops: Option<f64>,
    /// Packets dropped for lack of buffers per second, both directions.
    pub lost: Option<f64>,
}

impl Group for Network {
    const NAME: EventName = EventName::Network;

    fn series(&self, visit: &mut dyn FnMut(&str, Option<f64>)) {
        visit("network.rx_bytes", self.rx_bytes);
        visit("network.tx_bytes", self.tx_bytes);
        for (name, interface) in &self.interfaces {
            let mut visit_field = |field, value| visit(&format!("network.interfaces.{name}.{field}"), value);
            visit_field("rx_bytes", interface.rx_bytes);
            visit_field("tx_bytes", interface.tx_bytes);
            visit_field("rx_packets", interface.rx_packets);
            visit_field("tx_packets", interface.tx_packets);
            visit_field("errors", interface.errors);
            visit_field("drops", interface.drops);
            visit_field("lost", interface.lost);
        }
    }
}
