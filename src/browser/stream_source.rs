//! An open event stream, read by `EventSource` or by `fetch`; reports its events, its end, or the server's refusal.

use super::{
    http::{get, has_content_type, token},
    json,
};
use crate::{
    schema::HOST_EVENTS,
    sse::{Event, Parser},
};
use js_sys::{
    Reflect, Uint8Array,
    futures::{JsFuture, spawn_local},
};
use leptos::wasm_bindgen::{JsCast, JsValue};
use std::rc::{Rc, Weak};
use wasm_bindgen::closure::Closure;
use web_sys::{AbortController, EventSource, MessageEvent, ReadableStreamDefaultReader, RequestInit};

/// An event whose data stays a JavaScript string until `JSON.parse`, which saves two copies.
pub(super) struct RawEvent {
    /// The event's name.
    pub(super) name: String,
    /// JSON text, as a JavaScript string.
    pub(super) data: JsValue,
    /// The last event id.
    pub(super) id: String,
}

impl From<Event> for RawEvent {
    fn from(Event { name, data, id }: Event) -> Self {
        Self { name, data: data.into(), id }
    }
}

/// What a stream reports.
pub(super) enum StreamEvent {
    /// An event arrived.
    Event(RawEvent),
    /// The stream ended or was cut off.
    Lost {
        /// Whether the browser reconnects by itself.
        browser_retries: bool,
    },
    /// The server refused the stream.
    Refused {
        /// The server's reason.
        reason: String,
        /// Milliseconds to wait, from `Retry-After`; 0 without it.
        retry_after: f64,
        /// Whether the session has ended, so that the reader can sign in again.
        signed_out: bool,
    },
}

/// Events about the stream itself, and its beginning.
const CONTROL_EVENTS: [&str; 4] = ["hello", "window", "heartbeat", "shutdown"];

impl RawEvent {
    /// Whether it is one of a tick.
    pub(super) fn is_of_tick(&self) -> bool {
        !CONTROL_EVENTS.contains(&&*self.name)
    }
}

/// An open stream; dropping it closes it and stops its reports.
pub(super) enum StreamSource {
    /// Read by the browser.
    EventSource { source: EventSource, _listeners: Vec<Closure<dyn FnMut(MessageEvent)>> },
    /// Read by [`read_stream`], which stops when the listener is gone.
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
    /// Opens `address` with `EventSource`, for the host's events and those of `channels`. `None` without support in the browser.
    pub(super) fn event_source(
        address: &str,
        channels: &[String],
        on_event: impl Fn(StreamEvent) + 'static,
    ) -> Option<Self> {
        let source = EventSource::new(address).ok()?;
        let on_event = Rc::new(on_event);
        let mut listeners = Vec::new();
        let mut listen = |name: &str, listener: Closure<dyn FnMut(MessageEvent)>| {
            // An EventSource accepts any listener.
            let _ = source.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
            listeners.push(listener);
        };
        for name in CONTROL_EVENTS.into_iter().chain(HOST_EVENTS).chain(channels.iter().map(String::as_str)) {
            let on_event = Rc::clone(&on_event);
            listen(name, Closure::new(move |event: MessageEvent| on_event(StreamEvent::Event(raw_event(&event)))));
        }
        let failed = source.clone();
        let on_error =
            move |_| on_event(StreamEvent::Lost { browser_retries: failed.ready_state() != EventSource::CLOSED });
        listen("error", Closure::new(on_error));
        Some(Self::EventSource { source, _listeners: listeners })
    }

    /// Opens `address` with `fetch`. `None` without support in the browser.
    pub(super) fn fetch(address: String, on_event: impl Fn(StreamEvent) + 'static) -> Option<Self> {
        let controller = AbortController::new().ok()?;
        let init = RequestInit::new();
        init.set_signal(Some(&controller.signal()));
        let listener: Rc<Listener> = Rc::new(Box::new(on_event));
        let weak = Rc::downgrade(&listener);
        spawn_local(async move {
            // Any failure other than a refusal is a lost connection.
            let end = read_stream(&address, &init, &weak).await;
            if let Some(on_event) = weak.upgrade() {
                on_event(end.ok().flatten().unwrap_or(StreamEvent::Lost { browser_retries: false }));
            }
        });
        Some(Self::Fetch { controller, _listener: listener })
    }
}

fn raw_event(event: &MessageEvent) -> RawEvent {
    RawEvent { name: event.type_(), data: event.data(), id: event.last_event_id() }
}

/// Reports events until the stream ends. `Some` if the server refused it.
async fn read_stream(
    address: &str,
    init: &RequestInit,
    listener: &Weak<Listener>,
) -> Result<Option<StreamEvent>, JsValue> {
    let response = get(address, init).await?;
    if !response.ok() || !has_content_type(&response, "text/event-stream")? {
        let retry_after = response.headers().get("retry-after")?.and_then(|seconds| seconds.parse::<u32>().ok());
        // A body of any other type may never end.
        let problem = match has_content_type(&response, "application/problem+json")? {
            true => json::parse(&JsFuture::from(response.text()?).await?),
            false => None,
        };
        let signed_out = problem.is_some() && response.status() == 401 && token().is_none();
        let reason = match signed_out {
            true => Some("You are signed out.".to_owned()),
            false => problem.and_then(|problem| json::text(&problem, "detail")),
        };
        return Ok(Some(StreamEvent::Refused {
            reason: reason.unwrap_or_else(|| status_message(response.status())),
            retry_after: f64::from(retry_after.unwrap_or(0)) * 1000.0,
            signed_out,
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
        let Some(on_event) = listener.upgrade() else { return Ok(None) };
        parser.read(&bytes.to_vec(), |event| on_event(StreamEvent::Event(event.into())));
    }
}

/// Message for a response without a reason. Status 200 is a proxy's sign-in page, and status 0 a redirect to one.
fn status_message(status: u16) -> String {
    match status {
        401 if token().is_some() => "The stored token was rejected. Open /#token=… with a valid one.".to_owned(),
        0 | 200 | 401 => "Signed out. Reload the page to sign in.".to_owned(),
        status => format!("The server responded with status {status}."),
    }
}
