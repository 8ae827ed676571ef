//! The two text formats of `/metrics`, and which of them a scraper accepts.

/// A text format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum TextFormat {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus text format 0.0.4, which every scraper reads.
    Prometheus,
}

impl TextFormat {
    /// The format that the values of `Accept` prefer; OpenMetrics only if one names it.
    pub(in crate::server) fn negotiate<'a>(accept: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut open_metrics, mut prometheus) = (0_f32, 0_f32);
        for range in accept.into_iter().flat_map(|list| list.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight: f32 = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            match &*name {
                "application/openmetrics-text" => open_metrics = weight.max(open_metrics),
                "text/plain" => prometheus = weight.max(prometheus),
                _ => {}
            }
        }
        if open_metrics > 0.0 && open_metrics >= prometheus { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// The value of `Content-Type`.
    pub(in crate::server) const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Converts OpenMetrics text to this format.
    pub(super) fn convert(self, open_metrics: String) -> String {
        match self {
            Self::OpenMetrics => open_metrics,
            Self::Prometheus => to_prometheus(&open_metrics),
        }
    }
}

/// The older format names a counter's family like its samples, has `untyped` for `unknown`, and neither unit nor end.
fn to_prometheus(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = "";
    for line in open_metrics.lines() {
        if let Some(of_family) = line.strip_prefix("# HELP ") {
            // Written with the type, which decides the name.
            help = of_family.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|family| family.split_once(' ')) {
            let (suffix, kind) = match kind {
                "counter" => ("_total", kind),
                "unknown" => ("", "untyped"),
                _ => ("", kind),
            };
            text += &format!("# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n");
        } else if !line.starts_with("# UNIT ") && line != "# EOF" {
            text += line;
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_needs_to_be_accepted_by_name() {
        use TextFormat::{OpenMetrics, Prometheus};
        const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,\
            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, format) in [
            (&[][..], Prometheus),
            (&["*/*"], Prometheus),
            (&["text/plain;version=0.0.4"], Prometheus),
            (&["text/html, application/*"], Prometheus),
            (&["application/openmetrics-text;q=0"], Prometheus),
            (&["text/plain;version=0.0.4;q=0.6, application/openmetrics-text;q=0.5"], Prometheus),
            (&["application/openmetrics-text"], OpenMetrics),
            (&["Application/OpenMetrics-Text; version=1.0.0, text/plain;version=0.0.4;q=0.5"], OpenMetrics),
            (&["text/plain;q=0.5", "application/openmetrics-text; q=0.5"], OpenMetrics),
            (&[PROMETHEUS_3], OpenMetrics),
        ] {
            assert_eq!(TextFormat::negotiate(accept.iter().copied()), format, "{accept:?}");
        }
    }

    #[test]
    fn prometheus_text_names_counters_by_their_samples() {
        let open_metrics = "# HELP a_seconds Time.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\n\
            a_seconds_total{x=\"# EOF\"} 1.5\n# HELP b Any.\n# TYPE b unknown\nb 2\n# HELP c Age.\n# TYPE c histogram\n\
            c_sum 0.0\nc_count 0\nc_bucket{le=\"+Inf\"} 0\n# EOF\n";
        let expected = "# HELP a_seconds_total Time.\n# TYPE a_seconds_total counter\n\
            a_seconds_total{x=\"# EOF\"} 1.5\n# HELP b Any.\n# TYPE b untyped\nb 2\n# HELP c Age.\n# TYPE c histogram\n\
            c_sum 0.0\nc_count 0\nc_bucket{le=\"+Inf\"} 0\n";
        assert_eq!(TextFormat::Prometheus.convert(open_metrics.to_owned()), expected);
        assert_eq!(TextFormat::OpenMetrics.convert(open_metrics.to_owned()), open_metrics);
    }
}
