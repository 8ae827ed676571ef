//! `/proc/net/dev`: traffic of network interfaces (proc_net_dev(5)).

use std::collections::BTreeMap;

/// Counters of one interface since its creation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct InterfaceCounters {
    pub rx_bytes: u64,
    pub rx_packets: u64,
    pub rx_errors: u64,
    /// Includes frames of protocols that the host does not speak, and `rx_missed`.
    pub rx_drops: u64,
    /// Packets that found a device's buffers full, as drivers count them in the column `fifo`.
    pub rx_fifo: u64,
    /// The same, as drivers count them in `rx_missed_errors`, which only sysfs reports.
    pub rx_missed: u64,
    pub rx_frame_errors: u64,
    pub rx_compressed: u64,
    pub rx_multicast: u64,
    pub tx_bytes: u64,
    pub tx_packets: u64,
    pub tx_errors: u64,
    pub tx_drops: u64,
    pub tx_fifo: u64,
    pub tx_collisions: u64,
    pub tx_carrier_errors: u64,
    pub tx_compressed: u64,
}

impl InterfaceCounters {
    /// Packets lost for lack of buffers; some drivers count these twice.
    pub(in crate::server) fn lost(&self) -> u64 {
        self.rx_fifo.max(self.rx_missed).saturating_add(self.tx_drops)
    }
}

/// Parses `/proc/net/dev`: two lines of headings, then `eth0: ` with eight receive and eight transmit counters a line.
pub(in crate::server) fn parse_net_dev(text: &str) -> BTreeMap<String, InterfaceCounters> {
    let interface = |line: &str| {
        // A name may contain a colon, but no space.
        let (name, values) = line.trim_start().rsplit_once(": ").or_else(|| line.trim_start().rsplit_once(':'))?;
        let values: Vec<u64> = values.split_ascii_whitespace().map_while(|value| value.parse().ok()).collect();
        let [
            rx_bytes,
            rx_packets,
            rx_errors,
            rx_drops,
            rx_fifo,
            rx_frame_errors,
            rx_compressed,
            rx_multicast,
            tx_bytes,
            tx_packets,
            tx_errors,
            tx_drops,
            tx_fifo,
            tx_collisions,
            tx_carrier_errors,
            tx_compressed,
            ..,
        ] = values[..]
        else {
            return None;
        };
        let counters = InterfaceCounters {
            rx_bytes,
            rx_packets,
            rx_errors,
            rx_drops,
            rx_fifo,
            rx_missed: 0,
            rx_frame_errors,
            rx_compressed,
            rx_multicast,
            tx_bytes,
            tx_packets,
            tx_errors,
            tx_drops,
            tx_fifo,
            tx_collisions,
            tx_carrier_errors,
            tx_compressed,
        };
        Some((name.to_owned(), counters))
    };
    text.lines().skip(2).filter_map(interface).collect()
}
