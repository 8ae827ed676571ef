//! The top of the page: whose it is, how the stream is doing, which window is shown.

use super::{ConnectionState, FrozenView, PageState, Status, TimeRange, page_state::text};
use crate::units::{Unit, duration, time_of_day};
use leptos::prelude::*;

/// The button that stops the charts and lets them go on.
const PAUSE: &str = "pause";

#[component]
pub(super) fn Header() -> impl IntoView {
    view! {
        <header class="top">
            <a class="mark" href="/">
                <svg viewBox="0 0 32 32" aria-hidden="true">
                    <path d="M2 17h7l3-9 6 17 4-12 2 4h6"></path>
                </svg>
                "hostbeat"
            </a>
            <Facts/>
            <nav aria-label="View">
                <Indicator/>
                <WindowPicker/>
                <PauseButton/>
                <ThemeSwitch/>
            </nav>
        </header>
        <Notice/>
        <HeldBar/>
    }
}

/// What part of the past is in view while time goes on, and the ways to the next one and out of it.
#[component]
fn HeldBar() -> impl IntoView {
    let state = expect_context::<PageState>();
    let time = move |age: fn(FrozenView) -> usize| {
        text(move || state.frozen.get().map_or(String::new(), |frozen| time_of_day(state.tick(age(frozen)))))
    };
    let (from, to) = (time(|frozen| frozen.seconds - 1), time(|_| 0));
    let follows = Signal::derive(move || state.frozen.get().is_none());
    let moved = move |earlier: bool| {
        let start = state.window.with_untracked(|window| window.start()).unwrap_or_default();
        state.hold(|frozen, end| frozen.moved(earlier, start, end));
    };
    let go_on = move |_| {
        state.go_on();
        // The button is gone with the bar; who uses the keys goes on from the one that does the same.
        #[cfg(feature = "hydrate")]
        if let Some(button) = document().get_element_by_id(PAUSE) {
            crate::browser::focus(leptos::wasm_bindgen::JsCast::unchecked_ref(&button));
        }
    };
    view! {
        <div class="held" hidden=follows>
            <button type="button" aria-label="Earlier" on:click=move |_| moved(true)>"←"</button>
            <p role="status"><time>{from}</time>"–"<time>{to}</time>" UTC"</p>
            <button type="button" aria-label="Later" on:click=move |_| moved(false)>"→"</button>
            <button type="button" on:click=go_on>"Now"</button>
        </div>
    }
}

#[component]
fn PauseButton() -> impl IntoView {
    let state = expect_context::<PageState>();
    let holds = move || state.frozen.get().is_some();
    let name = text(move || if holds() { "Go on" } else { "Pause" }.to_owned());
    let sign = text(move || if holds() { "▶" } else { "❚❚" }.to_owned());
    view! {
        <button id=PAUSE class="tool" type="button" aria-label=name title=name on:click=move |_| state.pause()>{sign}</button>
    }
}

/// What there is to say of the stream if all isn't well.
#[component]
fn Notice() -> impl IntoView {
    let state = expect_context::<PageState>();
    let notice = text(move || {
        let newest = state.window.with(|window| window.end());
        state.status.with(|status| status.notice(newest))
    });
    let silent = Signal::derive(move || notice.with(String::is_empty));
    let by_stream = Signal::derive(move || state.status.with(|status| status.connection != ConnectionState::Polling));
    view! {
        <p class="notice" hidden=silent>
            {notice}
            <a href="/docs/operations.md" hidden=by_stream>"What to tell the proxy"</a>
        </p>
    }
}

#[component]
fn Facts() -> impl IntoView {
    let state = expect_context::<PageState>();
    let host = state.host.get_value();
    let facts = [
        host.os,
        host.kernel.map(|kernel| format!("kernel {kernel}")),
        host.cpu.map(|model| format!("{} × {model}", host.cores)),
    ];
    let memory = text(move || Unit::Bytes.text(state.window.with(|window| window.last("memory.total"))));
    let uptime = text(move || {
        let now = state.window.with(|window| window.end()).unwrap_or_default() / 1000;
        duration(now.saturating_sub(host.boot_time))
    });
    view! {
        <ul class="facts">
            <li><h1>{host.name}</h1></li>
            {facts.into_iter().flatten().map(|fact| view! { <li>{fact}</li> }).collect_view()}
            <li>{memory}</li>
            <li>"up "{uptime}</li>
        </ul>
    }
}

#[component]
fn Indicator() -> impl IntoView {
    let state = expect_context::<PageState>();
    let name = text(move || state.status.with(|status| status.connection.name().to_owned()));
    let beside = text(move || state.status.with(Status::beside));
    view! {
        <div class="link">
            <span class="dot"></span>
            <p role="status">{name}</p>
            <small>{beside}</small>
        </div>
    }
}

/// Links, so that the choice works without JavaScript; with it, the page stays and only the address follows.
#[component]
fn WindowPicker() -> impl IntoView {
    let state = expect_context::<PageState>();
    let choices = TimeRange::ALL.map(|time_range| {
        let current = text(move || if state.time_range.get() == time_range { "true" } else { "false" }.to_owned());
        let choose = move |event: leptos::ev::MouseEvent| {
            // With one of these, the browser opens the link elsewhere.
            if !(event.ctrl_key() || event.shift_key() || event.meta_key() || event.alt_key()) {
                event.prevent_default();
                state.look(None, time_range);
            }
        };
        view! { <a href=state.view.with_value(|view| view.href(time_range)) aria-current=current on:click=choose>{time_range.label()}</a> }
    });
    view! { <div class="choices" role="group" aria-label="Window">{choices.into_iter().collect_view()}</div> }
}

#[component]
fn ThemeSwitch() -> impl IntoView {
    let state = expect_context::<PageState>();
    let name = text(move || ["Theme: ", state.theme.get().as_str()].concat());
    let press = move |_| state.theme.update(|theme| *theme = theme.next());
    view! { <button class="tool" type="button" aria-label=name title=name on:click=press>"◐"</button> }
}
