//! Publications in Prometheus' text format (0.0.4), as a Pushgateway takes it.
//!
//! The parsers on crates.io don't fit: `prometheus-parse` skips lines that are wrong and splits labels at quoted commas,
//! and `openmetrics-parser` has a licence (LGPL) that a static program can't easily meet.

use super::{
    ChannelName, Label, Publication, PublishRefusal, Reading, RefusalReason, ValueName, check_time, excerpt,
    json::{RATE_SUFFIX, checked_total},
    name::adapted,
};
use std::{collections::HashMap, str};

/// What a metric is, by its `# TYPE` line.
#[derive(Clone, Copy, PartialEq)]
enum MetricType {
    Counter,
    Gauge,
    /// A histogram or a summary: only its sum and its count are taken.
    Distribution,
}

/// What becomes of a sample.
enum Use {
    Value,
    Rate,
    /// The sum of a distribution, which may fall below zero.
    RateOfSum,
    Nothing,
}

/// A line with a value.
struct SampleLine<'a> {
    metric: &'a str,
    labels: Vec<String>,
    value: f64,
    /// Unix milliseconds.
    t: Option<i64>,
}

/// The publications of `channel` in a body; `now` is the server's clock in Unix milliseconds.
///
/// # Errors
/// When anything in it is wrong; the refusal names the line.
pub fn parse_prometheus(channel: &ChannelName, body: &[u8], now: u64) -> Result<Vec<Publication>, PublishRefusal> {
    let body = str::from_utf8(body).map_err(|_| syntax("the body is no UTF-8").at(""))?;
    let (mut types, mut publications) = (HashMap::new(), Vec::new());
    for (index, line) in body.lines().enumerate() {
        let refused = |reason: RefusalReason, field: &str| reason.at(excerpt(field)).in_line(index + 1);
        let line = line.trim_matches([' ', '\t', '\r']);
        if let Some(comment) = line.strip_prefix('#') {
            types.extend(declared_type(comment).map_err(|reason| refused(reason, ""))?);
        } else if !line.is_empty() {
            let sample = SampleLine::parse(line).map_err(|reason| refused(reason, ""))?;
            let reading = sample.reading(&types, now).map_err(|reason| refused(reason, sample.metric))?;
            let label = Label::of_pairs(sample.labels).map_err(|error| refused(error.into(), sample.metric))?;
            let publication = |reading| Publication {
                line: Some(index + 1),
                channel: channel.clone(),
                label,
                readings: vec![reading],
            };
            publications.extend(reading.map(publication));
        }
    }
    if publications.is_empty() { Err(RefusalReason::Empty.at("")) } else { Ok(publications) }
}

/// The metric and its type in a `# TYPE` line; other comments have none.
fn declared_type(comment: &str) -> Result<Option<(&str, MetricType)>, RefusalReason> {
    let mut words = comment.split_ascii_whitespace();
    if words.next() != Some("TYPE") {
        return Ok(None);
    }
    match (words.next(), words.next(), words.next()) {
        (Some(metric), Some("counter"), None) => Ok(Some((metric, MetricType::Counter))),
        (Some(metric), Some("gauge" | "untyped" | "unknown"), None) => Ok(Some((metric, MetricType::Gauge))),
        (Some(metric), Some("histogram" | "summary"), None) => Ok(Some((metric, MetricType::Distribution))),
        _ => Err(syntax("a type is counter, gauge, histogram, summary or untyped, as in # TYPE orders_total counter")),
    }
}

impl<'a> SampleLine<'a> {
    fn parse(line: &'a str) -> Result<Self, RefusalReason> {
        let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(line.len());
        let (metric, rest) = line.split_at(end);
        if metric.is_empty() || metric.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(syntax("a line begins with a metric's name, as in orders_total{region=\"eu\"} 42"));
        }
        let (labels, rest) = match rest.trim_start().strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None => (Vec::new(), rest),
        };
        let mut words = rest.split_ascii_whitespace();
        let value = words.next().and_then(|word| word.parse::<f64>().ok());
        let value = value.ok_or_else(|| syntax("the name and its labels are followed by a number"))?;
        let t = words.next().map(|word| word.parse().map_err(|_| syntax("a timestamp is in Unix milliseconds")));
        match words.next() {
            None => Ok(Self { metric, labels, value, t: t.transpose()? }),
            Some(_) => Err(syntax("only a timestamp may follow the value")),
        }
    }

    fn reading(
        &self,
        types: &HashMap<&str, MetricType>,
        now: u64,
    ) -> Result<Option<(ValueName, Reading)>, RefusalReason> {
        self.t.map_or(Ok(()), |t| check_time(t, now))?;
        let used = self.usage(types);
        if matches!(used, Use::Nothing) {
            return Ok(None);
        }
        if !self.value.is_finite() {
            return Err(RefusalReason::NotFinite(self.value.to_string()));
        }
        let name = adapted(self.metric);
        let rate = || format!("{}{RATE_SUFFIX}", name.strip_suffix("_total").unwrap_or(&name)).parse::<ValueName>();
        Ok(Some(match used {
            Use::Rate => (rate()?, Reading::Total(checked_total(self.value)?)),
            Use::RateOfSum => (rate()?, Reading::Total(self.value)),
            Use::Value | Use::Nothing => (name.parse()?, Reading::Value(self.value)),
        }))
    }

    fn usage(&self, types: &HashMap<&str, MetricType>) -> Use {
        let of_distribution = |suffix| {
            let base = self.metric.strip_suffix(suffix);
            base.is_some_and(|base| types.get(base) == Some(&MetricType::Distribution))
        };
        match types.get(self.metric) {
            Some(MetricType::Counter) => Use::Rate,
            Some(MetricType::Gauge) => Use::Value,
            // A quantile.
            Some(MetricType::Distribution) => Use::Nothing,
            None if of_distribution("_count") => Use::Rate,
            None if of_distribution("_sum") => Use::RateOfSum,
            None if of_distribution("_bucket") || of_distribution("_created") => Use::Nothing,
            None => Use::Value,
        }
    }
}

/// The labels after an opening brace as `name=value`, and what follows the closing one.
fn labels(mut rest: &str) -> Result<(Vec<String>, &str), RefusalReason> {
    let wrong = || syntax("labels are written {name=\"value\",other=\"value\"}");
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, value) = rest.split_once('=').ok_or_else(wrong)?;
        let name = name.trim();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(wrong());
        }
        let quoted = value.trim_start().strip_prefix('"').ok_or_else(wrong)?;
        let (value, after) = unquoted(quoted).ok_or_else(wrong)?;
        labels.push(format!("{name}={value}"));
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(rest) => rest,
            None if rest.starts_with('}') => rest,
            None => return Err(wrong()),
        };
    }
}

/// The text up to the closing quote without its escapes, and what follows; `None` without a closing quote.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut characters) = (String::new(), text.char_indices());
    while let Some((index, c)) = characters.next() {
        match c {
            '"' => return Some((value, &text[index + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                escaped @ ('\\' | '"') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            c => value.push(c),
        }
    }
    None
}

fn syntax(message: &str) -> RefusalReason {
    RefusalReason::Syntax(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_700_000_000_000;

    fn parsed(body: &str) -> Result<Vec<Publication>, PublishRefusal> {
        parse_prometheus(&"shop".parse().unwrap(), body.as_bytes(), NOW)
    }

    /// Label, name and reading of each publication.
    fn readings(body: &str) -> Vec<(String, String, Reading)> {
        let flat = parsed(body).unwrap().into_iter().map(|publication| {
            let label = publication.label.map_or_else(String::new, |label| label.to_string());
            (label, publication.readings[0].0.to_string(), publication.readings[0].1)
        });
        flat.collect()
    }

    fn reading(label: &str, name: &str, reading: Reading) -> (String, String, Reading) {
        (label.to_owned(), name.to_owned(), reading)
    }

    #[test]
    fn counters_become_rates_and_gauges_values() {
        let body = "# HELP orders_total Orders.\n# TYPE orders_total counter\n\
                    orders_total{method=\"get\",code=\"200\"} 1027 1700000001000\n\norders_total { } 3\r\n\
                    # TYPE queue_length gauge\nqueue_length -1.5e0\nfree:disk_Bytes 7\n# EOF\n";
        let expected = [
            reading("code=200,method=get", "orders_per_second", Reading::Total(1027.0)),
            reading("", "orders_per_second", Reading::Total(3.0)),
            reading("", "queue_length", Reading::Value(-1.5)),
            reading("", "free_disk_bytes", Reading::Value(7.0)),
        ];
        assert_eq!(readings(body), expected);
    }

    #[test]
    fn distributions_leave_sum_and_count() {
        let body = "# TYPE wait_seconds histogram\nwait_seconds_bucket{le=\"0.1\"} 5\nwait_seconds_bucket{le=\"+Inf\"} 7\n\
                    wait_seconds_sum -0.5\nwait_seconds_count 7\n\
                    # TYPE size summary\nsize{quantile=\"0.5\"} NaN\nsize_sum 9\nsize_count 3\n";
        let expected = [
            reading("", "wait_seconds_sum_per_second", Reading::Total(-0.5)),
            reading("", "wait_seconds_count_per_second", Reading::Total(7.0)),
            reading("", "size_sum_per_second", Reading::Total(9.0)),
            reading("", "size_count_per_second", Reading::Total(3.0)),
        ];
        assert_eq!(readings(body), expected);
    }

    #[test]
    fn label_values_may_have_any_printable_text() {
        let body = "a{path=\"C:\\\\DIR,}\\\"\",error=\"\\d\",} 1";
        assert_eq!(readings(body), [reading("error=\\d,path=C:\\DIR,}\"", "a", Reading::Value(1.0))]);
    }

    #[test]
    fn wrong_line_is_named() {
        for (line, hint) in [
            ("1a 5", "metric's name"),
            ("a", "a number"),
            ("a b", "a number"),
            ("a NaN", "not finite"),
            ("a +Inf", "not finite"),
            ("a 1 soon", "Unix milliseconds"),
            ("a 1 1600000000000", "clock"),
            ("a 1 1700000000000 2", "only a timestamp"),
            ("a{b} 1", "labels are written"),
            ("a{b=c} 1", "labels are written"),
            ("a{b=\"c} 1", "labels are written"),
            ("a{b=\"c\" d=\"e\"} 1", "labels are written"),
            ("a{b=\"c\\n\"} 1", "control characters"),
            ("# TYPE a tally", "a type is counter"),
            ("dt 1", "my_dt"),
            ("# TYPE a counter\na -1", "from 0 on"),
        ] {
            let refusal = parsed(&format!("ok 1\n{line}\n")).unwrap_err();
            assert_eq!(refusal.line, Some(line.lines().count() + 1), "{line}: {refusal}");
            assert!(refusal.to_string().contains(hint), "{line}: {refusal}");
        }
        assert_eq!(parsed("# nothing\n").unwrap_err().reason, RefusalReason::Empty);
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(body in "(\\PC{0,40}\n|[a-z]{1,3}(\\{\\PC{0,20}\\})? [0-9]{1,3}\n){0,8}") {
            let _ = parsed(&body);
        }

        #[test]
        fn quoted_text_is_read_back(value in "[^\\p{Cc}]{1,40}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let label = parsed(&format!("a{{b=\"{quoted}\"}} 1")).unwrap().remove(0).label.unwrap();
            prop_assert_eq!(label.as_str(), format!("b={value}"));
        }
    }
}
