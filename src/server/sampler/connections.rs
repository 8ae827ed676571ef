//! Sockets from `/proc/net/sockstat`, `sockstat6` and `snmp`, and their states from the kernel's socket diagnostics.
//! `/proc/net/tcp` tells more and costs 10 ms even where there is no socket at all.

use super::{Clock, Instant, Reading, Source};
use crate::metrics::{Connections, Sample, Tcp, Udp};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Samples connections.
#[derive(Debug)]
pub(super) struct ConnectionsSampler {
    viewers: Arc<AtomicU64>,
    previous: Option<Instant>,
    text: String,
}

impl ConnectionsSampler {
    /// `viewers` is the gauge of open streams.
    pub(super) fn new(viewers: Arc<AtomicU64>) -> Self {
        Self { viewers, previous: None, text: String::new() }
    }

    pub(super) fn sample(
        &mut self,
        t: u64,
        source: &mut impl Source,
        clock: &impl Clock,
    ) -> Option<Sample<Connections>> {
        let Reading { at, counters } = Reading::take(clock, || Some(self.count(source)))?;
        let previous = self.previous.replace(at)?;
        Some(at.sample(t, previous, |_| counters))
    }

    fn count(&mut self, source: &mut impl Source) -> Connections {
        let text = &mut self.text;
        let mut figures = |path, wanted: &[(&str, &str)]| -> [Option<u64>; 3] {
            let text = source.read(path, text).ok().map(|()| text.as_str());
            std::array::from_fn(|i| wanted.get(i).and_then(|(line, label)| labelled(text?, line, label)))
        };
        let [tcp4, time_wait, udp4] =
            figures("/proc/net/sockstat", &[("TCP:", "inuse"), ("TCP:", "tw"), ("UDP:", "inuse")]);
        let [tcp6, udp6, _] = figures("/proc/net/sockstat6", &[("TCP6:", "inuse"), ("UDP6:", "inuse")]);
        let open = source.read("/proc/net/snmp", text).ok().and_then(|()| tabled(text, "Tcp:", "CurrEstab"));
        let states = source.socket_states().ok().map(|states| states.by_number);
        let state = |number: usize| states.map(|by_number| by_number[number]);
        Connections {
            viewers: Some(self.viewers.load(Ordering::Relaxed)),
            tcp: Tcp {
                // CurrEstab counts close-wait as well (RFC 4022, tcpCurrEstab).
                established: open.map(|open| open.saturating_sub(state(8).unwrap_or(0))),
                time_wait,
                syn_sent: state(2),
                syn_recv: states.map(|by_number| by_number[3] + by_number[12]),
                fin_wait1: state(4),
                fin_wait2: state(5),
                close_wait: state(8),
                last_ack: state(9),
                listen: state(10),
                closing: state(11),
                in_use: both(tcp4, tcp6),
            },
            udp: Udp { in_use: both(udp4, udp6) },
        }
    }
}

/// The sum of two protocols, of which a host may lack one.
fn both(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one? + other.unwrap_or(0)).or(other)
}

/// The figure after `label` on the line that starts with `line`: `TCP: inuse 5 orphan 0 tw 2`.
fn labelled(text: &str, line: &str, label: &str) -> Option<u64> {
    let mut words = text.lines().find_map(|candidate| candidate.strip_prefix(line))?.split_ascii_whitespace();
    words.find(|word| *word == label)?;
    words.next()?.parse().ok()
}

/// The figure under `column` in a pair of lines that start with `line`: names on the first, figures on the second.
fn tabled(text: &str, line: &str, column: &str) -> Option<u64> {
    let mut rows = text.lines().filter_map(|candidate| candidate.strip_prefix(line));
    let (mut names, mut figures) = (rows.next()?.split_ascii_whitespace(), rows.next()?.split_ascii_whitespace());
    let place = names.position(|name| name == column)?;
    figures.nth(place)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{SocketStates, linux::tests::Recorded};

    const SOCKSTAT: &str =
        "sockets: used 13\nTCP: inuse 9 orphan 0 tw 2 alloc 1 mem 344\nUDP: inuse 3 mem 0\nUDPLITE: inuse 7\n";
    const SOCKSTAT6: &str = "TCP6: inuse 4\nUDP6: inuse 1\n";
    const SNMP: &str = "Ip: Forwarding\nIp: 2\nTcp: RtoAlgorithm CurrEstab InSegs\nTcp: 1 8 34103\n";

    fn count(source: &mut Recorded) -> Connections {
        ConnectionsSampler::new(Arc::new(AtomicU64::new(3))).count(source)
    }

    #[test]
    fn both_protocols_and_every_state_are_counted() {
        let mut by_number = [0, 0, 1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 10];
        by_number[3] = 20;
        let mut source = Recorded::default()
            .with("/proc/net/sockstat", SOCKSTAT)
            .with("/proc/net/sockstat6", SOCKSTAT6)
            .with("/proc/net/snmp", SNMP)
            .with_sockets(SocketStates { by_number });
        let connections = count(&mut source);
        assert_eq!(connections.viewers, Some(3));
        assert_eq!(connections.udp.in_use, Some(4));
        assert_eq!(
            connections.tcp,
            Tcp {
                established: Some(3),
                listen: Some(7),
                time_wait: Some(2),
                close_wait: Some(5),
                syn_sent: Some(1),
                syn_recv: Some(30),
                fin_wait1: Some(3),
                fin_wait2: Some(4),
                closing: Some(8),
                last_ack: Some(6),
                in_use: Some(13),
            }
        );
    }

    #[test]
    fn a_host_without_ipv6_has_the_rest() {
        let mut source = Recorded::default().with("/proc/net/sockstat", SOCKSTAT);
        let connections = count(&mut source);
        assert_eq!((connections.tcp.in_use, connections.udp.in_use), (Some(9), Some(3)));
        assert_eq!((connections.tcp.established, connections.tcp.listen), (None, None));
    }

    #[test]
    fn a_host_that_tells_nothing_has_viewers() {
        let connections = count(&mut Recorded::default());
        assert_eq!(connections, Connections { viewers: Some(3), ..Connections::default() });
    }
}
