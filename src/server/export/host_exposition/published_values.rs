//! The values that programs publish, as one family: their names are no names of metrics.

use super::family_writer::FamilyWriter;
use crate::schema::{PublishedPath, Window};
use prometheus_client::metrics::MetricType::Gauge;
use std::fmt;

/// Writes the values of the newest second.
pub(super) fn write_all(writer: &mut FamilyWriter<'_>, window: &Window) -> fmt::Result {
    let values = window.paths().filter_map(|path| {
        let PublishedPath { channel, label, value } = PublishedPath::of(path)?;
        Some((vec![("channel", channel), ("label", label), ("value", value)], window.last(path)?))
    });
    writer.family("hostbeat_published_value", "What programs publish", Gauge, values.collect())
}
