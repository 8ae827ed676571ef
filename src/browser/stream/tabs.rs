//! Takes part in the tab election over the tab channel and relays the leader's events; the rules are in `election.rs`.

use super::StreamClient;
use crate::browser::{
    Election, ElectionMessage, ElectionOutcome, ReconnectPolicy,
    stream_source::RawEvent,
    tab_channel::{TabChannel, TabMessage},
};
use js_sys::Math;
use leptos::prelude::{WithValue, set_timeout};
use send_wrapper::SendWrapper;
use std::time::Duration;

/// Milliseconds to wait for a leader's answer: a minimum, plus a random part of the second value, so that one of many
/// tabs opened together is first.
const ANSWER_TIMEOUT_MS: (f64, f64) = (80.0, 160.0);

impl StreamClient {
    pub(super) fn join_election(&self) {
        if self.0.borrow().tabs.is_none() {
            let this = self.clone();
            let on_message = move |from, message| match message {
                TabMessage::Election(message) => this.step_election(|election| election.on_message(message, from)),
                TabMessage::Event(event) => {
                    this.step_election(|election| election.on_message(ElectionMessage::Claim, from));
                    // A rival that is about to lose may be ahead of this tab's stream; its event would skip ticks.
                    if !this.0.borrow().election.is_leader() {
                        this.receive(&event);
                    }
                }
            };
            let mut client = self.0.borrow_mut();
            client.tabs = client.state.identity.with_value(|page| TabChannel::open(&page.host_id, on_message));
        }
        self.step_election(Election::join);
    }

    /// Closes the stream and the tab channel.
    pub(super) fn close(&self) {
        self.0.borrow_mut().source = None;
        self.step_election(|election| (election.leave(), ElectionOutcome::None));
        self.0.borrow_mut().tabs = None;
    }

    /// Takes a step of the election, sends its message and acts on its outcome.
    fn step_election(&self, step: impl FnOnce(&mut Election) -> (Option<ElectionMessage>, ElectionOutcome)) {
        let outcome = {
            let mut client = self.0.borrow_mut();
            let (message, outcome) = step(&mut client.election);
            if let Some((message, tabs)) = message.zip(client.tabs.as_ref()) {
                tabs.send(client.election.id(), message);
            }
            outcome
        };
        match outcome {
            ElectionOutcome::None => {}
            ElectionOutcome::Lead => self.update_policy(ReconnectPolicy::election_won),
            ElectionOutcome::Follow => self.update_policy(ReconnectPolicy::election_lost),
            ElectionOutcome::AwaitAnswers => {
                let this = SendWrapper::new(self.clone());
                let (min, jitter) = ANSWER_TIMEOUT_MS;
                let timeout = Duration::from_millis((min + jitter * Math::random()) as u64);
                set_timeout(move || this.step_election(Election::answer_timeout), timeout);
            }
        }
    }

    /// Relays an event to the tabs that follow this one.
    pub(super) fn relay(&self, event: &RawEvent) {
        let client = self.0.borrow();
        if let Some(tabs) = client.tabs.as_ref().filter(|_| client.election.has_followers()) {
            tabs.relay(client.election.id(), event);
        }
    }
}
