//! Applies stream events and snapshots to the page's state, and detects seconds that the leading tab did not relay.

use super::{ClientState, snapshot::SNAPSHOT};
use crate::{
    browser::{Transport, json, stream_source::RawEvent},
    schema::{EventId, INTERVAL_MS, WindowSnapshot},
};
use js_sys::Date;
use leptos::{prelude::*, wasm_bindgen::JsValue};

impl ClientState {
    /// Whether the leading tab skipped a second before this event, as it does until it knows of this tab. The server
    /// still has that second.
    pub(super) fn leader_skipped_before(&self, event: &RawEvent) -> bool {
        let id = event.id.parse::<EventId>().ok();
        let skips = |(id, last): (EventId, EventId)| id.tag != last.tag || id.ms > last.ms + INTERVAL_MS;
        let skips = id.zip(self.last_id).is_some_and(skips);
        skips && self.policy.transport() == Transport::Tab && event.is_of_tick() && event.name != SNAPSHOT
    }

    /// Applies an event; `None` if its data does not decode.
    pub(super) fn apply_event(&mut self, event: &RawEvent, data: &JsValue) -> Option<()> {
        let now = Date::now();
        match &*event.name {
            "hello" => {
                self.check_identity(data);
                if self.is_other_host {
                    return Some(());
                }
                self.reset_pending = json::text(data, "start")? == "reset";
                if self.reset_pending {
                    self.last_id = None;
                }
                self.policy.stream_started(now, json::number(data, "now")?);
            }
            SNAPSHOT => {
                self.apply_snapshot(data)?;
                self.report_tick(now);
            }
            _ if self.is_other_host => {}
            "window" => {
                let columns = json::window_snapshot(data)?;
                self.replace_annotations(data);
                let reset = std::mem::take(&mut self.reset_pending);
                self.merge(&columns, reset);
                // The server's position is authoritative, even if it is behind this page's.
                self.last_id = event.id.parse().ok();
                self.report_tick(now);
            }
            _ if !event.is_of_tick() => self.policy.event_arrived(now),
            name => {
                let id = event.id.parse::<EventId>().ok();
                // A duplicate, which arrived before over another transport, or an event of another log.
                if id.is_none_or(|id| self.last_id.is_some_and(|last| !id.follows(last))) {
                    self.policy.event_arrived(now);
                    return Some(());
                }
                self.last_id = id;
                match name {
                    "processes" => {
                        let processes = json::processes(data)?;
                        self.state.latest.update_value(|latest| latest.processes = processes);
                    }
                    "channels" => self.check_channels(&json::texts(data, "names")?),
                    "annotation" => self.replace_annotations(data),
                    "verdict" => {
                        let verdict = json::verdict(data)?;
                        self.state.latest.update_value(|latest| latest.verdict = verdict);
                    }
                    _ => {
                        let t = json::number(data, "t")? as u64;
                        self.state.window.update_untracked(|window| json::record(window, t, name, data));
                        self.tick_progress.group_arrived(t);
                    }
                }
                self.report_tick(now);
            }
        }
        Some(())
    }

    /// Shows the annotations in `data` from now on.
    fn replace_annotations(&self, data: &JsValue) {
        if let Some(annotations) = json::annotations(data) {
            self.state.latest.update_value(|latest| latest.annotations = annotations);
        }
    }

    /// Applies a snapshot; `None` if it does not decode.
    pub(super) fn apply_snapshot(&mut self, snapshot: &JsValue) -> Option<()> {
        self.check_identity(snapshot);
        if self.is_other_host {
            return None;
        }
        let columns = json::window_snapshot(&json::get(snapshot, "window")?)?;
        let reset = json::text(snapshot, "start")? == "reset";
        self.merge(&columns, reset);
        let latest = json::latest_values(&json::get(snapshot, "present")?)?;
        let id = json::text(snapshot, "id").and_then(|id| id.parse().ok());
        if reset || id >= self.last_id {
            self.state.latest.set_value(latest);
        }
        // A newer event may have arrived from another tab while the request was in flight.
        self.last_id = if reset { id } else { id.max(self.last_id) };
        // With a stream open, a snapshot is no evidence that the stream delivers.
        if matches!(self.policy.transport(), Transport::Poll | Transport::Tab) {
            self.report_tick(Date::now());
        }
        Some(())
    }

    /// Adds history. After a reset, seconds later than the server's newest are discarded; those before are the same
    /// host's.
    fn merge(&mut self, columns: &WindowSnapshot, reset: bool) {
        let end = columns.t0 + columns.n as u64 * columns.step_ms;
        self.state.window.update_untracked(|window| {
            if reset && window.end().is_some_and(|newest| newest >= end) {
                window.clear();
            }
            window.merge(columns);
        });
        self.tick_progress.complete();
    }

    /// Reports the newest second of the window to the policy.
    fn report_tick(&mut self, now: f64) {
        if let Some(t) = self.state.window.with_untracked(|window| window.end()) {
            self.policy.tick_arrived(now, t as f64);
        }
    }
}
