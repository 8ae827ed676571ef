//! Published values as events of a tick.

use super::{ChannelSample, Publications};
use crate::{
    schema::{ChannelNames, Sample, Tick, TickEvent, Visit},
    server::unix_time::unix_ms,
};
use std::{fmt::Write, sync::Arc, time::Instant};

/// A new viewer waits at most this long for the names of the channels.
const REPEAT_MS: u64 = 10_000;

/// Adds what is published to each tick.
#[derive(Debug)]
pub(in crate::server) struct PublishedEvents {
    publications: Arc<Publications>,
    /// When the last tick got its values.
    last: Option<Instant>,
    /// The channels that were named last, and the tick they were named in.
    named: (ChannelNames, u64),
}

impl PublishedEvents {
    pub(in crate::server) fn of(publications: Arc<Publications>) -> Self {
        Self { publications, last: None, named: Default::default() }
    }

    /// Adds an event for each channel that has values.
    pub(in crate::server) fn add_to(&mut self, tick: &mut Tick) {
        let (now, at) = (Instant::now(), unix_ms() as f64 / 1000.0);
        let elapsed = self.last.replace(now).map_or(1.0, |last| now.saturating_duration_since(last).as_secs_f64());
        let dt = (elapsed * 1e6).round() / 1e6;
        let mut names = Vec::new();
        for values in self.publications.sample(now) {
            names.push(values.channel.clone());
            tick.push(Sample { t: tick.t, at, dt, values });
        }
        let (names, (named, named_at)) = (ChannelNames { names }, &mut self.named);
        if names != *named || (!names.names.is_empty() && tick.t.abs_diff(*named_at) >= REPEAT_MS) {
            (*named, *named_at) = (names.clone(), tick.t);
            tick.push(Sample { t: tick.t, at, dt, values: names });
        }
    }
}

impl TickEvent for Sample<ChannelSample> {
    fn name(&self) -> &str {
        &self.values.channel
    }

    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// Visits `shop.orders`, and `shop.labels.eu.orders`.
    fn series(&self, visit: Visit<'_>) {
        let ChannelSample { channel, values, labels } = &self.values;
        let mut path = String::new();
        for (name, value) in values {
            path.clear();
            // Writing to a string can't fail.
            let _ = write!(path, "{channel}.{name}");
            visit(&path, *value);
        }
        for (label, values) in labels {
            for (name, value) in values {
                path.clear();
                let _ = write!(path, "{channel}.labels.{label}.{name}");
                visit(&path, *value);
            }
        }
    }
}
