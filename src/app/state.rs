//! What the page shows is a function of this.

use super::{Seed, Span, Status, Theme, View};
use crate::{
    charts::{Value, units::Unit},
    metrics::{HostFacts, Present, Process, Processes, Verdict, Window},
};
use leptos::prelude::*;

/// The page's state: handles, cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// Facts about the host.
    pub host: StoredValue<HostFacts>,
    /// What of the page is shown.
    pub view: StoredValue<View>,
    /// The samples; it notifies once a tick, when all groups of the tick are in.
    pub window: RwSignal<Window>,
    /// What has no past; who shows it follows the window.
    pub present: StoredValue<Present>,
    /// How much of the window is shown.
    pub span: RwSignal<Span>,
    /// The second that is pointed at in the charts, by how many seconds it lies before the newest.
    pub pointed: RwSignal<Option<usize>>,
    /// How the stream is doing.
    pub status: RwSignal<Status>,
    /// Light or dark.
    pub theme: RwSignal<Theme>,
    /// The id after which the stream goes on from what the server rendered.
    pub after: StoredValue<Option<String>>,
}

impl State {
    /// The state that a seed describes, with room for the longest window.
    pub fn new(seed: Seed) -> Self {
        let longest = Span::ALL.iter().map(|span| span.seconds()).max().unwrap_or_default();
        Self {
            window: RwSignal::new(Window::from(&seed.columns).with_capacity(longest)),
            present: StoredValue::new(seed.present),
            span: RwSignal::new(seed.span),
            pointed: RwSignal::new(None),
            status: RwSignal::new(Status::default()),
            host: StoredValue::new(seed.host),
            view: StoredValue::new(seed.view),
            theme: RwSignal::new(Theme::Auto),
            after: StoredValue::new(seed.after),
        }
    }

    /// Whether the host has nothing at or below a path: a panel without anything is hidden. To leave it out instead, and
    /// put it in when something comes, would weigh a third more.
    pub(super) fn lacks(self, path: &'static str) -> Signal<bool> {
        Signal::derive(move || !self.window.with(|window| window.has(path)))
    }

    /// What is made of the newest processes.
    pub(super) fn processes<T>(self, make: impl FnOnce(&Processes) -> T) -> T {
        self.window.track();
        self.present.with_value(|present| make(&present.processes))
    }

    /// What is made of the newest verdict.
    pub(super) fn verdict<T>(self, make: impl FnOnce(&Verdict) -> T) -> T {
        self.window.track();
        self.present.with_value(|present| make(&present.verdict))
    }

    /// What is told of the process with this key, if it is told of.
    pub(super) fn process<T>(self, key: &str, tell: impl FnOnce(&Process) -> T) -> Option<T> {
        let (pid, name) = key.split_once(' ')?;
        let pid: u32 = pid.parse().ok()?;
        let is_it = |process: &&Process| process.pid == pid && process.name == name;
        self.processes(|processes| processes.top.iter().find(is_it).map(tell))
    }

    /// Seconds from then (unix seconds) to now.
    pub(super) fn age(self, then: Option<f64>) -> Option<f64> {
        let now = self.window.with(|window| window.end())? / 1000;
        Some((now as f64 - then?).max(0.0))
    }

    /// The newest figure, as text and symbol.
    pub(super) fn figure(self, value: Value, unit: Unit) -> (String, &'static str) {
        unit.figure(self.window.with(|window| value.at(window, 0)))
    }
}

/// A text that follows what it is made from. It has the same type wherever it stands, so that all of them share the
/// code that puts a text into the page; a closure of its own for each would make the library a fifth larger.
pub(super) fn text(make: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(make)
}
