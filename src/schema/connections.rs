//! Connections: Hostbeat's own viewers, TCP sockets by state, TCP errors, UDP sockets.

use super::{Group, value::values};

values! {
    /// Numbers of connections; rates are over the last `dt` seconds. `None` is a value that the host does not report.
    pub struct Connections {
        /// Open Hostbeat streams.
        viewers: Option<u64> = Gauge, Number;
        /// TCP over IPv4 and IPv6.
        tcp: Tcp;
        /// UDP over IPv4 and IPv6.
        udp: Udp;
    }
}

values! {
    /// TCP sockets by state (RFC 9293, section 3.3.2).
    pub struct Tcp {
        /// ESTABLISHED: open in both directions.
        established: Option<u64> = Gauge, Number;
        /// LISTEN: accepts connections.
        listen: Option<u64> = Gauge, Number;
        /// TIME-WAIT: closed, kept until late segments have expired.
        time_wait: Option<u64> = Gauge, Number;
        /// CLOSE-WAIT: the peer has closed, the local program has not.
        close_wait: Option<u64> = Gauge, Number;
        /// SYN-SENT: connecting.
        syn_sent: Option<u64> = Gauge, Number;
        /// SYN-RECEIVED: half-open, waits for the peer's acknowledgment.
        syn_recv: Option<u64> = Gauge, Number;
        /// FIN-WAIT-1: closed locally, not yet acknowledged.
        fin_wait1: Option<u64> = Gauge, Number;
        /// FIN-WAIT-2: closed locally, the peer has not closed.
        fin_wait2: Option<u64> = Gauge, Number;
        /// CLOSING: both have closed, the local close is not acknowledged.
        closing: Option<u64> = Gauge, Number;
        /// LAST-ACK: the peer closed first, the local close is not acknowledged.
        last_ack: Option<u64> = Gauge, Number;
        /// Sockets in any state but TIME-WAIT.
        in_use: Option<u64> = Gauge, Number;
        /// Segments retransmitted per second.
        retransmits_per_second: Option<f64> = Rate, PerSecond;
        /// Established connections reset per second, by either side.
        resets_per_second: Option<f64> = Rate, PerSecond;
        /// Connections per second that found the accept queue full.
        listen_overflows_per_second: Option<f64> = Rate, PerSecond;
        /// Connections per second that a listening socket dropped, for any reason.
        listen_drops_per_second: Option<f64> = Rate, PerSecond;
    }
}

values! {
    /// UDP sockets.
    pub struct Udp {
        /// Sockets bound to a port.
        in_use: Option<u64> = Gauge, Number;
    }
}

impl Group for Connections {
    const NAME: &'static str = "connections";
}
