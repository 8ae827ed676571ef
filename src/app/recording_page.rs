//! The page of a recording: its story in words and the dashboard at that time; and the same as a file of its own.

use super::{
    HistoryView, Parts,
    header::{Facts, Mark},
    history_page::{Moment, moment},
    shell::{head_script, page_head},
};
use crate::{
    schema::{Level, Recording, StoryLine},
    units::{date, duration, time_of_day},
};
use leptos::prelude::*;

/// The document. `can_change` adds the forms.
pub fn recording_page(parts: &Parts, view: HistoryView, recording: &Recording, can_change: bool) -> String {
    let moment = Moment::of(view);
    let content = view! {
        {story(recording)}
        {controls(recording, can_change)}
        {moment.summary()}
        <main>{moment.panels()}</main>
        {moment.footer()}
    };
    let title = format!("{} · Hostbeat", recording.title);
    moment.document(parts, "../", title, view! { <a href="recordings">"All recordings"</a> }, content)
}

/// The recording as one file that needs nothing else: `style` is its stylesheet, `values` the charted values as CSV in
/// gzip, encoded as base64.
pub fn recording_file(style: String, view: HistoryView, recording: &Recording, values: &str) -> String {
    let moment = Moment::of(view);
    let href = format!("data:application/gzip;base64,{values}");
    let document = view! {
        <!DOCTYPE html>
        <html lang="en" translate="no">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{format!("{} · Hostbeat", recording.title)}</title>
                <style inner_html=style></style>
            </head>
            <body>
                <div class=moment.class()>
                    <header class="top"><b class="mark">"hostbeat"</b><Facts/></header>
                    {story(recording)}
                    {moment.summary()}
                    <main>{moment.panels()}</main>
                    {moment.footer()}
                    <p class="coverage"><a download=format!("{}.csv.gz", recording.id) href=href>"The values of the charts as CSV"</a></p>
                </div>
            </body>
        </html>
    };
    document.to_html()
}

/// What happened, in words.
fn story(recording: &Recording) -> impl IntoView + use<> {
    let Recording { from, to, title, level, cause, author, note, story, .. } = recording.clone();
    let line = |StoryLine { t, level, text }: StoryLine| {
        view! { <li class=class_of(level)>{moment(t)}" "{text}</li> }
    };
    view! {
        <section class=["story ", class_of(level)].concat() aria-labelledby="story">
            <h2 id="story">{title}</h2>
            <p>
                {(!cause.is_empty()).then(|| view! { <b>{cause}</b>" " })}
                {moment(from)}"–"{moment(to)}" "<span class="zone-name">"UTC"</span>
                {format!(", {}, recorded by {author}", duration(to.saturating_sub(from) / 1000))}
            </p>
            {(!story.is_empty()).then(|| view! { <ol>{story.into_iter().map(line).collect_view()}</ol> })}
            {(!note.is_empty()).then(|| view! { <p class="note">{note}</p> })}
        </section>
    }
}

/// The file to download, and the forms of those who may change the recording.
fn controls(recording: &Recording, can_change: bool) -> impl IntoView + use<> {
    let address = format!("recordings/{}", recording.id);
    let download = format!("{address}/download");
    let (title, note) = (recording.title.clone(), recording.note.clone());
    let forms = can_change.then(|| {
        view! {
            <details>
                <summary>"Title and note"</summary>
                <form method="post" action=address.clone()>
                    <label>"Title "<input name="title" required maxlength="200" value=title/></label>
                    <label>"Note "<textarea name="note" rows="4" maxlength="2000" inner_html=escape(&note)></textarea></label>
                    <button name="change" value="save">"Save"</button>
                    <button name="change" value="remove" formnovalidate>"Delete the recording"</button>
                </form>
            </details>
        }
    });
    view! {
        <section class="picker controls" aria-label="This recording">
            <a href=download download>"Download as one file"</a>
            {forms}
        </section>
    }
}

/// Text for an element whose content Leptos writes as it is.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// What the list shows.
#[derive(Clone, Debug, Default)]
pub struct RecordingsView {
    /// The name of the host.
    pub host: String,
    /// The recordings, newest first, each with the `points` of polylines of its main chart.
    pub recordings: Vec<(Recording, Vec<String>)>,
    /// Whether the reader may begin one.
    pub can_begin: bool,
    /// Why the last form did nothing; empty if it did.
    pub error: String,
    /// What was typed into that form.
    pub title: String,
}

/// The document that lists recordings.
pub fn recordings_page(parts: &Parts, view: RecordingsView) -> String {
    let RecordingsView { host, recordings, can_begin, error, title } = view;
    let is_empty = recordings.is_empty();
    let begin = can_begin.then(|| {
        view! {
            <form class="picker" method="post" action="recordings">
                <label>"Title "<input name="title" required maxlength="200" placeholder="checkout is slow" value=title/></label>
                <button>"Record the five minutes before and after now"</button>
            </form>
        }
    });
    let entry = |(recording, trend): (Recording, Vec<String>)| {
        let Recording { id, from, to, title, level, cause, author, .. } = recording;
        view! {
            <li class=["panel ", class_of(level)].concat()>
                <h2><a href=format!("recordings/{id}")>{title}</a></h2>
                <p>{cause}</p>
                <svg class="trend" viewBox="0 0 60 16" preserveAspectRatio="none" aria-hidden="true">
                    {trend.into_iter().map(|points| view! { <polyline points=points></polyline> }).collect_view()}
                </svg>
                <p>
                    <time>{format!("{} {} UTC", date(from), time_of_day(from))}</time>
                    {format!(", {}, by {author}", duration(to.saturating_sub(from) / 1000))}
                </p>
            </li>
        }
    };
    let document = view! {
        <!DOCTYPE html>
        <html lang="en" translate="no">
            <head>
                {page_head("Recordings · Hostbeat".to_owned(), parts.style.clone())}
                <link rel="stylesheet" href=parts.history_style.clone()/>
                <script inner_html=head_script()></script>
            </head>
            <body>
                <div class="page">
                    <header class="top"><Mark/><ul class="facts"><li><b>{host}</b></li></ul></header>
                    <main class="recordings">
                        <h1>"Recordings"</h1>
                        <p>"The minutes around every time that the host was not healthy, and those that somebody recorded. They are kept until they are deleted."</p>
                        {(!error.is_empty()).then(|| view! { <p role="alert" class="error">{error}</p> })}
                        {begin}
                        {is_empty.then(|| view! { <p>"Nothing has been recorded yet."</p> })}
                        <ol>{recordings.into_iter().map(entry).collect_view()}</ol>
                    </main>
                </div>
            </body>
        </html>
    };
    document.to_html()
}

/// The level's class in the stylesheet.
const fn class_of(level: Level) -> &'static str {
    match level {
        Level::Fine | Level::Busy | Level::Unknown => "fine",
        Level::Watch => "watch",
        Level::Trouble => "trouble",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn note_cannot_end_its_field() {
        let note = "</textarea><form action=x> &lt;".to_owned();
        let html = controls(&Recording { note, ..Recording::default() }, true).to_html();
        assert!(html.contains(">&lt;/textarea>&lt;form action=x> &amp;lt;</textarea>"), "{html}");
    }
}
