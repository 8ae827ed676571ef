//! Which panels a reader's page shows, and in which order, as the browser keeps it: `memory.cpu.~load` hides `load`.

use crate::{app::Direction, panels::Panel, server::access::cookie_values};
use axum::http::HeaderMap;
use std::sync::Arc;

/// The cookie's name.
pub(super) const COOKIE: &str = "panels";
/// Bytes of the cookie's value.
const MAX_BYTES: usize = 2048;

/// Why an arrangement can't be kept.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ArrangementError {
    #[error("No panel is chosen. Choose at least one.")]
    NoneShown,
    #[error(
        "The names of these panels take {0} bytes, and a browser is given {MAX_BYTES} to keep. Remove channels that \
         nobody needs, or give them shorter names."
    )]
    TooLong(usize),
}

/// A panel by name, and whether it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) panel: String,
    pub(super) is_shown: bool,
}

/// The panels in the reader's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Arrangement(pub(super) Vec<Entry>);

impl Arrangement {
    /// The one in a request's cookie; empty without it.
    pub(super) fn kept(headers: &HeaderMap) -> Self {
        cookie_values(headers, [COOKIE]).next().map(|value| Self::of_cookie(&value)).unwrap_or_default()
    }

    /// Reads a cookie; what is malformed is ignored.
    fn of_cookie(value: &str) -> Self {
        if value.len() > MAX_BYTES {
            return Self::default();
        }
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        let entry = |text: &str| {
            let panel = text.strip_prefix('~').unwrap_or(text);
            is_name(panel).then(|| Entry { panel: panel.to_owned(), is_shown: panel == text })
        };
        Self(value.split('.').filter_map(entry).collect())
    }

    /// Whether it has a panel of this name, which may be one that no longer exists.
    pub(super) fn names(&self, panel: &str) -> bool {
        self.0.iter().any(|entry| entry.panel == panel)
    }

    /// The cookie's value.
    pub(super) fn to_cookie(&self) -> Result<String, ArrangementError> {
        if !self.0.iter().any(|entry| entry.is_shown) {
            return Err(ArrangementError::NoneShown);
        }
        let entry = |Entry { panel, is_shown }: &Entry| [if *is_shown { "" } else { "~" }, panel].concat();
        let value = self.0.iter().map(entry).collect::<Vec<_>>().join(".");
        if value.len() > MAX_BYTES { Err(ArrangementError::TooLong(value.len())) } else { Ok(value) }
    }

    /// The panels of an address, as [`Self::listed`] returns them, and all others hidden.
    pub(super) fn of_list(list: &str, known: &[Arc<Panel>]) -> Self {
        let shown = list.split(',').map(|panel| Entry { panel: panel.to_owned(), is_shown: true });
        let hidden = known.iter().map(|panel| Entry { panel: panel.id.clone(), is_shown: false });
        Self(shown.chain(hidden).collect()).completed(known)
    }

    /// The fields of the form: a `panel` for each, in their order, and a `shown` for each that is checked.
    pub(super) fn of_form(fields: &[(String, String)]) -> Self {
        let values = |name| fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value);
        let entry =
            |panel: &String| Entry { panel: panel.clone(), is_shown: values("shown").any(|shown| shown == panel) };
        Self(values("panel").map(entry).collect())
    }

    /// Each known panel once: those that are not named here are shown at the end, since they appeared later.
    pub(super) fn completed(self, known: &[Arc<Panel>]) -> Self {
        let later = known.iter().map(|panel| Entry { panel: panel.id.clone(), is_shown: true });
        let mut entries: Vec<Entry> = Vec::with_capacity(known.len());
        for entry in self.0.into_iter().chain(later) {
            let is_new = entries.iter().all(|of| of.panel != entry.panel);
            if is_new && known.iter().any(|panel| panel.id == entry.panel) {
                entries.push(entry);
            }
        }
        Self(entries)
    }

    /// The shown panels, separated by commas; empty for the page's own order, or if none is left to show.
    pub(super) fn listed(&self, known: &[Arc<Panel>]) -> String {
        let Self(entries) = self.clone().completed(known);
        let shown: Vec<_> = entries.into_iter().filter(|entry| entry.is_shown).map(|entry| entry.panel).collect();
        let is_own_order = shown.iter().eq(known.iter().map(|panel| &panel.id));
        if is_own_order { String::new() } else { shown.join(",") }
    }

    /// Moves a panel past its neighbour, if it has one there.
    pub(super) fn shift(&mut self, panel: &str, direction: Direction) {
        let index = self.0.iter().position(|entry| entry.panel == panel);
        let neighbour = index.and_then(|index| match direction {
            Direction::Up => index.checked_sub(1),
            Direction::Down => Some(index + 1).filter(|next| *next < self.0.len()),
        });
        if let Some((index, neighbour)) = index.zip(neighbour) {
            self.0.swap(index, neighbour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::host_panels;
    use axum::http::{HeaderValue, header};
    use proptest::{prelude::*, sample::subsequence};

    fn known() -> Vec<Arc<Panel>> {
        host_panels().into_iter().map(Arc::new).collect()
    }

    fn own_order() -> Vec<String> {
        host_panels().into_iter().map(|panel| panel.id).collect()
    }

    fn listed(cookie: &str) -> Vec<String> {
        Arrangement::of_cookie(cookie).listed(&known()).split(',').map(str::to_owned).collect()
    }

    #[test]
    fn order_of_the_cookie_is_kept_and_hidden_panels_are_left_out() {
        let hides_the_rest = own_order().iter().map(|panel| format!(".~{panel}")).collect::<String>();
        assert_eq!(listed(&format!("disk.memory.~load.cpu{hides_the_rest}")), ["disk", "memory", "cpu"]);
    }

    #[test]
    fn panel_that_appears_later_is_shown_at_the_end() {
        let cookie = "memory.cpu.~load.pressure.connections.network.disk.temperature.cgroup.services.processes";
        let shop = Arc::new(Panel { id: "shop".to_owned(), ..Panel::default() });
        let list = Arrangement::of_cookie(cookie).listed(&[&[shop], &*known()].concat());
        assert!(list.starts_with("memory,cpu,pressure") && list.ends_with("processes,shop"), "{list}");
    }

    #[test]
    fn unknown_and_repeated_names_are_ignored() {
        let expected = listed("memory.cpu");
        for cookie in ["memory.gone.~lost.cpu", "..memory.~.~~.cpu.", "memory.cpu.~memory.cpu", "memory.<b>.cpu.\u{e4}"]
        {
            assert_eq!(listed(cookie), expected, "{cookie}");
        }
    }

    #[test]
    fn page_has_its_own_order_without_a_usable_choice() {
        let all_hidden = own_order().iter().map(|panel| format!("~{panel}.")).collect::<String>();
        let too_long = format!("memory{}", ".x".repeat(MAX_BYTES));
        for cookie in ["", "cpu.memory", "gone", &all_hidden, &too_long] {
            assert_eq!(Arrangement::of_cookie(cookie).listed(&known()), "", "{cookie}");
        }
        assert_eq!(Arrangement::kept(&HeaderMap::new()), Arrangement::default());
    }

    #[test]
    fn address_hides_what_it_does_not_name() {
        let arrangement = Arrangement::of_list("disk,cpu", &known());
        assert_eq!(arrangement.listed(&known()), "disk,cpu");
        assert_eq!(arrangement.0.len(), known().len());
    }

    #[test]
    fn panel_moves_past_its_neighbour_and_not_beyond_the_ends() {
        let mut arrangement = Arrangement::of_cookie("a.b.~c");
        for (panel, direction, expected) in [
            ("b", Direction::Up, "b.a.~c"),
            ("b", Direction::Up, "b.a.~c"),
            ("a", Direction::Down, "b.~c.a"),
            ("a", Direction::Down, "b.~c.a"),
            ("gone", Direction::Down, "b.~c.a"),
        ] {
            arrangement.shift(panel, direction);
            assert_eq!(arrangement.to_cookie().unwrap(), expected);
        }
    }

    #[test]
    fn arrangement_that_cannot_be_kept_is_refused() {
        assert_eq!(Arrangement::of_cookie("~cpu").to_cookie(), Err(ArrangementError::NoneShown));
        let entry = |n: usize| Entry { panel: format!("{n:063}"), is_shown: true };
        assert_eq!(Arrangement((0..64).map(entry).collect()).to_cookie(), Err(ArrangementError::TooLong(64 * 64 - 1)));
    }

    proptest! {
        #[test]
        fn arbitrary_cookies_never_panic_and_list_known_panels(cookie in "(cpu|memory|disk|[.~,; %]|\\PC){0,40}") {
            let list = Arrangement::of_cookie(&cookie).listed(&known());
            let names: Vec<_> = list.split(',').filter(|name| !name.is_empty()).collect();
            prop_assert!(names.iter().all(|name| own_order().iter().any(|known| known == name)), "{list}");
        }

        #[test]
        fn cookie_round_trips(
            order in Just(own_order()).prop_shuffle(),
            shown in subsequence(own_order(), 1..=own_order().len()),
        ) {
            let entry = |panel: String| Entry { is_shown: shown.contains(&panel), panel };
            let arrangement = Arrangement(order.into_iter().map(entry).collect());
            let cookie = HeaderValue::from_str(&format!("{COOKIE}={}", arrangement.to_cookie().unwrap())).unwrap();
            prop_assert_eq!(Arrangement::kept(&HeaderMap::from_iter([(header::COOKIE, cookie)])), arrangement);
        }
    }
}
