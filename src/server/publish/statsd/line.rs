//! Parses the lines of a StatsD datagram.

use crate::server::publish::{
    Label, Publication, Reading, RefusalReason, ValueName, excerpt, json::RATE_SUFFIX, name::adapted,
};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The channel of metrics whose name has no dot.
const DEFAULT_CHANNEL: &str = "statsd";
/// The percentiles of timers, histograms and distributions.
const PERCENTILES: [(&str, f64); 3] = [("_p50", 0.50), ("_p95", 0.95), ("_p99", 0.99)];
/// Values in one line; a datagram over loopback could pack ten thousand.
const MAX_PACKED: usize = 1_000;

/// The publication of each line, or why the line is dropped: one wrong line does not take the others with it.
pub fn parse_datagram(datagram: &[u8]) -> Vec<Result<Publication, RefusalReason>> {
    let lines = datagram.split(|byte| *byte == b'\n').map(|line| line.trim_ascii()).filter(|line| !line.is_empty());
    lines.map(parse_line).collect()
}

/// `NAME:VALUE|TYPE`, then `@RATE` and `#TAGS` in any order. Other sections, such as DogStatsD's container and time, are
/// ignored.
fn parse_line(line: &[u8]) -> Result<Publication, RefusalReason> {
    let line = std::str::from_utf8(line).map_err(|_| wrong("a line is UTF-8", ""))?;
    let (metric, rest) = line.split_once(':').ok_or_else(|| wrong("a line is NAME:VALUE|TYPE", line))?;
    let mut sections = rest.split('|');
    let values = sections.next().unwrap_or_default();
    let kind = sections.next().ok_or_else(|| wrong("a line is NAME:VALUE|TYPE", line))?;
    let (mut rate, mut label) = (1.0, None);
    for section in sections {
        match section.split_at_checked(1) {
            Some(("@", text)) => rate = sample_rate(text)?,
            Some(("#", tags)) => label = Label::of_pairs(pairs(tags))?,
            _ => {}
        }
    }
    let (channel, name) = match metric.split_once('.') {
        Some((channel, name)) => (adapted(channel), adapted(name)),
        None => (DEFAULT_CHANNEL.to_owned(), adapted(metric)),
    };
    let mut readings = Vec::new();
    // The values of a set are texts, which may have a colon.
    let packed: Vec<_> = if kind == "s" { vec![values] } else { values.split(':').take(MAX_PACKED).collect() };
    for value in packed {
        readings.extend(readings_of(&name, value, kind, rate)?);
    }
    Ok(Publication { line: None, channel: channel.parse()?, label, readings })
}

/// The tags of DogStatsD, `region:eu` as `region=eu`.
fn pairs(tags: &str) -> Vec<String> {
    tags.split(',').filter(|tag| !tag.is_empty()).map(|tag| tag.replacen(':', "=", 1)).collect()
}

fn readings_of(name: &str, value: &str, kind: &str, rate: f64) -> Result<Vec<(ValueName, Reading)>, RefusalReason> {
    let one = |name: &str, reading| Ok(vec![(name.parse()?, reading)]);
    match kind {
        "g" if value.starts_with(['+', '-']) => one(name, Reading::Change(number(value)?)),
        "g" => one(name, Reading::Value(number(value)?)),
        "c" => one(&format!("{name}{RATE_SUFFIX}"), Reading::Count(finite(number(value)? / rate)?)),
        "ms" | "h" | "d" => {
            let value = number(value)?;
            let named = |(suffix, share): (&str, f64)| {
                Ok((format!("{name}{suffix}").parse()?, Reading::Percentile { share, value }))
            };
            PERCENTILES.into_iter().map(named).collect()
        }
        "s" => {
            let mut hasher = DefaultHasher::new();
            value.hash(&mut hasher);
            one(name, Reading::Member(hasher.finish()))
        }
        other => Err(wrong("a type is g, c, ms, h, d or s", other)),
    }
}

fn sample_rate(text: &str) -> Result<f64, RefusalReason> {
    let rate = text.parse().ok().filter(|rate| *rate > 0.0 && *rate <= 1.0);
    rate.ok_or_else(|| wrong("a sample rate is above 0 and at most 1", text))
}

fn number(text: &str) -> Result<f64, RefusalReason> {
    finite(text.parse().map_err(|_| wrong("a value is a number", text))?)
}

fn finite(number: f64) -> Result<f64, RefusalReason> {
    if number.is_finite() { Ok(number) } else { Err(RefusalReason::NotFinite(number.to_string())) }
}

fn wrong(expected: &str, text: &str) -> RefusalReason {
    RefusalReason::Syntax(format!("{expected}, not {:?}", excerpt(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Channel, label, and the readings by name.
    type Parsed = (String, Option<String>, Vec<(String, Reading)>);

    fn parsed(line: &str) -> Result<Parsed, RefusalReason> {
        let mut publications = parse_datagram(line.as_bytes());
        assert_eq!(publications.len(), 1, "{line}");
        let Publication { channel, label, readings, .. } = publications.remove(0)?;
        let readings = readings.into_iter().map(|(name, reading)| (name.to_string(), reading)).collect();
        Ok((channel.to_string(), label.map(|label| label.to_string()), readings))
    }

    #[test]
    fn line_of_each_type_becomes_readings() {
        for (line, channel, name, reading) in [
            ("shop.orders:333|g", "shop", "orders", Reading::Value(333.0)),
            ("shop.orders:-10|g", "shop", "orders", Reading::Change(-10.0)),
            ("shop.orders:+4|g", "shop", "orders", Reading::Change(4.0)),
            ("shop.orders:1|c|@0.1", "shop", "orders_per_second", Reading::Count(10.0)),
            ("gorets:2|c", "statsd", "gorets_per_second", Reading::Count(2.0)),
            ("Shop.api.v2-requests:1|g|c:container|T1700000000", "shop", "api_v2_requests", Reading::Value(1.0)),
        ] {
            assert_eq!(parsed(line), Ok((channel.to_owned(), None, vec![(name.to_owned(), reading)])), "{line}");
        }
    }

    #[test]
    fn timers_become_percentiles() {
        for kind in ["ms", "h", "d"] {
            let (_, _, readings) = parsed(&format!("shop.render:320:40|{kind}|@0.5")).unwrap();
            let reading = |name: &str, share, value| (name.to_owned(), Reading::Percentile { share, value });
            assert_eq!(readings[..2], [reading("render_p50", 0.5, 320.0), reading("render_p95", 0.95, 320.0)]);
            assert_eq!(readings[5], reading("render_p99", 0.99, 40.0));
        }
    }

    #[test]
    fn tags_become_the_label_in_any_order() {
        let label = |tags: &str| parsed(&format!("shop.orders:1|c|#{tags}|@0.5")).unwrap().1;
        assert_eq!(label("region:eu,prod"), Some("prod,region=eu".to_owned()));
        assert_eq!(label("prod,region:eu"), label("region:eu,prod"));
        assert_eq!(label(""), None);
    }

    #[test]
    fn members_of_sets_are_told_apart() {
        let member = |value: &str| parsed(&format!("shop.users:{value}|s")).unwrap().2;
        assert_eq!(member("a:b"), member("a:b"));
        assert_ne!(member("a:b"), member("a:c"));
    }

    #[test]
    fn wrong_line_is_dropped_alone() {
        let parsed = parse_datagram(b"shop.orders:1|c\nnonsense\n\nshop.orders:2|c\n");
        assert_eq!(parsed.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
        for (line, hint) in [
            ("a", "NAME:VALUE|TYPE"),
            ("a:1", "NAME:VALUE|TYPE"),
            ("a:|g", "a number"),
            ("a:NaN|g", "not finite"),
            ("a:1e308|c|@0.01", "not finite"),
            ("a:1|x", "a type is"),
            ("a:1|c|@0", "sample rate"),
            ("a:1|c|@2", "sample rate"),
            ("cpu.a:1|g", "my_cpu"),
            (":1|g", "no name"),
            ("_e{5,4}:title|text", "a type is"),
        ] {
            let reason = parsed_reason(line);
            assert!(reason.contains(hint), "{line}: {reason}");
        }
    }

    fn parsed_reason(line: &str) -> String {
        parsed(line).unwrap_err().to_string()
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_dropped(datagram in prop::collection::vec(any::<u8>(), 0..200)) {
            parse_datagram(&datagram);
        }

        #[test]
        fn any_line_is_parsed_or_dropped(line in "[a-z.]{0,9}:[0-9+:.e-]{0,9}\\|(g|c|ms|h|s)(\\|[@#]\\PC{0,9}){0,3}") {
            for publication in parse_datagram(line.as_bytes()).into_iter().flatten() {
                prop_assert!(!publication.readings.is_empty());
            }
        }
    }
}
