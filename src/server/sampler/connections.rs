//! TCP and UDP sockets from `/proc/net/sockstat`, `sockstat6`, `snmp` and `netstat`, and TCP states from sock_diag:
//! reading `/proc/net/tcp` takes 10 ms even without any socket.

use super::{
    Clock, HostSource, SocketStates,
    rate::{PreviousReading, rate},
    sockets::TcpState,
};
use crate::{
    schema::{Connections, Sample, Tcp, Udp},
    server::log::Subscribers,
};
use std::{ops::Add, sync::Arc};

/// Sockets up to which a change of the activity counters triggers a dump: beyond, a dump takes milliseconds.
const DUMP_ON_CHANGE_LIMIT: u64 = 10_000;
/// Ticks after which the states are dumped in any case.
const DUMP_INTERVAL: u32 = 10;

/// Samples sockets, with rates of TCP's error counters.
#[derive(Debug)]
pub(super) struct ConnectionsSampler {
    subscribers: Arc<Subscribers>,
    states: SocketStatesCache,
    previous: PreviousReading<(Connections, TcpErrorCounters)>,
    text: String,
}

/// Counters since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct TcpErrorCounters {
    retransmits: Option<u64>,
    resets: Option<u64>,
    listen_overflows: Option<u64>,
    listen_drops: Option<u64>,
}

impl ConnectionsSampler {
    /// `subscribers` counts the viewers.
    pub(super) fn new(subscribers: Arc<Subscribers>) -> Self {
        Self {
            subscribers,
            states: SocketStatesCache::default(),
            previous: PreviousReading::default(),
            text: String::new(),
        }
    }

    pub(super) fn sample(
        &mut self,
        t: u64,
        source: &mut impl HostSource,
        clock: &impl Clock,
    ) -> Option<Sample<Connections>> {
        let (viewers, states, text) = (self.subscribers.viewers(), &mut self.states, &mut self.text);
        self.previous.next_sample(
            t,
            clock,
            || Some(read_connections(viewers, states, text, source)),
            |(_, previous), (connections, current), dt| {
                let rate = |of: fn(&TcpErrorCounters) -> Option<u64>| rate(of(previous), of(current), dt);
                let tcp = Tcp {
                    retransmits_per_second: rate(|c| c.retransmits),
                    resets_per_second: rate(|c| c.resets),
                    listen_overflows_per_second: rate(|c| c.listen_overflows),
                    listen_drops_per_second: rate(|c| c.listen_drops),
                    ..connections.tcp.clone()
                };
                Connections { tcp, ..connections.clone() }
            },
        )
    }
}

/// The latest dump of the socket states, kept while no counter indicates a change.
#[derive(Debug, Default)]
struct SocketStatesCache {
    states: Option<SocketStates>,
    /// As of the latest dump.
    activity: TcpActivity,
    ticks_since_dump: u32,
}

/// Segments received and sent, established connections, sockets in use and in time-wait. With rare exceptions, a socket
/// changes its state only together with one of these.
type TcpActivity = [Option<u64>; 5];

impl SocketStatesCache {
    fn update(
        &mut self,
        sockets: Option<u64>,
        activity: TcpActivity,
        source: &mut impl HostSource,
    ) -> Option<SocketStates> {
        self.ticks_since_dump += 1;
        let changed = activity != self.activity || activity.contains(&None);
        let cheap = sockets.is_none_or(|sockets| sockets <= DUMP_ON_CHANGE_LIMIT);
        if self.states.is_none() || (cheap && changed) || self.ticks_since_dump >= DUMP_INTERVAL {
            (self.states, self.activity, self.ticks_since_dump) = (source.socket_states().ok(), activity, 0);
        }
        self.states
    }
}

fn read_connections(
    viewers: u64,
    states: &mut SocketStatesCache,
    text: &mut String,
    source: &mut impl HostSource,
) -> (Connections, TcpErrorCounters) {
    let mut sockstat = |path, labels: &[(&str, &str)]| -> [Option<u64>; 3] {
        let text = source.read_cached(path, text).ok().map(|()| text.as_str());
        std::array::from_fn(|i| labels.get(i).and_then(|(line, label)| sockstat_value(text?, line, label)))
    };
    let [tcp4, time_wait, udp4] =
        sockstat("/proc/net/sockstat", &[("TCP:", "inuse"), ("TCP:", "tw"), ("UDP:", "inuse")]);
    let [tcp6, udp6, _] = sockstat("/proc/net/sockstat6", &[("TCP6:", "inuse"), ("UDP6:", "inuse")]);
    let mut table = |path, line: &str, columns: &[&str]| -> [Option<u64>; 5] {
        let text = source.read_cached(path, text).ok().map(|()| text.as_str());
        std::array::from_fn(|i| table_value(text?, line, columns.get(i)?))
    };
    let [current_established, retransmits, resets, received, sent] =
        table("/proc/net/snmp", "Tcp:", &["CurrEstab", "RetransSegs", "EstabResets", "InSegs", "OutSegs"]);
    let [listen_overflows, listen_drops, ..] =
        table("/proc/net/netstat", "TcpExt:", &["ListenOverflows", "ListenDrops"]);
    let in_use = add_known(tcp4, tcp6);
    // `inuse` excludes sockets in time-wait, but a dump passes over them too.
    let sockets = add_known(in_use, time_wait);
    let states = states.update(sockets, [received, sent, current_established, in_use, time_wait], source);
    let state = |state: TcpState| states.map(|states| states.by_number[state as usize]);
    let connections = Connections {
        viewers: Some(viewers),
        tcp: Tcp {
            // CurrEstab counts close-wait as well (RFC 4022, tcpCurrEstab).
            established: current_established
                .map(|current| current.saturating_sub(state(TcpState::CloseWait).unwrap_or(0))),
            time_wait,
            syn_sent: state(TcpState::SynSent),
            syn_recv: add_known(state(TcpState::SynRecv), state(TcpState::NewSynRecv)),
            fin_wait1: state(TcpState::FinWait1),
            fin_wait2: state(TcpState::FinWait2),
            close_wait: state(TcpState::CloseWait),
            last_ack: state(TcpState::LastAck),
            listen: state(TcpState::Listen),
            closing: state(TcpState::Closing),
            in_use,
            ..Tcp::default()
        },
        udp: Udp { in_use: add_known(udp4, udp6) },
    };
    (connections, TcpErrorCounters { retransmits, resets, listen_overflows, listen_drops })
}

/// The sum of two values, or one of them where the host lacks the other.
fn add_known<N: Add<Output = N> + Copy>(one: Option<N>, other: Option<N>) -> Option<N> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        _ => one.or(other),
    }
}

/// The value after `label` on the line that starts with `line`: `TCP: inuse 5 orphan 0 tw 2`.
fn sockstat_value(text: &str, line: &str, label: &str) -> Option<u64> {
    let mut words = text.lines().find_map(|candidate| candidate.strip_prefix(line))?.split_ascii_whitespace();
    words.find(|word| *word == label)?;
    words.next()?.parse().ok()
}

/// The value under `column` in a pair of lines that start with `line`, as in `/proc/net/snmp`: names, then values.
pub(in crate::server) fn table_value(text: &str, line: &str, column: &str) -> Option<u64> {
    let mut rows = text.lines().filter_map(|candidate| candidate.strip_prefix(line));
    let (mut names, mut values) = (rows.next()?.split_ascii_whitespace(), rows.next()?.split_ascii_whitespace());
    let index = names.position(|name| name == column)?;
    values.nth(index)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::RecordedHost};

    const SOCKSTAT: &str =
        "sockets: used 13\nTCP: inuse 9 orphan 0 tw 2 alloc 1 mem 344\nUDP: inuse 3 mem 0\nUDPLITE: inuse 7\n";
    const SOCKSTAT6: &str = "TCP6: inuse 4\nUDP6: inuse 1\n";
    const SNMP: &str = "Ip: Forwarding\nIp: 2\nTcp: RtoAlgorithm CurrEstab InSegs\nTcp: 1 8 34103\n";

    fn read(source: &mut RecordedHost) -> Connections {
        read_connections(3, &mut SocketStatesCache::default(), &mut String::new(), source).0
    }

    #[test]
    fn ipv4_and_ipv6_sockets_are_counted_by_state() {
        let mut by_number = [0, 0, 1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 10];
        by_number[3] = 20;
        let mut source = RecordedHost::default()
            .with("/proc/net/sockstat", SOCKSTAT)
            .with("/proc/net/sockstat6", SOCKSTAT6)
            .with("/proc/net/snmp", SNMP)
            .with_sockets(SocketStates { by_number });
        let connections = read(&mut source);
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
    fn states_of_many_sockets_are_dumped_at_intervals() {
        let source = |sockets: u64, listening: u64| {
            let mut by_number = [0; 13];
            by_number[10] = listening;
            let sockstat = format!("TCP: inuse {sockets} orphan 0 tw 0\n");
            RecordedHost::default().with("/proc/net/sockstat", &sockstat).with_sockets(SocketStates { by_number })
        };
        for (sockets, dumped_after) in [(DUMP_ON_CHANGE_LIMIT, 1), (DUMP_ON_CHANGE_LIMIT + 1, 10)] {
            let (mut states, mut text) = (SocketStatesCache::default(), String::new());
            let mut listening =
                |value| read_connections(0, &mut states, &mut text, &mut source(sockets, value)).0.tcp.listen;
            assert_eq!(listening(1), Some(1));
            let ticks = (1..).find(|_| listening(2) == Some(2));
            assert_eq!(ticks, Some(dumped_after), "{sockets} sockets");
        }
    }

    #[test]
    fn states_are_not_dumped_while_activity_stands_still() {
        let (mut states, mut text) = (SocketStatesCache::default(), String::new());
        let mut listening = |segments: u64, in_use: u64, listening: u64| {
            let mut by_number = [0; 13];
            by_number[10] = listening;
            let mut source = RecordedHost::default()
                .with("/proc/net/sockstat", &format!("TCP: inuse {in_use} orphan 0 tw 0\n"))
                .with("/proc/net/snmp", &format!("Tcp: CurrEstab InSegs OutSegs\nTcp: 1 {segments} 5\n"))
                .with_sockets(SocketStates { by_number });
            read_connections(3, &mut states, &mut text, &mut source).0.tcp.listen
        };
        assert_eq!(listening(7, 3, 1), Some(1));
        assert_eq!(listening(7, 3, 2), Some(1), "no activity, no dump");
        assert_eq!(listening(8, 3, 2), Some(2), "a segment arrived");
        assert_eq!(listening(8, 4, 3), Some(3), "a socket was opened");
        let ticks = (1..).find(|_| listening(8, 4, 9) == Some(9));
        assert_eq!(ticks, Some(DUMP_INTERVAL as usize), "a change without activity is seen at the next interval");
    }

    #[test]
    fn error_counters_become_rates() {
        let (mut sampler, clock) = (ConnectionsSampler::new(Arc::default()), ManualClock::at(0.0));
        let source = |count: u64| {
            let snmp = format!("Tcp: CurrEstab EstabResets OutRsts RetransSegs\nTcp: 1 {count} 9 {}\n", 2 * count);
            let netstat = format!(
                "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 0 {count} {}\nIpExt: a\nIpExt: 1\n",
                3 * count
            );
            RecordedHost::default().with("/proc/net/snmp", &snmp).with("/proc/net/netstat", &netstat)
        };
        sampler.sample(0, &mut source(10), &clock);
        clock.advance(2.0);
        let tcp = sampler.sample(2000, &mut source(14), &clock).unwrap().values.tcp;
        assert_eq!((tcp.retransmits_per_second, tcp.resets_per_second), (Some(4.0), Some(2.0)));
        assert_eq!((tcp.listen_overflows_per_second, tcp.listen_drops_per_second), (Some(2.0), Some(6.0)));
    }

    #[test]
    fn host_without_ipv6_counts_ipv4() {
        let mut source = RecordedHost::default().with("/proc/net/sockstat", SOCKSTAT);
        let connections = read(&mut source);
        assert_eq!((connections.tcp.in_use, connections.udp.in_use), (Some(9), Some(3)));
        assert_eq!((connections.tcp.established, connections.tcp.listen), (None, None));
    }

    #[test]
    fn viewers_are_counted_without_socket_statistics() {
        let connections = read(&mut RecordedHost::default());
        assert_eq!(connections, Connections { viewers: Some(3), ..Connections::default() });
    }
}
