//! What of the page is shown: all of it, or panels that somebody has chosen, with or without what there is to press.

use super::TimeRange;
use serde::Serialize;

/// How much is around the panels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PageMode {
    /// Everything.
    #[default]
    Full,
    /// For a screen on a wall: nothing to press.
    Kiosk,
    /// For a frame in another page: nothing at all.
    Embed,
}

impl PageMode {
    const ALL: [Self; 3] = [Self::Full, Self::Kiosk, Self::Embed];

    /// Its name in the initial_data, and its class in the stylesheet.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Kiosk => "kiosk",
            Self::Embed => "embed",
        }
    }

    /// The one with this name.
    pub fn of_str(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|frame| frame.as_str() == name)
    }
}

/// What is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct View {
    /// How much is around the panels.
    pub frame: PageMode,
    /// Which panels, separated by commas; nothing for all.
    pub panels: String,
}

impl View {
    /// Its classes in the stylesheet.
    pub(super) fn class(&self) -> String {
        let chosen = if self.panels.is_empty() { "" } else { " chosen" };
        ["page ", self.frame.as_str(), chosen].concat()
    }

    /// Whether there is more than a few panels, of which one sees at a glance how they are.
    pub(super) fn has_overview(&self) -> bool {
        self.panels.is_empty()
    }

    /// Whether a panel is shown.
    pub(super) fn shows(&self, panel: &str) -> bool {
        self.panels.is_empty() || self.panels.split(',').any(|shown| shown == panel)
    }

    /// The page's address with a window.
    pub fn href(&self, time_range: TimeRange) -> String {
        let mut href = format!("?window={}", time_range.seconds());
        if self.frame == PageMode::Kiosk {
            href.push_str("&kiosk");
        }
        if !self.panels.is_empty() {
            href.push_str("&panels=");
            href.push_str(&self.panels);
        }
        href
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_shows_what_it_names_and_everything_if_it_names_nothing() {
        let view = View { panels: "cpu,memory".to_owned(), ..View::default() };
        assert!(view.shows("cpu") && view.shows("memory") && !view.shows("mem"));
        assert!(View::default().shows("disk"));
    }

    #[test]
    fn an_address_has_what_was_chosen() {
        assert_eq!(View::default().href(TimeRange::OneMinute), "?window=60");
        let view = View { frame: PageMode::Kiosk, panels: "cpu,memory".to_owned() };
        assert_eq!((view.class().as_str(), View::default().class().as_str()), ("page kiosk chosen", "page full"));
        assert_eq!(view.href(TimeRange::FiveMinutes), "?window=300&kiosk&panels=cpu,memory");
    }

    #[test]
    fn a_frame_is_known_by_its_name() {
        for frame in PageMode::ALL {
            assert_eq!(PageMode::of_str(frame.as_str()), Some(frame));
            assert_eq!(serde_json::to_value(frame).unwrap(), frame.as_str());
        }
    }
}
