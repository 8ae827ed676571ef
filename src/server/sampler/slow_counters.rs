//! What exporters alone need and changes slowly: the state of network interfaces from `/sys/class/net`, and gauges that are
//! files. Read on a thread of its own, since sysfs waits while interfaces are configured.

use super::{
    HostSource,
    background::Poller,
    interface_rows::{MAX_INTERFACES, is_virtual},
};
use crate::schema::{Link, SlowCounters};
use std::{collections::BTreeMap, sync::Arc};

/// In ticks.
const POLL_INTERVAL: u32 = 30;
const FILES: [&str; 5] = [
    "/proc/sys/fs/file-nr",
    "/proc/sys/kernel/random/entropy_avail",
    "/proc/sys/kernel/random/poolsize",
    "/proc/sys/net/netfilter/nf_conntrack_count",
    "/proc/sys/net/netfilter/nf_conntrack_max",
];

/// Samples what changes slowly.
#[derive(Debug, Default)]
pub(super) struct SlowCountersSampler {
    /// `None` reads nothing.
    poller: Option<Poller<Arc<SlowCounters>>>,
}

impl SlowCountersSampler {
    /// Starts to read in the background.
    pub(super) fn start(mut source: impl HostSource + Send + 'static) -> Self {
        let read =
            move || Some(Arc::new(SlowCounters { files: read_files(&mut source), links: read_links(&mut source) }));
        Self { poller: Some(Poller::start("slow counters", POLL_INTERVAL, read)) }
    }

    /// What was read last. Called once per tick; never waits.
    pub(super) fn sample(&mut self) -> Arc<SlowCounters> {
        self.poller.as_mut().map(|poller| Arc::clone(poller.tick())).unwrap_or_default()
    }
}

/// Of files that the host has.
fn read_files(source: &mut impl HostSource) -> Vec<(&'static str, String)> {
    let mut text = String::new();
    let mut read = |path| source.read_cached(path, &mut text).ok().map(|()| (path, text.clone()));
    FILES.into_iter().filter_map(&mut read).collect()
}

/// Interfaces by name, except for those of containers.
fn read_links(source: &mut impl HostSource) -> BTreeMap<String, Link> {
    let mut names = source.list("/sys/class/net").unwrap_or_default();
    names.retain(|name| !is_virtual(name));
    names.sort();
    names.truncate(MAX_INTERFACES);
    names.into_iter().map(|name| (name.clone(), read_link(source, &name))).collect()
}

fn read_link(source: &mut impl HostSource, name: &str) -> Link {
    let mut text = String::new();
    let mut attribute = |attribute: &str| {
        source.read_first_page(&format!("/sys/class/net/{name}/{attribute}"), &mut text).ok()?;
        Some(text.trim().to_owned())
    };
    Link {
        up: attribute("operstate").map(|state| state == "up"),
        carrier: attribute("carrier").map(|carrier| carrier == "1"),
        mtu: attribute("mtu").and_then(|mtu| mtu.parse().ok()),
        // -1 while it is unknown.
        speed_mbit: attribute("speed").and_then(|speed| speed.parse().ok()),
        rx_unhandled: attribute("statistics/rx_nohandler").and_then(|packets| packets.parse().ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::linux::tests::RecordedHost;

    #[test]
    fn interface_has_what_sysfs_reports() {
        let mut host = RecordedHost::default()
            .with_folder("/sys/class/net", &["wlan0", "eth0", "veth7"])
            .with("/sys/class/net/eth0/operstate", "up\n")
            .with("/sys/class/net/eth0/carrier", "1\n")
            .with("/sys/class/net/eth0/mtu", "1500\n")
            .with("/sys/class/net/eth0/speed", "1000\n")
            .with("/sys/class/net/eth0/statistics/rx_nohandler", "7\n")
            .with("/sys/class/net/wlan0/operstate", "down\n")
            .with("/sys/class/net/wlan0/speed", "-1\n");
        let eth0 = Link {
            up: Some(true),
            carrier: Some(true),
            mtu: Some(1500),
            speed_mbit: Some(1000),
            rx_unhandled: Some(7),
        };
        let wlan0 = Link { up: Some(false), ..Link::default() };
        assert_eq!(read_links(&mut host), [("eth0".to_owned(), eth0), ("wlan0".to_owned(), wlan0)].into());
    }

    #[test]
    fn number_of_interfaces_is_bounded() {
        let names: Vec<_> = (0..1000).map(|n| format!("wg{n}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let mut host = RecordedHost::default().with_folder("/sys/class/net", &names);
        assert_eq!(read_links(&mut host).len(), MAX_INTERFACES);
    }
}
