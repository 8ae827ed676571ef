//! The state that the page is rendered from, as Leptos signals.

use super::{FrozenView, InitialData, PageIdentity, Ports, Status, Theme, TimeRange, View, panel::PanelRef};
use crate::{
    charts::Span,
    panels::Panel,
    schema::{HostFacts, LatestValues, Process, Processes, Verdict, Window, WindowSlice},
};
use leptos::prelude::*;
use std::sync::Arc;

/// The most panels that need no overview.
const FEW_PANELS: usize = 4;

/// The page's state: handles, which are cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct PageState {
    /// Whose page this is.
    pub identity: StoredValue<PageIdentity>,
    /// The user who is signed in, or nothing.
    pub account: StoredValue<String>,
    /// Facts about the host.
    pub host: StoredValue<HostFacts>,
    /// Which panels are shown, and with which controls.
    pub view: StoredValue<View>,
    /// What each panel shows.
    pub panels: StoredValue<Vec<Arc<Panel>>>,
    /// The samples. Notifies once a tick, after all its groups have arrived.
    pub window: RwSignal<Window>,
    /// Values without history. Views of them track the window.
    pub latest: StoredValue<LatestValues>,
    /// The time range of the charts while they are live.
    pub time_range: RwSignal<TimeRange>,
    /// The seconds that the charts show instead while they are paused.
    pub frozen: RwSignal<Option<FrozenView>>,
    /// The annotations and gaps in view.
    pub spans: Memo<Vec<Span>>,
    /// The second that the crosshair points at, in seconds before the last in view.
    pub pointed: RwSignal<Option<usize>>,
    /// The second at which the selection began, counted like `pointed`, which is its other end.
    pub selected: RwSignal<Option<usize>>,
    /// The pointer id of the finger that points; other fingers select.
    pub finger: StoredValue<Option<i32>>,
    /// The state of the event stream.
    pub status: RwSignal<Status>,
    /// The address at which the reader signs in again, once the session has ended.
    pub sign_in: RwSignal<String>,
    /// Why the page has just reloaded itself; empty if it hasn't.
    pub reloaded: RwSignal<String>,
    /// Light or dark.
    pub theme: RwSignal<Theme>,
    /// Whether times are in UTC, as in the server's HTML, or in the reader's zone.
    pub is_utc: RwSignal<bool>,
    /// Id of the last event in what the server rendered, after which the stream resumes.
    pub last_event_id: StoredValue<Option<String>>,
    /// The browser's side of the page.
    pub(super) ports: &'static Ports,
}

impl PageState {
    /// The state after `initial_data`, with room for the longest time range.
    pub fn new(initial_data: InitialData, ports: &'static Ports) -> Self {
        let window = RwSignal::new(Window::from(&initial_data.columns).with_capacity(TimeRange::LONGEST.seconds()));
        let latest = StoredValue::new(initial_data.latest);
        let (time_range, frozen) = (RwSignal::new(initial_data.time_range), RwSignal::new(None::<FrozenView>));
        Self {
            window,
            latest,
            time_range,
            frozen,
            spans: Memo::new(move |_| {
                let slice = in_view(window, time_range, frozen);
                latest.with_value(|latest| window.with(|window| Span::list(window, slice, &latest.annotations)))
            }),
            pointed: RwSignal::new(None),
            selected: RwSignal::new(None),
            finger: StoredValue::new(None),
            status: RwSignal::new(Status::default()),
            sign_in: RwSignal::new(String::new()),
            reloaded: RwSignal::new(String::new()),
            identity: StoredValue::new(initial_data.identity),
            account: StoredValue::new(initial_data.account),
            host: StoredValue::new(initial_data.host),
            view: StoredValue::new(initial_data.view),
            panels: StoredValue::new(initial_data.panels),
            theme: RwSignal::new(Theme::Auto),
            is_utc: RwSignal::new(true),
            last_event_id: StoredValue::new(initial_data.last_event_id),
            ports,
        }
    }

    /// The part of the window that is in view.
    pub fn slice(self) -> WindowSlice {
        in_view(self.window, self.time_range, self.frozen)
    }

    /// Seconds from the second whose values the legends show to the newest.
    pub(super) fn value_age(self) -> usize {
        self.slice().skip + self.pointed.get().unwrap_or(0)
    }

    /// Whether the host has no series for a panel. A panel without series is hidden: adding it to the page later
    /// would make the library a third larger.
    pub(super) fn is_missing(self, panel: PanelRef) -> Signal<bool> {
        // A moment may lack what the range has.
        #[cfg(feature = "ssr")]
        if use_context::<super::HistoryCharts>()
            .is_some_and(|charts| panel.with_value(|panel| charts.has(panel.path())))
        {
            return Signal::stored(false);
        }
        Signal::derive(move || !self.window.with(|window| panel.with_value(|panel| window.has(panel.path()))))
    }

    /// The published channels that the page shows.
    pub fn published_channels(self) -> Vec<String> {
        let is_published = |panel: &&Arc<Panel>| panel.is_published();
        self.panels.with_value(|panels| panels.iter().filter(is_published).map(|panel| panel.id.clone()).collect())
    }

    /// The page's classes in the stylesheet.
    pub(super) fn class(self) -> String {
        let frozen = if self.frozen.get().is_some() { " holds" } else { "" };
        let (connection, behind) = self.status.with(|status| (status.connection.class(), status.is_behind()));
        let mode = self.view.with_value(|view| view.mode.as_str());
        let few = if self.has_few_panels() { " few " } else { " " };
        ["page ", mode, few, connection, if behind { " behind" } else { "" }, frozen].concat()
    }

    /// Whether the panels are so few that they share the page equally, without an overview.
    pub(super) fn has_few_panels(self) -> bool {
        self.panels.with_value(|panels| panels.len() <= FEW_PANELS)
    }

    /// Reads the newest processes.
    pub(super) fn processes<T>(self, read: impl FnOnce(&Processes) -> T) -> T {
        self.window.track();
        self.latest.with_value(|latest| read(&latest.processes))
    }

    /// Reads the newest verdict.
    pub(super) fn verdict<T>(self, read: impl FnOnce(&Verdict) -> T) -> T {
        self.window.track();
        self.latest.with_value(|latest| read(&latest.verdict))
    }

    /// Reads the process with this key; `None` if it is no longer listed.
    pub(super) fn process<T>(self, key: &str, read: impl FnOnce(&Process) -> T) -> Option<T> {
        let (pid, name) = key.split_once(' ')?;
        let pid: u32 = pid.parse().ok()?;
        let matches = |process: &&Process| process.pid == pid && process.name == name;
        self.processes(|processes| processes.top.iter().find(matches).map(read))
    }

    /// Seconds from `start` (unix seconds) to the newest tick.
    pub(super) fn age(self, start: Option<f64>) -> Option<f64> {
        let now = self.window.with(|window| window.end())? / 1000;
        Some((now as f64 - start?).max(0.0))
    }
}

fn in_view(
    window: RwSignal<Window>,
    time_range: RwSignal<TimeRange>,
    frozen: RwSignal<Option<FrozenView>>,
) -> WindowSlice {
    match frozen.get() {
        None => WindowSlice::newest(time_range.get().seconds()),
        Some(frozen) => frozen.slice(window.with(|window| window.end()).unwrap_or_default()),
    }
}

/// A reactive text. All texts of the page have this one type and share the code that renders them: with a closure type
/// for each, the library would be a fifth larger.
pub(super) fn text(compute: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(compute)
}
