//! Reports the page's visibility and the device's network state to the reconnect policy.

use super::StreamClient;
use crate::browser::{ReconnectPolicy, StreamAction};
use leptos::{
    prelude::{document, window},
    wasm_bindgen::JsCast,
};
use wasm_bindgen::closure::Closure;
use web_sys::EventTarget;

type PolicyReport = Box<dyn Fn(&mut ReconnectPolicy, f64) -> StreamAction>;
/// A registered listener: target, event name, callback.
pub(super) type PageListener = (EventTarget, &'static str, Closure<dyn FnMut()>);

impl StreamClient {
    /// Registers the listeners; the caller removes them.
    pub(super) fn listen(&self) -> Vec<PageListener> {
        let (window, document) = (window(), document());
        let page = document.clone();
        let reports: [(EventTarget, &str, PolicyReport); 5] = [
            (
                document.into(),
                "visibilitychange",
                Box::new(move |policy, now| {
                    if page.hidden() {
                        policy.page_hidden(now);
                        StreamAction::None
                    } else {
                        policy.page_shown(now)
                    }
                }),
            ),
            (window.clone().into(), "pagehide", Box::new(|policy, _| policy.pause())),
            (window.clone().into(), "pageshow", Box::new(ReconnectPolicy::page_shown)),
            (window.clone().into(), "online", Box::new(|policy, now| policy.network_changed(now, false))),
            (window.into(), "offline", Box::new(|policy, now| policy.network_changed(now, true))),
        ];
        let listeners = reports.into_iter().map(|(target, name, report)| {
            let this = self.clone();
            let listener = Closure::<dyn FnMut()>::new(move || this.update_policy(&report));
            // Document and window accept any listener.
            let _ = target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
            (target, name, listener)
        });
        listeners.collect()
    }
}
