//! Requests `GET /api/snapshot`: to poll, to test whether a proxy buffers the stream, and to fetch missed or older
//! seconds.

use super::StreamClient;
use crate::{
    app::ConnectionState,
    browser::{
        StreamAction, Transport,
        http::{get, has_content_type},
        json,
        stream_source::RawEvent,
    },
};
use js_sys::{
    Date, Math,
    futures::{JsFuture, spawn_local},
};
use leptos::{prelude::*, wasm_bindgen::JsValue};
use web_sys::{AbortSignal, RequestInit};

/// Event name of a snapshot that a polling leader relays to other tabs.
pub(super) const SNAPSHOT: &str = "snapshot";
/// Timeout of a snapshot request.
const SNAPSHOT_TIMEOUT_MS: u32 = 5_000;
/// Timeout of a request for history: an hour of all series is large.
const HISTORY_TIMEOUT_MS: u32 = 30_000;
/// A stream counts as buffered if a snapshot is ahead of it by this much; a single tick may still be in flight.
const BUFFERED_LAG_MS: u64 = 2_000;

impl StreamClient {
    /// Requests what is newer than the last event, or than the last one before a missed second. At most one request is
    /// in flight.
    pub(super) fn request_snapshot(&self) {
        let mut client = self.0.borrow_mut();
        if std::mem::replace(&mut client.snapshot_pending, true) {
            return;
        }
        let missed_after = client.missed_after.take();
        let since = missed_after.or(client.last_id).map_or(String::new(), |id| format!("&since={id}"));
        let address = format!("api/snapshot?window={}{since}", client.history_s);
        drop(client);
        let this = self.clone();
        let requested_at = Date::now();
        spawn_local(async move {
            let snapshot = fetch_snapshot(&address, SNAPSHOT_TIMEOUT_MS).await.ok();
            let polls = {
                let mut client = this.0.borrow_mut();
                client.snapshot_pending = false;
                // A failed request leaves the second missed.
                if snapshot.is_none() {
                    client.missed_after = missed_after.or(client.missed_after);
                }
                client.policy.transport() == Transport::Poll
            };
            if let (true, Some(data)) = (polls, &snapshot) {
                this.relay(&RawEvent { name: SNAPSHOT.to_owned(), data: data.clone(), id: String::new() });
            }
            this.on_snapshot(requested_at, snapshot.as_ref().and_then(json::parse));
        });
    }

    /// Requests a missed second, on each timer until a snapshot arrives. Only while live: otherwise the policy's
    /// requests come first.
    pub(super) fn request_missed(&self) {
        let due = {
            let client = self.0.borrow();
            client.missed_after.is_some() && client.policy.status(Date::now()).connection == ConnectionState::Live
        };
        if due {
            self.request_snapshot();
        }
    }

    /// Applies a snapshot and reports to the policy whether it is ahead of the stream; `None` if the request failed.
    fn on_snapshot(&self, requested_at: f64, snapshot: Option<JsValue>) {
        let newer = snapshot.and_then(|snapshot| {
            let mut client = self.0.borrow_mut();
            let before = client.state.window.with_untracked(|window| window.end());
            client.policy.sync_clock(requested_at, Date::now(), json::number(&snapshot, "now")?);
            client.apply_snapshot(&snapshot)?;
            let after = client.state.window.with_untracked(|window| window.end());
            Some(after.zip(before).is_none_or(|(after, before)| after >= before + BUFFERED_LAG_MS))
        });
        self.update_policy(|policy, now| match newer {
            Some(newer) => policy.snapshot_arrived(now, newer),
            None => {
                policy.snapshot_failed(now, Math::random());
                StreamAction::None
            }
        });
        self.schedule_render();
    }

    /// Requests `seconds` of history, unless the page has as much.
    pub(super) fn request_history(&self, seconds: usize) {
        if seconds <= self.0.borrow().history_s {
            return;
        }
        let this = self.clone();
        spawn_local(async move {
            let snapshot = fetch_snapshot(&format!("api/snapshot?window={seconds}"), HISTORY_TIMEOUT_MS).await.ok();
            let Some(snapshot) = snapshot.as_ref().and_then(json::parse) else { return };
            this.0.borrow_mut().check_identity(&snapshot);
            let window = json::get(&snapshot, "window");
            if let Some(columns) = window.as_ref().and_then(json::window_snapshot) {
                {
                    let mut client = this.0.borrow_mut();
                    if client.is_other_host {
                        return;
                    }
                    // Set only on success, so that the next choice of a range retries a failed request.
                    client.history_s = client.history_s.max(seconds);
                    client.state.window.update_untracked(|window| window.merge(&columns));
                }
                this.schedule_render();
            }
        });
    }
}

/// Fetches a snapshot as JSON text. Errors: network failure, timeout, a status other than success, or no JSON.
async fn fetch_snapshot(address: &str, timeout_ms: u32) -> Result<JsValue, JsValue> {
    let init = RequestInit::new();
    init.set_signal(Some(&AbortSignal::timeout_with_u32(timeout_ms)));
    let response = get(address, &init).await?;
    if !response.ok() || !has_content_type(&response, "application/json")? {
        return Err(response.status().into());
    }
    JsFuture::from(response.text()?).await
}
