//! The view that the URL selects: all panels or chosen ones, with or without controls.

#[cfg(feature = "ssr")]
use super::LongRange;
use super::TimeRange;
#[cfg(feature = "ssr")]
use leptos::prelude::*;
use serde::Serialize;

/// How much the page shows around the panels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PageMode {
    /// Everything.
    #[default]
    Full,
    /// For a wall screen: no controls.
    Kiosk,
    /// For a frame in another page: panels only.
    Embed,
}

impl PageMode {
    const ALL: [Self; 3] = [Self::Full, Self::Kiosk, Self::Embed];

    /// Its name in the initial data, and its class in the stylesheet.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Kiosk => "kiosk",
            Self::Embed => "embed",
        }
    }

    /// The mode with this name.
    pub fn of_str(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// What the page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct View {
    /// How much the page shows around the panels.
    pub mode: PageMode,
    /// The chosen panels in their order, separated by commas; empty for all.
    pub panels: String,
}

impl View {
    /// The page's address with a time range.
    pub fn href(&self, time_range: TimeRange) -> String {
        let mut href = format!("?window={}", time_range.seconds());
        if self.mode == PageMode::Kiosk {
            href.push_str("&kiosk");
        }
        if !self.panels.is_empty() {
            href.push_str("&panels=");
            href.push_str(&self.panels);
        }
        href
    }

    /// Links to the ranges of the history.
    #[cfg(feature = "ssr")]
    pub fn long_range_links(&self, chosen: Option<LongRange>) -> impl IntoView + use<> {
        let panels = if self.panels.is_empty() { String::new() } else { format!("&panels={}", self.panels) };
        let link = |range: LongRange| {
            let current = (chosen == Some(range)).then_some("true");
            view! { <a href=format!("?range={}{panels}", range.as_str()) aria-current=current>{range.label()}</a> }
        };
        LongRange::ALL.map(link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn href_keeps_mode_and_panels() {
        assert_eq!(View::default().href(TimeRange::OneMinute), "?window=60");
        let view = View { mode: PageMode::Kiosk, panels: "cpu,memory".to_owned() };
        assert_eq!(view.href(TimeRange::FiveMinutes), "?window=300&kiosk&panels=cpu,memory");
    }

    #[test]
    fn page_mode_names_round_trip() {
        for mode in PageMode::ALL {
            assert_eq!(PageMode::of_str(mode.as_str()), Some(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
        }
    }
}
