//! What programs publish: parsing, bounds, and the values of each tick.
//!
//! A request is parsed into [`Publication`]s, which [`Publications`] takes as a whole or not at all. The sampler calls
//! [`Publications::sample`] once a second.

mod declaration;
mod json;
mod label;
mod limits;
mod name;
mod prometheus;
mod publication;
mod publications;
mod refusal;
mod registry;
mod series;
pub(super) mod statsd;
#[cfg(test)]
mod tests;
mod tick_event;
mod total;

pub use declaration::{parse_declaration, restored_declaration};
pub use json::{parse_json, parse_json_lines};
pub use label::{InvalidLabel, Label};
pub use limits::PublishLimits;
pub use name::{ChannelName, InvalidPublishedName, ValueName};
pub use prometheus::parse_prometheus;
pub use publication::{Publication, Reading};
pub use publications::{ChannelList, ListedChannel, Publications};
pub use refusal::{PublishRefusal, RefusalReason};
pub use registry::ChannelSample;
pub use statsd::parse_datagram;
pub(super) use tick_event::PublishedEvents;

pub(super) use json::wrong_type;
pub(super) use refusal::excerpt;

/// How far a publisher's clock may be off, in milliseconds.
const MAX_CLOCK_OFF_MS: i64 = 60_000;

/// Refuses a time in Unix milliseconds that is too far from `now`.
fn check_time(t: i64, now: u64) -> Result<(), RefusalReason> {
    let ahead = t.saturating_sub_unsigned(now);
    match ahead.saturating_abs() > MAX_CLOCK_OFF_MS {
        true => Err(RefusalReason::ClockOff { ahead_s: ahead / 1000 }),
        false => Ok(()),
    }
}
