//! Tests of reconnecting, polling and tab leadership.

use super::*;

const OPEN: StreamAction = StreamAction::Open(Transport::EventSource);

/// The policy of a leading tab.
fn leader(now: f64, can_use_event_source: bool) -> ReconnectPolicy {
    let mut policy = ReconnectPolicy::new(now, can_use_event_source);
    policy.election_won(now);
    policy
}

fn live() -> ReconnectPolicy {
    let mut policy = leader(0.0, true);
    policy.stream_started(10.0, 5.0);
    policy.tick_arrived(1_000.0, 1_000.0);
    policy
}

fn state(policy: &ReconnectPolicy) -> ConnectionState {
    policy.status(0.0).connection
}

#[test]
fn stream_without_ticks_becomes_stale() {
    let mut policy = leader(0.0, true);
    assert_eq!(state(&policy), ConnectionState::Connecting);
    policy.tick_arrived(1_000.0, 1_000.0);
    assert_eq!((policy.timer_fired(3_900.0), state(&policy)), (StreamAction::None, ConnectionState::Live));
    assert_eq!((policy.timer_fired(4_000.0), state(&policy)), (StreamAction::RequestSnapshot, ConnectionState::Stale));
    assert_eq!(policy.timer_fired(5_000.0), StreamAction::None, "one snapshot per silence");
    policy.tick_arrived(5_500.0, 5_000.0);
    assert_eq!(state(&policy), ConnectionState::Live);
}

#[test]
fn delay_excludes_clock_offset() {
    let mut policy = leader(1_000_000.0, true);
    // Round trip 40 ms; the server's clock is 15 minutes behind.
    policy.stream_started(1_000_040.0, 100_020.0);
    policy.tick_arrived(1_001_030.0, 101_000.0);
    assert_eq!(policy.status(1_001_030.0).delay, Some(30.0));
    policy.tick_arrived(1_001_900.0, 102_000.0);
    assert_eq!(policy.status(1_001_900.0).delay, Some(0.0), "never negative");
    // The browser reconnects at an unknown time; the offset measured before stays.
    policy.connection_lost(1_002_000.0, true, 0.5);
    policy.stream_started(1_005_000.0, 105_000.0);
    policy.tick_arrived(1_006_020.0, 106_000.0);
    assert_eq!(policy.status(1_006_020.0).delay, Some(20.0));
}

#[test]
fn undecodable_event_is_counted_and_keeps_page_live() {
    let mut policy = live();
    policy.event_skipped();
    policy.tick_arrived(2_000.0, 2_000.0);
    let status = policy.status(2_000.0);
    assert_eq!((status.connection, status.skipped), (ConnectionState::Live, 1));
}

#[test]
fn replayed_tick_does_not_make_page_live() {
    let mut policy = live();
    policy.connection_lost(2_000.0, true, 0.5);
    policy.timer_fired(5_000.0);
    policy.stream_started(60_000.0, 60_000.0);
    policy.tick_arrived(60_001.0, 3_000.0);
    assert_eq!(state(&policy), ConnectionState::Reconnecting);
    policy.tick_arrived(60_001.0, 60_000.0);
    assert_eq!(state(&policy), ConnectionState::Live);
}

#[test]
fn silent_stream_is_reopened_after_each_timeout() {
    let mut policy = live();
    assert_eq!(policy.timer_fired(4_000.0), StreamAction::RequestSnapshot);
    assert_eq!(policy.timer_fired(10_900.0), StreamAction::None);
    assert_eq!(policy.timer_fired(11_000.0), OPEN);
    assert_eq!(policy.timer_fired(14_000.0), StreamAction::RequestSnapshot);
    assert_eq!(policy.timer_fired(20_900.0), StreamAction::None);
    assert_eq!(policy.timer_fired(21_000.0), OPEN);
    assert_eq!(state(&policy), ConnectionState::Stale);
    assert_eq!(policy.status(21_000.0).silence, 20_000.0);
}

#[test]
fn stuck_server_gets_longer_silence_timeout() {
    let mut policy = live();
    assert_eq!(policy.timer_fired(4_000.0), StreamAction::RequestSnapshot);
    assert_eq!(policy.snapshot_arrived(4_010.0, false), StreamAction::None);
    assert!(policy.status(4_010.0).stuck);
    // The heartbeat arrives within the longer timeout.
    assert_eq!(policy.timer_fired(16_000.0), StreamAction::None);
    policy.event_arrived(16_500.0);
    assert_eq!(policy.timer_fired(30_000.0), StreamAction::None);
    assert_eq!(policy.timer_fired(36_500.0), OPEN);
    policy.tick_arrived(37_000.0, 37_000.0);
    assert!(!policy.status(37_000.0).stuck);
}

#[test]
fn buffered_stream_is_replaced_by_polling_after_failure_limit() {
    let mut policy = leader(0.0, true);
    let mut now = 0.0;
    for transport in [Transport::EventSource, Transport::EventSource, Transport::Poll] {
        now += STALE_MS;
        assert_eq!(policy.timer_fired(now), StreamAction::RequestSnapshot);
        assert_eq!(policy.snapshot_arrived(now, true), StreamAction::Open(transport));
    }
    assert_eq!(policy.timer_fired(now + 1_000.0), StreamAction::RequestSnapshot);
    assert_eq!(policy.snapshot_arrived(now + 1_010.0, true), StreamAction::None);
    policy.tick_arrived(now + 1_010.0, now + 1_000.0);
    assert_eq!(state(&policy), ConnectionState::Polling);
    assert_eq!(policy.timer_fired(now + POLLING_PERIOD_MS), OPEN);
    // Still buffered: the count is kept, so one failure suffices.
    now += POLLING_PERIOD_MS + STALE_MS;
    assert_eq!((policy.timer_fired(now), state(&policy)), (StreamAction::RequestSnapshot, ConnectionState::Stale));
    assert_eq!(policy.snapshot_arrived(now, true), StreamAction::Open(Transport::Poll));
}

#[test]
fn healthy_stream_resets_buffered_count() {
    let mut policy = live();
    for second in [4.0, 70.0, 140.0, 210.0] {
        let now = second * 1_000.0;
        assert_eq!(policy.timer_fired(now), StreamAction::RequestSnapshot);
        assert_eq!(policy.snapshot_arrived(now, true), OPEN, "at {second} s");
        policy.tick_arrived(now + 61_000.0, now + 61_000.0);
    }
}

#[test]
fn timer_after_suspend_reconnects_at_once() {
    assert_eq!(live().timer_fired(8.0 * 3_600_000.0), OPEN);
}

#[test]
fn closed_event_source_falls_back_to_fetch_for_refusal() {
    let mut policy = live();
    assert_eq!(policy.connection_lost(2_000.0, true, 0.5), StreamAction::None);
    assert_eq!(policy.connection_lost(3_000.0, false, 0.5), StreamAction::Open(Transport::Fetch));
    policy.stream_refused(3_100.0, "Too many.".to_owned(), 30_000.0, 0.5);
    let status = policy.status(3_100.0);
    assert_eq!(
        (status.connection, &*status.refusal, status.wait),
        (ConnectionState::Refused, "Too many.", Some(30_500.0))
    );
    assert_eq!(policy.timer_fired(33_500.0), StreamAction::None);
    assert_eq!(policy.timer_fired(33_600.0), StreamAction::Open(Transport::Fetch));
    assert_eq!(policy.connection_lost(34_000.0, false, 0.0), StreamAction::None);
    assert_eq!(policy.timer_fired(34_000.0), OPEN);
}

#[test]
fn lost_stream_is_shown_once_ticks_are_late() {
    let mut policy = live();
    policy.connection_lost(1_500.0, true, 0.5);
    policy.timer_fired(3_900.0);
    assert_eq!(state(&policy), ConnectionState::Live);
    policy.timer_fired(4_000.0);
    assert_eq!(state(&policy), ConnectionState::Reconnecting);
    let mut policy = live();
    policy.connection_lost(1_500.0, true, 0.5);
    policy.stream_started(3_000.0, 3_000.0);
    policy.tick_arrived(3_010.0, 3_000.0);
    policy.timer_fired(4_100.0);
    assert_eq!(state(&policy), ConnectionState::Live, "resumed in time");
}

#[test]
fn repeated_browser_retries_fall_back_to_fetch_for_the_reason() {
    let mut policy = live();
    for now in [2_000.0, 4_000.0, 6_000.0] {
        assert_eq!(policy.connection_lost(now, true, 0.5), StreamAction::None);
    }
    assert_eq!(policy.connection_lost(8_000.0, true, 0.5), StreamAction::Open(Transport::Fetch));
    assert_eq!(policy.connection_lost(8_100.0, false, 0.5), OPEN, "only the network failed");
    for now in [8_200.0, 10_000.0, 12_000.0] {
        assert_eq!(policy.connection_lost(now, true, 0.5), StreamAction::None);
    }
    assert_eq!(policy.connection_lost(14_000.0, true, 0.5), StreamAction::Open(Transport::Fetch));
    policy.stream_refused(14_100.0, "Signed out.".to_owned(), 0.0, 0.5);
    assert_eq!(state(&policy), ConnectionState::Refused);
}

#[test]
fn stream_cut_while_healthy_never_falls_back_to_fetch() {
    let mut policy = live();
    for cut in 1..10 {
        let now = 7_000.0 * f64::from(cut);
        assert_eq!(policy.connection_lost(now, true, 0.5), StreamAction::None);
        policy.tick_arrived(now + 1_010.0, now + 1_000.0);
    }
}

#[test]
fn backoff_doubles_to_limit_and_resets_with_tick() {
    let mut policy = leader(0.0, false);
    let mut now = 2_000.0;
    for delay in [1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0, 30_000.0, 30_000.0] {
        policy.connection_lost(now, false, 1.0);
        assert_eq!(policy.timer_fired(now + delay - 1.0), StreamAction::None);
        now += delay;
        assert_eq!(policy.timer_fired(now), StreamAction::Open(Transport::Fetch), "after {delay} ms");
    }
    policy.tick_arrived(now, now);
    policy.connection_lost(now, false, 1.0);
    assert_eq!(policy.timer_fired(now + 1_000.0), StreamAction::Open(Transport::Fetch));
}

#[test]
fn hidden_page_pauses_after_timeout_and_rejoins_when_shown() {
    let mut policy = live();
    policy.page_hidden(2_000.0);
    policy.tick_arrived(61_000.0, 61_000.0);
    assert_eq!(policy.timer_fired(61_900.0), StreamAction::None);
    policy.tick_arrived(62_000.0, 62_000.0);
    assert_eq!((policy.timer_fired(62_000.0), state(&policy)), (StreamAction::Close, ConnectionState::Paused));
    assert_eq!(policy.timer_fired(900_000.0), StreamAction::None);
    assert_eq!(
        (policy.page_shown(900_500.0), state(&policy)),
        (StreamAction::JoinElection, ConnectionState::Connecting)
    );
}

#[test]
fn briefly_hidden_page_stays_live() {
    let mut policy = live();
    policy.page_hidden(1_500.0);
    assert_eq!((policy.page_shown(3_000.0), state(&policy)), (StreamAction::None, ConnectionState::Live));
}

#[test]
fn online_event_reconnects_at_once() {
    let mut policy = live();
    assert_eq!((policy.network_changed(1_500.0, true), state(&policy)), (StreamAction::None, ConnectionState::Live));
    policy.connection_lost(2_000.0, true, 0.5);
    assert_eq!(state(&policy), ConnectionState::Offline);
    assert_eq!(policy.network_changed(60_000.0, false), OPEN);
    // A server on this device is reachable without a network.
    policy.tick_arrived(60_100.0, 60_100.0);
    assert_eq!(state(&policy), ConnectionState::Live);
}

#[test]
fn follower_without_ticks_rejoins_election() {
    let mut policy = ReconnectPolicy::new(0.0, true);
    assert_eq!(policy.election_lost(200.0), StreamAction::FollowLeader);
    policy.sync_clock(200.0, 210.0, 205.0);
    policy.tick_arrived(210.0, 0.0);
    assert_eq!((policy.snapshot_arrived(210.0, true), state(&policy)), (StreamAction::None, ConnectionState::Live));
    assert_eq!((policy.timer_fired(3_210.0), state(&policy)), (StreamAction::JoinElection, ConnectionState::Stale));
    assert_eq!(policy.timer_fired(4_000.0), StreamAction::None, "the leader has time to answer");
    assert_eq!(policy.timer_fired(20_000.0), StreamAction::JoinElection);
    assert_eq!((policy.election_won(20_300.0), policy.transport()), (OPEN, Transport::EventSource));
    assert_eq!(policy.election_won(20_400.0), StreamAction::None, "already leading");
}
