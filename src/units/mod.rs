//! Display units: formats values as people read them, with unit symbols, and times and durations.

mod time;

pub use time::{date, duration, seconds_between, time_of_day, timestamp, zone_name};

/// The unit that a value is shown in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Percent.
    Percent,
    /// Bytes, in binary multiples.
    Bytes,
    /// Bytes per second, shown as bits in decimal multiples, as is usual for networks.
    Bits,
    /// Bytes per second, in decimal multiples, as is usual for disks.
    Throughput,
    /// A whole number.
    #[default]
    Count,
    /// A mean number, with two decimals.
    Average,
    /// Events per second.
    Rate,
    /// Seconds ago.
    Ago,
    /// Seconds, shown as a duration.
    Age,
    /// Percent of one core.
    OfCore,
    /// Degrees Celsius.
    Celsius,
    /// Hertz, in decimal multiples.
    Hertz,
    /// Any other, by its symbol.
    Other(String),
}

const BYTES: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const BIT_RATES: [&str; 5] = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];
const HERTZ: [&str; 4] = ["Hz", "kHz", "MHz", "GHz"];
const BYTE_RATES: [&str; 5] = ["B/s", "kB/s", "MB/s", "GB/s", "TB/s"];

impl Unit {
    /// Those with a name; the others are named by their symbol.
    const NAMED: [(&str, Self); 12] = [
        ("percent", Self::Percent),
        ("bytes", Self::Bytes),
        ("bits", Self::Bits),
        ("throughput", Self::Throughput),
        ("count", Self::Count),
        ("average", Self::Average),
        ("rate", Self::Rate),
        ("ago", Self::Ago),
        ("age", Self::Age),
        ("ofcore", Self::OfCore),
        ("celsius", Self::Celsius),
        ("hertz", Self::Hertz),
    ];

    /// The unit with this name, or this symbol.
    pub fn of_name(name: &str) -> Self {
        let named = Self::NAMED.into_iter().find(|(known, _)| *known == name);
        named.map_or_else(|| Self::Other(name.to_owned()), |(_, unit)| unit)
    }

    /// Its name or its symbol.
    #[cfg(feature = "ssr")]
    pub fn name(&self) -> String {
        let named = Self::NAMED.into_iter().find(|(_, unit)| unit == self);
        named.map_or_else(|| self.multiple(0.0).1.to_owned(), |(name, _)| name.to_owned())
    }

    /// The multiple of the unit that suits values near `value`, and its symbol.
    pub fn multiple(&self, value: f64) -> (f64, &str) {
        // Binary multiples change at 1000, too, so that no number has four digits.
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
            Self::Bytes => scaled(1.0, 1024.0, &BYTES),
            Self::Bits => scaled(0.125, 1000.0, &BIT_RATES),
            Self::Throughput => scaled(1.0, 1000.0, &BYTE_RATES),
            Self::Hertz => scaled(1.0, 1000.0, &HERTZ),
            Self::Count | Self::Average | Self::Age => (1.0, ""),
            Self::Rate => (1.0, "/s"),
            Self::Ago => (1.0, "s ago"),
            Self::Other(symbol) => (1.0, symbol),
        }
    }

    /// A value as number and symbol: `("12.1", "GiB")`. A missing value is a dash.
    pub fn number_and_symbol(&self, value: Option<f64>) -> (String, &str) {
        let Some(value) = value else { return ("–".to_owned(), "") };
        if *self == Self::Age {
            return (duration(value as u64), "");
        }
        let (multiple, symbol) = self.multiple(value);
        let places = match self {
            Self::Average => 2,
            Self::Other(_) => places_of_any(value),
            Self::Percent | Self::OfCore | Self::Celsius => 1,
            Self::Rate if value < 9.95 && value > 0.0 => 1,
            // From ten on, a decimal would change with every tick without being of use.
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

    /// A value with its symbol: `12.1 GiB`.
    pub fn text(&self, value: Option<f64>) -> String {
        match self.number_and_symbol(value) {
            (number, "") => number,
            (number, symbol) => [&number, " ", symbol].concat(),
        }
    }

    /// The label of `value` on an axis whose maximum is `top`, without trailing zeros.
    pub fn label(&self, value: f64, top: f64) -> String {
        let (multiple, _) = self.multiple(top);
        let label = decimal(value / multiple, 2);
        label.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Decimals of a value that may be of any size: at least three digits.
fn places_of_any(value: f64) -> u32 {
    match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    }
}

/// Formats a number with `places` decimals. The standard library's exact formatting of floats would make the browser's
/// library a tenth larger.
pub fn decimal(value: f64, places: u32) -> String {
    let scale = 10u64.pow(places);
    let scaled = (value.abs() * scale as f64 + 0.5) as u64;
    let sign = if value < 0.0 && scaled > 0 { "-" } else { "" };
    let whole = (scaled / scale).to_string();
    if places == 0 {
        return [sign, &whole].concat();
    }
    // Adding `scale` puts a digit in front that preserves leading zeros.
    let fraction = (scaled % scale + scale).to_string();
    [sign, &whole, ".", &fraction[1..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_formatted_with_unit() {
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
        fn decimal_matches_std_formatting(value in -1e9..1e9f64, places in 0u32..4) {
            let (ours, theirs) = (decimal(value, places), format!("{:.*}", places as usize, value));
            // The two may round a half in different directions.
            let off = (ours.parse::<f64>()? - value).abs();
            prop_assert!(off <= 0.501 * 0.1f64.powi(places as i32), "{} and {}", ours, theirs);
            prop_assert_eq!(ours.split('.').nth(1).map(str::len), theirs.split('.').nth(1).map(str::len));
        }
    }

    #[test]
    #[cfg(feature = "ssr")]
    fn unit_is_known_by_its_name() {
        for (name, unit) in Unit::NAMED.into_iter().chain([("€", Unit::Other("€".to_owned()))]) {
            assert_eq!((Unit::of_name(name), unit.name()), (unit, name.to_owned()));
        }
    }

    #[test]
    fn any_unit_keeps_three_digits() {
        let text = |value| Unit::Other("€".to_owned()).text(Some(value));
        assert_eq!([text(0.256), text(19.94), text(1234.5), text(7.0)], ["0.26 €", "19.9 €", "1235 €", "7 €"]);
    }

    #[test]
    fn labels_have_no_trailing_zeros() {
        let gib = 1024.0 * 1024.0 * 1024.0;
        assert_eq!(Unit::Percent.label(25.0, 100.0), "25");
        assert_eq!(Unit::Bytes.label(1.5 * gib, 6.0 * gib), "1.5");
        assert_eq!(Unit::Count.label(0.0, 40.0), "0");
    }
}
