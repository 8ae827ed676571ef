//! The query of a page or a chart image: time range, panels, theme.

use super::{Problem, arrangement::Arrangement};
use crate::{
    app::{self, PageMode, TimeRange, View},
    charts::ImageTheme,
    panels::Panel,
};
use axum::http::StatusCode;
use std::sync::Arc;

/// The last value of a key; empty for a key without one.
pub(super) fn value(query: &str, key: &str) -> Option<String> {
    let chosen = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == key).last();
    chosen.map(|(_, value)| value.into_owned())
}

/// `window=300`: how many seconds the charts show.
pub(super) fn time_range(query: &str) -> Result<TimeRange, Problem> {
    let Some(window) = value(query, "window") else { return Ok(TimeRange::default()) };
    let problem =
        |error: app::UnknownTimeRange| Problem::new(StatusCode::BAD_REQUEST, "Unknown window", error.to_string());
    window.parse().map_err(problem)
}

/// `kiosk` and `panels=memory,cpu`.
pub(super) fn view(query: &str, known: &[Arc<Panel>], kept: &Arrangement) -> Result<View, Problem> {
    let mode = if value(query, "kiosk").is_some() { PageMode::Kiosk } else { PageMode::Full };
    Ok(View { mode, panels: panels(query, known, kept)? })
}

/// `panels=memory,cpu`; empty without a choice.
pub(super) fn panels(query: &str, known: &[Arc<Panel>], kept: &Arrangement) -> Result<String, Problem> {
    value(query, "panels").map_or(Ok(String::new()), |panels| known_panels(&panels, known, kept))
}

/// Checks a comma-separated list of panels. Spaces and repetitions are dropped, so that equal views share a response. A
/// panel that the browser keeps may no longer exist: it is not shown, and no mistake.
pub(super) fn known_panels(panels: &str, known: &[Arc<Panel>], kept: &Arrangement) -> Result<String, Problem> {
    let mut names: Vec<&str> = Vec::new();
    for name in panels.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let known = || known.iter().map(|panel| &*panel.id);
    match names.iter().find(|name| !known().any(|panel| panel == **name) && !kept.names(name)) {
        None => Ok(names.join(",")),
        Some(unknown) => {
            let known = known().collect::<Vec<_>>().join(", ");
            let detail = format!("There is no panel {unknown:?}; there are {known}.");
            Err(Problem::new(StatusCode::NOT_FOUND, "Unknown panel", detail))
        }
    }
}

/// `theme=dark`: the colours of an image.
pub(super) fn image_theme(query: &str) -> Result<ImageTheme, Problem> {
    match value(query, "theme").as_deref() {
        None | Some("light") => Ok(ImageTheme::Light),
        Some("dark") => Ok(ImageTheme::Dark),
        Some(theme) => {
            let detail = format!("There is no theme {theme:?}; there are light and dark.");
            Err(Problem::new(StatusCode::BAD_REQUEST, "Unknown theme", detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::host_panels;

    #[test]
    fn view_keeps_the_order_of_known_panels_and_refuses_others() {
        let panels: Vec<_> = host_panels().into_iter().map(Arc::new).collect();
        let kept = Arrangement::default();
        let view = |query| view(query, &panels, &kept);
        let seen = view("kiosk&panels=memory,cpu,%20memory,").unwrap();
        assert_eq!(seen, View { mode: PageMode::Kiosk, panels: "memory,cpu".to_owned() });
        assert_eq!(view("window=60").unwrap(), View::default());
        let problem = view("panels=cpu,gpu").unwrap_err();
        assert!(problem.detail.contains("\"gpu\"; there are cpu, memory, load"), "{}", problem.detail);
        assert!(image_theme("theme=red").is_err());
    }

    #[test]
    fn view_keeps_a_panel_that_the_browser_keeps_and_no_longer_exists() {
        let known: Vec<_> = host_panels().into_iter().map(Arc::new).collect();
        let kept = Arrangement::of_list("shop", &[Arc::new(Panel { id: "shop".to_owned(), ..Panel::default() })]);
        assert_eq!(panels("panels=cpu,shop", &known, &kept).unwrap(), "cpu,shop");
        assert!(panels("panels=cpu,shop,gpu", &known, &kept).is_err());
    }

    #[test]
    fn time_range_accepts_only_offered_seconds() {
        assert_eq!(time_range("").unwrap(), TimeRange::FiveMinutes);
        assert_eq!(time_range("theme=dark&window=60").unwrap(), TimeRange::OneMinute);
        for window in ["7", "", "-60", "5m", "60 "] {
            let problem = time_range(&format!("window={window}")).unwrap_err();
            assert!(problem.detail.contains("60, 300, 900 or 3600"), "{}", problem.detail);
        }
    }
}
