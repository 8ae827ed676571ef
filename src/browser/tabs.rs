//! What the tabs of a browser pass on to each other.

use super::{ElectionMessage, stream_source::Message};
use js_sys::Array;
use leptos::wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{BroadcastChannel, MessageEvent};

/// Another one whenever tabs learn a new word: those that were opened before an upgrade live on, and must not mistake it.
const CHANNEL: &str = "hostbeat-2";

/// What one tab hears from another.
pub(super) enum TabMessage {
    /// A word about who follows the stream.
    ElectionMessage(ElectionMessage),
    /// An event that it has got.
    Event(Message),
}

/// The other tabs; dropped, they are heard no more.
pub(super) struct Tabs {
    channel: BroadcastChannel,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl Drop for Tabs {
    fn drop(&mut self) {
        self.channel.close();
    }
}

impl Tabs {
    /// Hears them from here on, each with its number. `None` where the browser can't.
    pub(super) fn open(hear: impl Fn(f64, TabMessage) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(CHANNEL).ok()?;
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            let parts: Array = message.data().unchecked_into();
            let text = |place| parts.get(place).as_string().unwrap_or_default();
            let Some(from) = parts.get(0).as_f64() else { return };
            let heard = match ElectionMessage::of_str(&text(1)) {
                Some(word) => TabMessage::ElectionMessage(word),
                None => TabMessage::Event(Message { name: text(1), data: parts.get(2), id: text(3) }),
            };
            hear(from, heard);
        });
        channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Some(Self { channel, _listener: listener })
    }

    /// Says a word as tab number `from`.
    pub(super) fn say(&self, from: f64, word: ElectionMessage) {
        self.post(&Array::of2(&from.into(), &word.as_str().into()));
    }

    /// Passes an event on as tab number `from`.
    pub(super) fn pass_on(&self, from: f64, Message { name, data, id }: &Message) {
        self.post(&Array::of4(&from.into(), &name.into(), data, &id.into()));
    }

    fn post(&self, message: &Array) {
        // Refused only for what can't be copied, and by a channel that is closed.
        let _ = self.channel.post_message(message);
    }
}
