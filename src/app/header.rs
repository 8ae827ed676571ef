//! The header: host facts, connection indicator, time range, zone, pause and theme.

use super::{
    ConnectionState, PageState, Status, TimeRange,
    page_state::text,
    view_control::{FrozenBar, PauseButton},
    zone::ZoneSwitch,
};
use crate::units::{Unit, date, duration};
use leptos::prelude::*;

#[component]
pub(super) fn Header() -> impl IntoView {
    view! {
        <header class="top">
            <Mark/>
            <Facts/>
            <nav aria-label="View">
                <Indicator/>
                <TimeRangePicker/>
                <ZoneSwitch/>
                <PauseButton/>
                <ThemeSwitch/>
                <Account/>
            </nav>
        </header>
        <Notice/>
        <FrozenBar/>
    }
}

/// The product's name, a link to the dashboard.
#[component]
pub(super) fn Mark() -> impl IntoView {
    view! {
        <a class="mark" href="./">
            <svg viewBox="0 0 32 32" aria-hidden="true">
                <path d="M2 17h7l3-9 6 17 4-12 2 4h6"></path>
            </svg>
            "hostbeat"
        </a>
    }
}

/// The notice about a disturbed stream.
#[component]
fn Notice() -> impl IntoView {
    let state = expect_context::<PageState>();
    let notice = text(move || {
        let newest = state.window.with(|window| window.end()).map(|t| state.zoned_time(t));
        let notice = state.status.with(|status| status.notice(newest.as_deref()));
        if notice.is_empty() { state.reloaded.get() } else { notice }
    });
    let is_empty = Signal::derive(move || notice.with(String::is_empty));
    let is_streaming =
        Signal::derive(move || state.status.with(|status| status.connection != ConnectionState::Polling));
    let sign_in = text(move || state.sign_in.get());
    let is_signed_in = Signal::derive(move || sign_in.with(String::is_empty));
    view! {
        <aside class="notice" hidden=is_empty>
            {notice}
            <a href="docs/operations.md" hidden=is_streaming>"Proxy setup"</a>
            <a href=sign_in hidden=is_signed_in>"Sign in again"</a>
        </aside>
    }
}

#[component]
pub(super) fn Facts() -> impl IntoView {
    let state = expect_context::<PageState>();
    let host = state.host.get_value();
    let facts = [
        host.os,
        host.kernel.map(|kernel| format!("kernel {kernel}")),
        host.cpu.map(|model| format!("{} × {model}", host.cores)),
    ];
    let memory = text(move || Unit::Bytes.text(state.window.with(|window| window.last("memory.total_bytes"))));
    let uptime = text(move || {
        let now = state.window.with(|window| window.end()).unwrap_or_default() / 1000;
        duration(now.saturating_sub(host.boot_time))
    });
    // Paper keeps no clock: it needs the date of what it shows.
    let printed = text(move || {
        let t = state.tick_at(0);
        [&date(state.local(t)), " ", &*state.zoned_time(t)].concat()
    });
    view! {
        <ul class="facts">
            <li><h1>{host.name}</h1></li>
            {facts.into_iter().flatten().map(|fact| view! { <li>{fact}</li> }).collect_view()}
            <li>{memory}</li>
            <li>"up "{uptime}</li>
            <li class="printed">{printed}</li>
        </ul>
    }
}

#[component]
fn Indicator() -> impl IntoView {
    let state = expect_context::<PageState>();
    let name = text(move || state.status.with(|status| status.connection.name().to_owned()));
    let delay = text(move || state.status.with(Status::delay_text));
    view! {
        <div class="link">
            <span class="dot"></span>
            <p role="status">{name}</p>
            <small>{delay}</small>
        </div>
    }
}

/// Links to choose the time range, which work without JavaScript. With it, the page stays and only the address changes.
#[component]
fn TimeRangePicker() -> impl IntoView {
    let state = expect_context::<PageState>();
    let links = TimeRange::ALL.map(|time_range| {
        let current = text(move || if state.time_range.get() == time_range { "true" } else { "false" }.to_owned());
        let choose = move |event: leptos::ev::MouseEvent| {
            // With a modifier key, the browser opens the link in a new tab or window.
            if !(event.ctrl_key() || event.shift_key() || event.meta_key() || event.alt_key()) {
                event.prevent_default();
                state.show(None, time_range);
            }
        };
        view! { <a href=state.view.with_value(|view| view.href(time_range)) aria-current=current on:click=choose>{time_range.label()}</a> }
    });
    let links = links.into_iter().collect_view();
    // Hydration ignores nodes after the links that the browser renders.
    #[cfg(feature = "ssr")]
    let links = (
        links,
        use_context::<super::KeepsHistory>().map(|_| state.view.with_value(|view| view.long_range_links(None))),
    );
    view! { <div class="choices" role="group" aria-label="Time range">{links}</div> }
}

#[component]
fn ThemeSwitch() -> impl IntoView {
    let state = expect_context::<PageState>();
    let name = text(move || ["Theme: ", state.theme.get().as_str()].concat());
    let switch = move |_| state.theme.update(|theme| *theme = theme.next());
    view! { <button class="tool" type="button" aria-label=name title=name on:click=switch>"◐"</button> }
}

/// The menu of a user who is signed in.
#[component]
pub(super) fn Account() -> impl IntoView {
    let name = expect_context::<PageState>().account.get_value();
    (!name.is_empty()).then(|| {
        view! {
            <details class="account">
                <summary>{name}</summary>
                <form method="post" action="sign-out">
                    <a href="settings">"Settings"</a>
                    <button class="tool">"Sign out"</button>
                </form>
            </details>
        }
    })
}
