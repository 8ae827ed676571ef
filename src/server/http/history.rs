//! `/api/history`: ranges of series, as JSON, CSV or lines of JSON.

use super::{
    Problem,
    history_query::{HistoryQuery, MAX_VALUES, bad_query, moment},
    json_document::json,
};
use crate::{
    schema::{Kind, SeriesValues, kind_of},
    server::{
        app_state::AppState,
        history::{HistoryError, HistoryReader, SeriesHistory, Steps, Summaries},
    },
};
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write};

const PATH: &str = "/api/history";

/// A response as JSON.
#[derive(Serialize)]
struct Document {
    /// The beginning of the first step, unix ms.
    t0: u64,
    step_ms: u64,
    /// Steps of each series.
    n: usize,
    tier: &'static str,
    series: BTreeMap<String, SeriesDocument>,
}

/// The values of a series; `null` for a step without a sample.
#[derive(Serialize)]
struct SeriesDocument {
    /// Of a state, the last value.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<SeriesValues>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<SeriesValues>,
    min: SeriesValues,
    max: SeriesValues,
}

/// The form of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    JsonLines,
    Csv,
}

/// `GET /api/history`.
pub(in crate::server) async fn history(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match read(&state, &query.unwrap_or_default()).await {
        Ok(history) => match Format::of(&headers) {
            Format::Json => json(StatusCode::OK, &document(history), PATH),
            Format::JsonLines => text("application/x-ndjson", lines(&history)),
            Format::Csv => text("text/csv; charset=utf-8", csv(&history)),
        },
        Err(problem) => problem.respond_at(PATH),
    }
}

/// `GET /api/history/processes`: the processes of a moment, as the event of that name had them.
pub(in crate::server) async fn processes(State(state): State<AppState>, RawQuery(query): RawQuery) -> Response {
    match read_processes(&state, &query.unwrap_or_default()).await {
        Ok(sample) => text("application/json", sample),
        Err(problem) => problem.respond_at(PATH),
    }
}

async fn read_processes(state: &AppState, query: &str) -> Result<String, Problem> {
    let at = moment(query)?;
    let sample = kept(state)?.processes(at).await.map_err(unread)?;
    sample.ok_or_else(|| {
        let detail = "No processes were sampled at that moment. They are every ten seconds, and are kept for a week.";
        Problem::new(StatusCode::NOT_FOUND, "No processes", detail)
    })
}

/// The history, if the server keeps one.
pub(super) fn kept(state: &AppState) -> Result<&HistoryReader, Problem> {
    state.history.as_ref().ok_or_else(|| {
        let detail = "This server keeps no history; its log has the reason. It keeps one with a data folder and without \
                      --history off.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "No history", detail)
    })
}

async fn read(state: &AppState, query: &str) -> Result<SeriesHistory, Problem> {
    let query = HistoryQuery::parse(query)?;
    let history = kept(state)?;
    let paths: Vec<_> = history.paths().await.map_err(unread)?.into_iter().filter(|path| query.has(path)).collect();
    if paths.len() * query.points > MAX_VALUES {
        return Err(bad_query(format!(
            "{} series with {} points each are more than {MAX_VALUES} values; ask for fewer points or series.",
            paths.len(),
            query.points
        )));
    }
    history.series(paths, query.from, query.to, query.points).await.map_err(unread)
}

pub(super) fn unread(error: HistoryError) -> Problem {
    tracing::error!(%error, "cannot read the history");
    let detail = "The history can't be read; the server's log has the reason.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "No history", detail)
}

fn document(history: SeriesHistory) -> Document {
    let Steps { tier, start, step_ms, count } = history.steps;
    let of_series = |(path, Summaries { min, mean, max, .. }): (String, Summaries)| {
        let [min, mean, max] = [min, mean, max].map(|values| SeriesValues(values.into_iter().map(present).collect()));
        let (last, mean) = if kind_of(&path) == Kind::State { (Some(mean), None) } else { (None, Some(mean)) };
        (path, SeriesDocument { last, mean, min, max })
    };
    Document {
        t0: start,
        step_ms,
        n: count,
        tier: tier.as_str(),
        series: history.series.into_iter().map(of_series).collect(),
    }
}

/// A line for each step of each series that has samples.
fn rows(history: &SeriesHistory) -> impl Iterator<Item = (u64, &str, [f64; 4])> {
    let Steps { start, step_ms, .. } = history.steps;
    history.series.iter().flat_map(move |(path, values)| {
        let Summaries { min, mean, max, count } = values;
        let steps = min.iter().zip(mean).zip(max).zip(count).enumerate();
        steps.filter(|(_, (_, count))| **count > 0.0).map(move |(index, (((min, mean), max), count))| {
            (start + index as u64 * step_ms, &**path, [*mean, *min, *max, *count])
        })
    })
}

fn csv(history: &SeriesHistory) -> String {
    let mut csv = "t,series,mean,min,max,count\r\n".to_owned();
    for (t, path, [mean, min, max, count]) in rows(history) {
        // Writing to a string can't fail.
        let _ = write!(csv, "{t},{},{mean},{min},{max},{count}\r\n", quoted(path));
    }
    csv
}

/// A field (RFC 4180). Names of devices and services may have anything.
pub(super) fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

fn lines(history: &SeriesHistory) -> String {
    let mut lines = String::new();
    for (t, path, [mean, min, max, count]) in rows(history) {
        let line = serde_json::json!({"t": t, "series": path, "mean": mean, "min": min, "max": max, "count": count});
        // Writing to a string can't fail.
        let _ = writeln!(lines, "{line}");
    }
    lines
}

fn present(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

fn text(content_type: &'static str, body: String) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

impl Format {
    /// The first of the known media types in `Accept`; JSON without any.
    fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let formats = accept.split(',').filter_map(|range| match range.split(';').next().unwrap_or_default().trim() {
            "application/json" => Some(Self::Json),
            "application/x-ndjson" | "application/ndjson" => Some(Self::JsonLines),
            "text/csv" => Some(Self::Csv),
            _ => None,
        });
        formats.into_iter().next().unwrap_or(Self::Json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_is_the_first_known_one_that_is_accepted() {
        let format = |accept: &str| Format::of(&[(header::ACCEPT, accept.parse().unwrap())].into_iter().collect());
        assert_eq!(format("text/html, text/csv;q=0.9, application/json"), Format::Csv);
        assert_eq!(format("application/x-ndjson"), Format::JsonLines);
        assert_eq!((format("*/*"), format("")), (Format::Json, Format::Json));
    }

    #[test]
    fn csv_quotes_names() {
        assert_eq!(
            (quoted("cpu.total_percent"), quoted("a,\"b")),
            ("cpu.total_percent".to_owned(), "\"a,\"\"b\"".to_owned())
        );
    }
}
