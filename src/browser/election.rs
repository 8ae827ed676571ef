//! Which of a browser's tabs follows the stream for all of them. Pure: it is told what the others say, and says what to
//! answer.
//!
//! The browser's own locks would decide the same, but only pages that came over TLS have them.

/// What tabs say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElectionMessage {
    /// Does anybody follow the stream?
    Who,
    /// I do.
    Mine,
    /// I did.
    Bye,
    /// I don't, and would hear it.
    Here,
}

impl ElectionMessage {
    const ALL: [Self; 4] = [Self::Who, Self::Mine, Self::Bye, Self::Here];

    /// As it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Who => "who",
            Self::Mine => "mine",
            Self::Bye => "bye",
            Self::Here => "here",
        }
    }

    /// What [`as_str`](Self::as_str) has written.
    pub fn of_str(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.as_str() == text)
    }
}

/// What a tab is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It takes no part.
    Away,
    /// It has asked who follows the stream.
    Asking,
    /// Another one does.
    Following,
    /// It does.
    Leading,
}

/// What a tab shall do, after it has said what it has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Go on.
    None,
    /// Wait for an answer, and then tell that the time is up.
    Wait,
    /// Follow the stream, for all.
    Lead,
    /// Leave the stream to another one, and hear from that.
    Follow,
}

/// A tab's part.
#[derive(Debug)]
pub struct Election {
    /// Tells tabs apart, and who gives way: of two that lead, the one with the smaller number goes on.
    id: f64,
    role: Role,
    /// Whether no other tab has been heard.
    alone: bool,
}

impl Election {
    /// Takes no part yet.
    pub fn new(id: f64) -> Self {
        Self { id, role: Role::Away, alone: true }
    }

    /// Its number.
    pub fn id(&self) -> f64 {
        self.id
    }

    /// Whether it follows the stream.
    pub fn leads(&self) -> bool {
        self.role == Role::Leading
    }

    /// Whether it follows the stream for others, too.
    pub fn has_followers(&self) -> bool {
        self.leads() && !self.alone
    }

    /// Asks whether there is somebody who leads.
    pub fn join(&mut self) -> (Option<ElectionMessage>, Outcome) {
        match self.role {
            Role::Leading => (None, Outcome::Lead),
            _ => {
                self.role = Role::Asking;
                (Some(ElectionMessage::Who), Outcome::Wait)
            }
        }
    }

    /// There was time enough to answer.
    pub fn time_is_up(&mut self) -> (Option<ElectionMessage>, Outcome) {
        if self.role != Role::Asking {
            return (None, Outcome::None);
        }
        self.role = Role::Leading;
        (Some(ElectionMessage::Mine), Outcome::Lead)
    }

    /// Another tab has said something, or passed on an event, which says that it leads.
    pub fn heard(&mut self, word: ElectionMessage, from: f64) -> (Option<ElectionMessage>, Outcome) {
        self.alone = false;
        match (self.role, word) {
            // It may have come too late to hear this one ask.
            (Role::Asking | Role::Following, ElectionMessage::Who) => (Some(ElectionMessage::Here), Outcome::None),
            (Role::Leading, ElectionMessage::Who) => (Some(ElectionMessage::Mine), Outcome::None),
            (Role::Leading, ElectionMessage::Mine) if from > self.id => (Some(ElectionMessage::Mine), Outcome::None),
            (Role::Leading | Role::Asking, ElectionMessage::Mine) => {
                self.role = Role::Following;
                (None, Outcome::Follow)
            }
            (Role::Following, ElectionMessage::Bye) => self.join(),
            _ => (None, Outcome::None),
        }
    }

    /// Takes no part any more.
    pub fn leave(&mut self) -> Option<ElectionMessage> {
        let led = std::mem::replace(&mut self.role, Role::Away) == Role::Leading;
        led.then_some(ElectionMessage::Bye)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Tabs that hear each other in whatever order `pick` takes their words.
    struct Browser {
        tabs: Vec<Option<Election>>,
        /// What is on its way: from, to, word.
        words: Vec<(usize, usize, ElectionMessage)>,
    }

    impl Browser {
        fn new(tabs: usize) -> Self {
            Self { tabs: (0..tabs).map(|id| Some(Election::new(id as f64))).collect(), words: Vec::new() }
        }

        fn tell(&mut self, tab: usize, tell: impl FnOnce(&mut Election) -> (Option<ElectionMessage>, Outcome)) {
            let Some(election) = &mut self.tabs[tab] else { return };
            let (word, _) = tell(election);
            let others = (0..self.tabs.len()).filter(|other| *other != tab);
            self.words.extend(word.into_iter().flat_map(|word| others.clone().map(move |other| (tab, other, word))));
        }

        /// Delivers one word: those between two tabs stay in order.
        fn deliver(&mut self, pick: usize) {
            let (from, to, _) = self.words[pick % self.words.len()];
            let first = self.words.iter().position(|(f, t, _)| (*f, *t) == (from, to)).unwrap();
            let (_, _, word) = self.words.remove(first);
            self.tell(to, |election| election.heard(word, from as f64));
        }

        fn settle(&mut self) {
            while !self.words.is_empty() {
                self.deliver(0);
            }
        }

        fn leaders(&self) -> Vec<&Election> {
            self.tabs.iter().flatten().filter(|tab| tab.leads()).collect()
        }
    }

    #[test]
    fn a_lone_tab_leads() {
        let mut election = Election::new(1.0);
        assert_eq!(election.join(), (Some(ElectionMessage::Who), Outcome::Wait));
        assert_eq!(election.time_is_up(), (Some(ElectionMessage::Mine), Outcome::Lead));
        assert!(!election.has_followers());
        assert_eq!(election.leave(), Some(ElectionMessage::Bye));
    }

    #[test]
    fn who_has_asked_before_another_could_hear_is_heard_of() {
        let (mut early, mut late) = (Election::new(1.0), Election::new(2.0));
        early.join();
        late.join();
        assert_eq!(early.heard(ElectionMessage::Who, 2.0), (Some(ElectionMessage::Here), Outcome::None));
        assert_eq!(late.heard(ElectionMessage::Here, 1.0), (None, Outcome::None));
        late.time_is_up();
        assert_eq!(early.heard(ElectionMessage::Mine, 2.0), (None, Outcome::Follow));
        assert!(late.has_followers() && !early.has_followers());
    }

    #[test]
    fn who_comes_later_follows_and_takes_over_when_the_leader_says_goodbye() {
        let mut election = Election::new(1.0);
        election.join();
        assert_eq!(election.heard(ElectionMessage::Mine, 2.0), (None, Outcome::Follow));
        assert_eq!(election.time_is_up(), (None, Outcome::None));
        assert_eq!(election.heard(ElectionMessage::Bye, 2.0), (Some(ElectionMessage::Who), Outcome::Wait));
        assert_eq!(election.time_is_up().1, Outcome::Lead);
        assert_eq!(
            ElectionMessage::ALL.map(|word| ElectionMessage::of_str(word.as_str())),
            ElectionMessage::ALL.map(Some)
        );
        assert_eq!(ElectionMessage::of_str("cpu"), None);
    }

    proptest! {
        #[test]
        fn in_the_end_exactly_one_leads(
            count in 1usize..9,
            steps in prop::collection::vec((0usize..4, 0usize..9, any::<usize>()), 0..120),
        ) {
            let mut browser = Browser::new(count);
            for (step, tab, pick) in steps {
                let tab = tab % count;
                match step {
                    0 => browser.tell(tab, Election::join),
                    1 => browser.tell(tab, Election::time_is_up),
                    // A tab that is closed may say goodbye, or crash.
                    2 if browser.tabs.iter().flatten().count() > 1 => {
                        if pick % 2 == 0 {
                            browser.tell(tab, |election| (election.leave(), Outcome::None));
                        }
                        browser.tabs[tab] = None;
                    }
                    _ if browser.words.is_empty() => {}
                    _ => browser.deliver(pick),
                }
            }
            // Whoever hears nothing for long asks, and waits for an answer.
            browser.settle();
            for tab in 0..count {
                browser.tell(tab, Election::join);
                browser.settle();
                browser.tell(tab, Election::time_is_up);
                browser.settle();
            }
            let leaders = browser.leaders();
            prop_assert_eq!(leaders.len(), 1);
            prop_assert!(leaders[0].has_followers() || browser.tabs.iter().flatten().count() == 1);
        }
    }
}
