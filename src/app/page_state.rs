//! What the page shows is a function of this.

use super::{FrozenView, InitialData, Ports, Status, Theme, TimeRange, View};
use crate::schema::{HostFacts, LatestValues, Process, Processes, Verdict, Window, WindowSlice};
use leptos::prelude::*;

/// The page's state: handles, cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct PageState {
    /// Facts about the host.
    pub host: StoredValue<HostFacts>,
    /// What of the page is shown.
    pub view: StoredValue<View>,
    /// The samples; it notifies once a tick, when all groups of the tick are in.
    pub window: RwSignal<Window>,
    /// What has no past; who shows it follows the window.
    pub present: StoredValue<LatestValues>,
    /// How much of the window is shown.
    pub time_range: RwSignal<TimeRange>,
    /// What the charts show in its place, while time goes on.
    pub frozen: RwSignal<Option<FrozenView>>,
    /// First and last tick of each span of seconds in view without a sample.
    pub gaps: Memo<Vec<(u64, u64)>>,
    /// The second that is pointed at in the charts, by how many seconds it lies before the last in view.
    pub pointed: RwSignal<Option<usize>>,
    /// The second at which a selection has begun that reaches to the one that is pointed at, counted like that.
    pub selected: RwSignal<Option<usize>>,
    /// The finger that points, of those that touch the charts: the number of its pointer.
    pub finger: StoredValue<Option<i32>>,
    /// How the stream is doing.
    pub status: RwSignal<Status>,
    /// Light or dark.
    pub theme: RwSignal<Theme>,
    /// The id after which the stream goes on from what the server rendered.
    pub after: StoredValue<Option<String>>,
    /// The browser's side of the page.
    pub(super) ports: &'static Ports,
}

impl PageState {
    /// The state that a initial_data describes, with room for the longest window.
    pub fn new(initial_data: InitialData, ports: &'static Ports) -> Self {
        let window = RwSignal::new(Window::from(&initial_data.columns).with_capacity(TimeRange::LONGEST.seconds()));
        let (time_range, frozen) = (RwSignal::new(initial_data.time_range), RwSignal::new(None::<FrozenView>));
        Self {
            window,
            present: StoredValue::new(initial_data.present),
            time_range,
            frozen,
            gaps: Memo::new(move |_| {
                let slice = in_view(window, time_range, frozen);
                window.with(|window| window.gaps(slice))
            }),
            pointed: RwSignal::new(None),
            selected: RwSignal::new(None),
            finger: StoredValue::new(None),
            status: RwSignal::new(Status::default()),
            host: StoredValue::new(initial_data.host),
            view: StoredValue::new(initial_data.view),
            theme: RwSignal::new(Theme::Auto),
            after: StoredValue::new(initial_data.after),
            ports,
        }
    }

    /// What of the window is in view.
    pub fn slice(self) -> WindowSlice {
        in_view(self.window, self.time_range, self.frozen)
    }

    /// How many seconds before the newest that lies that charts tell the figures of.
    pub(super) fn told(self) -> usize {
        self.slice().skip + self.pointed.get().unwrap_or(0)
    }

    /// Whether the host has nothing at or below a path: a panel without anything is hidden. To leave it out instead, and
    /// put it in when something comes, would weigh a third more.
    pub(super) fn lacks(self, path: &'static str) -> Signal<bool> {
        Signal::derive(move || !self.window.with(|window| window.has(path)))
    }

    /// The page's classes in the stylesheet.
    pub(super) fn class(self) -> String {
        let holds = if self.frozen.get().is_some() { " holds" } else { "" };
        let (link, behind) = self.status.with(|status| (status.connection.class(), status.is_behind()));
        [&*self.view.with_value(View::class), " ", link, if behind { " behind" } else { "" }, holds].concat()
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

/// A text that follows what it is made from. It has the same type wherever it stands, so that all of them share the
/// code that puts a text into the page; a closure of its own for each would make the library a fifth larger.
pub(super) fn text(make: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(make)
}
