//! Network interfaces.

use super::{EventName, Group};
use serde::Serialize;
use std::collections::BTreeMap;

/// What passed through the interfaces. Rates are over the last `dt` seconds; `None` is one that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Network {
    /// Bytes received a second from other hosts. What stays on this one doesn't count, nor does what a bridge or a
    /// container's end of a cable passes on, which would count it twice; so with the other one.
    pub rx_bytes: Option<f64>,
    /// Bytes sent a second to other hosts.
    pub tx_bytes: Option<f64>,
    /// By name; virtual ones, and what there is beyond forty, are one: `others`.
    pub interfaces: BTreeMap<String, Interface>,
}

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Interface {
    /// Bytes received a second.
    pub rx_bytes: Option<f64>,
    /// Bytes sent a second.
    pub tx_bytes: Option<f64>,
    /// Packets received a second.
    pub rx_packets: Option<f64>,
    /// Packets sent a second.
    pub tx_packets: Option<f64>,
    /// Packets a second that were broken, either way.
    pub errors: Option<f64>,
    /// Packets a second that there was no room for, either way.
    pub drops: Option<f64>,
}

impl Group for Network {
    const NAME: EventName = EventName::Network;

    fn series(&self, visit: &mut dyn FnMut(&str, Option<f64>)) {
        visit("network.rx_bytes", self.rx_bytes);
        visit("network.tx_bytes", self.tx_bytes);
        for (name, interface) in &self.interfaces {
            let mut below = |field, value| visit(&format!("network.interfaces.{name}.{field}"), value);
            below("rx_bytes", interface.rx_bytes);
            below("tx_bytes", interface.tx_bytes);
            below("rx_packets", interface.rx_packets);
            below("tx_packets", interface.tx_packets);
            below("errors", interface.errors);
            below("drops", interface.drops);
        }
    }
}
