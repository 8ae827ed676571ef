//! Where events come from: an EventSource, or a stream that we read ourselves.

use super::{json, token::token};
use crate::{
    schema::EventName,
    sse::{Event, Parser},
};
use js_sys::{
    Array, Reflect, Uint8Array,
    futures::{JsFuture, spawn_local},
};
use leptos::{
    prelude::window,
    wasm_bindgen::{JsCast, JsValue},
};
use std::rc::{Rc, Weak};
use wasm_bindgen::closure::Closure;
use web_sys::{AbortController, EventSource, MessageEvent, ReadableStreamDefaultReader, RequestInit, Response};

/// An event, of which the data is left as the browser has it: two copies fewer on the way to its parser.
pub(super) struct Message {
    /// What kind of event it is.
    pub(super) name: String,
    /// A text.
    pub(super) data: JsValue,
    /// Where the stream is with it.
    pub(super) id: String,
}

impl From<Event> for Message {
    fn from(Event { name, data, id }: Event) -> Self {
        Self { name, data: data.into(), id }
    }
}

/// What a source tells.
pub(super) enum StreamEvent {
    /// An event has arrived.
    Event(Message),
    /// The stream has ended, or was cut off. The browser makes a new one by itself, or doesn't.
    Lost {
        /// Whether it does.
        retries: bool,
    },
    /// The server gives no stream.
    Refused {
        /// Its reason.
        reason: String,
        /// For how many milliseconds.
        retry_after: f64,
    },
}

/// Names of the events about the stream itself.
const ABOUT_STREAM: [&str; 3] = ["hello", "window", "heartbeat"];

/// An open stream; dropped, it is closed, and tells nothing more.
pub(super) enum StreamSource {
    /// Read by the browser, which calls these.
    EventSource { source: EventSource, _listeners: Vec<Closure<dyn FnMut(MessageEvent)>> },
    /// Read by us, as long as this is there to be told.
    Fetch { controller: AbortController, _listener: Rc<Listener> },
}

type Listener = Box<dyn Fn(StreamEvent)>;

impl Drop for StreamSource {
    fn drop(&mut self) {
        match self {
            Self::EventSource { source, .. } => {
                source.set_onerror(None);
                source.close();
            }
            Self::Fetch { controller, .. } => controller.abort(),
        }
    }
}

impl StreamSource {
    /// Has the browser follow the stream at `address`. `None` where it can't.
    pub(super) fn event_source(address: &str, tell: impl Fn(StreamEvent) + 'static) -> Option<Self> {
        let source = EventSource::new(address).ok()?;
        let tell = Rc::new(tell);
        let mut listeners = Vec::new();
        let mut listen = |name: &str, listener: Closure<dyn FnMut(MessageEvent)>| {
            // Refused only by a target that takes no listeners.
            let _ = source.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
            listeners.push(listener);
        };
        for name in ABOUT_STREAM.into_iter().chain(EventName::ALL.into_iter().map(EventName::as_str)) {
            let tell = Rc::clone(&tell);
            listen(name, Closure::new(move |event: MessageEvent| tell(StreamEvent::Event(read(&event)))));
        }
        let failed = source.clone();
        listen(
            "error",
            Closure::new(move |_| tell(StreamEvent::Lost { retries: failed.ready_state() != EventSource::CLOSED })),
        );
        Some(Self::EventSource { source, _listeners: listeners })
    }

    /// Follows the stream at `address`. `None` where the browser can't.
    pub(super) fn fetch(address: String, tell: impl Fn(StreamEvent) + 'static) -> Option<Self> {
        let controller = AbortController::new().ok()?;
        let init = RequestInit::new();
        init.set_signal(Some(&controller.signal()));
        let listener: Rc<Listener> = Rc::new(Box::new(tell));
        let told = Rc::downgrade(&listener);
        spawn_local(async move {
            // Whatever fails is a lost connection, unless the server said more.
            let outcome = follow(&address, &init, &told).await;
            if let Some(tell) = told.upgrade() {
                tell(outcome.ok().flatten().unwrap_or(StreamEvent::Lost { retries: false }));
            }
        });
        Some(Self::Fetch { controller, _listener: listener })
    }
}

fn read(event: &MessageEvent) -> Message {
    Message { name: event.type_(), data: event.data(), id: event.last_event_id() }
}

/// Tells every event, until the stream ends; the refusal, where there is no stream.
async fn follow(address: &str, init: &RequestInit, told: &Weak<Listener>) -> Result<Option<StreamEvent>, JsValue> {
    let response = answer(address, init).await?;
    if !response.ok() || !is(&response, "text/event-stream")? {
        let retry_after = response.headers().get("retry-after")?.and_then(|seconds| seconds.parse::<u32>().ok());
        // Anything else may have no end.
        let problem = match is(&response, "application/problem+json")? {
            true => json::parse(&JsFuture::from(response.text()?).await?),
            false => None,
        };
        let reason = problem.and_then(|problem| json::text(&problem, "detail"));
        return Ok(Some(StreamEvent::Refused {
            reason: reason.unwrap_or_else(|| refusal(response.status())),
            retry_after: f64::from(retry_after.unwrap_or(0)) * 1000.0,
        }));
    }
    let body = response.body().ok_or(JsValue::NULL)?;
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut parser = Parser::default();
    loop {
        let chunk = JsFuture::from(reader.read()).await?;
        if Reflect::get(&chunk, &"done".into())?.is_truthy() {
            return Ok(None);
        }
        let bytes: Uint8Array = Reflect::get(&chunk, &"value".into())?.unchecked_into();
        let Some(tell) = told.upgrade() else { return Ok(None) };
        parser.read(&bytes.to_vec(), |event| tell(StreamEvent::Event(event.into())));
    }
}

/// What an answer with this status says if it gives no reason. One that is well is a proxy's own page.
fn refusal(status: u16) -> String {
    match status {
        401 if token().is_some() => {
            "The token that this browser keeps is not taken; open the page with another, as /#token=….".to_owned()
        }
        200 | 401 => "You are signed out; load the page again to sign in.".to_owned(),
        status => format!("The server answers with status {status}."),
    }
}

/// Whether an answer says of itself that it is of this kind.
pub(super) fn is(response: &Response, kind: &str) -> Result<bool, JsValue> {
    Ok(response.headers().get("content-type")?.is_some_and(|says| says.starts_with(kind)))
}

/// The answer to a GET.
pub(super) async fn answer(address: &str, init: &RequestInit) -> Result<Response, JsValue> {
    if let Some(token) = token() {
        let header = Array::of2(&"authorization".into(), &["Bearer ", &token].concat().into());
        init.set_headers(&Array::of1(&header));
    }
    JsFuture::from(window().fetch_with_str_and_init(address, init)).await?.dyn_into()
}
