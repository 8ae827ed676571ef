//! The channels that events carry, and the panels that show them.

use crate::{
    panels::{Panel, host_panels},
    schema::HOST_EVENTS,
    server::publish::Publications,
};
use std::sync::Arc;

/// The host's own channels, and those that programs publish.
#[derive(Debug)]
pub(super) struct Channels {
    panels: Vec<Arc<Panel>>,
    publications: Arc<Publications>,
}

impl Default for Channels {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl Channels {
    /// The channels of a server.
    pub(super) fn new(publications: Arc<Publications>) -> Self {
        Self { panels: host_panels().into_iter().map(Arc::new).collect(), publications }
    }

    /// The panels, in the order of the page.
    pub(super) fn panels(&self) -> Vec<Arc<Panel>> {
        self.panels.clone()
    }

    /// The names of the events that a tick may have.
    pub(super) fn event_names(&self) -> Vec<String> {
        let published = self.publications.list().channels.into_iter().map(|listed| listed.channel.name);
        HOST_EVENTS.iter().map(|&name| name.to_owned()).chain(published).collect()
    }
}
