//! How much history of a series the first response carries, so that the page stays small.

#[cfg(feature = "ssr")]
use super::Panel;
#[cfg(feature = "ssr")]
use crate::charts::TREND_S;

/// Seconds of history of each core in the first response, the newest included. Fewer for many cores, to keep the page
/// small; the browser requests the remaining ones when it shows them.
pub fn core_history(cores: usize) -> usize {
    const MIN_SECONDS: usize = 60;
    const MAX_VALUES: usize = 19_200;
    (MAX_VALUES / cores.max(1)).max(MIN_SECONDS)
}

/// Ends of the paths whose values only the verdict and other programs read.
#[cfg(feature = "ssr")]
const NOT_SHOWN: [&str; 2] = [".lost_per_second", ".read_only"];

/// Seconds of history of the series at `path` that `panels` show, the newest included, on a host with `cores` cores.
#[cfg(feature = "ssr")]
pub fn history(panels: &[impl AsRef<Panel>], path: &str, cores: usize) -> usize {
    let mut charts = panels.iter().map(|panel| &panel.as_ref().chart);
    let mut tables = panels.iter().flat_map(|panel| &panel.as_ref().tables);
    let is_plotted =
        charts.clone().flat_map(|chart| &chart.series).any(|series| series.value.paths().any(|other| other == path));
    if is_plotted {
        usize::MAX
    } else if NOT_SHOWN.iter().any(|end| path.ends_with(end)) {
        0
    } else if path.starts_with("cpu.cores_percent.") {
        core_history(cores)
    } else if tables.any(|table| table.has_trend_of(path)) || charts.any(|chart| chart.headline.path() == path) {
        TREND_S
    } else {
        1
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::panels::host_panels;

    #[test]
    fn history_covers_what_the_page_shows() {
        let panels: Vec<_> = host_panels().into_iter().map(std::sync::Arc::new).collect();
        let history = |path, cores| history(&panels, path, cores);
        assert_eq!(history("cpu.user_percent", 16), usize::MAX);
        assert_eq!(history("network.interfaces.eth0.rx_bytes_per_second", 16), TREND_S);
        assert_eq!(history("cgroup.services.nginx.cpu_percent", 16), TREND_S);
        assert_eq!(history("network.interfaces.eth0.tx_bytes_per_second", 16), 1);
        assert_eq!((history("cpu.cores_percent.0", 16), history("cpu.total_percent", 16)), (1200, TREND_S));
        assert_eq!((history("cpu.cores_percent.0", 128), history("cpu.cores_percent.0", 1000)), (150, 60));
        assert_eq!(history("memory.slab_bytes", 16), 1);
    }
}
