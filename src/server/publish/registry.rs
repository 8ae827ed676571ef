//! All published channels and their series.

use super::{
    ChannelName, Label, ListedChannel, Publication, PublishLimits, PublishRefusal, RefusalReason, ValueName,
    series::PublishedSeries,
};
use crate::schema::Channel;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::{Duration, Instant},
};

/// The values of a channel in one tick, as its event carries them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChannelSample {
    /// The channel.
    #[serde(skip)]
    pub channel: String,
    /// Values without a label.
    #[serde(flatten)]
    pub values: BTreeMap<String, Option<f64>>,
    /// Values by label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, BTreeMap<String, Option<f64>>>,
}

/// The channels by name.
#[derive(Debug, Default)]
pub(super) struct Registry {
    channels: BTreeMap<ChannelName, PublishedChannel>,
    /// Series of all channels.
    series: usize,
    /// Rises with each change of the list.
    pub(super) version: u64,
    /// When the last sample was taken.
    sampled: Option<Instant>,
}

#[derive(Debug, Default)]
struct PublishedChannel {
    declaration: Option<Channel>,
    /// The names of all values, whatever their labels.
    values: BTreeSet<ValueName>,
    series: BTreeMap<Option<Label>, BTreeMap<ValueName, PublishedSeries>>,
}

impl Registry {
    /// Refuses publications that would exceed a bound.
    pub(super) fn check_bounds(
        &self,
        publications: &[Publication],
        limits: &PublishLimits,
    ) -> Result<(), PublishRefusal> {
        let (mut channels, mut series) = (HashSet::new(), HashSet::new());
        let mut values = HashMap::<_, HashSet<_>>::new();
        for Publication { line, channel: name, label, readings } in publications {
            let refused = |reason: RefusalReason, field: &str| PublishRefusal { line: *line, ..reason.at(field) };
            let channel = self.channels.get(name);
            if channel.is_none() {
                channels.insert(name);
            }
            if self.channels.len() + channels.len() > limits.channels && channel.is_none() {
                return Err(refused(RefusalReason::TooManyChannels(limits.channels), "channel"));
            }
            let known = channel.and_then(|channel| channel.series.get(label));
            for (value, _) in readings.iter().filter(|(value, _)| known.is_none_or(|known| !known.contains_key(value)))
            {
                let of_channel = values.entry(name).or_default();
                if channel.is_none_or(|channel| !channel.values.contains(value)) {
                    of_channel.insert(value);
                }
                if channel.map_or(0, |channel| channel.values.len()) + of_channel.len() > limits.values {
                    return Err(refused(RefusalReason::TooManyValues(limits.values), &format!("values.{value}")));
                }
                series.insert((name, label, value));
                if self.series + series.len() > limits.series {
                    return Err(refused(RefusalReason::TooManySeries(limits.series), &format!("values.{value}")));
                }
            }
        }
        Ok(())
    }

    pub(super) fn record(&mut self, publication: Publication, now: Instant) {
        let channel = self.channels.entry(publication.channel).or_default();
        let series = channel.series.entry(publication.label).or_default();
        for (name, reading) in publication.readings {
            match series.get_mut(&name) {
                Some(series) => series.record(reading, now),
                None => {
                    channel.values.insert(name.clone());
                    series.insert(name, PublishedSeries::new(reading, now));
                    self.series += 1;
                    self.version += 1;
                }
            }
        }
    }

    /// The values of the tick at `now`; of each channel that has any.
    pub(super) fn sample(&mut self, now: Instant, expiry: Duration) -> Vec<ChannelSample> {
        self.forget(now, expiry);
        let elapsed = self.sampled.replace(now).map(|last| now.saturating_duration_since(last).as_secs_f64());
        let elapsed = elapsed.filter(|elapsed| *elapsed > 0.0).unwrap_or(1.0);
        let with_values = self.channels.iter_mut().filter(|(_, channel)| !channel.series.is_empty());
        let sampled = with_values.map(|(name, channel)| {
            let mut sample = ChannelSample { channel: name.to_string(), ..ChannelSample::default() };
            for (label, series) in &mut channel.series {
                let values = series.iter_mut().map(|(name, one)| (name.to_string(), one.sample(now, elapsed, expiry)));
                match label {
                    None => sample.values = values.collect(),
                    Some(label) => _ = sample.labels.insert(label.to_string(), values.collect()),
                }
            }
            sample
        });
        sampled.collect()
    }

    /// Ends series, and then channels that nobody declared.
    fn forget(&mut self, now: Instant, expiry: Duration) {
        let before = self.series;
        for channel in self.channels.values_mut() {
            let had = channel.len();
            channel.series.retain(|_, series| {
                series.retain(|_, one| !one.has_ended(now, expiry));
                !series.is_empty()
            });
            let ended = had - channel.len();
            if ended > 0 {
                channel.values = channel.series.values().flat_map(BTreeMap::keys).cloned().collect();
                self.series -= ended;
            }
        }
        if self.series != before {
            self.channels.retain(|_, channel| channel.declaration.is_some() || !channel.series.is_empty());
            self.version += 1;
        }
    }

    /// Whether it has, or may have, a channel of that name.
    pub(super) fn has_room_for(&self, name: &ChannelName, limits: &PublishLimits) -> bool {
        self.channels.contains_key(name) || self.channels.len() < limits.channels
    }

    /// Whether somebody declared the channel.
    pub(super) fn is_declared(&self, name: &ChannelName) -> bool {
        self.channels.get(name).is_some_and(|channel| channel.declaration.is_some())
    }

    pub(super) fn declare(&mut self, name: ChannelName, declaration: Channel) {
        self.channels.entry(name).or_default().declaration = Some(declaration);
        self.version += 1;
    }

    pub(super) fn remove(&mut self, name: &ChannelName) {
        if let Some(channel) = self.channels.remove(name) {
            self.series -= channel.len();
            self.version += 1;
        }
    }

    pub(super) fn list(&self) -> Vec<ListedChannel> {
        let listed = self.channels.iter().map(|(name, channel)| ListedChannel {
            channel: channel.declaration.clone().unwrap_or_else(|| Channel::undeclared(name.as_str())),
            is_declared: channel.declaration.is_some(),
            values: channel.values.iter().map(ValueName::to_string).collect(),
            labels: channel.series.keys().flatten().map(Label::to_string).collect(),
        });
        listed.collect()
    }
}

impl PublishedChannel {
    /// Its series.
    fn len(&self) -> usize {
        self.series.values().map(BTreeMap::len).sum()
    }
}
