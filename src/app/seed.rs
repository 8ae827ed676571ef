//! What the browser starts from: exactly what the server rendered the page from.

use super::{Span, View};
use crate::metrics::{Columns, HostFacts, Present};
use serde::Serialize;

/// Data of the first response, carried in the page beside its HTML.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seed {
    /// Facts about the host.
    pub host: HostFacts,
    /// What of the page is shown.
    pub view: View,
    /// The window that the charts show.
    pub span: Span,
    /// The id after which the stream goes on from `columns`; `None` before the first tick.
    pub after: Option<String>,
    /// The samples, with as much of the past as is shown.
    pub columns: Columns,
    /// What has no past.
    pub present: Present,
}

/// Id of the element that carries the seed.
pub const SEED_ELEMENT: &str = "seed";

#[cfg(feature = "ssr")]
impl Seed {
    /// As JSON that can stand in a script element: no `<` in it can end the element.
    pub(super) fn to_script(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)?.replace('<', "\\u003c"))
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::metrics::{EventNames, Window};

    #[test]
    fn a_seed_survives_the_page_and_cannot_end_its_element() {
        let seed = Seed {
            host: HostFacts { name: "</script><script>alert(1)".to_owned(), ..HostFacts::default() },
            view: View::default(),
            span: Span::OneMinute,
            after: Some("1000-2".to_owned()),
            columns: Window::new(1).columns(None, 1, EventNames::ALL),
            present: Present::default(),
        };
        let script = seed.to_script().unwrap();
        assert!(!script.contains('<'), "{script}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&script).unwrap(), serde_json::to_value(&seed).unwrap());
    }
}
