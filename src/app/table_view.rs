//! A table on the page: sorted by whichever heading is clicked, filtered by what is typed, and as it was left.

use super::{
    PageMode, PageState,
    page_state::text,
    table::{Table, TableState, arrange},
};
use leptos::prelude::*;

/// Rows from which on there is something to filter.
const MANY: usize = 8;
/// Milliseconds for which rows stay where they are once somebody has pointed at one: he is reading it. Counted in ticks,
/// for a pointer may be left lying there.
const HOLD_MS: u64 = 5_000;

/// A row is a place: what stands in it changes, so that no order makes the page anew.
#[component]
pub(super) fn TableView(table: &'static Table) -> impl IntoView {
    let state = expect_context::<PageState>();
    let reading = RwSignal::new(TableState { sort: table.sort, filter: String::new(), pointed: None });
    let order = Memo::new(move |shown: Option<&Vec<String>>| {
        reading.with(|reading| {
            let now = state.window.with(|window| window.end());
            let frozen = reading.pointed.zip(now).is_some_and(|(at, now)| now.abs_diff(at) < HOLD_MS);
            arrange(table.sorted(state, reading), shown, frozen)
        })
    });
    (state.ports.remember)(table.id, reading, state.view.with_value(|view| view.frame != PageMode::Kiosk));
    let point = move |_| {
        let now = state.window.with_untracked(|window| window.end());
        if reading.with_untracked(|reading| reading.pointed != now) {
            reading.update(|reading| reading.pointed = now);
        }
    };

    let row = move |key: &String| {
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
    let heading = move |(column, title): (usize, &'static str)| {
        let click = move |_| {
            reading.update(|reading| {
                // What was asked for is what comes, whoever points where.
                reading.pointed = None;
                reading.sort = reading.sort.click(column);
            });
        };
        let sorted = text(move || reading.with(|reading| reading.sort.aria(column).to_owned()));
        view! { <th scope="col" aria-sort=sorted><button type="button" on:click=click>{title}</button></th> }
    };
    let few = Signal::derive(move || order.with(Vec::len) < MANY && reading.with(|reading| reading.filter.is_empty()));
    let bare = Signal::derive(move || order.with(Vec::is_empty) && few.get());
    let filter = text(move || reading.with(|reading| reading.filter.clone()));
    let typed = move |event| {
        reading.update(|reading| {
            reading.pointed = None;
            reading.filter = event_target_value(&event);
        });
    };
    let name = Signal::stored(["Filter by ", &table.title.to_ascii_lowercase()].concat());
    let titles = [table.title].into_iter().chain(table.columns.iter().map(|(title, ..)| *title));
    view! {
        <div class="devices" id=table.id hidden=bare on:pointermove=point>
            <input type="search" placeholder="Filter" aria-label=name hidden=few prop:value=filter on:input=typed/>
            <table aria-label=table.title>
                <thead><tr>{titles.enumerate().map(heading).collect_view()}</tr></thead>
                <tbody>{move || order.with(|keys| keys.iter().map(row).collect_view())}</tbody>
            </table>
        </div>
    }
}
