//! What programs publish, shared by those who write and the sampler.

use super::{
    ChannelName, ChannelSample, Publication, PublishLimits, PublishRefusal, RefusalReason, registry::Registry,
};
use crate::schema::Channel;
use serde::Serialize;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// The published channels. Requests are parsed before they lock it, so that no tick waits for that.
#[derive(Debug, Default)]
pub struct Publications {
    limits: PublishLimits,
    registry: Mutex<Registry>,
}

/// The channels at one time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelList {
    /// Rises with each change of the list.
    pub version: u64,
    /// By name.
    pub channels: Vec<ListedChannel>,
}

/// A channel, and what it has now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListedChannel {
    /// Its declaration, or that of a channel which nobody declared.
    #[serde(flatten)]
    pub channel: Channel,
    /// Whether somebody declared it.
    #[serde(rename = "declared")]
    pub is_declared: bool,
    /// The names of its values.
    pub values: Vec<String>,
    /// The labels of its values.
    pub labels: Vec<String>,
}

impl Publications {
    /// Nothing published yet.
    pub fn new(limits: PublishLimits) -> Self {
        Self { limits, registry: Mutex::default() }
    }

    /// Takes all publications at `now`, or none.
    ///
    /// # Errors
    /// When they would exceed a bound.
    pub fn publish(&self, publications: Vec<Publication>, now: Instant) -> Result<(), PublishRefusal> {
        let mut registry = self.lock();
        registry.check_bounds(&publications, &self.limits)?;
        publications.into_iter().for_each(|publication| registry.record(publication, now));
        Ok(())
    }

    /// The values of the tick at `now`, by channel. Counts start anew, so each tick calls this once.
    pub fn sample(&self, now: Instant) -> Vec<ChannelSample> {
        self.lock().sample(now, self.limits.expiry)
    }

    /// Refuses a channel that would exceed the bound.
    ///
    /// # Errors
    /// When the channel is new, and there are as many as may be.
    pub fn check_room(&self, name: &ChannelName) -> Result<(), PublishRefusal> {
        match self.lock().has_room_for(name, &self.limits) {
            true => Ok(()),
            false => Err(RefusalReason::TooManyChannels(self.limits.channels).at("name")),
        }
    }

    /// Shows a channel as declared; returns whether it was declared before.
    pub fn declare(&self, name: ChannelName, declaration: Channel) -> bool {
        let mut registry = self.lock();
        let was_declared = registry.is_declared(&name);
        registry.declare(name, declaration);
        was_declared
    }

    /// Removes a channel's declaration and values.
    pub fn remove(&self, name: &ChannelName) {
        self.lock().remove(name);
    }

    /// Rises with each change of the list of channels, their values and labels.
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// All channels.
    pub fn list(&self) -> ChannelList {
        let registry = self.lock();
        ChannelList { version: registry.version, channels: registry.list() }
    }

    /// Nothing in it is half-written after a panic that matters more than the next tick.
    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
