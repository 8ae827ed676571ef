//! The page: thin Leptos views over the metrics window. The server renders them for the first response; the browser
//! hydrates them from the same data.

#[cfg(feature = "ssr")]
mod arrange_page;
#[cfg(feature = "ssr")]
mod channels_page;
mod chart;
mod connection_state;
mod cores;
mod coverage;
mod crosshair;
mod frozen_view;
mod header;
#[cfg(feature = "ssr")]
mod history_charts;
#[cfg(feature = "ssr")]
mod history_page;
mod initial_data;
#[cfg(feature = "ssr")]
mod long_range;
#[cfg(feature = "ssr")]
mod message_page;
mod overview;
mod page_state;
mod panel;
mod ports;
#[cfg(feature = "ssr")]
mod recording_page;
#[cfg(feature = "ssr")]
mod settings_page;
#[cfg(feature = "ssr")]
mod shell;
#[cfg(feature = "ssr")]
mod sign_in_page;
mod table;
mod table_view;
mod theme;
mod time_axis;
mod time_range;
mod verdict;
mod view;
mod view_control;
mod zone;

#[cfg(feature = "ssr")]
pub use arrange_page::{ArrangeView, ArrangedPanel, Direction, arrange_page};
#[cfg(feature = "ssr")]
pub use channels_page::{ChannelForm, ChannelsView, channels_page};
pub use connection_state::{ConnectionState, STALE_MS, Status};
pub use frozen_view::FrozenView;
#[cfg(feature = "ssr")]
pub use history_charts::{ChartedRange, HistoryCharts};
#[cfg(feature = "ssr")]
pub use history_page::{Compare, HistoryRange, HistoryView, history_page};
pub use initial_data::{INITIAL_DATA_ELEMENT, InitialData, PageIdentity};
#[cfg(feature = "ssr")]
pub use long_range::{KeepsHistory, LongRange, UnknownLongRange};
#[cfg(feature = "ssr")]
pub use message_page::{message_page, offline_page};
pub use page_state::PageState;
pub use ports::{CanvasContent, Ports};
#[cfg(feature = "ssr")]
pub use recording_page::{RecordingsView, recording_file, recording_page, recordings_page};
#[cfg(feature = "ssr")]
pub use settings_page::{SessionRow, SettingsView, TokenRow, UserRow, settings_page};
#[cfg(feature = "ssr")]
pub use shell::{Parts, inline_scripts, shell};
#[cfg(feature = "ssr")]
pub use sign_in_page::{ProviderLink, SignInForm, sign_in_page};
pub use table::TableState;
pub use theme::Theme;
pub use time_range::{TimeRange, UnknownTimeRange};
pub use view::{PageMode, View};

use crate::panels::{self, PanelKind};
use coverage::Coverage;
use header::Header;
use leptos::{either::EitherOf3, prelude::*};
use overview::Overview;
use page_state::text;
use panel::{Panel, Processes, TablePanel};
use std::sync::Arc;
use verdict::VerdictView;

/// The dashboard at the tick of `initial_data`; `ports` keep it up to date from there.
pub fn dashboard(initial_data: InitialData, ports: &'static Ports) -> impl IntoView {
    let state = PageState::new(initial_data, ports);
    provide_context(state);
    (ports.follow)(state);
    view! {
        <div class=text(move || state.class())>
            <Header/>
            <VerdictView/>
            {(!state.has_few_panels()).then(|| view! { <Overview/> })}
            <main>{panels_view(state, |_| true)}</main>
            <Coverage/>
        </div>
    }
}

/// The panels that `is_shown` by their ids.
fn panels_view(state: PageState, is_shown: impl Fn(&str) -> bool) -> impl IntoView {
    let render = |panel: Arc<panels::Panel>| match panel.kind() {
        PanelKind::Chart => EitherOf3::A(view! { <Panel panel/> }),
        PanelKind::Table => EitherOf3::B(view! { <TablePanel panel/> }),
        PanelKind::Processes => EitherOf3::C(view! { <Processes panel/> }),
    };
    state.panels.get_value().into_iter().filter(|panel| is_shown(&panel.id)).map(render).collect_view()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::{
        panels::host_panels,
        schema::{EventFilter, HostFacts, LatestValues, Window},
    };

    #[test]
    fn dashboard_renders_every_panel_without_a_browser() {
        let initial_data = InitialData {
            identity: PageIdentity::default(),
            account: String::new(),
            host: HostFacts { name: "alpha".to_owned(), cores: 2, ..HostFacts::default() },
            view: View::default(),
            panels: host_panels().into_iter().map(std::sync::Arc::new).collect(),
            time_range: TimeRange::default(),
            last_event_id: None,
            columns: Window::new(1).snapshot(None, 1, &EventFilter::All),
            latest: LatestValues::default(),
        };
        let html = Owner::new().with(|| dashboard(initial_data, &Ports::NONE).to_html());
        assert!(html.contains("<h1>alpha</h1>"), "{html}");
        for crate::panels::Panel { id, .. } in host_panels() {
            assert!(html.contains(&format!("id=\"{id}\"")), "{id} is missing in {html}");
        }
    }
}
