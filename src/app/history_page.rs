//! A page of the history: the dashboard's panels over any range of time, complete without a script. The script adds the
//! crosshair, zooming, and times in the reader's zone.

use super::{
    ChartedRange, FrozenView, HistoryCharts, InitialData, LongRange, PageState, Parts, Ports, TimeRange,
    header::{Account, Facts, Mark},
    panels_view,
    shell::{head_script, page_head},
};
use crate::{
    app::overview::Overview,
    charts::Span,
    units::{date, duration, time_of_day, timestamp},
};
use leptos::prelude::*;
use std::sync::Arc;

/// The range of a page, and what it is compared with.
#[derive(Clone, Debug, Default)]
pub struct HistoryRange {
    /// The first moment, unix ms.
    pub from: u64,
    /// The last moment, unix ms.
    pub to: u64,
    /// The moment whose values the legends and tables show, unix ms.
    pub at: u64,
    /// The range that ends now which was chosen, if one was.
    pub chosen: Option<LongRange>,
    /// How much earlier the range is that it is compared with.
    pub compare: Option<Compare>,
}

/// How much earlier the compared range is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// A day.
    Day,
    /// A week.
    Week,
}

impl Compare {
    /// Both, the shorter first.
    pub const ALL: [Self; 2] = [Self::Day, Self::Week];

    /// Its name in the address: `compare=1d`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "1d",
            Self::Week => "1w",
        }
    }

    /// Milliseconds between both ranges.
    pub const fn ms(self) -> u64 {
        match self {
            Self::Day => 86_400_000,
            Self::Week => 7 * 86_400_000,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Day => "the day before",
            Self::Week => "the week before",
        }
    }
}

/// What the page shows: the data of `initial_data` is that of one moment, `charts` has the range.
#[derive(Debug)]
pub struct HistoryView {
    /// The moment, as the dashboard shows the present.
    pub initial_data: InitialData,
    /// Where it is in time.
    pub range: HistoryRange,
    /// What the charts show.
    pub charts: ChartedRange,
}

/// The document.
pub fn history_page(parts: &Parts, view: HistoryView) -> String {
    let title = format!("{} · Hostbeat", view.initial_data.host.name);
    let moment = Moment::of(view);
    let (state, range) = (moment.state, &moment.range);
    let content = view! {
        {picker(state, range)}
        {moment.summary()}
        {(!state.has_few_panels()).then(|| view! { <Overview/> })}
        <main>{moment.panels()}</main>
        {moment.footer()}
        {bar(state, range)}
    };
    moment.document(parts, "", title, ranges(state, range.chosen), content)
}

/// A moment of a range, as views render it.
pub(super) struct Moment {
    state: PageState,
    range: HistoryRange,
    charts: HistoryCharts,
    has_processes: bool,
}

impl Moment {
    /// Provides the context of the views.
    pub(super) fn of(view: HistoryView) -> Self {
        let HistoryView { initial_data, range, charts } = view;
        let charts = HistoryCharts(Arc::new(charts));
        let state = PageState::new(initial_data, &Ports::NONE);
        let seconds = (range.to.saturating_sub(range.from) / 1000).max(1) as usize + 1;
        state.frozen.set(Some(FrozenView { last: range.to, seconds }));
        provide_context(state);
        provide_context(charts.clone());
        let has_processes = state.latest.with_value(|latest| latest.processes.total > 0);
        Self { state, range, charts, has_processes }
    }

    /// The classes of the page.
    pub(super) fn class(&self) -> String {
        [&self.state.class(), " history"].concat()
    }

    /// Milliseconds of a step.
    fn step_ms(&self) -> u64 {
        self.charts.0.mean.step_ms()
    }

    /// The document. `root` is the way to the dashboard where the page is below it, and else empty.
    pub(super) fn document(
        &self,
        parts: &Parts,
        root: &'static str,
        title: String,
        navigation: impl IntoView,
        content: impl IntoView,
    ) -> String {
        let document = view! {
            <!DOCTYPE html>
            <html lang="en" translate="no">
                <head>
                    {(!root.is_empty()).then(|| view! { <base href=root/> })}
                    {page_head(title, parts.style.clone())}
                    <link rel="stylesheet" href=parts.history_style.clone()/>
                    <script inner_html=head_script()></script>
                    <script type="module" src=parts.history_script.clone()></script>
                </head>
                <body>
                    <div
                        class=self.class()
                        data-from=self.charts.0.mean.start().unwrap_or(self.range.from)
                        data-step=self.step_ms()
                        data-steps=self.charts.0.mean.len()
                        data-at=self.range.at
                    >
                        <header class="top">
                            <Mark/>
                            <Facts/>
                            <nav aria-label="View">
                                {navigation}
                                <button class="tool zone" type="button" aria-label="Time zone" hidden>"UTC"</button>
                                <button class="tool theme" type="button" aria-label="Theme" hidden>"◐"</button>
                                <Account/>
                            </nav>
                        </header>
                        {content}
                    </div>
                </body>
            </html>
        };
        document.to_html()
    }

    /// The panels; that of processes only where some were sampled.
    pub(super) fn panels(&self) -> impl IntoView + use<> {
        let has_processes = self.has_processes;
        panels_view(self.state, move |panel| has_processes || panel != "processes")
    }

    /// What the page shows, in words.
    pub(super) fn summary(&self) -> impl IntoView + use<> {
        let Self { range, has_processes, .. } = self;
        let length = duration(range.to.saturating_sub(range.from) / 1000);
        let step = match self.step_ms() {
            1000 => "at every second".to_owned(),
            ms => format!("in steps of {}, with the smallest and largest values as bands", duration(ms / 1000)),
        };
        let compared = range.compare.map(|compare| format!(", {} in grey", compare.label())).unwrap_or_default();
        let values = if *has_processes { "Values, tables and processes" } else { "Values and tables" };
        let missing = if *has_processes { "." } else { "; no processes were sampled then." };
        view! {
            <section class="verdict summary" aria-label="What the page shows">
                <b>{length}</b>{format!(" {step}{compared}. {values} are of ")}{moment(range.at)}" "
                <span class="zone-name">"UTC"</span>{missing}
            </section>
        }
    }

    /// What happened, and when nothing was sampled.
    pub(super) fn footer(&self) -> impl IntoView + use<> {
        let step_ms = self.step_ms();
        let entry = |span: Span| {
            let is_gap = span.is_gap();
            // A gap ends with its last step.
            let last = if is_gap { span.last + step_ms } else { span.last };
            let until = (last > span.first).then(|| view! { "\u{2013}"{moment(last)} });
            let text = if is_gap { " no samples".to_owned() } else { format!(" {}", span.text) };
            view! { <li>{moment(span.first)}{until}{text}</li> }
        };
        view! {
            <footer class="coverage">
                <ul class="spans">{self.charts.spans().into_iter().map(entry).collect_view()}</ul>
            </footer>
        }
    }
}

/// A moment, with its date. The script writes it in the reader's zone.
pub(super) fn moment(t: u64) -> impl IntoView {
    view! { <time datetime=timestamp(t)>{format!("{} {}", date(t), time_of_day(t))}</time> }
}

/// The links to all ranges that end now.
fn ranges(state: PageState, chosen: Option<LongRange>) -> impl IntoView {
    let live = TimeRange::ALL.map(|range| {
        let href = state.view.with_value(|view| view.href(range));
        view! { <a href=href>{range.label()}</a> }
    });
    view! {
        <div class="choices" role="group" aria-label="Time range">
            {live.into_iter().collect_view()}
            {state.view.with_value(|view| view.long_range_links(chosen))}
        </div>
    }
}

/// The form that chooses any range. Without a script, times are in UTC.
fn picker(state: PageState, range: &HistoryRange) -> impl IntoView {
    let local = |t: u64| format!("{}T{}", date(t), time_of_day(t));
    let panels = state.view.with_value(|view| view.panels.clone());
    let panels = (!panels.is_empty()).then(|| view! { <input type="hidden" name="panels" value=panels/> });
    let choice = |compare: Compare| {
        view! { <option value=compare.as_str() selected=range.compare == Some(compare)>{compare.label()}</option> }
    };
    view! {
        <form class="picker" aria-label="Range">
            {panels}
            <label>"From "<input type="datetime-local" name="from" step="1" required value=local(range.from)/></label>
            <label>"to "<input type="datetime-local" name="to" step="1" required value=local(range.to)/></label>
            <b class="zone-name">"UTC"</b>
            <label>
                "Compare with "
                <select name="compare">
                    <option value="">"nothing"</option>
                    {Compare::ALL.map(choice).into_iter().collect_view()}
                </select>
            </label>
            <button>"Show"</button>
        </form>
    }
}

/// Moves in time, as the bar of the paused dashboard does.
fn bar(state: PageState, range: &HistoryRange) -> impl IntoView {
    let half = (range.to - range.from) / 2;
    let panels = state.view.with_value(|view| view.panels.clone());
    let href = |from: u64, to: u64| {
        let compare = range.compare.map(|compare| format!("&compare={}", compare.as_str())).unwrap_or_default();
        let panels = if panels.is_empty() { String::new() } else { format!("&panels={panels}") };
        format!("?from={from}&to={to}{compare}{panels}")
    };
    let link = |name: &'static str, symbol: &'static str, from, to| {
        view! { <a href=href(from, to) aria-label=name title=name>{symbol}</a> }
    };
    let live = state.view.with_value(|view| view.href(TimeRange::default()));
    view! {
        <nav class="held" aria-label="History">
            {link("Earlier", "←", range.from.saturating_sub(half), range.to.saturating_sub(half))}
            <p role="status">{moment(range.from)}"–"{moment(range.to)}" "<span class="zone-name">"UTC"</span></p>
            {link("Later", "→", range.from + half, range.to + half)}
            {link("Zoom out", "−", range.from.saturating_sub(half), range.to + half)}
            <a href=live>"Live"</a>
        </nav>
    }
}
