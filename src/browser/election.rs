//! Leader election among a browser's tabs; a tab loses it in `Election::on_message`. The leader opens the stream.
//!
//! No maintained crate elects a leader over `BroadcastChannel` in wasm, and Web Locks are missing on plain http.
//!
//! A pure state machine: callers deliver messages and timeouts, send the returned message and act on the outcome.

/// A message between tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElectionMessage {
    /// Asks for the leader.
    Query,
    /// The sender leads.
    Claim,
    /// The sender no longer leads.
    Resign,
    /// The sender does not lead; tells a future leader that it has followers.
    Presence,
}

impl ElectionMessage {
    const ALL: [Self; 4] = [Self::Query, Self::Claim, Self::Resign, Self::Presence];

    /// Its name on the channel.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "who",
            Self::Claim => "mine",
            Self::Resign => "bye",
            Self::Presence => "here",
        }
    }

    /// The message with this name on the channel.
    pub fn of_str(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|message| message.as_str() == text)
    }
}

/// A tab's role in the election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Takes no part.
    Idle,
    /// Waits for a leader to answer its query.
    Candidate,
    /// Another tab leads.
    Follower,
    /// This tab leads.
    Leader,
}

/// What a tab does next, after it has sent the returned message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElectionOutcome {
    /// Nothing.
    None,
    /// Wait for answers, then call [`Election::answer_timeout`].
    AwaitAnswers,
    /// Open the stream and relay it.
    Lead,
    /// Leave the stream to the leader and receive its events.
    Follow,
}

/// One tab's part in the election.
#[derive(Debug)]
pub struct Election {
    /// Random tab id; between two leaders the lower id wins.
    id: f64,
    role: Role,
    /// Whether any other tab has sent a message.
    has_peers: bool,
}

impl Election {
    /// A tab that takes no part yet.
    pub fn new(id: f64) -> Self {
        Self { id, role: Role::Idle, has_peers: false }
    }

    /// The tab's id.
    pub fn id(&self) -> f64 {
        self.id
    }

    /// Whether this tab leads.
    pub fn is_leader(&self) -> bool {
        self.role == Role::Leader
    }

    /// Whether this tab leads and other tabs need its events.
    pub fn has_followers(&self) -> bool {
        self.is_leader() && self.has_peers
    }

    /// Asks for a leader.
    pub fn join(&mut self) -> (Option<ElectionMessage>, ElectionOutcome) {
        match self.role {
            Role::Leader => (None, ElectionOutcome::Lead),
            _ => {
                self.role = Role::Candidate;
                (Some(ElectionMessage::Query), ElectionOutcome::AwaitAnswers)
            }
        }
    }

    /// No leader answered in time: a candidate wins.
    pub fn answer_timeout(&mut self) -> (Option<ElectionMessage>, ElectionOutcome) {
        if self.role != Role::Candidate {
            return (None, ElectionOutcome::None);
        }
        self.role = Role::Leader;
        (Some(ElectionMessage::Claim), ElectionOutcome::Lead)
    }

    /// Handles a message from tab `from`; a relayed event counts as a claim. A candidate loses to any claim, a leader
    /// to a claim from a lower id.
    pub fn on_message(&mut self, message: ElectionMessage, from: f64) -> (Option<ElectionMessage>, ElectionOutcome) {
        self.has_peers = true;
        match (self.role, message) {
            // The sender may have opened its channel after this tab's own query.
            (Role::Candidate | Role::Follower, ElectionMessage::Query) => {
                (Some(ElectionMessage::Presence), ElectionOutcome::None)
            }
            (Role::Leader, ElectionMessage::Query) => (Some(ElectionMessage::Claim), ElectionOutcome::None),
            (Role::Leader, ElectionMessage::Claim) if from > self.id => {
                (Some(ElectionMessage::Claim), ElectionOutcome::None)
            }
            (Role::Leader | Role::Candidate, ElectionMessage::Claim) => {
                self.role = Role::Follower;
                (None, ElectionOutcome::Follow)
            }
            (Role::Follower, ElectionMessage::Resign) => self.join(),
            _ => (None, ElectionOutcome::None),
        }
    }

    /// Leaves the election; a leader resigns.
    pub fn leave(&mut self) -> Option<ElectionMessage> {
        let led = std::mem::replace(&mut self.role, Role::Idle) == Role::Leader;
        led.then_some(ElectionMessage::Resign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Tabs whose messages arrive in an order that the test picks.
    struct Browser {
        tabs: Vec<Option<Election>>,
        /// Messages in flight: sender, receiver, message.
        in_flight: Vec<(usize, usize, ElectionMessage)>,
    }

    impl Browser {
        fn new(tabs: usize) -> Self {
            Self { tabs: (0..tabs).map(|id| Some(Election::new(id as f64))).collect(), in_flight: Vec::new() }
        }

        /// Takes a step of one tab and sends what it returns to all others.
        fn step(&mut self, tab: usize, step: impl FnOnce(&mut Election) -> (Option<ElectionMessage>, ElectionOutcome)) {
            let Some(election) = &mut self.tabs[tab] else { return };
            let (message, _) = step(election);
            let others = (0..self.tabs.len()).filter(|other| *other != tab);
            self.in_flight
                .extend(message.into_iter().flat_map(|message| others.clone().map(move |other| (tab, other, message))));
        }

        /// Delivers one message; messages between the same two tabs stay in order.
        fn deliver(&mut self, pick: usize) {
            let (from, to, _) = self.in_flight[pick % self.in_flight.len()];
            let first = self.in_flight.iter().position(|(f, t, _)| (*f, *t) == (from, to)).unwrap();
            let (_, _, message) = self.in_flight.remove(first);
            self.step(to, |election| election.on_message(message, from as f64));
        }

        fn deliver_all(&mut self) {
            while !self.in_flight.is_empty() {
                self.deliver(0);
            }
        }

        fn leaders(&self) -> Vec<&Election> {
            self.tabs.iter().flatten().filter(|tab| tab.is_leader()).collect()
        }
    }

    #[test]
    fn lone_tab_leads_after_timeout() {
        let mut election = Election::new(1.0);
        assert_eq!(election.join(), (Some(ElectionMessage::Query), ElectionOutcome::AwaitAnswers));
        assert_eq!(election.answer_timeout(), (Some(ElectionMessage::Claim), ElectionOutcome::Lead));
        assert!(!election.has_followers());
        assert_eq!(election.leave(), Some(ElectionMessage::Resign));
    }

    #[test]
    fn candidate_answers_later_query_with_presence() {
        let (mut early, mut late) = (Election::new(1.0), Election::new(2.0));
        early.join();
        late.join();
        assert_eq!(
            early.on_message(ElectionMessage::Query, 2.0),
            (Some(ElectionMessage::Presence), ElectionOutcome::None)
        );
        assert_eq!(late.on_message(ElectionMessage::Presence, 1.0), (None, ElectionOutcome::None));
        late.answer_timeout();
        assert_eq!(early.on_message(ElectionMessage::Claim, 2.0), (None, ElectionOutcome::Follow));
        assert!(late.has_followers() && !early.has_followers());
    }

    #[test]
    fn follower_takes_over_when_leader_resigns() {
        let mut election = Election::new(1.0);
        election.join();
        assert_eq!(election.on_message(ElectionMessage::Claim, 2.0), (None, ElectionOutcome::Follow));
        assert_eq!(election.answer_timeout(), (None, ElectionOutcome::None));
        assert_eq!(
            election.on_message(ElectionMessage::Resign, 2.0),
            (Some(ElectionMessage::Query), ElectionOutcome::AwaitAnswers)
        );
        assert_eq!(election.answer_timeout().1, ElectionOutcome::Lead);
    }

    #[test]
    fn message_names_round_trip() {
        assert_eq!(
            ElectionMessage::ALL.map(|message| ElectionMessage::of_str(message.as_str())),
            ElectionMessage::ALL.map(Some)
        );
        assert_eq!(ElectionMessage::of_str("cpu"), None);
    }

    proptest! {
        #[test]
        fn any_message_order_ends_with_exactly_one_leader(
            count in 1usize..9,
            steps in prop::collection::vec((0usize..4, 0usize..9, any::<usize>()), 0..120),
        ) {
            let mut browser = Browser::new(count);
            for (step, tab, pick) in steps {
                let tab = tab % count;
                match step {
                    0 => browser.step(tab, Election::join),
                    1 => browser.step(tab, Election::answer_timeout),
                    // A closed tab resigns; a crashed one does not.
                    2 if browser.tabs.iter().flatten().count() > 1 => {
                        if pick % 2 == 0 {
                            browser.step(tab, |election| (election.leave(), ElectionOutcome::None));
                        }
                        browser.tabs[tab] = None;
                    }
                    _ if browser.in_flight.is_empty() => {}
                    _ => browser.deliver(pick),
                }
            }
            // Each tab that receives no ticks rejoins and waits for an answer.
            browser.deliver_all();
            for tab in 0..count {
                browser.step(tab, Election::join);
                browser.deliver_all();
                browser.step(tab, Election::answer_timeout);
                browser.deliver_all();
            }
            let leaders = browser.leaders();
            prop_assert_eq!(leaders.len(), 1);
            prop_assert!(leaders[0].has_followers() || browser.tabs.iter().flatten().count() == 1);
        }
    }
}
