//! `BroadcastChannel` between a browser's tabs: carries election messages and the leader's events.

use super::{ElectionMessage, stream_source::RawEvent};
use js_sys::Array;
use leptos::wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{BroadcastChannel, MessageEvent};

/// Channel name before the host id: a proxy may serve several hosts at one origin. Its number rises with every change of
/// the messages: tabs opened before an upgrade would misread them.
const CHANNEL: &str = "hostbeat-3-";

/// A message from another tab.
pub(super) enum TabMessage {
    /// A message of the election.
    Election(ElectionMessage),
    /// An event that the leader relays.
    Event(RawEvent),
}

/// The channel to the other tabs; closed when dropped.
pub(super) struct TabChannel {
    channel: BroadcastChannel,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl Drop for TabChannel {
    fn drop(&mut self) {
        self.channel.close();
    }
}

impl TabChannel {
    /// Opens the channel of a host's pages; `on_message` gets the sender's tab id and the message. `None` without support
    /// in the browser.
    pub(super) fn open(host_id: &str, on_message: impl Fn(f64, TabMessage) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(&[CHANNEL, host_id].concat()).ok()?;
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            let parts: Array = message.data().unchecked_into();
            let text = |index| parts.get(index).as_string().unwrap_or_default();
            let Some(from) = parts.get(0).as_f64() else { return };
            let message = match ElectionMessage::of_str(&text(1)) {
                Some(message) => TabMessage::Election(message),
                None => TabMessage::Event(RawEvent { name: text(1), data: parts.get(2), id: text(3) }),
            };
            on_message(from, message);
        });
        channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Some(Self { channel, _listener: listener })
    }

    /// Sends an election message from tab `from`.
    pub(super) fn send(&self, from: f64, message: ElectionMessage) {
        self.post(&Array::of2(&from.into(), &message.as_str().into()));
    }

    /// Relays an event from tab `from`.
    pub(super) fn relay(&self, from: f64, RawEvent { name, data, id }: &RawEvent) {
        self.post(&Array::of4(&from.into(), &name.into(), data, &id.into()));
    }

    fn post(&self, message: &Array) {
        // Fails only on a closed channel, or with data that cannot be cloned.
        let _ = self.channel.post_message(message);
    }
}
