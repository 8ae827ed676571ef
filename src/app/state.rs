//! What the page shows is a function of this.

use super::{Link, Seed, Span};
use crate::{
    charts::{Chart, Value, units::Unit},
    metrics::{HostFacts, Window},
};
use leptos::prelude::*;

/// The page's state: handles, cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// Facts about the host.
    pub host: StoredValue<HostFacts>,
    /// The samples; it notifies once a tick, when all groups of the tick are in.
    pub window: RwSignal<Window>,
    /// How much of the window is shown.
    pub span: RwSignal<Span>,
    /// How the stream is doing.
    pub link: RwSignal<Link>,
    /// The id after which the stream goes on from what the server rendered.
    pub after: StoredValue<Option<String>>,
}

impl State {
    /// The state that a seed describes, with room for the longest window.
    pub fn new(seed: Seed) -> Self {
        let longest = Span::ALL.iter().map(|span| span.seconds()).max().unwrap_or_default();
        Self {
            window: RwSignal::new(Window::from(&seed.columns).with_capacity(longest)),
            span: RwSignal::new(seed.span),
            link: RwSignal::new(Link::Connecting),
            host: StoredValue::new(seed.host),
            after: StoredValue::new(seed.after),
        }
    }

    /// Whether a chart belongs on the page: not if the host turns out not to have that group.
    pub(super) fn shows(self, chart: &Chart) -> bool {
        self.window.with_untracked(|window| window.is_empty() || window.has(&format!("{}.", chart.id)))
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
