//! The page: thin Leptos views over the window. The same views run on the server, for the first response, and in the
//! browser, which takes over what the server rendered from the very same data.

mod chart;
mod cores;
mod coverage;
mod crosshair;
mod header;
mod held;
mod link;
#[cfg(feature = "ssr")]
mod message;
mod overview;
mod panel;
mod seed;
#[cfg(feature = "ssr")]
mod shell;
mod span;
mod state;
mod table;
mod table_view;
mod tables;
mod theme;
mod verdict;
mod view;

pub use held::Held;
pub use link::{Link, STALE_MS, Status};
#[cfg(feature = "ssr")]
pub use message::message_page;
pub use seed::{SEED_ELEMENT, Seed};
#[cfg(feature = "ssr")]
pub use shell::{Parts, shell};
pub use span::{Span, UnknownSpan};
pub use state::State;
pub use table::{Reading, Sort};
pub use tables::core_history;
#[cfg(feature = "ssr")]
pub use tables::history;
pub use theme::Theme;
pub use view::{Frame, View};

use crate::charts::CHARTS;
use coverage::Coverage;
use header::Header;
use leptos::prelude::*;
use overview::Overview;
use panel::{Panel, Processes, Services};
use state::text;
use verdict::VerdictView;

/// Every panel's name in the address.
#[cfg(feature = "ssr")]
pub fn panels() -> impl Iterator<Item = &'static str> {
    CHARTS.iter().map(|chart| chart.id).chain(["services", "processes"])
}

/// The dashboard, as it stood when `seed` was taken; in the browser it lives on from there.
pub fn dashboard(seed: Seed) -> impl IntoView {
    let state = State::new(seed);
    provide_context(state);
    #[cfg(feature = "hydrate")]
    crate::browser::follow(state);
    let (services, processes) = state.view.with_value(|view| (view.shows("services"), view.shows("processes")));
    let charts = CHARTS.iter().filter(|chart| state.view.with_value(|view| view.shows(chart.id)));
    view! {
        <div class=text(move || state.class())>
            <Header/>
            <VerdictView/>
            {state.view.with_value(View::has_overview).then(|| view! { <Overview/> })}
            <main>
                {charts.map(|chart| view! { <Panel chart/> }).collect_view()}
                {services.then(|| view! { <Services/> })}
                {processes.then(|| view! { <Processes/> })}
            </main>
            <Coverage/>
        </div>
    }
}
