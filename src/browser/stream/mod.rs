//! Stream client: performs the reconnect policy's actions and routes events of the stream and other tabs to the page.

mod apply;
mod page_events;
mod reload;
mod snapshot;
mod tabs;

use super::{
    Election, ReconnectPolicy, StreamAction, TickProgress, Transport,
    http::token,
    json,
    stream_source::{RawEvent, StreamEvent, StreamSource},
    tab_channel::TabChannel,
};
use crate::{
    app::{PageState, TimeRange},
    panels::core_history,
    schema::EventId,
};
use js_sys::{Date, Math, Reflect};
use leptos::{leptos_dom::helpers::IntervalHandle, prelude::*, wasm_bindgen::JsCast};
use send_wrapper::SendWrapper;
use std::{cell::RefCell, rc::Rc, time::Duration};

const TIMER_INTERVAL: Duration = Duration::from_secs(1);

/// Streams into `state` until its owner is cleaned up.
pub(super) fn follow(state: PageState) {
    // An EventSource cannot send an authorization header.
    let can_use_event_source = Reflect::has(&window(), &"EventSource".into()).unwrap_or(false) && token().is_none();
    // On hosts with many cores, the first response carries less history than the page shows.
    let history_s = state.time_range.get_untracked().seconds();
    let history_s = history_s.min(state.host.with_value(|host| core_history(host.cores)));
    let client = StreamClient(Rc::new(RefCell::new(ClientState {
        state,
        policy: ReconnectPolicy::new(Date::now(), can_use_event_source),
        source: None,
        election: Election::new(Math::random()),
        tabs: None,
        last_id: state.last_event_id.get_value().and_then(|id| id.parse().ok()),
        reset_pending: false,
        is_other_host: false,
        tick_progress: TickProgress::INITIAL,
        snapshot_pending: false,
        missed_after: None,
        history_s,
        render_pending: false,
    })));
    client.perform(StreamAction::JoinElection);
    reload::show_reason(state);
    // A page opened in a background tab gets no visibilitychange event.
    if document().hidden() {
        client.0.borrow_mut().policy.page_hidden(Date::now());
    }

    let on_timer = SendWrapper::new(client.clone());
    let tick = move || {
        on_timer.update_policy(|policy, now| policy.timer_fired(now));
        on_timer.request_missed();
    };
    let timer = set_interval_with_handle(tick, TIMER_INTERVAL);
    let on_range = SendWrapper::new(client.clone());
    Effect::new(move |_| {
        // A frozen view can be zoomed and panned through the longest range.
        let time_range = if state.frozen.get().is_some() { TimeRange::LONGEST } else { state.time_range.get() };
        on_range.request_history(time_range.seconds());
    });
    let listeners = SendWrapper::new(client.listen());
    let closing = SendWrapper::new(client);
    on_cleanup(move || {
        closing.perform(StreamAction::Close);
        let _ = timer.as_ref().map(IntervalHandle::clear);
        for (target, name, listener) in listeners.iter() {
            let _ = target.remove_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
        }
    });
}

/// State of the stream client.
struct ClientState {
    state: PageState,
    policy: ReconnectPolicy,
    source: Option<StreamSource>,
    election: Election,
    tabs: Option<TabChannel>,
    last_id: Option<EventId>,
    /// Whether the next `window` event may be behind the page's window.
    reset_pending: bool,
    /// Whether the stream, or the last snapshot, is of another host than the page.
    is_other_host: bool,
    tick_progress: TickProgress,
    /// Whether a snapshot request is in flight.
    snapshot_pending: bool,
    /// The last event before a second that the leading tab did not relay, until a snapshot fills it in.
    missed_after: Option<EventId>,
    /// Longest history requested so far, in seconds.
    history_s: usize,
    /// Whether the next animation frame renders the window.
    render_pending: bool,
}

/// Shared handle to the stream client.
#[derive(Clone)]
struct StreamClient(Rc<RefCell<ClientState>>);

impl StreamClient {
    /// Reports an event to the policy, performs the action that it returns, and shows the status.
    fn update_policy(&self, report: impl FnOnce(&mut ReconnectPolicy, f64) -> StreamAction) {
        let action = report(&mut self.0.borrow_mut().policy, Date::now());
        self.perform(action);
        self.show_status();
    }

    fn perform(&self, action: StreamAction) {
        match action {
            StreamAction::None => {}
            StreamAction::Close => self.close(),
            StreamAction::JoinElection => self.join_election(),
            StreamAction::FollowLeader => {
                self.0.borrow_mut().source = None;
                self.request_snapshot();
            }
            StreamAction::RequestSnapshot => self.request_snapshot(),
            StreamAction::Open(transport) => self.open(transport),
        }
    }

    /// Replaces the open stream by one that resumes after the last event.
    fn open(&self, transport: Transport) {
        let address = {
            let mut client = self.0.borrow_mut();
            client.source = None;
            let resume = client.last_id.map_or(String::new(), |id| format!("&last_event_id={id}"));
            format!("api/stream?window={}{resume}", client.history_s)
        };
        let this = self.clone();
        let on_event = move |event| this.on_stream_event(event);
        let source = match transport {
            Transport::EventSource => {
                let channels = self.0.borrow().state.published_channels();
                StreamSource::event_source(&address, &channels, on_event)
            }
            Transport::Fetch => StreamSource::fetch(address, on_event),
            Transport::Poll => {
                self.request_snapshot();
                None
            }
            Transport::Tab => None,
        };
        self.0.borrow_mut().source = source;
    }

    fn on_stream_event(&self, event: StreamEvent) {
        match event {
            StreamEvent::Event(event) => {
                self.relay(&event);
                self.receive(&event);
            }
            StreamEvent::Lost { browser_retries } => {
                self.update_policy(|policy, now| policy.connection_lost(now, browser_retries, Math::random()));
            }
            StreamEvent::Refused { reason, retry_after, signed_out } => {
                let here = signed_out.then(|| window().location().href().ok()).flatten();
                self.0.borrow().state.sign_in.set(here.unwrap_or_default());
                self.update_policy(|policy, now| {
                    policy.stream_refused(now, reason, retry_after, Math::random());
                    StreamAction::None
                });
            }
        }
    }

    /// Applies an event; one that cannot be decoded is counted and skipped.
    fn receive(&self, event: &RawEvent) {
        let mut client = self.0.borrow_mut();
        if client.leader_skipped_before(event) {
            client.missed_after = client.missed_after.or(client.last_id);
        }
        let applied = json::parse(&event.data).and_then(|data| client.apply_event(event, &data));
        if applied.is_none() {
            client.policy.event_skipped();
        }
        drop(client);
        self.schedule_render();
    }

    /// Renders with the next animation frame, so that all events of a tick cost one rendering. If the frame comes before
    /// the tick's last event, that event's frame renders it.
    fn schedule_render(&self) {
        if !std::mem::replace(&mut self.0.borrow_mut().render_pending, true) {
            let this = SendWrapper::new(self.clone());
            request_animation_frame(move || {
                let (state, is_partial) = {
                    let mut client = this.0.borrow_mut();
                    client.render_pending = false;
                    (client.state, client.tick_progress.is_partial())
                };
                if !is_partial {
                    state.window.notify();
                }
                this.show_status();
            });
        }
    }

    fn show_status(&self) {
        let (status, state) = {
            let client = self.0.borrow();
            (client.policy.status(Date::now()), client.state)
        };
        if state.status.with_untracked(|shown| *shown != status) {
            state.status.set(status);
        }
    }
}
