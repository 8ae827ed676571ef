//! Network rules: listen overflows, SYN floods, a rise of connections, packet errors and losses.

use super::{Evidence, Finding, Level, MINUTE, TEN_MINUTES, Unit, finding, paths};

/// More connections than programs accept, or far more than usual.
pub(super) fn connections(evidence: &Evidence<'_>) -> Vec<Finding> {
    const OVERFLOWS: f64 = 0.1;
    const HALF_OPEN: f64 = 256.0;
    const MANY: f64 = 1000.0;
    const FACTOR: f64 = 4.0;
    let assess = || {
        if let Some(rate) = evidence.mean(paths::TCP_LISTEN_OVERFLOWS, MINUTE).filter(|rate| *rate >= OVERFLOWS) {
            let since = evidence.since(paths::TCP_LISTEN_OVERFLOWS, |rate| rate > 0.0);
            let rate = Unit::Rate.text(Some(rate));
            let text = format!("Listen queue overflows {rate}: a program accepts connections too slowly.");
            return finding(Level::Trouble, text, since);
        }
        if let Some(count) = evidence.mean(paths::TCP_SYN_RECV, MINUTE / 6).filter(|count| *count >= HALF_OPEN) {
            let since = evidence.since(paths::TCP_SYN_RECV, |count| count >= HALF_OPEN / 2.0);
            return finding(Level::Trouble, format!("Possible SYN flood: {count:.0} half-open connections."), since);
        }
        let (now, average) =
            (evidence.mean(paths::TCP_IN_USE, MINUTE / 6)?, evidence.mean(paths::TCP_IN_USE, TEN_MINUTES)?);
        let since = evidence.since(paths::TCP_IN_USE, |count| count >= now / 2.0);
        let text = || format!("TCP connections up to {now:.0}; the ten-minute average is {average:.0}.");
        (now >= MANY && now >= average * FACTOR).then(|| finding(Level::Watch, text(), since))?
    };
    assess().into_iter().collect()
}

/// Interfaces with packet errors or losses. Drops alone are no loss: frames of unknown protocols count as dropped.
pub(super) fn interfaces(evidence: &Evidence<'_>) -> Vec<Finding> {
    const ERRORS: f64 = 1.0;
    const LOST: f64 = 10.0;
    let assess = |name: String| {
        for (path, threshold, what) in
            [(paths::INTERFACE_ERRORS, ERRORS, "packet errors"), (paths::INTERFACE_LOST, LOST, "lost packets")]
        {
            let path = paths::named(path, &name);
            if let Some(rate) = evidence.mean(&path, MINUTE).filter(|rate| *rate >= threshold) {
                let since = evidence.since(&path, |rate| rate >= threshold / 2.0);
                let count = Unit::Count.text(Some(rate.round()));
                return finding(Level::Watch, format!("Network interface {name}: {count} {what} per second."), since);
            }
        }
        None
    };
    evidence.names(paths::INTERFACE_ERRORS).into_iter().filter_map(assess).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Interface, Network, Window};

    /// Findings after two minutes with so many drops and losses per second.
    fn findings(drops: f64, lost: f64) -> Vec<Finding> {
        let mut window = Window::new(200);
        for second in 0..120 {
            let interface = Interface {
                errors_per_second: Some(0.0),
                drops_per_second: Some(drops),
                lost_per_second: Some(lost),
                ..Interface::default()
            };
            let interfaces = [("veth9".to_owned(), interface)].into();
            window.record(second * 1000, &Network { interfaces, ..Network::default() });
        }
        interfaces(&Evidence { window: &window, processes: None })
    }

    #[test]
    fn drops_without_loss_are_no_finding() {
        assert_eq!(findings(50.0, 0.0), []);
        assert_eq!(findings(50.0, 50.0)[0].text, "Network interface veth9: 50 lost packets per second.");
    }
}
