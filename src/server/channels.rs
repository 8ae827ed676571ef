//! The channels that events carry, and the panels that show them.

use super::{log::TickLog, publish::Publications};
use crate::{
    panels::{Panel, PanelKind, channel_panel, host_panels},
    schema::{Channel, HOST_EVENTS, PublishedPath},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The host's own channels, and those that programs publish.
#[derive(Debug)]
pub(super) struct Channels {
    host: Vec<Arc<Panel>>,
    publications: Arc<Publications>,
    log: Arc<TickLog>,
    cached: Mutex<CachedPanels>,
}

/// The panels that all requests of a second share.
#[derive(Debug)]
struct CachedPanels {
    /// The newest tick, and the version of what is published, that they are made from.
    made_from: (Option<u64>, u64),
    panels: Arc<[Arc<Panel>]>,
}

impl Default for Channels {
    fn default() -> Self {
        Self::new(Arc::default(), Arc::default())
    }
}

impl Channels {
    /// The channels of a server.
    pub(super) fn new(publications: Arc<Publications>, log: Arc<TickLog>) -> Self {
        let host: Vec<_> = host_panels().into_iter().map(Arc::new).collect();
        let cached = Mutex::new(CachedPanels { made_from: (None, 0), panels: host.clone().into() });
        Self { host, publications, log, cached }
    }

    /// The panels, in the order of the page: those of published channels after the host's charts.
    pub(super) fn panels(&self) -> Arc<[Arc<Panel>]> {
        let newest = (self.log.head().last_tick, self.publications.version());
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.made_from != newest {
            let is_chart = |panel: &Arc<Panel>| panel.kind() == PanelKind::Chart;
            let (charts, tables) = self.host.iter().cloned().partition::<Vec<_>, _>(is_chart);
            let panels = charts.into_iter().chain(self.published()).chain(tables).collect();
            *cached = CachedPanels { made_from: newest, panels };
        }
        Arc::clone(&cached.panels)
    }

    /// The panels of the published channels that the window has values of. After a restart, those are in the window before
    /// they are published again.
    fn published(&self) -> Vec<Arc<Panel>> {
        let declared: BTreeMap<_, _> = self
            .publications
            .list()
            .channels
            .into_iter()
            .map(|listed| (listed.channel.name.clone(), listed.channel))
            .collect();
        let window = self.log.window();
        let mut paths: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for path in window.paths() {
            if let Some(PublishedPath { channel, .. }) = PublishedPath::of(path) {
                paths.entry(channel).or_default().push(path);
            }
        }
        let panel = |(name, paths): (&str, Vec<&str>)| {
            let declaration = declared.get(name).cloned().unwrap_or_else(|| Channel::undeclared(name));
            Arc::new(channel_panel(&declaration, &paths))
        };
        paths.into_iter().map(panel).collect()
    }

    /// The names of the events that a tick may have.
    pub(super) fn event_names(&self) -> Vec<String> {
        let published = self.publications.list().channels.into_iter().map(|listed| listed.channel.name);
        let drawn = self.published().into_iter().map(|panel| panel.id.clone());
        let mut names: Vec<_> = published.chain(drawn).collect();
        names.sort_unstable();
        names.dedup();
        HOST_EVENTS.iter().map(|&name| name.to_owned()).chain(names).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::Sample,
        server::{
            log::tests::{restored, tick},
            publish::ChannelSample,
        },
    };

    fn ids(channels: &Channels) -> Vec<String> {
        channels.panels().iter().map(|panel| panel.id.clone()).collect()
    }

    #[test]
    fn channel_in_the_window_has_a_panel_after_the_hosts_charts_also_restored() {
        let log = Arc::new(TickLog::default());
        let channels = Channels::new(Arc::default(), Arc::clone(&log));
        assert!(!ids(&channels).contains(&"shop".to_owned()));
        let mut tick = tick(1000);
        let values = ChannelSample {
            channel: "shop".to_owned(),
            values: [("orders".to_owned(), Some(7.0))].into(),
            labels: BTreeMap::new(),
        };
        tick.push(Sample { t: 1000, at: 1.0, dt: 1.0, values });
        log.publish(&tick);

        let restored = restored(&log);
        for channels in [channels, Channels::new(Arc::default(), Arc::new(restored))] {
            assert!(ids(&channels).ends_with(&["cgroup", "shop", "services", "processes"].map(str::to_owned)));
            assert!(channels.event_names().contains(&"shop".to_owned()), "a client may wait for it");
        }
    }
}
