//! Whether the host is all right, above everything else.

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
    let word = text(move || {
        let now = state.verdict(|verdict| headline(verdict.level));
        if behind() { "Not known now." } else { now }.to_owned()
    });
    let rest = text(move || {
        let last = |verdict: &Verdict| ["It was: ", headline(verdict.level), " ", &details(verdict)].concat();
        state.verdict(if behind() { last } else { details })
    });
    // Heard when it changes, which is seldom; the figures beside it change from second to second.
    view! { <section class=class aria-label="Verdict"><b aria-live="polite">{word}</b>" "{rest}</section> }
}

/// The level's class in the stylesheet.
fn class(level: Level) -> &'static str {
    match level {
        Level::Fine => "fine",
        Level::Busy => "busy",
        Level::Watch => "watch",
        Level::Trouble => "trouble",
    }
}

fn headline(level: Level) -> &'static str {
    match level {
        Level::Fine => "All is well.",
        Level::Busy => "Busy, and all is well.",
        Level::Watch => "All is well, but not for long.",
        Level::Trouble => "Something is wrong.",
    }
}

/// What was found, and since when, as sentences.
fn details(verdict: &Verdict) -> String {
    let mut details = String::new();
    for finding in &verdict.findings {
        if !details.is_empty() {
            details.push(' ');
        }
        details.push_str(&finding.text);
        if let Some(since) = finding.since {
            // To the minute, which is how people speak of it.
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
    fn what_was_found_is_told_with_its_time() {
        let finding = |text: &str, since| Finding { level: Level::Trouble, text: text.to_owned(), since };
        let findings = vec![finding("The disk is slow.", Some(1_700_042_460)), finding("It is hot.", None)];
        let verdict = Verdict { level: Level::Trouble, findings };
        assert_eq!(details(&verdict), "The disk is slow. Since 10:01. It is hot.");
        assert_eq!(details(&Verdict::default()), "");
    }
}
