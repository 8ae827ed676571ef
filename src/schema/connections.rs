//! Viewers and sockets.

use super::{EventName, Group};
use serde::Serialize;

/// How many connections there are; rates are over the last `dt` seconds. `None` is a figure that this host does not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Connections {
    /// Streams of Hostbeat itself that are open now.
    pub viewers: Option<u64>,
    /// TCP over IPv4 and IPv6.
    pub tcp: Tcp,
    /// UDP over IPv4 and IPv6.
    pub udp: Udp,
}

/// TCP sockets by state (RFC 9293, section 3.3.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Tcp {
    /// Open for data both ways.
    pub established: Option<u64>,
    /// Waiting for somebody to connect.
    pub listen: Option<u64>,
    /// Closed, kept until late packets have died out.
    pub time_wait: Option<u64>,
    /// The peer has closed, our program has not yet.
    pub close_wait: Option<u64>,
    /// Connecting to somebody.
    pub syn_sent: Option<u64>,
    /// Being connected to.
    pub syn_recv: Option<u64>,
    /// We have closed, the peer has not acknowledged it.
    pub fin_wait1: Option<u64>,
    /// We have closed, the peer has not closed yet.
    pub fin_wait2: Option<u64>,
    /// Both have closed, our close is not acknowledged.
    pub closing: Option<u64>,
    /// The peer closed first, our close is not acknowledged.
    pub last_ack: Option<u64>,
    /// Sockets in any state but time-wait.
    pub in_use: Option<u64>,
    /// Segments sent again a second.
    pub retransmits: Option<f64>,
    /// Connections broken off a second, by either side.
    pub resets: Option<f64>,
    /// Connections a second that a program was too slow to accept.
    pub listen_overflows: Option<f64>,
    /// Connections a second that were turned away for whatever reason.
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
