//! Policies that the tests start from.

use super::{ReconnectPolicy, StreamAction, Transport};
use crate::app::ConnectionState;

pub(super) const OPEN: StreamAction = StreamAction::Open(Transport::EventSource);

/// The policy of a leading tab.
pub(super) fn leader(now: f64, can_use_event_source: bool) -> ReconnectPolicy {
    let mut policy = ReconnectPolicy::new(now, can_use_event_source);
    policy.election_won(now);
    policy
}

pub(super) fn live() -> ReconnectPolicy {
    let mut policy = leader(0.0, true);
    policy.stream_started(10.0, 5.0);
    policy.tick_arrived(1_000.0, 1_000.0);
    policy
}

pub(super) fn state(policy: &ReconnectPolicy) -> ConnectionState {
    policy.status(0.0).connection
}
