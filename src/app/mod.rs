//! The page: thin Leptos views over the metrics window. The server renders them for the first response; the browser
//! hydrates them from the same data.

mod chart;
mod connection_state;
mod cores;
mod coverage;
mod crosshair;
mod frozen_view;
mod header;
mod initial_data;
#[cfg(feature = "ssr")]
mod message_page;
mod overview;
mod page_state;
mod panel;
mod ports;
#[cfg(feature = "ssr")]
mod settings_page;
#[cfg(feature = "ssr")]
mod shell;
#[cfg(feature = "ssr")]
mod sign_in_page;
mod table;
mod table_view;
mod tables;
mod theme;
mod time_axis;
mod time_range;
mod verdict;
mod view;
mod view_control;
mod zone;

pub use connection_state::{ConnectionState, STALE_MS, Status};
pub use frozen_view::FrozenView;
pub use initial_data::{INITIAL_DATA_ELEMENT, InitialData, PageIdentity};
#[cfg(feature = "ssr")]
pub use message_page::{message_page, offline_page};
pub use page_state::PageState;
pub use ports::{CanvasContent, Ports};
#[cfg(feature = "ssr")]
pub use settings_page::{SessionRow, SettingsView, TokenRow, UserRow, settings_page};
#[cfg(feature = "ssr")]
pub use shell::{Parts, inline_scripts, shell};
#[cfg(feature = "ssr")]
pub use sign_in_page::{ProviderLink, SignInForm, sign_in_page};
pub use table::{Sort, TableState};
pub use tables::core_history;
#[cfg(feature = "ssr")]
pub use tables::history;
pub use theme::Theme;
pub use time_range::{TimeRange, UnknownTimeRange};
pub use view::{PageMode, View};

use crate::charts::CHARTS;
use coverage::Coverage;
use header::Header;
use leptos::prelude::*;
use overview::Overview;
use page_state::text;
use panel::{Panel, Processes, Services};
use verdict::VerdictView;

/// The paths of all series that tiles, details and tables show, with `*` for the name of a row.
#[cfg(all(test, feature = "ssr"))]
pub(crate) fn series_paths() -> impl Iterator<Item = String> {
    overview::series_paths().chain(panel::series_paths()).chain(tables::series_paths())
}

/// The names of all panels, as in `/?panels=`.
#[cfg(feature = "ssr")]
pub fn panels() -> impl Iterator<Item = &'static str> {
    CHARTS.iter().map(|chart| chart.id).chain(["services", "processes"])
}

/// The dashboard at the tick of `initial_data`; `ports` keep it up to date from there.
pub fn dashboard(initial_data: InitialData, ports: &'static Ports) -> impl IntoView {
    let state = PageState::new(initial_data, ports);
    provide_context(state);
    (ports.follow)(state);
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

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::schema::{EventNames, HostFacts, LatestValues, Window};

    #[test]
    fn dashboard_renders_every_panel_without_a_browser() {
        let initial_data = InitialData {
            identity: PageIdentity::default(),
            account: String::new(),
            host: HostFacts { name: "alpha".to_owned(), cores: 2, ..HostFacts::default() },
            view: View::default(),
            time_range: TimeRange::default(),
            last_event_id: None,
            columns: Window::new(1).snapshot(None, 1, EventNames::ALL),
            latest: LatestValues::default(),
        };
        let html = Owner::new().with(|| dashboard(initial_data, &Ports::NONE).to_html());
        assert!(html.contains("<h1>alpha</h1>"), "{html}");
        for panel in panels() {
            assert!(html.contains(&format!("id=\"{panel}\"")), "{panel} is missing in {html}");
        }
    }
}
