//! Requests of the OpenTelemetry protocol, with metrics, over HTTP
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>). Of its messages
//! (`opentelemetry/proto/metrics/v1/metrics.proto`) there is what Hostbeat uses.

use super::{Origin, vanished::STALE};
use crate::server::export::{HostMetric, Labels};
use flate2::{Compression, write::GzEncoder};
use prost::{Message, Oneof};
use std::io::{self, Write};

pub(super) const HEADERS: [(&str, &str); 2] =
    [("content-type", "application/x-protobuf"), ("content-encoding", "gzip")];

const NANOS_PER_MS: u64 = 1_000_000;
/// `AGGREGATION_TEMPORALITY_CUMULATIVE`
const CUMULATIVE: i32 = 2;
/// `DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`
const NO_RECORDED_VALUE: u32 = 1;

#[derive(Message)]
struct ExportRequest {
    #[prost(message, repeated, tag = "1")]
    resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceMetrics {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_metrics: Vec<ScopeMetrics>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeMetrics {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    metrics: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(oneof = "Data", tags = "5, 7")]
    data: Option<Data>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Data {
    #[prost(message, tag = "5")]
    Gauge(Gauge),
    #[prost(message, tag = "7")]
    Sum(Sum),
}

#[derive(Clone, PartialEq, Message)]
struct Gauge {
    #[prost(message, repeated, tag = "1")]
    data_points: Vec<DataPoint>,
}

#[derive(Clone, PartialEq, Message)]
struct Sum {
    #[prost(message, repeated, tag = "1")]
    data_points: Vec<DataPoint>,
    #[prost(int32, tag = "2")]
    aggregation_temporality: i32,
    #[prost(bool, tag = "3")]
    is_monotonic: bool,
}

#[derive(Clone, PartialEq, Message)]
struct DataPoint {
    #[prost(fixed64, tag = "2")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    time_unix_nano: u64,
    #[prost(double, optional, tag = "4")]
    as_double: Option<f64>,
    #[prost(message, repeated, tag = "7")]
    attributes: Vec<KeyValue>,
    #[prost(uint32, tag = "8")]
    flags: u32,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    string_value: Option<String>,
}

#[derive(Message)]
struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_data_points: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// The statuses that the protocol has for requests that may be repeated.
pub(super) const fn is_transient(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// The values that a receiver refused of a request that it accepted.
pub(super) fn partial_refusal(response: &[u8]) -> Option<(u64, String)> {
    let PartialSuccess { rejected_data_points, error_message } =
        ExportResponse::decode(response).ok()?.partial_success?;
    let rejected = u64::try_from(rejected_data_points).ok().filter(|rejected| *rejected > 0)?;
    Some((rejected, error_message))
}

/// The body of a request.
pub(super) fn encode(origin: &Origin, t: u64, metrics: Vec<HostMetric>) -> io::Result<Vec<u8>> {
    let scope = Scope { name: "hostbeat".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let metrics = metrics.into_iter().map(|of| metric(origin, t, of)).collect();
    let resource_metrics = vec![ResourceMetrics {
        resource: Some(resource(origin)),
        scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics }],
    }];
    let mut compressed = GzEncoder::new(Vec::new(), Compression::fast());
    compressed.write_all(&ExportRequest { resource_metrics }.encode_to_vec())?;
    compressed.finish()
}

/// Prometheus makes its labels `job` and `instance` of the service's name and instance.
fn resource(origin: &Origin) -> Resource {
    let attributes = [
        ("service.name", "hostbeat"),
        ("service.instance.id", &origin.host_name),
        ("host.name", &origin.host_name),
        ("host.id", &origin.host_id),
    ];
    Resource { attributes: attributes.map(|(key, value)| attribute(key, value.to_owned())).into() }
}

fn attribute(key: &str, value: String) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { string_value: Some(value) }) }
}

fn metric(origin: &Origin, t: u64, HostMetric { name, is_counter, values }: HostMetric) -> Metric {
    // A clock that was set back can be before the boot; 0 is unknown.
    let started = if is_counter && origin.boot_time_ms <= t { origin.boot_time_ms } else { 0 };
    let points = values.into_iter().map(|(labels, value)| point(started, t, labels, value));
    let data_points = points.collect();
    let data = match is_counter {
        true => Data::Sum(Sum { data_points, aggregation_temporality: CUMULATIVE, is_monotonic: true }),
        false => Data::Gauge(Gauge { data_points }),
    };
    Metric { name, data: Some(data) }
}

fn point(started: u64, t: u64, labels: Labels, value: f64) -> DataPoint {
    let is_stale = value.to_bits() == STALE.to_bits();
    DataPoint {
        start_time_unix_nano: started * NANOS_PER_MS,
        time_unix_nano: t * NANOS_PER_MS,
        as_double: (!is_stale).then_some(value),
        attributes: labels.into_iter().map(|(name, value)| attribute(name, value)).collect(),
        flags: if is_stale { NO_RECORDED_VALUE } else { 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::push::tests::{metric, origin};
    use flate2::read::GzDecoder;
    use opentelemetry_proto::tonic::{
        collector::metrics::v1::{
            ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
        },
        common::v1::{KeyValue, any_value::Value},
        metrics::v1::{AggregationTemporality, metric, number_data_point},
    };
    use std::io::Read;

    fn texts(attributes: &[KeyValue]) -> Vec<String> {
        let text = |attribute: &KeyValue| match attribute.value.as_ref().unwrap().value.as_ref().unwrap() {
            Value::StringValue(value) => format!("{}={value}", attribute.key),
            other => panic!("{other:?}"),
        };
        attributes.iter().map(text).collect()
    }

    #[test]
    fn request_is_what_the_official_messages_decode() {
        let metrics = vec![
            metric("cpu_total", true, vec![(vec![("cpu", "0")], 2.5)]),
            metric("load1", false, vec![(vec![], 0.25), (vec![("gone", "a")], STALE)]),
        ];
        let body = encode(&origin(), 7000, metrics).unwrap();
        let mut plain = Vec::new();
        GzDecoder::new(&*body).read_to_end(&mut plain).unwrap();
        let request = ExportMetricsServiceRequest::decode(&*plain).unwrap();
        let of_host = &request.resource_metrics[0];
        let resource = texts(&of_host.resource.as_ref().unwrap().attributes);
        assert_eq!(resource, ["service.name=hostbeat", "service.instance.id=web-1", "host.name=web-1", "host.id=id"]);
        let [counter, gauge] = &of_host.scope_metrics[0].metrics[..] else { panic!("{request:?}") };

        let Some(metric::Data::Sum(sum)) = &counter.data else { panic!("{counter:?}") };
        assert!(sum.is_monotonic && sum.aggregation_temporality() == AggregationTemporality::Cumulative);
        let point = &sum.data_points[0];
        assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (5_000_000_000, 7_000_000_000));
        assert_eq!(
            (point.value, texts(&point.attributes)),
            (Some(number_data_point::Value::AsDouble(2.5)), vec!["cpu=0".to_owned()])
        );

        let Some(metric::Data::Gauge(gauge)) = &gauge.data else { panic!("{gauge:?}") };
        let [load, gone] = &gauge.data_points[..] else { panic!("{gauge:?}") };
        assert_eq!((load.value, load.flags), (Some(number_data_point::Value::AsDouble(0.25)), 0));
        assert_eq!((gone.value, gone.flags), (None, 1));
    }

    #[test]
    fn partially_refused_request_has_a_number_and_a_reason() {
        let response = |rejected_data_points| {
            let partial = ExportMetricsPartialSuccess { rejected_data_points, error_message: "too old".to_owned() };
            ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        };
        assert_eq!(partial_refusal(&response(3)), Some((3, "too old".to_owned())));
        assert_eq!(partial_refusal(&response(0)), None);
        assert_eq!(partial_refusal(b""), None);
    }
}
