//! Follows the server's stream with an EventSource.

use super::{Action, Connection, json};
use crate::{
    app::State,
    metrics::{EventId, EventName},
};
use leptos::{leptos_dom::helpers::IntervalHandle, prelude::*, wasm_bindgen::JsCast};
use send_wrapper::SendWrapper;
use std::{cell::RefCell, rc::Rc, time::Duration};
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent};

const TIMER: Duration = Duration::from_secs(1);

/// Follows the stream into `state` until the page is left.
pub(super) fn follow(state: State) {
    let follower = Rc::new(RefCell::new(Follower {
        state,
        connection: Connection::new(js_sys::Date::now()),
        source: None,
        last_id: state.after.get_value().and_then(|id| id.parse().ok()),
        reset: false,
        longest: state.span.get_untracked().seconds(),
        notified: false,
    }));
    Follower::open(&follower, true);

    let timed = SendWrapper::new(Rc::clone(&follower));
    let timer = set_interval_with_handle(move || Follower::timer_fired(&timed), TIMER);
    let widened = SendWrapper::new(Rc::clone(&follower));
    Effect::new(move |_| Follower::widen(&widened, state.span.get().seconds()));
    let left = SendWrapper::new(follower);
    on_cleanup(move || {
        left.borrow_mut().source = None;
        let _ = timer.as_ref().map(IntervalHandle::clear);
    });
}

/// What follows the stream, and where it is.
struct Follower {
    state: State,
    connection: Connection,
    source: Option<Source>,
    last_id: Option<EventId>,
    /// Whether the next window is a new start rather than a filling.
    reset: bool,
    /// The longest window that has been asked for, in seconds.
    longest: usize,
    /// Whether a notification of the window is already due.
    notified: bool,
}

/// An open EventSource with the closures it calls; dropped, it is closed.
struct Source {
    source: EventSource,
    _listeners: Vec<Closure<dyn FnMut(MessageEvent)>>,
}

impl Drop for Source {
    fn drop(&mut self) {
        self.source.set_onerror(None);
        self.source.close();
    }
}

type Shared = Rc<RefCell<Follower>>;

impl Follower {
    /// Opens a stream in place of the one that is open: after the last event, or with a new window.
    fn open(this: &Shared, resume: bool) {
        let mut follower = this.borrow_mut();
        follower.source = None;
        let window = follower.longest;
        let mut address = format!("/api/stream?window={window}");
        if let Some(id) = follower.last_id.filter(|_| resume) {
            address.push_str(&format!("&last_event_id={id}"));
        }
        let Ok(source) = EventSource::new(&address) else { return };
        let mut listeners = Vec::new();
        let mut listen = |name: &str, handle: fn(&Shared, &MessageEvent)| {
            let this = Rc::clone(this);
            let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event| handle(&this, &event));
            // Refused only by a target that takes no listeners.
            let _ = source.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
            listeners.push(listener);
        };
        listen("hello", Self::greeted);
        listen("window", Self::window_arrived);
        for name in EventName::ALL {
            listen(name.as_str(), Self::event_arrived);
        }
        listen("error", |this, _| Self::failed(this));
        follower.source = Some(Source { source, _listeners: listeners });
    }

    fn greeted(this: &Shared, event: &MessageEvent) {
        let start = json::parse(event).and_then(|hello| json::text(&hello, "start"));
        this.borrow_mut().reset = start.is_some_and(|start| start == "reset");
    }

    fn window_arrived(this: &Shared, event: &MessageEvent) {
        let Some(columns) = json::parse(event).as_ref().and_then(json::columns) else { return };
        let mut follower = this.borrow_mut();
        let reset = std::mem::take(&mut follower.reset);
        follower.state.window.update_untracked(|window| {
            if reset {
                window.clear();
            }
            window.merge(&columns);
        });
        // The server's word on where the stream is, also when that is before where we were.
        follower.last_id = event.last_event_id().parse().ok();
        drop(follower);
        Self::arrived(this);
    }

    fn event_arrived(this: &Shared, event: &MessageEvent) {
        let mut follower = this.borrow_mut();
        let id = event.last_event_id().parse::<EventId>().ok();
        let is_new = id > follower.last_id;
        if let (true, Ok(name)) = (is_new, event.type_().parse::<EventName>()) {
            // An event that doesn't fit is skipped; the rest of the page goes on.
            match name {
                EventName::Processes => json::take_processes(follower.state.processes, event),
                _ => follower.state.window.update_untracked(|window| json::record(window, name, event)),
            }
            follower.last_id = id;
        }
        drop(follower);
        Self::arrived(this);
    }

    /// Something of the stream has arrived: live, and to be shown with the next frame. The events of a tick come one by
    /// one; the page moves once.
    fn arrived(this: &Shared) {
        let mut follower = this.borrow_mut();
        follower.connection.tick_arrived(js_sys::Date::now());
        if !std::mem::replace(&mut follower.notified, true) {
            let this = SendWrapper::new(Rc::clone(this));
            request_animation_frame(move || Self::show(&this));
        }
    }

    fn show(this: &Shared) {
        let state = {
            let mut follower = this.borrow_mut();
            follower.notified = false;
            follower.state
        };
        state.window.notify();
        Self::show_link(this);
    }

    fn show_link(this: &Shared) {
        let (link, state) = {
            let follower = this.borrow();
            (follower.connection.link(), follower.state)
        };
        if state.link.get_untracked() != link {
            state.link.set(link);
        }
    }

    fn failed(this: &Shared) {
        {
            let mut follower = this.borrow_mut();
            let source = follower.source.as_ref();
            let closed = source.is_none_or(|source| source.source.ready_state() == EventSource::CLOSED);
            follower.connection.failed(js_sys::Date::now(), closed, js_sys::Math::random());
        }
        Self::show_link(this);
    }

    fn timer_fired(this: &Shared) {
        let action = this.borrow_mut().connection.timer_fired(js_sys::Date::now());
        if action == Action::Reopen {
            Self::open(this, true);
        }
        Self::show_link(this);
    }

    /// Asks for more of the past when a longer window is chosen than has been asked for.
    fn widen(this: &Shared, seconds: usize) {
        if seconds > this.borrow().longest {
            this.borrow_mut().longest = seconds;
            Self::open(this, false);
        }
    }
}
