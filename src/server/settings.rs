//! Limits, timeouts and trusted peers: the flags that concern clients.

use super::{
    access::{HostName, Origin},
    duration::{duration, timeout},
    publish::PublishLimits,
};
use axum::http::HeaderName;
use clap::{Args, builder::FalseyValueParser};
use ipnet::IpNet;
use std::{net::IpAddr, time::Duration};

/// Streams from one address. A browser opens at most six; more allows several people behind one address.
const STREAMS_PER_ADDRESS: usize = 32;
/// An hour of as many takes 160 MB.
const MAX_SERIES: usize = 5000;
const STREAM_AGE: Duration = Duration::from_secs(2 * 60 * 60);
const STALL_TIMEOUT: Duration = Duration::from_secs(10);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// That of node_exporter.
const METRICS_PREFIX: &str = "node_";
/// Prefixes that would make names of host metrics equal to those of the server's own.
const RESERVED_PREFIXES: [&str; 2] = ["process_", "hostbeat_sample_"];
/// Open files on a system without a limit: Linux's default maximum (`fs.nr_open`).
const MAX_FILES: u64 = 1 << 20;

/// Limits, timeouts, and trusted peers.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Maximum of open streams; by default 80 % of the open-file limit
    #[arg(long, env = "HOSTBEAT_MAX_STREAMS", value_name = "N", default_value_t = default_max_streams(), hide_default_value = true, value_parser = limit)]
    pub max_streams: usize,

    /// Maximum of open streams from one address
    #[arg(long, env = "HOSTBEAT_MAX_STREAMS_PER_ADDRESS", value_name = "N", default_value_t = STREAMS_PER_ADDRESS, value_parser = limit)]
    pub max_streams_per_address: usize,

    /// Maximum of series that are kept; a series is one value of one device, and is forgotten a minute after its last
    #[arg(long, env = "HOSTBEAT_MAX_SERIES", value_name = "N", default_value_t = MAX_SERIES, value_parser = limit)]
    pub max_series: usize,

    /// Maximum age of a stream, after which its client resumes; each ends at 80 to 100 % of it
    #[arg(long, env = "HOSTBEAT_STREAM_AGE", value_name = "TIME", default_value = "2h", value_parser = timeout)]
    pub stream_age: Duration,

    /// How long a client may take no bytes before it is disconnected
    #[arg(long = "stall-timeout", env = "HOSTBEAT_STALL_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = timeout)]
    pub stall: Duration,

    /// How long responses under way may take after a signal to stop
    #[arg(long = "drain-timeout", env = "HOSTBEAT_DRAIN_TIMEOUT", value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub drain: Duration,

    /// Path below which everything answers, such as /monitor, for a proxy that passes it on
    #[arg(long, env = "HOSTBEAT_BASE_PATH", value_name = "PATH", default_value = "", hide_default_value = true, value_parser = base_path)]
    pub base_path: String,

    /// Show the host to everyone who reaches the server; only users who sign in can change anything
    #[arg(long, env = "HOSTBEAT_PUBLIC", value_parser = FalseyValueParser::new())]
    pub public: bool,

    /// Network of a proxy whose X-Forwarded-For or Forwarded is trusted; repeatable
    #[arg(long, env = "HOSTBEAT_TRUSTED_PROXY", value_name = "NETWORK", value_delimiter = ',', value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,

    /// Header in which a trusted proxy names the user who signed in there, such as Remote-User
    #[arg(long, env = "HOSTBEAT_TRUSTED_USER_HEADER", value_name = "NAME", value_parser = header_name)]
    pub trusted_user_header: Option<HeaderName>,

    /// Name under which the server may be reached, besides addresses, localhost and the host's own; repeatable
    #[arg(long, env = "HOSTBEAT_ALLOW_HOST", value_name = "NAME", value_delimiter = ',')]
    pub allow_host: Vec<HostName>,

    /// Origin whose pages may read the stream, such as https://status.example.com; repeatable
    #[arg(long, env = "HOSTBEAT_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub allow_origin: Vec<Origin>,

    /// Origin whose pages may show a panel in a frame, as /embed/cpu; repeatable
    #[arg(long, env = "HOSTBEAT_ALLOW_FRAME", value_name = "ORIGIN", value_delimiter = ',')]
    pub allow_frame: Vec<Origin>,

    /// What the names of host metrics in /metrics start with, such as hostbeat_host_ where node_exporter is scraped, too
    #[arg(long, env = "HOSTBEAT_METRICS_PREFIX", value_name = "PREFIX", default_value = METRICS_PREFIX, value_parser = metrics_prefix)]
    pub metrics_prefix: String,

    /// What programs may publish.
    #[command(flatten)]
    pub publish: PublishLimits,

    /// Whether sockets of streams are handed off from hyper where possible.
    #[arg(skip = true)]
    pub hand_off: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_streams: default_max_streams(),
            max_streams_per_address: STREAMS_PER_ADDRESS,
            max_series: MAX_SERIES,
            stream_age: STREAM_AGE,
            stall: STALL_TIMEOUT,
            drain: DRAIN_TIMEOUT,
            base_path: String::new(),
            public: false,
            trusted_proxy: Vec::new(),
            trusted_user_header: None,
            allow_host: Vec::new(),
            allow_origin: Vec::new(),
            allow_frame: Vec::new(),
            metrics_prefix: METRICS_PREFIX.to_owned(),
            publish: PublishLimits::default(),
            hand_off: true,
        }
    }
}

impl Settings {
    /// Flags that can change while the server runs.
    pub(super) const RELOADABLE: [&str; 6] =
        ["allow-frame", "allow-host", "allow-origin", "public", "stream-age", "trusted-proxy"];

    /// These settings with what can change taken from `new`.
    pub(super) fn reloaded(&self, new: Self) -> Self {
        Self {
            allow_frame: new.allow_frame,
            allow_host: new.allow_host,
            allow_origin: new.allow_origin,
            public: new.public,
            stream_age: new.stream_age,
            trusted_proxy: new.trusted_proxy,
            ..self.clone()
        }
    }
}

/// 80 % of the open files after the limit is raised; pages and the sampler need the others.
fn default_max_streams() -> usize {
    #[cfg(unix)]
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    #[cfg(not(unix))]
    let limit = None;
    let files = limit.unwrap_or(MAX_FILES);
    usize::try_from(files / 5 * 4).unwrap_or(usize::MAX)
}

/// Raises the soft limit of open files to the hard one; the default is low for programs that use `select`.
pub(super) fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            tracing::debug!(%error, "cannot raise the open-file limit");
        }
    }
}

/// A path without its final slash; empty for the root.
fn base_path(text: &str) -> Result<String, String> {
    let path = text.strip_suffix('/').unwrap_or(text);
    let is_valid = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    match path.strip_prefix('/') {
        Some(segments) if segments.split('/').all(is_valid) => Ok(path.to_owned()),
        None if path.is_empty() => Ok(String::new()),
        _ => Err("a base path starts with a slash and has letters, digits, '-', '.', '_' and '~', such as /monitor"
            .to_owned()),
    }
}

fn metrics_prefix(text: &str) -> Result<String, String> {
    let is_start = |byte: u8| byte.is_ascii_alphabetic() || b"_:".contains(&byte);
    let is_valid = text.bytes().next().is_some_and(is_start)
        && text.bytes().all(|byte| is_start(byte) || byte.is_ascii_digit())
        && !RESERVED_PREFIXES.contains(&text);
    is_valid.then(|| text.to_owned()).ok_or_else(|| {
        "a prefix starts with a letter, has letters, digits, '_' and ':', and is not that of another metric, such as \
         hostbeat_host_"
            .to_owned()
    })
}

fn limit(text: &str) -> Result<usize, String> {
    let limit = text.parse().ok().filter(|limit| *limit > 0);
    limit.ok_or_else(|| "a limit is a whole number from 1 on, such as 32".to_owned())
}

fn header_name(text: &str) -> Result<HeaderName, String> {
    text.parse().map_err(|_| "a header's name has letters, digits and '-', such as Remote-User".to_owned())
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| {
        "a network is an address, with or without a prefix length, such as 10.0.0.0/8 or 2001:db8::/32".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        settings: Settings,
    }

    fn parse(args: &[&str]) -> Result<Settings, String> {
        let flags = Flags::try_parse_from([&["hostbeat"], args].concat());
        flags.map(|flags| flags.settings).map_err(|error| error.to_string())
    }

    #[test]
    fn parsed_flags_without_arguments_equal_defaults() {
        assert_eq!(parse(&[]).unwrap(), Settings::default());
    }

    #[test]
    fn repeated_flags_add_proxies_hosts_and_origins() {
        let settings = parse(&["--trusted-proxy", "10.0.0.0/8,::1", "--trusted-proxy", "192.0.2.1"]).unwrap();
        assert_eq!(settings.trusted_proxy, ["10.0.0.0/8", "::1/128", "192.0.2.1/32"].map(|n| n.parse().unwrap()));
        let settings =
            parse(&["--allow-origin", "https://a.example", "--allow-origin", "http://b.example:81"]).unwrap();
        assert_eq!(settings.allow_origin.len(), 2);
        let settings = parse(&["--allow-host", "a.example,B.example", "--allow-host", "c.example"]).unwrap();
        assert_eq!(settings.allow_host, ["a.example", "b.example", "c.example"].map(|name| name.parse().unwrap()));
    }

    #[test]
    fn reload_takes_what_can_change() {
        let new = parse(&["--allow-host", "a.example", "--stream-age", "1h", "--max-streams", "1"]).unwrap();
        let old = Settings { public: true, max_streams: 7, ..Settings::default() };
        let expected = Settings { max_streams: 7, ..new.clone() };
        assert_eq!(old.reloaded(new), expected);
    }

    #[test]
    fn metrics_prefix_is_that_of_node_exporter_unless_named() {
        assert_eq!(parse(&[]).unwrap().metrics_prefix, "node_");
        assert_eq!(parse(&["--metrics-prefix", "_a:B1_"]).unwrap().metrics_prefix, "_a:B1_");
    }

    #[test]
    fn base_path_has_no_final_slash() {
        for (text, expected) in [("/monitor", "/monitor"), ("/a/b-1/", "/a/b-1"), ("/", ""), ("", "")] {
            assert_eq!(parse(&["--base-path", text]).unwrap().base_path, expected);
        }
    }

    #[test]
    fn invalid_value_is_refused_with_a_valid_example() {
        for (args, expected) in [
            (["--trusted-proxy", "nginx"], "10.0.0.0/8"),
            (["--allow-origin", "example.com"], "https://status.example.com"),
            (["--allow-host", "https://hostbeat.example.com"], "such as hostbeat.example.com"),
            (["--trusted-user-header", "Remote User"], "such as Remote-User"),
            (["--base-path", "monitor"], "/monitor"),
            (["--base-path", "/a b"], "/monitor"),
            (["--base-path", "//evil.example"], "/monitor"),
            (["--base-path", "/a/../b"], "/monitor"),
            (["--max-streams", "many"], "such as 32"),
            (["--max-streams-per-address", "0"], "such as 32"),
            (["--max-series", "1e9"], "such as 32"),
            (["--metrics-prefix", "my-host_"], "such as hostbeat_host_"),
            (["--metrics-prefix", "1_"], "such as hostbeat_host_"),
            (["--metrics-prefix", ""], "such as hostbeat_host_"),
            (["--metrics-prefix", "process_"], "such as hostbeat_host_"),
            (["--stream-age", "1"], "such as 10s"),
            (["--stall-timeout", "0s"], "longer than 0s"),
            (["--drain-timeout", "18446744073709551615s"], "36500d"),
        ] {
            let message = parse(&args).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
        assert_eq!(parse(&["--stream-age", "1h 30m"]).unwrap().stream_age, Duration::from_secs(5400));
    }
}
