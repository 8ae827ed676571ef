//! The view of the verdict: whether the host is healthy, and what was found.

use super::{PageState, Status, page_state::text};
use crate::schema::{Level, Verdict};
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
    let since = move |t| [" Since ", &state.time(t)[..5], " ", &*state.zone(t), "."].concat();
    let details_text = text(move || {
        let details = state.verdict(|verdict| details(verdict, &since));
        if !behind() {
            return details;
        }
        ["Last known: ", state.verdict(|verdict| headline(verdict.level)), " ", &details].concat()
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

/// The findings as sentences, each with its start, which `since` formats (unix ms).
fn details(verdict: &Verdict, since: &dyn Fn(u64) -> String) -> String {
    let mut details = String::new();
    for finding in &verdict.findings {
        if !details.is_empty() {
            details.push(' ');
        }
        details.push_str(&finding.text);
        if let Some(start) = finding.since {
            details.push_str(&since(start * 1000));
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
        let since = |t| format!(" Since {t}.");
        assert_eq!(details(&verdict, &since), "The disk is slow. Since 1700042460000. It is hot.");
        assert_eq!(details(&Verdict::default(), &since), "");
    }
}
