//! What the browser starts from: exactly what the server rendered the page from.

use super::{TimeRange, View};
use crate::schema::{HostFacts, LatestValues, WindowSnapshot};
use serde::Serialize;

/// Data of the first response, carried in the page beside its HTML.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InitialData {
    /// Facts about the host.
    pub host: HostFacts,
    /// What of the page is shown.
    pub view: View,
    /// The window that the charts show.
    pub time_range: TimeRange,
    /// The id after which the stream goes on from `columns`; `None` before the first tick.
    pub after: Option<String>,
    /// The samples, with as much of the past as is shown.
    pub columns: WindowSnapshot,
    /// What has no past.
    pub present: LatestValues,
}

/// Id of the element that carries the initial_data.
pub const INITIAL_DATA_ELEMENT: &str = "initial_data";

#[cfg(feature = "ssr")]
impl InitialData {
    /// As JSON that can stand in a script element: no `<` in it can end the element.
    pub(super) fn to_script(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)?.replace('<', "\\u003c"))
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::schema::{EventNames, Window};

    #[test]
    fn a_seed_survives_the_page_and_cannot_end_its_element() {
        let initial_data = InitialData {
            host: HostFacts { name: "</script><script>alert(1)".to_owned(), ..HostFacts::default() },
            view: View::default(),
            time_range: TimeRange::OneMinute,
            after: Some("1000-2".to_owned()),
            columns: Window::new(1).snapshot(None, 1, EventNames::ALL),
            present: LatestValues::default(),
        };
        let script = initial_data.to_script().unwrap();
        assert!(!script.contains('<'), "{script}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&script).unwrap(),
            serde_json::to_value(&initial_data).unwrap()
        );
    }
}
