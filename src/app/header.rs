//! The top of the page: whose it is, how the stream is doing, which window is shown.

use super::{Link, Span, State, Status, state::text};
use crate::charts::units::{Unit, duration};
use leptos::prelude::*;

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
                <ThemeSwitch/>
            </nav>
        </header>
        <Notice/>
    }
}

/// What there is to say of the stream if all isn't well.
#[component]
fn Notice() -> impl IntoView {
    let state = expect_context::<State>();
    let notice = text(move || {
        let newest = state.window.with(|window| window.end());
        state.status.with(|status| status.notice(newest))
    });
    let silent = Signal::derive(move || notice.with(String::is_empty));
    let by_stream = Signal::derive(move || state.status.with(|status| status.link != Link::Polling));
    view! {
        <p class="notice" hidden=silent>
            {notice}
            <a href="/docs/operations.md" hidden=by_stream>"What to tell the proxy"</a>
        </p>
    }
}

#[component]
fn Facts() -> impl IntoView {
    let state = expect_context::<State>();
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
    let state = expect_context::<State>();
    let link = Memo::new(move |_| state.status.with(|status| status.link));
    let class = text(move || format!("link {}", link.get().class()));
    let name = text(move || link.get().name().to_owned());
    let beside = text(move || state.status.with(Status::beside));
    view! {
        <div class=class>
            <span class="dot"></span>
            <p role="status">{name}</p>
            <small>{beside}</small>
        </div>
    }
}

/// Links, so that the choice works without JavaScript; with it, the page stays and only the address follows.
#[component]
fn WindowPicker() -> impl IntoView {
    let state = expect_context::<State>();
    let choices = Span::ALL.map(|span| {
        let current = move || (state.span.get() == span).then_some("true");
        let choose = move |event: leptos::ev::MouseEvent| {
            event.prevent_default();
            state.span.set(span);
        };
        view! { <a href=state.view.with_value(|view| view.href(span)) aria-current=current on:click=choose>{span.label()}</a> }
    });
    view! { <div class="choices" role="group" aria-label="Window">{choices.into_iter().collect_view()}</div> }
}

#[component]
fn ThemeSwitch() -> impl IntoView {
    let state = expect_context::<State>();
    let name = text(move || format!("Theme: {}", state.theme.get().as_str()));
    let press = move |_| state.theme.update(|theme| *theme = theme.next());
    view! { <button class="theme" type="button" aria-label=name title=name on:click=press>"◐"</button> }
}
