//! The query of the history: which series, which range, how many values.

use super::Problem;
use crate::server::{
    history::{matches_pattern, parse_time},
    unix_time::unix_ms,
};
use axum::http::StatusCode;

/// Values of a series without `points=`, and at most.
const DEFAULT_POINTS: usize = 1_000;
const MAX_POINTS: usize = 10_000;
/// Points of all series of a response together.
pub(super) const MAX_VALUES: usize = 500_000;
/// The range without `from=`.
const DEFAULT_RANGE_MS: u64 = 60 * 60 * 1000;

/// A parsed query.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HistoryQuery {
    /// Paths, in which `*` stands for any text.
    pub(super) patterns: Vec<String>,
    /// Unix milliseconds.
    pub(super) from: u64,
    /// Unix milliseconds, included.
    pub(super) to: u64,
    /// Values of each series at most.
    pub(super) points: usize,
}

impl HistoryQuery {
    /// Parses a query.
    ///
    /// # Errors
    /// When a value is missing or invalid; the problem has a valid one.
    pub(super) fn parse(query: &str) -> Result<Self, Problem> {
        let (mut patterns, mut from, mut to, mut points) = (Vec::new(), None, None, DEFAULT_POINTS);
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "series" => patterns.extend(value.split(',').map(|path| path.trim().to_owned())),
                "from" => from = Some(time("from", &value)?),
                "to" => to = Some(time("to", &value)?),
                "points" => points = parse_points(&value)?,
                _ => {}
            }
        }
        patterns.retain(|pattern| !pattern.is_empty());
        if patterns.is_empty() {
            return Err(bad_query("series names the series, such as series=cpu.total_percent,memory.*".to_owned()));
        }
        let to = to.unwrap_or_else(unix_ms);
        let from = from.unwrap_or(to.saturating_sub(DEFAULT_RANGE_MS));
        if from > to {
            return Err(bad_query("from is later than to; the range goes from the earlier to the later.".to_owned()));
        }
        Ok(Self { patterns, from, to, points })
    }

    /// Whether a pattern stands for a path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.patterns.iter().any(|pattern| matches_pattern(pattern, path))
    }
}

/// The moment of a query; now without `at=`.
pub(super) fn moment(query: &str) -> Result<u64, Problem> {
    let at = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "at");
    at.map_or_else(|| Ok(unix_ms()), |(_, value)| time("at", &value))
}

fn parse_points(text: &str) -> Result<usize, Problem> {
    let points = text.parse().ok().filter(|points| (1..=MAX_POINTS).contains(points));
    points.ok_or_else(|| bad_query(format!("points: {text:?} is not a number from 1 to {MAX_POINTS}.")))
}

pub(super) fn time(name: &str, text: &str) -> Result<u64, Problem> {
    parse_time(text).map_err(|error| bad_query(format!("{name}: {error}.")))
}

pub(super) fn bad_query(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "Unknown query value", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_query_is_refused_with_what_would_be_right() {
        for (query, reason) in [
            ("", "series=cpu.total_percent"),
            ("series=", "series=cpu.total_percent"),
            ("series=cpu.*&points=0", "from 1 to 10000"),
            ("series=cpu.*&from=2000&to=1000", "later than to"),
        ] {
            let detail = HistoryQuery::parse(query).unwrap_err().detail;
            assert!(detail.contains(reason), "{query}: {detail}");
        }
        let query = HistoryQuery::parse("series=cpu.*,memory.used_bytes&from=1000&to=2000&points=7").unwrap();
        assert!(query.has("cpu.total_percent") && query.has("memory.used_bytes") && !query.has("memory.total_bytes"));
        assert_eq!((query.from, query.to, query.points), (1000, 2000, 7));
    }
}
