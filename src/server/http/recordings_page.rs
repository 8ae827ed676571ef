//! `/recordings`: the list of recordings, each as a page of its time, and as one file to keep or to send.

use super::{
    ASSETS, Problem,
    access_check::ClientAddress,
    assets::recording_style,
    form_page::redirect,
    history::{kept, quoted, unread},
    history_page::{CPU, range as chosen_range, read, render, window},
    history_query::time,
    page_query,
    pages::{account, content_security_policy, finished},
    publish::admit,
    recordings::{check_owner, not_recorded, unknown},
};
use crate::{
    app::{self, HistoryRange, HistoryView, PageMode, RecordingsView, View},
    charts::{TREND_S, trend},
    schema::{Recording, Window, WindowSlice},
    server::{
        access::{Permission, Principal},
        app_state::AppState,
        recordings::RecordingDraft,
        unix_time::unix_ms,
    },
};
use axum::{
    Extension, Form,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde::Deserialize;
use std::{
    fmt::Write as _,
    io::{self, Write as _},
    net::IpAddr,
};

/// What a form sends.
#[derive(Debug, Deserialize)]
pub(in crate::server) struct Change {
    #[serde(default)]
    change: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    note: String,
}

/// `GET /recordings`: the list.
pub(in crate::server) async fn list(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
) -> Response {
    show_list(&state, &principal, &headers, RecordingsView::default()).await
}

/// `POST /recordings`: records the minutes before and after now.
pub(in crate::server) async fn begin(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    headers: HeaderMap,
    Form(form): Form<Change>,
) -> Response {
    let begun = async {
        kept(&state)?;
        admit(&state, &principal, address)?;
        let draft = RecordingDraft::of_form(&form.title, &form.note)?;
        state.recordings.begin(&state.credentials, draft, &principal, unix_ms()).await.map_err(not_recorded)
    };
    match begun.await {
        Ok(Recording { id, .. }) => redirect(&format!("./recordings/{id}")),
        Err(Problem { detail, status, .. }) => {
            let view = RecordingsView { error: detail, title: form.title, ..RecordingsView::default() };
            let mut response = show_list(&state, &principal, &headers, view).await;
            *response.status_mut() = status;
            response
        }
    }
}

/// `GET /recordings/{id}`: the page of its time, or of a part of it.
pub(in crate::server) async fn show(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let shown = async {
        let recording = recording(&state, &id)?;
        let query = query.unwrap_or_default();
        let range = chosen_range(&query)?.map_or_else(|| moment_of(&recording, &query), Ok)?;
        let (view, _) = read(&state, account(&principal), View::default(), range, &query).await?;
        let can_change = principal.may(Permission::Publish) && check_owner(&state, &principal, &id).is_ok();
        let page = move || app::recording_page(&ASSETS.parts, view, &recording, can_change);
        let (body, encoding) = render(&state, &headers, page).await?;
        Ok(finished(body, encoding, &content_security_policy(PageMode::Full, &[])))
    };
    shown.await.unwrap_or_else(|problem: Problem| problem.respond_at("/recordings/"))
}

/// `POST /recordings/{id}`: changes title and note, or removes it.
pub(in crate::server) async fn change(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Path(id): Path<String>,
    Form(form): Form<Change>,
) -> Response {
    let address = apply(&state, &principal, address, &id, form).await;
    address.map_or_else(|problem| problem.respond_at("/recordings/"), |address| redirect(&address))
}

async fn apply(
    state: &AppState,
    principal: &Principal,
    address: IpAddr,
    id: &str,
    Change { change, title, note }: Change,
) -> Result<String, Problem> {
    admit(state, principal, address)?;
    check_owner(state, principal, id)?;
    if change == "remove" {
        state.recordings.remove(&state.credentials, id).await.map_err(Problem::not_kept)?;
        return Ok("../recordings".to_owned());
    }
    // A field sends its lines with both characters.
    let draft = RecordingDraft::of_form(&title, &note.replace("\r\n", "\n"))?;
    let changed = state.recordings.change(&state.credentials, id, draft).await.map_err(not_recorded)?;
    changed.ok_or_else(unknown)?;
    Ok(format!("./{id}"))
}

/// `GET /recordings/{id}/download`: one file with everything in it.
pub(in crate::server) async fn download(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let file = async {
        let recording = recording(&state, &id)?;
        let range = range_of(&recording);
        let (view, paths) = read(&state, String::new(), View::default(), range, "").await?;
        let name = format!("attachment; filename=\"hostbeat-{id}.html\"");
        let page = move || {
            let values = csv(&view, &paths).unwrap_or_default();
            app::recording_file(recording_style(), view, &recording, &values)
        };
        let (body, encoding) = render(&state, &headers, page).await?;
        let mut response = finished(body, encoding, "default-src 'none'; style-src 'unsafe-inline'; sandbox");
        if let Ok(name) = HeaderValue::from_str(&name) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
        }
        Ok(response)
    };
    file.await.unwrap_or_else(|problem: Problem| problem.respond_at("/recordings/"))
}

fn recording(state: &AppState, id: &str) -> Result<Recording, Problem> {
    kept(state)?;
    state.recordings.find(id).ok_or_else(unknown)
}

/// Its time, at the moment that the address has.
fn moment_of(recording: &Recording, query: &str) -> Result<HistoryRange, Problem> {
    let range = range_of(recording);
    let at = page_query::value(query, "at").map(|text| time("at", &text)).transpose()?;
    Ok(HistoryRange { at: at.map_or(range.at, |at| at.clamp(range.from, range.to)), ..range })
}

/// Its time, at the moment when it became what it is about.
fn range_of(recording: &Recording) -> HistoryRange {
    let Recording { from, to, level, ref story, .. } = *recording;
    let worst = story.iter().find(|line| line.level == level).map_or(from + (to - from) / 2, |line| line.t);
    HistoryRange { from, to, at: worst.clamp(from, to), ..HistoryRange::default() }
}

/// The values of the charts in gzip and base64: a line for each step, a column for each series.
fn csv(view: &HistoryView, paths: &[String]) -> io::Result<String> {
    let window: &Window = &view.charts.mean;
    let steps = window.len();
    let columns: Vec<_> = window.paths().filter(|path| paths.iter().any(|charted| charted == path)).collect();
    let mut csv = "t".to_owned();
    columns.iter().for_each(|path| csv.extend([",", &*quoted(path)]));
    for step in 0..steps {
        let t = window.start().unwrap_or_default() + step as u64 * window.step_ms();
        // Writing to a string can't fail.
        let _ = write!(csv, "\r\n{t}");
        for path in &columns {
            let value = window.value(path, steps - 1 - step).map_or(String::new(), |value| value.to_string());
            csv.extend([",", &value]);
        }
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(csv.as_bytes())?;
    Ok(BASE64_STANDARD.encode(gzip.finish()?))
}

async fn show_list(state: &AppState, principal: &Principal, headers: &HeaderMap, view: RecordingsView) -> Response {
    let shown = async {
        kept(state)?;
        let mut recordings = Vec::new();
        for recording in state.recordings.all() {
            let trend = trend_of(state, &recording).await?;
            recordings.push((recording, trend));
        }
        let can_begin = principal.may(Permission::Publish);
        let view = RecordingsView { host: state.host.name.clone(), recordings, can_begin, ..view };
        let (body, encoding) = render(state, headers, move || app::recordings_page(&ASSETS.parts, view)).await?;
        Ok(finished(body, encoding, &content_security_policy(PageMode::Full, &[])))
    };
    shown.await.unwrap_or_else(|problem: Problem| problem.respond_at("/recordings"))
}

/// The CPU during a recording.
async fn trend_of(state: &AppState, recording: &Recording) -> Result<Vec<String>, Problem> {
    let history = kept(state)?;
    let steps = history.steps(recording.from, recording.to, TREND_S).await.map_err(unread)?;
    let series = history.series_at(vec![CPU.to_owned()], steps).await.map_err(unread)?;
    let values = window(&series, |values| &values.mean).values(CPU, WindowSlice::newest(TREND_S));
    Ok(trend(values.into_iter().rev(), false))
}
