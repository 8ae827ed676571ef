//! The channels that events carry, and the panels that show them.

use crate::{
    panels::{Panel, host_panels},
    schema::HOST_EVENTS,
};
use std::sync::Arc;

/// The host's own channels.
#[derive(Debug)]
pub(super) struct Channels {
    panels: Vec<Arc<Panel>>,
}

impl Default for Channels {
    fn default() -> Self {
        Self { panels: host_panels().into_iter().map(Arc::new).collect() }
    }
}

impl Channels {
    /// The panels, in the order of the page.
    pub(super) fn panels(&self) -> Vec<Arc<Panel>> {
        self.panels.clone()
    }

    /// The names of the events that a tick may have.
    pub(super) fn event_names(&self) -> Vec<String> {
        HOST_EVENTS.map(str::to_owned).into()
    }
}
