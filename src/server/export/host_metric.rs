//! A metric of the host with its values, for exporters that write no text.

/// Names and values of labels.
pub(in crate::server) type Labels = Vec<(&'static str, String)>;

/// A metric, and a value for each set of labels.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::server) struct HostMetric {
    /// The name that its samples have at `/metrics`; a counter's ends in `_total`.
    pub name: String,
    /// Whether its values only rise, or restart.
    pub is_counter: bool,
    /// The values.
    pub values: Vec<(Labels, f64)>,
}
