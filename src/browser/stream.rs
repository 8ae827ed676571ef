//! Follows the server's stream into the page's state.

use super::{
    Action, Connection, Election, ElectionMessage, Outcome, Transport, json,
    stream_source::{Message, StreamEvent, StreamSource, answer, is},
    tabs::{TabMessage, Tabs},
    token::token,
};
use crate::{
    app::{ConnectionState, PageState, TimeRange, core_history},
    schema::{EventId, EventName, INTERVAL_MS},
};
use js_sys::{
    Date, Math, Reflect,
    futures::{JsFuture, spawn_local},
};
use leptos::{
    leptos_dom::helpers::IntervalHandle,
    prelude::*,
    wasm_bindgen::{JsCast, JsValue},
};
use send_wrapper::SendWrapper;
use std::{cell::RefCell, rc::Rc, time::Duration};
use wasm_bindgen::closure::Closure;
use web_sys::{AbortSignal, EventTarget, RequestInit};

/// What a tab that polls passes on.
const SNAPSHOT: &str = "snapshot";
const TIMER: Duration = Duration::from_secs(1);
/// How long an answer that isn't a stream may take.
const PATIENCE_MS: u32 = 5_000;
/// The same for an hour of everything.
const LONG_PATIENCE_MS: u32 = 30_000;
/// Milliseconds by which the server must be ahead of the stream to call that held back: a tick may be on its way.
const HELD_BACK_MS: u64 = 2_000;

/// How long other tabs have to say that one of them has a stream; a part of it by chance, so that of many that are opened
/// at once one is the first.
const ANSWER_MS: (f64, f64) = (80.0, 160.0);

/// Follows the stream into `state` until the page is left.
pub(super) fn follow(state: PageState) {
    // An EventSource sends no headers of ours.
    let by_event_source = Reflect::has(&window(), &"EventSource".into()).unwrap_or(false) && token().is_none();
    let follower = Shared(Rc::new(RefCell::new(Follower {
        state,
        connection: Connection::new(Date::now(), by_event_source),
        source: None,
        election: Election::new(Math::random()),
        tabs: None,
        last_id: state.last_event_id.get_value().and_then(|id| id.parse().ok()),
        reset: false,
        asking: false,
        missed: None,
        // Of many cores, the page has less.
        longest: state.time_range.get_untracked().seconds().min(state.host.with_value(|host| core_history(host.cores))),
        notified: false,
    })));
    follower.act(Action::Join);
    // Opened in the background: nothing will say that it was hidden.
    if document().hidden() {
        follower.0.borrow_mut().connection.hidden(Date::now());
    }

    let timed = SendWrapper::new(follower.clone());
    let tick = move || {
        timed.told(|connection, now| connection.timer_fired(now));
        timed.ask_for_missed();
    };
    let timer = set_interval_with_handle(tick, TIMER);
    let widened = SendWrapper::new(follower.clone());
    Effect::new(move |_| {
        // Who looks back may look back far.
        let time_range = if state.frozen.get().is_some() { TimeRange::LONGEST } else { state.time_range.get() };
        widened.widen(time_range.seconds());
    });
    let listeners = SendWrapper::new(follower.listen());
    let left = SendWrapper::new(follower);
    on_cleanup(move || {
        left.act(Action::Close);
        let _ = timer.as_ref().map(IntervalHandle::clear);
        for (target, name, listener) in listeners.iter() {
            let _ = target.remove_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
        }
    });
}

/// What follows the stream, and where it is.
struct Follower {
    state: PageState,
    connection: Connection,
    source: Option<StreamSource>,
    election: Election,
    tabs: Option<Tabs>,
    last_id: Option<EventId>,
    /// Whether the next window is a new start rather than a filling.
    reset: bool,
    /// Whether a snapshot is on its way.
    asking: bool,
    /// The event after which a second is missing that is still to be asked for.
    missed: Option<EventId>,
    /// The longest window that has been asked for, in seconds.
    longest: usize,
    /// Whether a notification of the window is already due.
    notified: bool,
}

#[derive(Clone)]
struct Shared(Rc<RefCell<Follower>>);

type Tell = Box<dyn Fn(&mut Connection, f64) -> Action>;
type Listening = (EventTarget, &'static str, Closure<dyn FnMut()>);

impl Shared {
    /// Tells the connection what has happened, does what it says, and shows how it stands.
    fn told(&self, tell: impl FnOnce(&mut Connection, f64) -> Action) {
        let action = tell(&mut self.0.borrow_mut().connection, Date::now());
        self.act(action);
        self.show_status();
    }

    fn act(&self, action: Action) {
        match action {
            Action::None => {}
            Action::Close => self.leave(),
            Action::Join => self.join(),
            Action::Follow => {
                self.0.borrow_mut().source = None;
                self.ask();
            }
            Action::Ask => self.ask(),
            Action::Open(way) => self.open(way),
        }
    }

    /// Opens a stream in place of the one that is open, after the last event.
    fn open(&self, way: Transport) {
        let address = {
            let mut follower = self.0.borrow_mut();
            follower.source = None;
            let place = follower.last_id.map_or(String::new(), |id| format!("&last_event_id={id}"));
            format!("/api/stream?window={}{place}", follower.longest)
        };
        let this = self.clone();
        let tell = move |news| this.heard(news);
        let source = match way {
            Transport::EventSource => StreamSource::event_source(&address, tell),
            Transport::Fetch => StreamSource::fetch(address, tell),
            Transport::Poll => {
                self.ask();
                None
            }
            Transport::Tab => None,
        };
        self.0.borrow_mut().source = source;
    }

    /// Asks the other tabs who has the stream.
    fn join(&self) {
        if self.0.borrow().tabs.is_none() {
            let this = self.clone();
            let tabs = Tabs::open(move |from, heard| match heard {
                TabMessage::ElectionMessage(word) => this.agree(|election| election.heard(word, from)),
                TabMessage::Event(event) => {
                    this.agree(|election| election.heard(ElectionMessage::Mine, from));
                    // One that is about to give way may be ahead of what this one's own stream has yet to bring.
                    if !this.0.borrow().election.leads() {
                        this.event_arrived(&event);
                    }
                }
            });
            self.0.borrow_mut().tabs = tabs;
        }
        self.agree(Election::join);
    }

    fn leave(&self) {
        self.0.borrow_mut().source = None;
        self.agree(|election| (election.leave(), Outcome::None));
        self.0.borrow_mut().tabs = None;
    }

    /// Says to the other tabs what there is to say, and does what follows from it.
    fn agree(&self, turn: impl FnOnce(&mut Election) -> (Option<ElectionMessage>, Outcome)) {
        let outcome = {
            let mut follower = self.0.borrow_mut();
            let (word, outcome) = turn(&mut follower.election);
            if let Some((word, tabs)) = word.zip(follower.tabs.as_ref()) {
                tabs.say(follower.election.id(), word);
            }
            outcome
        };
        match outcome {
            Outcome::None => {}
            Outcome::Lead => self.told(Connection::elected),
            Outcome::Follow => self.told(Connection::followed),
            Outcome::Wait => {
                let this = SendWrapper::new(self.clone());
                let (least, chance) = ANSWER_MS;
                let patience = Duration::from_millis((least + chance * Math::random()) as u64);
                set_timeout(move || this.agree(Election::time_is_up), patience);
            }
        }
    }

    /// Lets the other tabs have what they don't get themselves.
    fn pass_on(&self, event: &Message) {
        let follower = self.0.borrow();
        if let Some(tabs) = follower.tabs.as_ref().filter(|_| follower.election.has_followers()) {
            tabs.pass_on(follower.election.id(), event);
        }
    }

    fn heard(&self, news: StreamEvent) {
        match news {
            StreamEvent::Event(event) => {
                self.pass_on(&event);
                self.event_arrived(&event);
            }
            StreamEvent::Lost { retries } => self.told(|connection, now| connection.lost(now, retries, Math::random())),
            StreamEvent::Refused { reason, retry_after } => self.told(|connection, now| {
                connection.refused(now, reason, retry_after, Math::random());
                Action::None
            }),
        }
    }

    /// An event that doesn't fit is counted and skipped; the rest of the page goes on.
    fn event_arrived(&self, event: &Message) {
        let mut follower = self.0.borrow_mut();
        if follower.has_missed(event) {
            follower.missed = follower.missed.or(follower.last_id);
        }
        let taken = json::parse(&event.data).and_then(|data| follower.take(event, &data));
        if taken.is_none() {
            follower.connection.event_skipped();
        }
        drop(follower);
        self.show();
    }

    /// Lets the page follow with the next frame. The events of a tick come one by one; the page moves once.
    fn show(&self) {
        if !std::mem::replace(&mut self.0.borrow_mut().notified, true) {
            let this = SendWrapper::new(self.clone());
            request_animation_frame(move || {
                let state = {
                    let mut follower = this.0.borrow_mut();
                    follower.notified = false;
                    follower.state
                };
                state.window.notify();
                this.show_status();
            });
        }
    }

    fn show_status(&self) {
        let (status, state) = {
            let follower = self.0.borrow();
            (follower.connection.status(Date::now()), follower.state)
        };
        if state.status.with_untracked(|shown| *shown != status) {
            state.status.set(status);
        }
    }

    /// Asks for what has come since the last event, or since one after which a second is missing.
    fn ask(&self) {
        let mut follower = self.0.borrow_mut();
        if std::mem::replace(&mut follower.asking, true) {
            return;
        }
        let missed = follower.missed.take();
        let place = missed.or(follower.last_id).map_or(String::new(), |id| format!("&since={id}"));
        let address = format!("/api/snapshot?window={}{place}", follower.longest);
        drop(follower);
        let this = self.clone();
        let asked = Date::now();
        spawn_local(async move {
            let answer = snapshot(&address, PATIENCE_MS).await.ok();
            let polls = {
                let mut follower = this.0.borrow_mut();
                follower.asking = false;
                // What was not answered is still missing.
                if answer.is_none() {
                    follower.missed = missed.or(follower.missed);
                }
                follower.connection.way() == Transport::Poll
            };
            if let (true, Some(data)) = (polls, &answer) {
                this.pass_on(&Message { name: SNAPSHOT.to_owned(), data: data.clone(), id: String::new() });
            }
            this.answered(asked, answer.as_ref().and_then(json::parse));
        });
    }

    /// Asks for a second that is missing, once a second until there is an answer. While all isn't well, nothing is asked but
    /// what makes it well.
    fn ask_for_missed(&self) {
        let asks = {
            let follower = self.0.borrow();
            follower.missed.is_some() && follower.connection.status(Date::now()).connection == ConnectionState::Live
        };
        if asks {
            self.ask();
        }
    }

    fn answered(&self, asked: f64, answer: Option<JsValue>) {
        let newer = answer.and_then(|answer| {
            let mut follower = self.0.borrow_mut();
            let before = follower.state.window.with_untracked(|window| window.end());
            follower.connection.greeted(asked, Date::now(), json::number(&answer, "now")?);
            follower.take_snapshot(&answer)?;
            let after = follower.state.window.with_untracked(|window| window.end());
            Some(after.zip(before).is_none_or(|(after, before)| after >= before + HELD_BACK_MS))
        });
        self.told(|connection, now| match newer {
            Some(newer) => connection.answered(now, newer),
            None => {
                connection.unanswered(now, Math::random());
                Action::None
            }
        });
        self.show();
    }

    /// Asks for more of the past when a longer window is chosen than has been asked for.
    fn widen(&self, seconds: usize) {
        if seconds <= self.0.borrow().longest {
            return;
        }
        let this = self.clone();
        spawn_local(async move {
            let answer = snapshot(&format!("/api/snapshot?window={seconds}"), LONG_PATIENCE_MS).await.ok();
            let window = answer.as_ref().and_then(json::parse).and_then(|answer| json::get(&answer, "window"));
            if let Some(columns) = window.as_ref().and_then(json::columns) {
                {
                    let mut follower = this.0.borrow_mut();
                    // Only now: what wasn't answered is asked again with the next choice.
                    follower.longest = follower.longest.max(seconds);
                    follower.state.window.update_untracked(|window| window.merge(&columns));
                }
                this.show();
            }
        });
    }

    /// Hears from the browser whether the page is seen and whether there is a network.
    fn listen(&self) -> Vec<Listening> {
        let (window, document) = (window(), document());
        let seen = document.clone();
        let tells: [(EventTarget, &str, Tell); 5] = [
            (
                document.into(),
                "visibilitychange",
                Box::new(move |connection, now| {
                    if seen.hidden() {
                        connection.hidden(now);
                        Action::None
                    } else {
                        connection.shown(now)
                    }
                }),
            ),
            (window.clone().into(), "pagehide", Box::new(|connection, _| connection.pause())),
            (window.clone().into(), "pageshow", Box::new(Connection::shown)),
            (window.clone().into(), "online", Box::new(|connection, now| connection.network_changed(now, false))),
            (window.into(), "offline", Box::new(|connection, now| connection.network_changed(now, true))),
        ];
        let listening = tells.into_iter().map(|(target, name, tell)| {
            let this = self.clone();
            let listener = Closure::<dyn FnMut()>::new(move || this.told(&tell));
            // Refused only by a target that takes no listeners.
            let _ = target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
            (target, name, listener)
        });
        listening.collect()
    }
}

impl Follower {
    /// Whether a second is missing before this event that another tab has passed on. It may have come while that tab did not
    /// know of this one: the server still has it.
    fn has_missed(&self, event: &Message) -> bool {
        let id = event.id.parse::<EventId>().ok();
        let steps = id.zip(self.last_id).is_some_and(|(id, last)| id.ms > last.ms + INTERVAL_MS);
        steps && self.connection.way() == Transport::Tab && event.name.parse::<EventName>().is_ok()
    }

    /// Takes an event in; `None` of one that doesn't fit.
    fn take(&mut self, event: &Message, data: &JsValue) -> Option<()> {
        let now = Date::now();
        match &*event.name {
            "hello" => {
                self.reset = json::text(data, "start")? == "reset";
                self.connection.stream_begun(now, json::number(data, "now")?);
            }
            "window" => {
                let columns = json::columns(data)?;
                let reset = std::mem::take(&mut self.reset);
                self.state.window.update_untracked(|window| {
                    if reset {
                        window.clear();
                    }
                    window.merge(&columns);
                });
                // The server's word on where the stream is, also when that is before where we were.
                self.last_id = event.id.parse().ok();
                self.ticked(now);
            }
            SNAPSHOT => {
                self.take_snapshot(data)?;
                self.ticked(now);
            }
            name => {
                let Ok(name) = name.parse::<EventName>() else {
                    self.connection.sign_of_life(now);
                    return Some(());
                };
                let id = event.id.parse().ok();
                // What has come by another way already.
                if id <= self.last_id {
                    self.connection.sign_of_life(now);
                    return Some(());
                }
                self.last_id = id;
                match name {
                    EventName::Processes => {
                        let processes = json::processes(data)?;
                        self.state.latest.update_value(|latest| latest.processes = processes);
                    }
                    EventName::Verdict => {
                        let verdict = json::verdict(data)?;
                        self.state.latest.update_value(|latest| latest.verdict = verdict);
                    }
                    _ => self.state.window.try_update_untracked(|window| json::record(window, name, data))??,
                }
                self.ticked(now);
            }
        }
        Some(())
    }

    /// Takes a snapshot in; `None` of one that doesn't fit.
    fn take_snapshot(&mut self, answer: &JsValue) -> Option<()> {
        let columns = json::columns(&json::get(answer, "window")?)?;
        let reset = json::text(answer, "start")? == "reset";
        self.state.window.update_untracked(|window| {
            if reset {
                window.clear();
            }
            window.merge(&columns);
        });
        let present = json::present(&json::get(answer, "present")?)?;
        let id = json::text(answer, "id").and_then(|id| id.parse().ok());
        if reset || id >= self.last_id {
            self.state.latest.set_value(present);
        }
        // Another tab may have passed on what came after it.
        self.last_id = if reset { id } else { id.max(self.last_id) };
        // Beside a stream, it says nothing of how that is doing.
        if matches!(self.connection.way(), Transport::Poll | Transport::Tab) {
            self.ticked(Date::now());
        }
        Some(())
    }

    /// The newest second of the window has just arrived.
    fn ticked(&mut self, now: f64) {
        if let Some(t) = self.state.window.with_untracked(|window| window.end()) {
            self.connection.tick_arrived(now, t as f64);
        }
    }
}

/// What `GET /api/snapshot` answers.
async fn snapshot(address: &str, patience_ms: u32) -> Result<JsValue, JsValue> {
    let init = RequestInit::new();
    init.set_signal(Some(&AbortSignal::timeout_with_u32(patience_ms)));
    let response = answer(address, &init).await?;
    if !response.ok() || !is(&response, "application/json")? {
        return Err(response.status().into());
    }
    JsFuture::from(response.text()?).await
}
