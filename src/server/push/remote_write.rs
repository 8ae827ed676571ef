//! Requests of Prometheus remote write 1.0 (<https://prometheus.io/docs/specs/prw/remote_write_spec/>).

use super::Origin;
use crate::server::export::{HostMetric, Labels};
use prost::Message;
use std::io;

pub(super) const HEADERS: [(&str, &str); 3] = [
    ("content-type", "application/x-protobuf"),
    ("content-encoding", "snappy"),
    ("x-prometheus-remote-write-version", "0.1.0"),
];

/// The job that scrapes Hostbeat has this name in `deploy/prometheus.yml`.
const JOB: &str = "hostbeat";

#[derive(Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    /// Unix milliseconds.
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// Only server errors and "too many requests" may be repeated.
pub(super) const fn is_transient(status: u16) -> bool {
    status >= 500 || status == 429
}

/// The body of a request.
pub(super) fn encode(origin: &Origin, t: u64, metrics: Vec<HostMetric>) -> io::Result<Vec<u8>> {
    let mut timeseries = Vec::new();
    for HostMetric { name, values, .. } in metrics {
        timeseries.extend(values.into_iter().map(|(labels, value)| TimeSeries {
            labels: all_labels(origin, &name, labels),
            samples: vec![Sample { value, timestamp: t as i64 }],
        }));
    }
    let request = WriteRequest { timeseries }.encode_to_vec();
    snap::raw::Encoder::new().compress_vec(&request).map_err(io::Error::other)
}

/// The labels with those that Prometheus adds when it scrapes. They are sorted, and none is empty.
fn all_labels(origin: &Origin, name: &str, labels: Labels) -> Vec<Label> {
    let label = |name: &str, value: String| Label { name: name.to_owned(), value };
    let mut all = vec![label("__name__", name.to_owned())];
    all.extend(labels.into_iter().map(|(name, value)| label(name, value)).filter(|label| !label.value.is_empty()));
    for (name, value) in [("instance", &origin.host_name[..]), ("job", JOB)] {
        if all.iter().all(|label| label.name != name) {
            all.push(label(name, value.to_owned()));
        }
    }
    all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::push::tests::{metric, origin};

    fn decode(body: &[u8]) -> WriteRequest {
        WriteRequest::decode(&*snap::raw::Decoder::new().decompress_vec(body).unwrap()).unwrap()
    }

    #[test]
    fn series_have_sorted_labels_with_job_and_instance_and_no_empty_one() {
        let metrics = vec![
            metric("node_load1", false, vec![(vec![], 0.25)]),
            metric("published", false, vec![(vec![("value", "a"), ("label", ""), ("instance", "own")], 2.0)]),
        ];
        let series = decode(&encode(&origin(), 7000, metrics).unwrap()).timeseries;
        let text = |series: &TimeSeries| {
            let labels = series.labels.iter().map(|label| format!("{}={}", label.name, label.value));
            (labels.collect::<Vec<_>>().join(","), series.samples.clone())
        };
        let sample = |value| vec![Sample { value, timestamp: 7000 }];
        let expected = [
            ("__name__=node_load1,instance=web-1,job=hostbeat".to_owned(), sample(0.25)),
            ("__name__=published,instance=own,job=hostbeat,value=a".to_owned(), sample(2.0)),
        ];
        assert_eq!(series.iter().map(text).collect::<Vec<_>>(), expected);
    }

    /// Written by hand from the encoding of protobuf and remote.proto.
    #[test]
    fn request_has_the_bytes_of_the_specification() {
        let request = WriteRequest {
            timeseries: vec![TimeSeries {
                labels: vec![Label { name: "a".to_owned(), value: "b".to_owned() }],
                samples: vec![Sample { value: 1.0, timestamp: 300 }],
            }],
        };
        let label = [0x0a, 6, 0x0a, 1, b'a', 0x12, 1, b'b'];
        let sample = [0x12, 12, 0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10, 0xac, 0x02];
        let expected = [&[0x0a, 22][..], &label, &sample].concat();
        assert_eq!(request.encode_to_vec(), expected);
    }
}
