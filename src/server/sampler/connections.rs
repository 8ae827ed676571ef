//! Sockets from `/proc/net/sockstat`, `sockstat6`, `snmp` and `netstat`, and their states from the kernel's socket diagnostics.
//! `/proc/net/tcp` tells more and costs 10 ms even where there is no socket at all.

use super::{
    Clock, HostSource, SocketStates,
    rate::{PreviousReading, rate},
};
use crate::{
    schema::{Connections, Sample, Tcp, Udp},
    server::log::Subscribers,
};
use std::{ops::Add, sync::Arc};

/// With more sockets than that, to look at each of them takes milliseconds.
const MANY: u64 = 10_000;
/// Readings after which they are looked at in any case.
const STATES_EVERY: u32 = 10;

/// Samples connections.
#[derive(Debug)]
pub(super) struct ConnectionsSampler {
    subscribers: Arc<Subscribers>,
    states: States,
    last: PreviousReading<(Connections, Counters)>,
    text: String,
}

/// Since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counters {
    retransmits: Option<u64>,
    resets: Option<u64>,
    listen_overflows: Option<u64>,
    listen_drops: Option<u64>,
}

impl ConnectionsSampler {
    /// The viewers are those of `subscribers`.
    pub(super) fn new(subscribers: Arc<Subscribers>) -> Self {
        Self { subscribers, states: States::default(), last: PreviousReading::default(), text: String::new() }
    }

    pub(super) fn sample(
        &mut self,
        t: u64,
        source: &mut impl HostSource,
        clock: &impl Clock,
    ) -> Option<Sample<Connections>> {
        let (viewers, states, text) = (self.subscribers.viewers(), &mut self.states, &mut self.text);
        self.last.next_sample(
            t,
            clock,
            || Some(count(viewers, states, text, source)),
            |(_, before), (connections, now), dt| {
                let rate = |of: fn(&Counters) -> Option<u64>| rate(of(before), of(now), dt);
                let tcp = Tcp {
                    retransmits: rate(|c| c.retransmits),
                    resets: rate(|c| c.resets),
                    listen_overflows: rate(|c| c.listen_overflows),
                    listen_drops: rate(|c| c.listen_drops),
                    ..connections.tcp.clone()
                };
                Connections { tcp, ..connections.clone() }
            },
        )
    }
}

/// The sockets by state, as they were last looked at.
#[derive(Debug, Default)]
struct States {
    known: Option<SocketStates>,
    /// What stood still since then says that every socket is in the state that it was in.
    signs: Signs,
    readings: u32,
}

/// Segments received and sent, connections, sockets and those that wait: no state changes without one of these.
type Signs = [Option<u64>; 5];

impl States {
    fn read(&mut self, sockets: Option<u64>, signs: Signs, source: &mut impl HostSource) -> Option<SocketStates> {
        self.readings += 1;
        let changed = signs != self.signs || signs.contains(&None);
        let few = sockets.is_none_or(|sockets| sockets <= MANY);
        if self.known.is_none() || (few && changed) || self.readings >= STATES_EVERY {
            (self.known, self.signs, self.readings) = (source.socket_states().ok(), signs, 0);
        }
        self.known
    }
}

fn count(
    viewers: u64,
    states: &mut States,
    text: &mut String,
    source: &mut impl HostSource,
) -> (Connections, Counters) {
    let mut figures = |path, wanted: &[(&str, &str)]| -> [Option<u64>; 3] {
        let text = source.read_cached(path, text).ok().map(|()| text.as_str());
        std::array::from_fn(|i| wanted.get(i).and_then(|(line, label)| labelled(text?, line, label)))
    };
    let [tcp4, time_wait, udp4] =
        figures("/proc/net/sockstat", &[("TCP:", "inuse"), ("TCP:", "tw"), ("UDP:", "inuse")]);
    let [tcp6, udp6, _] = figures("/proc/net/sockstat6", &[("TCP6:", "inuse"), ("UDP6:", "inuse")]);
    let mut table = |path, line: &str, columns: &[&str]| -> [Option<u64>; 5] {
        let text = source.read_cached(path, text).ok().map(|()| text.as_str());
        std::array::from_fn(|i| tabled(text?, line, columns.get(i)?))
    };
    let [open, retransmits, resets, received, sent] =
        table("/proc/net/snmp", "Tcp:", &["CurrEstab", "RetransSegs", "EstabResets", "InSegs", "OutSegs"]);
    let [listen_overflows, listen_drops, ..] =
        table("/proc/net/netstat", "TcpExt:", &["ListenOverflows", "ListenDrops"]);
    let in_use = both(tcp4, tcp6);
    // Those in time-wait aren't counted among those in use, and are in the way all the same.
    let sockets = both(in_use, time_wait);
    let states = states.read(sockets, [received, sent, open, in_use, time_wait], source).map(|states| states.by_number);
    let state = |number: usize| states.map(|by_number| by_number[number]);
    let connections = Connections {
        viewers: Some(viewers),
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
            in_use,
            ..Tcp::default()
        },
        udp: Udp { in_use: both(udp4, udp6) },
    };
    (connections, Counters { retransmits, resets, listen_overflows, listen_drops })
}

/// The sum of two figures, of which a host may lack one.
fn both<N: Add<Output = N> + Copy>(one: Option<N>, other: Option<N>) -> Option<N> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        _ => one.or(other),
    }
}

/// The figure after `label` on the line that starts with `line`: `TCP: inuse 5 orphan 0 tw 2`.
fn labelled(text: &str, line: &str, label: &str) -> Option<u64> {
    let mut words = text.lines().find_map(|candidate| candidate.strip_prefix(line))?.split_ascii_whitespace();
    words.find(|word| *word == label)?;
    words.next()?.parse().ok()
}

/// The figure under `column` in a pair of lines that start with `line`: names on the first, figures on the second.
pub(super) fn tabled(text: &str, line: &str, column: &str) -> Option<u64> {
    let mut rows = text.lines().filter_map(|candidate| candidate.strip_prefix(line));
    let (mut names, mut figures) = (rows.next()?.split_ascii_whitespace(), rows.next()?.split_ascii_whitespace());
    let place = names.position(|name| name == column)?;
    figures.nth(place)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::RecordedHost};

    const SOCKSTAT: &str =
        "sockets: used 13\nTCP: inuse 9 orphan 0 tw 2 alloc 1 mem 344\nUDP: inuse 3 mem 0\nUDPLITE: inuse 7\n";
    const SOCKSTAT6: &str = "TCP6: inuse 4\nUDP6: inuse 1\n";
    const SNMP: &str = "Ip: Forwarding\nIp: 2\nTcp: RtoAlgorithm CurrEstab InSegs\nTcp: 1 8 34103\n";

    fn count(source: &mut RecordedHost) -> Connections {
        super::count(3, &mut States::default(), &mut String::new(), source).0
    }

    #[test]
    fn both_protocols_and_every_state_are_counted() {
        let mut by_number = [0, 0, 1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 10];
        by_number[3] = 20;
        let mut source = RecordedHost::default()
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
                ..Tcp::default()
            }
        );
    }

    #[test]
    fn of_very_many_sockets_the_states_are_looked_at_now_and_then() {
        let source = |sockets: u64, listening: u64| {
            let mut by_number = [0; 13];
            by_number[10] = listening;
            let sockstat = format!("TCP: inuse {sockets} orphan 0 tw 0\n");
            RecordedHost::default().with("/proc/net/sockstat", &sockstat).with_sockets(SocketStates { by_number })
        };
        for (sockets, seen) in [(MANY, 1), (MANY + 1, 10)] {
            let (mut states, mut text) = (States::default(), String::new());
            let mut listening =
                |figure| super::count(0, &mut states, &mut text, &mut source(sockets, figure)).0.tcp.listen;
            assert_eq!(listening(1), Some(1));
            let readings = (1..).find(|_| listening(2) == Some(2));
            assert_eq!(readings, Some(seen), "{sockets} sockets");
        }
    }

    #[test]
    fn where_nothing_moves_sockets_are_where_they_were() {
        let (mut states, mut text) = (States::default(), String::new());
        let mut listening = |segments: u64, in_use: u64, listening: u64| {
            let mut by_number = [0; 13];
            by_number[10] = listening;
            let mut source = RecordedHost::default()
                .with("/proc/net/sockstat", &format!("TCP: inuse {in_use} orphan 0 tw 0\n"))
                .with("/proc/net/snmp", &format!("Tcp: CurrEstab InSegs OutSegs\nTcp: 1 {segments} 5\n"))
                .with_sockets(SocketStates { by_number });
            super::count(3, &mut states, &mut text, &mut source).0.tcp.listen
        };
        assert_eq!(listening(7, 3, 1), Some(1));
        assert_eq!(listening(7, 3, 2), Some(1), "nobody looks");
        assert_eq!(listening(8, 3, 2), Some(2), "a segment has come");
        assert_eq!(listening(8, 4, 3), Some(3), "a socket has come");
        let readings = (1..).find(|_| listening(8, 4, 9) == Some(9));
        assert_eq!(readings, Some(STATES_EVERY as usize), "what none of the signs tells is seen all the same");
    }

    #[test]
    fn what_goes_wrong_is_counted_by_the_second() {
        let (mut sampler, clock) = (ConnectionsSampler::new(Arc::default()), ManualClock::at(0.0));
        let source = |figure: u64| {
            let snmp = format!("Tcp: CurrEstab EstabResets OutRsts RetransSegs\nTcp: 1 {figure} 9 {}\n", 2 * figure);
            let netstat = format!(
                "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 0 {figure} {}\nIpExt: a\nIpExt: 1\n",
                3 * figure
            );
            RecordedHost::default().with("/proc/net/snmp", &snmp).with("/proc/net/netstat", &netstat)
        };
        sampler.sample(0, &mut source(10), &clock);
        clock.advance(2.0);
        let tcp = sampler.sample(2000, &mut source(14), &clock).unwrap().values.tcp;
        assert_eq!((tcp.retransmits, tcp.resets), (Some(4.0), Some(2.0)));
        assert_eq!((tcp.listen_overflows, tcp.listen_drops), (Some(2.0), Some(6.0)));
    }

    #[test]
    fn a_host_without_ipv6_has_the_rest() {
        let mut source = RecordedHost::default().with("/proc/net/sockstat", SOCKSTAT);
        let connections = count(&mut source);
        assert_eq!((connections.tcp.in_use, connections.udp.in_use), (Some(9), Some(3)));
        assert_eq!((connections.tcp.established, connections.tcp.listen), (None, None));
    }

    #[test]
    fn a_host_that_tells_nothing_has_viewers() {
        let connections = count(&mut RecordedHost::default());
        assert_eq!(connections, Connections { viewers: Some(3), ..Connections::default() });
    }
}
