//! The view of a table, which can be sorted and filtered and keeps both in `localStorage`.

use super::{
    PageMode, PageState,
    page_state::text,
    panel::PanelRef,
    table::{TableState, arrange},
};
use crate::panels::Table;
use leptos::prelude::*;

/// Rows from which on the filter field appears.
const MIN_FILTERED_ROWS: usize = 8;
/// Milliseconds for which rows keep their positions after the pointer has moved over them. Measured in ticks, so that a
/// resting pointer doesn't freeze them for good.
const FREEZE_MS: u64 = 5_000;

/// A table of a panel, as a handle that is cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct TableRef {
    pub panel: PanelRef,
    pub index: usize,
}

impl TableRef {
    fn with<T>(self, read: impl FnOnce(&Table) -> T) -> T {
        self.panel.with_value(|panel| read(&panel.tables[self.index]))
    }
}

/// Rows are reused by position: a new order changes their content and adds no elements.
#[component]
pub(super) fn TableView(table: TableRef) -> impl IntoView {
    let state = expect_context::<PageState>();
    let (id, name, sort) = table.with(|table| (table.id.clone(), table.title.clone(), table.sort));
    let table_state = RwSignal::new(TableState { sort, filter: String::new(), pointed: None });
    let order = Memo::new(move |shown: Option<&Vec<String>>| {
        table_state.with(|table_state| {
            let now = state.window.with(|window| window.end());
            let frozen = table_state.pointed.zip(now).is_some_and(|(at, now)| now.abs_diff(at) < FREEZE_MS);
            arrange(table.with(|table| table.sorted(state, table_state)), shown, frozen)
        })
    });
    (state.ports.remember)(id.clone(), table_state, state.view.with_value(|view| view.mode != PageMode::Kiosk));
    let on_pointer_move = move |_| {
        let now = state.window.with_untracked(|window| window.end());
        if table_state.with_untracked(|table_state| table_state.pointed != now) {
            table_state.update(|table_state| table_state.pointed = now);
        }
    };

    let row = move |table: &Table, key: &String| {
        let cell = |column| table.cell(state, key, column).text();
        let lines = table.trend(state, key).into_iter();
        let cells =
            (1..=table.columns.len()).map(|column| view! { <td><span>{cell(column)}</span></td> }).collect_view();
        view! {
            <tr>
                <th scope="row">
                    <span>{cell(0)}</span>
                    <svg class="trend" hidden=!table.has_trend() viewBox="0 0 60 16" aria-hidden="true">
                        {lines.map(|points| view! { <polyline points=points></polyline> }).collect_view()}
                    </svg>
                    <small>{table.note(state, key)}</small>
                </th>
                {cells}
            </tr>
        }
    };
    let heading = move |(column, title): (usize, String)| {
        let on_click = move |_| {
            table_state.update(|table_state| {
                // The new order shows at once, even below the pointer.
                table_state.pointed = None;
                table_state.sort = table_state.sort.click(column);
            });
        };
        let sorted = text(move || table_state.with(|table_state| table_state.sort.aria(column).to_owned()));
        view! { <th scope="col" aria-sort=sorted><button type="button" on:click=on_click>{title}</button></th> }
    };
    let no_filter = Signal::derive(move || {
        order.with(Vec::len) < MIN_FILTERED_ROWS && table_state.with(|table_state| table_state.filter.is_empty())
    });
    let is_empty = Signal::derive(move || order.with(Vec::is_empty) && no_filter.get());
    let filter = text(move || table_state.with(|table_state| table_state.filter.clone()));
    let on_input = move |event| {
        table_state.update(|table_state| {
            table_state.pointed = None;
            table_state.filter = event_target_value(&event);
        });
    };
    let filter_name = Signal::stored(["Filter by ", &name.to_ascii_lowercase()].concat());
    let columns = table.with(|table| table.columns.iter().map(|column| column.label.clone()).collect::<Vec<_>>());
    let titles = [name.clone()].into_iter().chain(columns);
    let rows = move || table.with(|table| order.with(|keys| keys.iter().map(|key| row(table, key)).collect_view()));
    view! {
        <div class="devices" id=id hidden=is_empty on:pointermove=on_pointer_move>
            <input type="search" placeholder="Filter" aria-label=filter_name hidden=no_filter prop:value=filter on:input=on_input/>
            <table aria-label=name>
                <thead><tr>{titles.enumerate().map(heading).collect_view()}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
