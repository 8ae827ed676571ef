//! Reloads a page that meets another host, another version of its code or a channel it doesn't show, and shows the reason
//! afterwards.

use super::ClientState;
use crate::{app::PageState, browser::json};
use js_sys::Date;
use leptos::{prelude::*, wasm_bindgen::JsValue};
use std::time::Duration;
use web_sys::Storage;

/// Key in session storage of time and reason of the last reload.
const KEY: &str = "reloaded";
/// Milliseconds between reloads: behind a balancer over two hosts, a page would reload for ever.
const MIN_INTERVAL_MS: f64 = 60_000.0;
/// Milliseconds for which the reason is shown.
const SHOWN_MS: u64 = 10_000;

impl ClientState {
    /// Compares a `hello` or a snapshot with the page. Another host's samples must not be drawn under this one's name.
    pub(super) fn check_identity(&mut self, data: &JsValue) {
        let differs = |key, own: &str| json::text(data, key).is_none_or(|text| text != own);
        let is_other_version = self.state.identity.with_value(|page| {
            self.is_other_host = differs("host_id", &page.host_id);
            differs("version", &page.version)
        });
        self.is_other_host |= self.state.host.with_value(|host| differs("host", &host.name));
        if self.is_other_host {
            reload("Reloaded: another host answers here now.");
        } else if is_other_version {
            reload("Reloaded: a new version.");
        }
    }

    /// Reloads a page that shows all channels and meets one that it has no panel for. Not while the reader looks back;
    /// the names come again.
    pub(super) fn check_channels(&self, names: &[String]) {
        let shows = |name: &String| self.state.panels.with_value(|panels| panels.iter().any(|panel| panel.id == *name));
        let shows_all = self.state.view.with_value(|view| view.panels.is_empty());
        if shows_all && self.state.frozen.with_untracked(Option::is_none) && !names.iter().all(shows) {
            reload("Reloaded: a new channel.");
        }
    }
}

/// Reloads the page, unless it has just done so or can't remember it.
fn reload(reason: &str) {
    let now = Date::now();
    if let Some(storage) = storage()
        && last_reload(&storage).is_none_or(|(at, _)| now - at >= MIN_INTERVAL_MS)
        && storage.set_item(KEY, &[&(now as u64).to_string(), " ", reason].concat()).is_ok()
    {
        // Fails only for a document that is about to close.
        let _ = window().location().reload();
    }
}

/// Shows for a while why the page has just reloaded itself.
pub(super) fn show_reason(state: PageState) {
    if let Some((at, reason)) = storage().as_ref().and_then(last_reload)
        && Date::now() - at < SHOWN_MS as f64
    {
        // Hydration expects the text that the server rendered.
        for (delay, text) in [(0, reason), (SHOWN_MS, String::new())] {
            set_timeout(move || state.reloaded.set(text), Duration::from_millis(delay));
        }
    }
}

/// Time and reason of the last reload.
fn last_reload(storage: &Storage) -> Option<(f64, String)> {
    let stored = storage.get_item(KEY).ok()??;
    let (at, reason) = stored.split_once(' ')?;
    Some((at.parse::<u64>().ok()? as f64, reason.to_owned()))
}

fn storage() -> Option<Storage> {
    window().session_storage().ok()?
}
