//! Figures as people read them.

use crate::schema::INTERVAL_MS;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Of a hundred.
    Percent,
    /// Bytes, shown in binary multiples.
    Bytes,
    /// Bytes a second, shown as bits in decimal multiples, as networks are sold.
    Bits,
    /// Bytes a second, shown in decimal multiples, as disks are sold.
    Throughput,
    /// Things.
    Count,
    /// Things on average.
    Average,
    /// Things a second.
    Rate,
    /// Seconds since.
    Ago,
    /// Seconds, however many.
    Age,
    /// Of a hundred, each core being one.
    OfCore,
    /// Degrees.
    Celsius,
    /// Times a second, in decimal multiples.
    Hertz,
}

const BINARY: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const BITS: [&str; 5] = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];
const HERTZ: [&str; 4] = ["Hz", "kHz", "MHz", "GHz"];
const BYTES: [&str; 5] = ["B/s", "kB/s", "MB/s", "GB/s", "TB/s"];

impl Unit {
    /// The number by which values near `value` are divided, and the symbol that then goes with them.
    pub fn multiple(self, value: f64) -> (f64, &'static str) {
        // 1000 rather than 1024, so that no figure has four digits.
        let scaled = |least: f64, step: f64, symbols: &[&'static str]| {
            let mut multiple = least;
            let mut symbols = symbols.iter();
            let mut symbol = symbols.next();
            while value / multiple >= 1000.0 && symbols.len() > 0 {
                multiple *= step;
                symbol = symbols.next();
            }
            (multiple, symbol.copied().unwrap_or_default())
        };
        match self {
            Self::Percent | Self::OfCore => (1.0, "%"),
            Self::Celsius => (1.0, "°C"),
            Self::Bytes => scaled(1.0, 1024.0, &BINARY),
            Self::Bits => scaled(0.125, 1000.0, &BITS),
            Self::Throughput => scaled(1.0, 1000.0, &BYTES),
            Self::Hertz => scaled(1.0, 1000.0, &HERTZ),
            Self::Count | Self::Average | Self::Age => (1.0, ""),
            Self::Rate => (1.0, "/s"),
            Self::Ago => (1.0, "s ago"),
        }
    }

    /// A figure and its symbol: `("12.1", "GiB")`. What is unknown is a dash.
    pub fn figure(self, value: Option<f64>) -> (String, &'static str) {
        let Some(value) = value else { return ("–".to_owned(), "") };
        if self == Self::Age {
            return (duration(value as u64), "");
        }
        let (multiple, symbol) = self.multiple(value);
        let places = match self {
            Self::Average => 2,
            Self::Percent | Self::OfCore | Self::Celsius => 1,
            Self::Rate if value < 9.95 && value > 0.0 => 1,
            // Of what reads as ten or more, a decimal changes with each tick and tells nothing.
            Self::Bits | Self::Throughput if multiple > 1.0 && value < 9.95 * multiple => 1,
            Self::Bytes | Self::Hertz if multiple > 1.0 => 1,
            Self::Bytes
            | Self::Bits
            | Self::Throughput
            | Self::Hertz
            | Self::Count
            | Self::Rate
            | Self::Ago
            | Self::Age => 0,
        };
        (decimal(value / multiple, places), symbol)
    }

    /// A figure with its symbol: `12.1 GiB`.
    pub fn text(self, value: Option<f64>) -> String {
        match self.figure(value) {
            (figure, "") => figure,
            (figure, symbol) => [&figure, " ", symbol].concat(),
        }
    }

    /// The label of a division on an axis that reaches to `top`: no more digits than it needs.
    pub fn label(self, value: f64, top: f64) -> String {
        let (multiple, _) = self.multiple(top);
        let label = decimal(value / multiple, 2);
        label.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// A number with so many places. What the standard library has for it gets the last of seventeen digits right, and makes
/// the browser's part a tenth larger.
pub fn decimal(value: f64, places: u32) -> String {
    let scale = 10u64.pow(places);
    let scaled = (value.abs() * scale as f64 + 0.5) as u64;
    let sign = if value < 0.0 && scaled > 0 { "-" } else { "" };
    let whole = (scaled / scale).to_string();
    if places == 0 {
        return [sign, &whole].concat();
    }
    // The one before them keeps their leading zeros.
    let rest = (scaled % scale + scale).to_string();
    [sign, &whole, ".", &rest[1..]].concat()
}

/// How long, in its two largest parts: `12 d 4 h`.
pub fn duration(seconds: u64) -> String {
    const PARTS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, name) in PARTS {
        let whole = rest / length;
        rest %= length;
        if whole > 0 || (parts.is_empty() && length == 1) {
            parts.push(format!("{whole} {name}"));
        } else if !parts.is_empty() {
            break;
        }
    }
    parts.truncate(2);
    parts.join(" ")
}

/// The time of day of a tick, in UTC: `10:41:05`.
pub fn time_of_day(t: u64) -> String {
    let second = t / 1000 % 86_400;
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// A tick in the form that HTML's `<time datetime>` takes (RFC 3339): `2026-11-20T10:41:05Z`.
pub fn timestamp(t: u64) -> String {
    let (year, month, day) = civil(t / 86_400_000);
    format!("{year:04}-{month:02}-{day:02}T{}Z", time_of_day(t))
}

/// Seconds between two ticks, both counted.
pub fn seconds_between(first: u64, last: u64) -> u64 {
    last.saturating_sub(first) / INTERVAL_MS + 1
}

/// Year, month and day of a day counted from 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn figures_read_as_people_write_them() {
        let gib = 1024.0 * 1024.0 * 1024.0;
        assert_eq!(Unit::Percent.text(Some(37.25)), "37.3 %");
        assert_eq!(Unit::Bytes.text(Some(12.1 * gib)), "12.1 GiB");
        assert_eq!(Unit::Bytes.text(Some(1000.0 * 1024.0 * 1024.0)), "1.0 GiB");
        assert_eq!(Unit::Bytes.text(Some(0.0)), "0 B");
        assert_eq!(Unit::Count.text(Some(462.0)), "462");
        assert_eq!(Unit::Count.text(None), "–");
        assert_eq!(Unit::Bits.text(Some(10_500_000.0)), "84 Mbit/s");
        assert_eq!(Unit::Bits.text(Some(100.0)), "800 bit/s");
        assert_eq!(Unit::Throughput.text(Some(31_400_000.0)), "31 MB/s");
        assert_eq!(Unit::Throughput.text(Some(9_940_000.0)), "9.9 MB/s");
        assert_eq!(Unit::Throughput.text(Some(9_950_000.0)), "10 MB/s");
        assert_eq!(Unit::Average.text(Some(0.2)), "0.20");
        assert_eq!(Unit::Rate.text(Some(0.5)), "0.5 /s");
        assert_eq!(Unit::Rate.text(Some(9.96)), "10 /s");
        assert_eq!(Unit::Rate.text(Some(1234.5)), "1235 /s");
    }

    proptest! {
        #[test]
        fn a_decimal_is_as_others_write_it(value in -1e9..1e9f64, places in 0u32..4) {
            let (ours, theirs) = (decimal(value, places), format!("{:.*}", places as usize, value));
            // Whether a half goes up or down is all that they may differ in.
            let off = (ours.parse::<f64>()? - value).abs();
            prop_assert!(off <= 0.501 * 0.1f64.powi(places as i32), "{} and {}", ours, theirs);
            prop_assert_eq!(ours.split('.').nth(1).map(str::len), theirs.split('.').nth(1).map(str::len));
        }
    }

    #[test]
    fn labels_carry_no_needless_digits() {
        let gib = 1024.0 * 1024.0 * 1024.0;
        assert_eq!(Unit::Percent.label(25.0, 100.0), "25");
        assert_eq!(Unit::Bytes.label(1.5 * gib, 6.0 * gib), "1.5");
        assert_eq!(Unit::Count.label(0.0, 40.0), "0");
    }

    #[test]
    fn durations_have_two_parts() {
        assert_eq!(duration(0), "0 s");
        assert_eq!(duration(59), "59 s");
        assert_eq!(duration(60), "1 min");
        assert_eq!(duration(12 * 86_400 + 4 * 3_600 + 59), "12 d 4 h");
        assert_eq!(duration(86_400 + 59), "1 d");
    }

    #[test]
    fn timestamps_know_the_calendar() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(timestamp(1_795_172_465_000), "2026-11-20T11:01:05Z");
    }
}
