//! The flags of the history.

use crate::server::duration::timeout;
use clap::Args;
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

/// How much history is kept.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryOptions {
    /// How long every second is kept, such as 30d; off keeps no history. Minutes are kept for a year, hours for five
    #[arg(long = "history", env = "HOSTBEAT_HISTORY", value_name = "TIME", default_value = "30d", value_parser = keep)]
    pub keep: HistoryTime,

    /// Size of the history at most, such as 2GiB; past it the oldest seconds go first
    #[arg(long = "history-size", env = "HOSTBEAT_HISTORY_SIZE", value_name = "SIZE", default_value = "2GiB", value_parser = size)]
    pub size: u64,

    /// Time from one write of the history to the next; as much is lost when the server is killed
    #[arg(long = "history-commit", env = "HOSTBEAT_HISTORY_COMMIT", value_name = "TIME", default_value = "10s", value_parser = timeout)]
    pub commit: Duration,
}

/// A time, or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryTime {
    /// No history is kept.
    Off,
    /// Seconds are kept for so long.
    For(Duration),
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self { keep: HistoryTime::For(Duration::from_secs(30 * DAY)), size: 2 << 30, commit: Duration::from_secs(10) }
    }
}

fn keep(text: &str) -> Result<HistoryTime, String> {
    let hour = Duration::from_secs(60 * 60);
    let years = Duration::from_secs(10 * 365 * DAY);
    match text {
        "off" => Ok(HistoryTime::Off),
        text => humantime::parse_duration(text)
            .ok()
            .filter(|time| (hour..=years).contains(time))
            .map(HistoryTime::For)
            .ok_or_else(|| "the history is kept for a time from 1h to 3650d, such as 30d, or off".to_owned()),
    }
}

fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u32); 4] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];
    let parsed = UNITS.into_iter().find_map(|(unit, bits)| {
        let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(1 << bits)
    });
    parsed.filter(|size| *size >= 16 << 20).ok_or_else(|| "a size is from 16MiB, such as 500MiB or 2GiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        history: HistoryOptions,
    }

    #[test]
    fn flags_have_sizes_and_times() {
        let parse =
            |arguments: &[&str]| Flags::try_parse_from([&["hostbeat"], arguments].concat()).map(|flags| flags.history);
        assert_eq!(parse(&[]).unwrap(), HistoryOptions::default());
        let some = parse(&["--history", "7d", "--history-size", "500MiB", "--history-commit", "1s"]).unwrap();
        assert_eq!(some.keep, HistoryTime::For(Duration::from_secs(7 * DAY)));
        assert_eq!((some.size, some.commit), (500 << 20, Duration::from_secs(1)));
        assert_eq!(parse(&["--history", "off"]).unwrap().keep, HistoryTime::Off);
        for wrong in [["--history", "1s"], ["--history-size", "2GB"], ["--history-size", "1MiB"]] {
            let error = parse(&wrong).unwrap_err().to_string();
            assert!(error.contains("such as"), "{error}");
        }
    }
}
