//! The view of the verdict: whether the host is healthy, and what was found.

use super::{PageState, Status, page_state::text};
use crate::{
    schema::{Level, Verdict},
    units::time_of_day,
};
use leptos::prelude::*;

#[component]
pub(super) fn VerdictView() -> impl IntoView {
    let state = expect_context::<PageState>();
    let behind = move || state.status.with(Status::is_behind);
    let class = text(move || {
        let level = state.verdict(|verdict| class(verdict.level));
        ["verdict ", if behind() { "" } else { level }].concat()
    });
    let headline_text = text(move || {
        let now = state.verdict(|verdict| headline(verdict.level));
        if behind() { "Unknown." } else { now }.to_owned()
    });
    let details_text = text(move || {
        let last = |verdict: &Verdict| ["Last known: ", headline(verdict.level), " ", &details(verdict)].concat();
        state.verdict(if behind() { last } else { details })
    });
    // Only the headline is live for screen readers: the values beside it change every second.
    view! { <section class=class aria-label="Health"><b aria-live="polite">{headline_text}</b>" "{details_text}</section> }
}

/// The level's class in the stylesheet.
fn class(level: Level) -> &'static str {
    match level {
        Level::Fine => "fine",
        Level::Busy => "busy",
        Level::Unknown => "",
        Level::Watch => "watch",
        Level::Trouble => "trouble",
    }
}

fn headline(level: Level) -> &'static str {
    match level {
        Level::Fine => "Healthy.",
        Level::Busy => "Busy, but healthy.",
        Level::Unknown => "Unknown.",
        Level::Watch => "Needs attention.",
        Level::Trouble => "Unhealthy.",
    }
}

/// The findings as sentences, each with its start.
fn details(verdict: &Verdict) -> String {
    let mut details = String::new();
    for finding in &verdict.findings {
        if !details.is_empty() {
            details.push(' ');
        }
        details.push_str(&finding.text);
        if let Some(since) = finding.since {
            // To the minute: `10:01`.
            details.push_str(" Since ");
            details.push_str(&time_of_day(since * 1000)[..5]);
            details.push('.');
        }
    }
    details
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Finding;

    #[test]
    fn details_list_findings_with_start() {
        let finding = |text: &str, since| Finding { level: Level::Trouble, text: text.to_owned(), since };
        let findings = vec![finding("The disk is slow.", Some(1_700_042_460)), finding("It is hot.", None)];
        let verdict = Verdict { level: Level::Trouble, findings };
        assert_eq!(details(&verdict), "The disk is slow. Since 10:01. It is hot.");
        assert_eq!(details(&Verdict::default()), "");
    }
}
