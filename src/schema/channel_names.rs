//! The event that names the published channels, so that a page notices one that it doesn't show yet.

use super::{
    Group,
    value::{Declaration, SeriesPath, Values, Visit},
};
use serde::Serialize;

/// The published channels, sent when they change and every ten seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChannelNames {
    /// In alphabetical order.
    pub names: Vec<String>,
}

impl Group for ChannelNames {
    const NAME: &'static str = "channels";
}

/// Names have no series.
impl Values for ChannelNames {
    fn visit(&self, _: &mut SeriesPath, _: Visit<'_>) {}

    fn declare(_: &str) -> Vec<Declaration> {
        Vec::new()
    }
}
