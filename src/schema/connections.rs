//! Connections: Hostbeat's own viewers, TCP sockets by state, TCP errors, UDP sockets.

use super::{EventName, Group};
use serde::Serialize;

/// Numbers of connections; rates are over the last `dt` seconds. `None` is a value that the host does not report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Connections {
    /// Open Hostbeat streams.
    pub viewers: Option<u64>,
    /// TCP over IPv4 and IPv6.
    pub tcp: Tcp,
    /// UDP over IPv4 and IPv6.
    pub udp: Udp,
}

/// TCP sockets by state (RFC 9293, section 3.3.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Tcp {
    /// ESTABLISHED: open in both directions.
    pub established: Option<u64>,
    /// LISTEN: accepts connections.
    pub listen: Option<u64>,
    /// TIME-WAIT: closed, kept until late segments have expired.
    pub time_wait: Option<u64>,
    /// CLOSE-WAIT: the peer has closed, the local program has not.
    pub close_wait: Option<u64>,
    /// SYN-SENT: connecting.
    pub syn_sent: Option<u64>,
    /// SYN-RECEIVED: half-open, waits for the peer's acknowledgment.
    pub syn_recv: Option<u64>,
    /// FIN-WAIT-1: closed locally, not yet acknowledged.
    pub fin_wait1: Option<u64>,
    /// FIN-WAIT-2: closed locally, the peer has not closed.
    pub fin_wait2: Option<u64>,
    /// CLOSING: both have closed, the local close is not acknowledged.
    pub closing: Option<u64>,
    /// LAST-ACK: the peer closed first, the local close is not acknowledged.
    pub last_ack: Option<u64>,
    /// Sockets in any state but TIME-WAIT.
    pub in_use: Option<u64>,
    /// Segments retransmitted per second.
    pub retransmits: Option<f64>,
    /// Established connections reset per second, by either side.
    pub resets: Option<f64>,
    /// Connections per second that found the accept queue full.
    pub listen_overflows: Option<f64>,
    /// Connections per second that a listening socket dropped, for any reason.
    pub listen_drops: Option<f64>,
}

/// UDP sockets.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Udp {
    /// Sockets bound to a port.
    pub in_use: Option<u64>,
}

impl Group for Connections {
    const NAME: EventName = EventName::Connections;

    fn series(&self, visit: &mut dyn FnMut(&str, Option<f64>)) {
        let mut count = |path, value: Option<u64>| visit(path, value.map(|v| v as f64));
        count("connections.viewers", self.viewers);
        count("connections.tcp.established", self.tcp.established);
        count("connections.tcp.listen", self.tcp.listen);
        count("connections.tcp.time_wait", self.tcp.time_wait);
        count("connections.tcp.close_wait", self.tcp.close_wait);
        count("connections.tcp.syn_sent", self.tcp.syn_sent);
        count("connections.tcp.syn_recv", self.tcp.syn_recv);
        count("connections.tcp.fin_wait1", self.tcp.fin_wait1);
        count("connections.tcp.fin_wait2", self.tcp.fin_wait2);
        count("connections.tcp.closing", self.tcp.closing);
        count("connections.tcp.last_ack", self.tcp.last_ack);
        count("connections.tcp.in_use", self.tcp.in_use);
        count("connections.udp.in_use", self.udp.in_use);
        visit("connections.tcp.retransmits", self.tcp.retransmits);
        visit("connections.tcp.resets", self.tcp.resets);
        visit("connections.tcp.listen_overflows", self.tcp.listen_overflows);
        visit("connections.tcp.listen_drops", self.tcp.listen_drops);
    }
}
