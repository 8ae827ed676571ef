//! The `network` group: throughput, errors and drops of interfaces.

use super::{Group, value::values};
use std::collections::BTreeMap;

values! {
    /// Network throughput. Rates are over the last `dt` seconds; `None` is a value that could not be read.
    pub struct Network {
        /// Bytes received per second from other hosts. Loopback, bridges and veth pairs are left out, here and in
        /// `tx_bytes_per_second`, since their traffic stays on the host or would count twice.
        rx_bytes_per_second: Option<f64> = Rate, BytesPerSecond;
        /// Bytes sent per second to other hosts.
        tx_bytes_per_second: Option<f64> = Rate, BytesPerSecond;
        /// Interfaces by name. Virtual ones, and those beyond forty, are summed up as `all others`.
        interfaces: BTreeMap<String, Interface>;
    }
}

values! {
    /// One network interface.
    pub struct Interface {
        /// Bytes received per second.
        rx_bytes_per_second: Option<f64> = Rate, BytesPerSecond;
        /// Bytes sent per second.
        tx_bytes_per_second: Option<f64> = Rate, BytesPerSecond;
        /// Packets received per second.
        rx_packets_per_second: Option<f64> = Rate, PerSecond;
        /// Packets sent per second.
        tx_packets_per_second: Option<f64> = Rate, PerSecond;
        /// Packets with errors per second, both directions.
        errors_per_second: Option<f64> = Rate, PerSecond;
        /// Packets dropped per second, both directions, including those of protocols that the host does not speak.
        drops_per_second: Option<f64> = Rate, PerSecond;
        /// Packets dropped for lack of buffers per second, both directions.
        lost_per_second: Option<f64> = Rate, PerSecond;
    }
}

impl Group for Network {
    const NAME: &'static str = "network";
}
