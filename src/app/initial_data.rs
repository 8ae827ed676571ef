//! The data that the server rendered the page from, embedded in the page for hydration.

use super::{TimeRange, View};
use crate::{
    panels::Panel,
    schema::{HostFacts, LatestValues, WindowSnapshot},
};
#[cfg(feature = "ssr")]
use serde::Serialize;
use std::sync::Arc;

/// Data of the first response, embedded beside its HTML.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "ssr", derive(Serialize))]
pub struct InitialData {
    /// Whose page this is.
    pub identity: PageIdentity,
    /// The user who is signed in; empty for a reader without a session.
    pub account: String,
    /// Facts about the host.
    pub host: HostFacts,
    /// Which panels are shown, and with which controls.
    pub view: View,
    /// What the panels of the view show.
    #[cfg_attr(feature = "ssr", serde(serialize_with = "as_text"))]
    pub panels: Vec<Arc<Panel>>,
    /// The time range of the charts.
    pub time_range: TimeRange,
    /// Id of the last event in `columns`, after which the stream resumes; `None` before the first tick.
    pub last_event_id: Option<String>,
    /// The samples, with as much history as the page shows.
    pub columns: WindowSnapshot,
    /// Values without history.
    pub latest: LatestValues,
}

/// As text, which the page reads with less code than JSON.
#[cfg(feature = "ssr")]
fn as_text<S: serde::Serializer>(panels: &[Arc<Panel>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::panels::to_text(panels.iter().map(|panel| &**panel)))
}

/// Which host and which version of the page's code a page is of; the stream names both too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "ssr", derive(Serialize))]
pub struct PageIdentity {
    /// Id of the host.
    pub host_id: String,
    /// Fingerprint of the page's files.
    pub version: String,
}

/// Id of the script element that holds the initial data.
pub const INITIAL_DATA_ELEMENT: &str = "initial_data";

#[cfg(feature = "ssr")]
impl InitialData {
    /// JSON for a script element. `<` is escaped, so that no string can end the element.
    pub(super) fn to_script(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)?.replace('<', "\\u003c"))
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::schema::{EventFilter, Window};

    #[test]
    fn initial_data_round_trips_and_cannot_end_its_element() {
        let initial_data = InitialData {
            identity: PageIdentity::default(),
            account: String::new(),
            host: HostFacts { name: "</script><script>alert(1)".to_owned(), ..HostFacts::default() },
            view: View::default(),
            panels: Vec::new(),
            time_range: TimeRange::OneMinute,
            last_event_id: Some("1000-2".to_owned()),
            columns: Window::new(1).snapshot(None, 1, &EventFilter::All),
            latest: LatestValues::default(),
        };
        let script = initial_data.to_script().unwrap();
        assert!(!script.contains('<'), "{script}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&script).unwrap(),
            serde_json::to_value(&initial_data).unwrap()
        );
    }
}
