//! Writes metric families, as text or as values.

use crate::server::export::HostMetric;
use prometheus_client::{
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};
use std::{collections::BTreeMap, fmt};

/// Values of one family, each with its labels.
pub(super) type LabelledValues<'a> = Vec<(Vec<(&'static str, &'a str)>, f64)>;

/// A counter of a device: the metric's name, the value if the kernel has it, and the divisor that converts it to the
/// metric's unit.
pub(super) type DeviceCounter<C> = (&'static str, fn(&C) -> Option<u64>, f64);

/// What families are written to.
pub(super) enum Output<'a> {
    Exposition(DescriptorEncoder<'a>),
    Metrics(&'a mut Vec<HostMetric>),
}

/// Writes one family after the other.
pub(super) struct FamilyWriter<'a> {
    output: Output<'a>,
    prefix: String,
}

impl<'a> FamilyWriter<'a> {
    /// Replaces `node_` in front of names by `prefix`.
    pub(super) fn new(output: Output<'a>, prefix: &str) -> Self {
        Self { output, prefix: prefix.to_owned() }
    }

    /// Writes a family, unless it has no values. As in node_exporter, values that `/proc` doesn't type are `Unknown`.
    pub(super) fn family(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        values: LabelledValues<'_>,
    ) -> fmt::Result {
        if values.is_empty() {
            return Ok(());
        }
        let prefixed = name.strip_prefix("node_").map(|rest| format!("{}{rest}", self.prefix));
        let name = prefixed.as_deref().unwrap_or(name);
        match &mut self.output {
            Output::Exposition(encoder) => encode_family(encoder, name, help, kind, values),
            Output::Metrics(metrics) => {
                metrics.push(host_metric(name, kind, values));
                Ok(())
            }
        }
    }

    /// Writes a family of one value without labels, unless the value is unknown.
    pub(super) fn single(&mut self, name: &str, help: &str, kind: MetricType, value: Option<f64>) -> fmt::Result {
        self.family(name, help, kind, value.map(|value| (Vec::new(), value)).into_iter().collect())
    }

    /// Writes a family for each counter, with the devices as its labels.
    pub(super) fn devices<C>(
        &mut self,
        prefix: &str,
        help: &str,
        devices: &BTreeMap<String, C>,
        counters: &[DeviceCounter<C>],
    ) -> fmt::Result {
        for (name, value, divisor) in counters {
            let values = devices.iter().filter_map(|(device, counters)| {
                Some((vec![("device", device.as_str())], value(counters)? as f64 / divisor))
            });
            self.family(&format!("{prefix}_{name}"), help, MetricType::Counter, values.collect())?;
        }
        Ok(())
    }
}

fn encode_family(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    kind: MetricType,
    values: LabelledValues<'_>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
    for (labels, value) in values {
        if labels.is_empty() {
            encode_value(&mut metric, kind, value)?;
        } else {
            encode_value(&mut metric.encode_family(&labels)?, kind, value)?;
        }
    }
    Ok(())
}

fn encode_value(metric: &mut MetricEncoder<'_>, kind: MetricType, value: f64) -> fmt::Result {
    match kind {
        MetricType::Counter => metric.encode_counter::<NoLabelSet, _, f64>(&value, None),
        _ => metric.encode_gauge(&value),
    }
}

fn host_metric(name: &str, kind: MetricType, values: LabelledValues<'_>) -> HostMetric {
    let is_counter = matches!(kind, MetricType::Counter);
    let values = values.into_iter().map(|(labels, value)| {
        let labels = labels.into_iter().map(|(name, value)| (name, value.to_owned()));
        (labels.collect(), value)
    });
    HostMetric {
        name: format!("{name}{}", if is_counter { "_total" } else { "" }),
        is_counter,
        values: values.collect(),
    }
}
