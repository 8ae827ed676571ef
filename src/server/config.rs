//! All command-line flags and their environment variables. Flags win over the environment, which wins over the config
//! file, which wins over defaults.

#[cfg(target_os = "linux")]
use super::push::PushOptions;
use super::{
    certificate::TlsOptions,
    history::HistoryOptions,
    listen_address::{ListenAddress, UnixAccess, UnixOwner, unix_mode, unix_owner},
    oidc::OidcOptions,
    sampler::SamplerOptions,
    settings::Settings,
    store::{DataOptions, SessionTimeouts},
};
use clap::{Args, ValueEnum, builder::FalseyValueParser};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};
use tracing::Level;

/// All options.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// TOML file with options under the names of the flags; flags and the environment win over it
    #[arg(long = "config", env = "HOSTBEAT_CONFIG", value_name = "FILE")]
    pub config_file: Option<PathBuf>,

    /// Address and port to listen on, unix:/path for a unix socket, or systemd for inherited sockets; repeatable
    #[arg(long, env = "HOSTBEAT_LISTEN", value_name = "ADDR", value_delimiter = ',', default_values_t = [default_listen()])]
    pub listen: Vec<ListenAddress>,

    /// Permissions of unix sockets
    #[arg(long, env = "HOSTBEAT_UNIX_MODE", value_name = "MODE", default_value = "660", value_parser = unix_mode)]
    pub unix_mode: u32,

    /// Owner of unix sockets, such as :www-data for a proxy's group
    #[arg(long, env = "HOSTBEAT_UNIX_OWNER", value_name = "USER:GROUP", value_parser = unix_owner)]
    pub unix_owner: Option<UnixOwner>,

    /// HTTPS.
    #[command(flatten)]
    pub tls: TlsOptions,

    /// Listen before a user exists, too; until then only programs of this host are answered
    #[arg(long, env = "HOSTBEAT_AWAIT_USER", value_parser = FalseyValueParser::new())]
    pub await_user: bool,

    /// Address and port that receive StatsD datagrams, such as 127.0.0.1:8125
    #[arg(long, env = "HOSTBEAT_STATSD", value_name = "ADDR", value_parser = statsd_address)]
    pub statsd: Option<SocketAddr>,

    /// File in which an earlier version kept the last hour; the history begins with it
    #[arg(long, env = "HOSTBEAT_STATE", value_name = "FILE", hide = true)]
    pub state: Option<PathBuf>,

    /// Where users, tokens and the history are kept.
    #[command(flatten)]
    pub data: DataOptions,

    /// How much history is kept.
    #[command(flatten)]
    pub history: HistoryOptions,

    /// Other systems that get the host's metrics.
    #[cfg(target_os = "linux")]
    #[command(flatten)]
    pub push: PushOptions,

    /// Where else users sign in.
    #[command(flatten)]
    pub oidc: OidcOptions,

    /// When sessions end.
    #[command(flatten)]
    pub session_timeouts: SessionTimeouts,

    /// Don't limit the files and system calls that the server may use
    #[arg(long, env = "HOSTBEAT_NO_SANDBOX", value_parser = FalseyValueParser::new())]
    pub no_sandbox: bool,

    /// How to write the log: text, json, or auto for text on a terminal and json elsewhere
    #[arg(
        long,
        env = "HOSTBEAT_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub log_format: LogFormat,

    /// Least important lines to log: error, warn, info, or debug, which has every stream
    #[arg(long, env = "HOSTBEAT_LOG_LEVEL", value_name = "LEVEL", default_value_t = Level::INFO)]
    pub log_level: Level,

    /// What is sampled.
    #[command(flatten)]
    pub sampler: SamplerOptions,

    /// Limits, timeouts, and trusted peers.
    #[command(flatten)]
    pub settings: Settings,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// One object per line.
    Json,
}

/// An address that other hosts can reach, without a user who could sign in.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0} can be reached from other hosts, and there is no user yet. Add one with: hostbeat user add NAME --role admin, \
     listen on 127.0.0.1 (the default), or show this host to everyone who reaches it with --public"
)]
pub struct NotPublic(SocketAddr);

impl Config {
    /// Refuses addresses that other hosts can reach, for a server without users.
    ///
    /// # Errors
    /// When an address is not a loopback one and `--public` is missing.
    pub(super) fn check_reach(&self, addresses: impl IntoIterator<Item = SocketAddr>) -> Result<(), NotPublic> {
        let reachable = addresses.into_iter().find(|address| !address.ip().to_canonical().is_loopback());
        match reachable.filter(|_| !self.settings.public && !self.await_user) {
            Some(address) => Err(NotPublic(address)),
            None => Ok(()),
        }
    }

    /// Who may connect to unix sockets.
    pub(super) fn unix_access(&self) -> UnixAccess {
        UnixAccess { mode: self.unix_mode, owner: self.unix_owner }
    }
}

/// `cargo leptos watch` sets the address.
fn default_listen() -> ListenAddress {
    let by_watch = std::env::var("LEPTOS_SITE_ADDR").ok().and_then(|address| address.parse().ok());
    ListenAddress::Tcp(by_watch.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 3000))))
}

fn statsd_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "StatsD is received at an address and a port, such as 127.0.0.1:8125".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        config: Config,
    }

    fn parse(args: &[&str]) -> Result<Config, clap::Error> {
        Flags::try_parse_from([&["hostbeat"], args].concat()).map(|flags| flags.config)
    }

    #[test]
    fn address_beyond_loopback_needs_user_or_flag() {
        let reach = |args: &[&str], address: &str| parse(args).unwrap().check_reach([address.parse().unwrap()]);
        for address in ["127.0.0.1:3000", "127.8.0.1:0", "[::1]:3000", "[::ffff:127.0.0.1]:1"] {
            assert!(reach(&[], address).is_ok(), "{address}");
        }
        for address in ["0.0.0.0:3000", "[::]:3000", "192.0.2.1:80"] {
            let refusal = reach(&[], address).unwrap_err().to_string();
            for remedy in ["hostbeat user add", "--public", "127.0.0.1"] {
                assert!(refusal.contains(remedy), "{refusal}");
            }
            for flag in ["--public", "--await-user"] {
                assert!(reach(&[flag], address).is_ok(), "{flag}");
            }
        }
    }

    #[test]
    fn repeated_listen_flags_add_addresses() {
        let config = parse(&["--listen", "127.0.0.1:1,unix:/run/a.sock", "--listen", "systemd"]).unwrap();
        assert_eq!(config.listen, ["127.0.0.1:1", "unix:/run/a.sock", "systemd"].map(|text| text.parse().unwrap()));
        assert_eq!(parse(&[]).unwrap().listen, ["127.0.0.1:3000".parse().unwrap()]);
    }

    #[test]
    fn invalid_value_is_refused_with_a_valid_example() {
        for address in ["3000", "localhost", "localhost:3000", "127.0.0.1", "127.0.0.1:99999", "::1:3000", ""] {
            let message = parse(&["--listen", address]).unwrap_err().to_string();
            assert!(message.contains("127.0.0.1:3000"), "{message}");
        }
        assert!(parse(&["--statsd", "8125"]).unwrap_err().to_string().contains("127.0.0.1:8125"));
        assert!(parse(&["--log-format", "xml"]).unwrap_err().to_string().contains("json"));
        assert!(parse(&["--lisen", "127.0.0.1:1"]).unwrap_err().to_string().contains("--listen"));
    }

    #[test]
    fn flags_have_no_conflicts() {
        use clap::CommandFactory;
        Flags::command().debug_assert();
    }
}
