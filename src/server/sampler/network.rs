//! Network interfaces from `/proc/net/dev` (proc_net_dev(5)): of a hundred of them it costs 0.3 ms, sysfs 9.

use super::{
    Clock, HostSource, SamplerOptions,
    rate::{CompleteSum, PreviousReading, rate, round_to_hundredths},
};
use crate::schema::{Interface, Network, Sample};
use std::collections::{BTreeMap, BTreeSet};

/// Interfaces that are shown on their own.
const SHOWN: usize = 40;
/// The name under which the virtual ones are shown, and what there is beyond.
const OTHERS: &str = "others";
/// What containers, virtual machines and their bridges name their interfaces by: many, of which none is interesting.
const FOLDED: [&str; 11] = ["veth", "br-", "docker", "virbr", "vnet", "tap", "cni", "flannel", "cali", "podman", "lxc"];
/// Ticks after which it is looked anew which interfaces have no device of their own.
const LIST_EVERY: u32 = 10;

/// Since the interface was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub rx_bytes: u64,
    pub rx_packets: u64,
    pub rx_errors: u64,
    pub rx_drops: u64,
    pub tx_bytes: u64,
    pub tx_packets: u64,
    pub tx_errors: u64,
    pub tx_drops: u64,
}

/// Samples network interfaces.
#[derive(Debug, Default)]
pub(super) struct NetworkSampler {
    last: PreviousReading<BTreeMap<String, Counters>>,
    /// Interfaces without a device: what passes there has come through another one, or never leaves this host.
    without_device: BTreeSet<String>,
    /// Whether each is shown on its own, whatever it is.
    one_by_one: bool,
    readings: u32,
    text: String,
}

impl NetworkSampler {
    pub(super) fn new(options: &SamplerOptions) -> Self {
        Self { one_by_one: options.virtual_interfaces, ..Self::default() }
    }

    pub(super) fn sample(
        &mut self,
        t: u64,
        source: &mut impl HostSource,
        clock: &impl Clock,
    ) -> Option<Sample<Network>> {
        if self.readings.is_multiple_of(LIST_EVERY) {
            self.without_device = source.list("/sys/devices/virtual/net").unwrap_or_default().into_iter().collect();
        }
        self.readings = self.readings.wrapping_add(1);
        let (text, without_device, one_by_one) = (&mut self.text, &self.without_device, self.one_by_one);
        let read = || {
            source.read_cached("/proc/net/dev", text).ok()?;
            Some(parse(text))
        };
        self.last.next_sample(t, clock, read, |before, now, dt| rates(before, now, dt, without_device, one_by_one))
    }
}

/// After two lines of headings, `eth0: ` and sixteen figures: eight of what was received, eight of what was sent.
pub(super) fn parse(text: &str) -> BTreeMap<String, Counters> {
    let interface = |line: &str| {
        // A name may contain a colon, and no space.
        let (name, figures) = line.trim_start().rsplit_once(": ").or_else(|| line.trim_start().rsplit_once(':'))?;
        let figures: Vec<u64> = figures.split_ascii_whitespace().map_while(|figure| figure.parse().ok()).collect();
        let [rx_bytes, rx_packets, rx_errors, rx_drops, _, _, _, _, tx_bytes, tx_packets, tx_errors, tx_drops, ..] =
            figures[..]
        else {
            return None;
        };
        let counters =
            Counters { rx_bytes, rx_packets, rx_errors, rx_drops, tx_bytes, tx_packets, tx_errors, tx_drops };
        Some((name.to_owned(), counters))
    };
    text.lines().skip(2).filter_map(interface).collect()
}

/// An interface that has just come has no rates yet; neither has one whose counters were reset.
fn rates(
    before: &BTreeMap<String, Counters>,
    now: &BTreeMap<String, Counters>,
    dt: f64,
    without_device: &BTreeSet<String>,
    one_by_one: bool,
) -> Network {
    let is_folded = |name: &str| FOLDED.iter().any(|prefix| name.starts_with(prefix));
    // In a container no interface has a device; there, what isn't known to be internal leads out.
    let has_devices = now.keys().any(|name| !without_device.contains(name) && name != "lo");
    let leads_out = |name: &str| name != "lo" && !is_folded(name) && !(has_devices && without_device.contains(name));
    let (mut received, mut sent) = (CompleteSum::default(), CompleteSum::default());
    let mut interfaces: BTreeMap<String, Interface> = BTreeMap::new();
    for (name, now) in now {
        let before = before.get(name);
        let rate = |of: fn(&Counters) -> u64| rate(before.map(of), Some(of(now)), dt);
        let interface = Interface {
            rx_bytes: rate(|c| c.rx_bytes),
            tx_bytes: rate(|c| c.tx_bytes),
            rx_packets: rate(|c| c.rx_packets),
            tx_packets: rate(|c| c.tx_packets),
            errors: rate(|c| c.rx_errors.saturating_add(c.tx_errors)),
            drops: rate(|c| c.rx_drops.saturating_add(c.tx_drops)),
        };
        if leads_out(name) && before.is_some() {
            received.add(interface.rx_bytes);
            sent.add(interface.tx_bytes);
        }
        if (is_folded(name) && !one_by_one) || interfaces.len() >= SHOWN {
            let others = interfaces.entry(OTHERS.to_owned()).or_default();
            join(&mut others.rx_bytes, interface.rx_bytes);
            join(&mut others.tx_bytes, interface.tx_bytes);
            join(&mut others.rx_packets, interface.rx_packets);
            join(&mut others.tx_packets, interface.tx_packets);
            join(&mut others.errors, interface.errors);
            join(&mut others.drops, interface.drops);
        } else {
            interfaces.insert(name.clone(), interface);
        }
    }
    Network { rx_bytes: received.total(), tx_bytes: sent.total(), interfaces }
}

/// Of many that come and go, what is unknown of one adds nothing.
fn join(sum: &mut Option<f64>, part: Option<f64>) {
    if let Some(part) = part {
        *sum = round_to_hundredths(sum.unwrap_or(0.0) + part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::RecordedHost};

    const HEADINGS: &str = "Inter-|   Receive                            |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed\n";

    fn sample(before: &str, now: &str) -> Network {
        let (mut sampler, clock) = (NetworkSampler::default(), ManualClock::at(0.0));
        let file = |lines: &str| {
            let host = RecordedHost::default().with("/proc/net/dev", &(HEADINGS.to_owned() + lines));
            host.with_folder("/sys/devices/virtual/net", &["lo", "eth0.7", "vmbr0", "docker0", "veth9"])
        };
        assert_eq!(sampler.sample(0, &mut file(before), &clock), None);
        clock.advance(2.0);
        sampler.sample(2000, &mut file(now), &clock).unwrap().values
    }

    #[test]
    fn what_leaves_the_host_makes_the_sum() {
        let before = "    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\n  eth0: 1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0\n eth0.7:0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
        let now = "    lo: 900 1 0 0 0 0 0 0 900 1 0 0 0 0 0 0\n  eth0: 3000 14 3 1 0 0 0 0 2500 21 1 2 0 0 0 0\n eth0.7:50 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
        let network = sample(before, now);
        assert_eq!((network.rx_bytes, network.tx_bytes), (Some(1000.0), Some(250.0)), "the VLAN's went through eth0");
        let eth0 = &network.interfaces["eth0"];
        assert_eq!((eth0.rx_packets, eth0.tx_packets), (Some(2.0), Some(0.5)));
        assert_eq!((eth0.errors, eth0.drops), (Some(2.0), Some(1.5)));
        assert_eq!(network.interfaces["lo"].rx_bytes, Some(400.0));
        assert_eq!(network.interfaces["eth0.7"].rx_bytes, Some(25.0));
    }

    #[test]
    fn where_no_interface_has_a_device_what_leads_out_makes_the_sum() {
        let line = |name: &str, bytes: u64| format!("{name}: {bytes} 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
        let lines = |bytes: u64| line("lo", bytes) + &line("vmbr0", bytes) + &line("veth9", bytes);
        assert_eq!(sample(&lines(0), &lines(200)).rx_bytes, Some(100.0));
    }

    #[test]
    fn what_is_virtual_is_one_row_and_no_part_of_the_sum() {
        let lines = |bytes: u64| {
            ["veth1a2b", "docker0", "br-77", "eth0"]
                .map(|name| format!("{name}: {bytes} 0 0 0 0 0 0 0 {bytes} 0 0 0 0 0 0 0\n"))
                .concat()
        };
        let network = sample(&lines(0), &lines(200));
        assert_eq!(network.rx_bytes, Some(100.0));
        assert_eq!(network.interfaces.keys().collect::<Vec<_>>(), ["eth0", "others"]);
        assert_eq!(network.interfaces["others"].tx_bytes, Some(300.0));
    }

    #[test]
    fn what_comes_or_is_reset_has_no_rate_and_what_goes_is_gone() {
        let line = |name: &str, bytes: u64| format!("{name}: {bytes} 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
        let network = sample(&(line("eth0", 500) + &line("wlan0", 9)), &(line("eth0", 100) + &line("eth1", 700)));
        assert_eq!(network.interfaces.keys().collect::<Vec<_>>(), ["eth0", "eth1"]);
        assert_eq!((network.interfaces["eth0"].rx_bytes, network.interfaces["eth1"].rx_bytes), (None, None));
        assert_eq!(network.rx_bytes, None, "no less is known than that it is unknown");
    }

    #[test]
    fn a_thousand_interfaces_are_no_thousand_rows() {
        let lines = |bytes: u64| {
            let line = |n: usize| format!("wg{n:04}: {bytes} 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
            (0..1000).map(line).collect::<String>()
        };
        let network = sample(&lines(0), &lines(2));
        assert_eq!(network.interfaces.len(), SHOWN + 1);
        assert_eq!(network.rx_bytes, Some(1000.0));
        assert_eq!(network.interfaces["others"].rx_bytes, Some((1000 - SHOWN) as f64));
    }

    #[test]
    fn what_is_no_interface_is_passed_over() {
        let network = sample("garbage\neth0: 1 2\n", "eth0: x\n: 1\n");
        assert!(network.interfaces.is_empty());
    }
}
