//! All command-line flags and their environment variables; flags win over the environment, which wins over defaults.

use super::{
    listen_address::{ListenAddress, UnixAccess, UnixOwner, unix_mode, unix_owner},
    sampler::SamplerOptions,
    settings::Settings,
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
    /// Address and port to listen on, unix:/path for a unix socket, or systemd for inherited sockets; repeatable
    #[arg(long, env = "HOSTBEAT_LISTEN", value_name = "ADDR", value_delimiter = ',', default_values_t = [default_listen()])]
    pub listen: Vec<ListenAddress>,

    /// Permissions of unix sockets
    #[arg(long, env = "HOSTBEAT_UNIX_MODE", value_name = "MODE", default_value = "660", value_parser = unix_mode)]
    pub unix_mode: u32,

    /// Owner of unix sockets, such as :www-data for a proxy's group
    #[arg(long, env = "HOSTBEAT_UNIX_OWNER", value_name = "USER:GROUP", value_parser = unix_owner)]
    pub unix_owner: Option<UnixOwner>,

    /// Allow an address that other hosts can reach. There is no sign-in yet: anyone who reaches it sees this host
    #[arg(long, env = "HOSTBEAT_PUBLIC", value_parser = FalseyValueParser::new())]
    pub public: bool,

    /// File that keeps the last hour over a restart; without it, a restart begins empty
    #[arg(long, env = "HOSTBEAT_STATE", value_name = "FILE")]
    pub state: Option<PathBuf>,

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

/// An address that exposes the host.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0} can be reached from other hosts, and Hostbeat has no sign-in yet: anyone who reaches it would see this \
     host. Listen on 127.0.0.1 (the default) behind a proxy that requires a password, or add --public to allow it"
)]
pub struct NotPublic(SocketAddr);

impl Config {
    /// Refuses to expose the host without `--public`.
    ///
    /// # Errors
    /// When an address is not a loopback one and `--public` is missing.
    pub fn check(self) -> Result<Self, NotPublic> {
        for address in &self.listen {
            if let ListenAddress::Tcp(address) = address {
                self.check_address(*address)?;
            }
        }
        Ok(self)
    }

    /// Refuses one address.
    pub(super) fn check_address(&self, address: SocketAddr) -> Result<(), NotPublic> {
        let loopback = address.ip().to_canonical().is_loopback();
        if loopback || self.public { Ok(()) } else { Err(NotPublic(address)) }
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
    fn address_beyond_loopback_needs_public_flag() {
        for address in ["127.0.0.1:3000", "127.8.0.1:0", "[::1]:3000", "[::ffff:127.0.0.1]:1"] {
            assert!(parse(&["--listen", address]).unwrap().check().is_ok(), "{address}");
        }
        for address in ["0.0.0.0:3000", "[::]:3000", "192.0.2.1:80"] {
            let refusal = parse(&["--listen", address]).unwrap().check().unwrap_err().to_string();
            assert!(refusal.contains("--public") && refusal.contains("127.0.0.1"), "{refusal}");
            assert!(parse(&["--listen", address, "--public"]).unwrap().check().is_ok());
        }
    }

    #[test]
    fn repeated_listen_flags_add_addresses() {
        let config = parse(&["--listen", "127.0.0.1:1,unix:/run/a.sock", "--listen", "systemd"]).unwrap();
        assert_eq!(config.listen, ["127.0.0.1:1", "unix:/run/a.sock", "systemd"].map(|text| text.parse().unwrap()));
        assert_eq!(parse(&[]).unwrap().listen, ["127.0.0.1:3000".parse().unwrap()]);
        assert!(parse(&["--listen", "127.0.0.1:1,0.0.0.0:2"]).unwrap().check().is_err(), "each address is checked");
    }

    #[test]
    fn invalid_value_is_refused_with_a_valid_example() {
        for address in ["3000", "localhost", "localhost:3000", "127.0.0.1", "127.0.0.1:99999", "::1:3000", ""] {
            let message = parse(&["--listen", address]).unwrap_err().to_string();
            assert!(message.contains("127.0.0.1:3000"), "{message}");
        }
        assert!(parse(&["--log-format", "xml"]).unwrap_err().to_string().contains("json"));
        assert!(parse(&["--lisen", "127.0.0.1:1"]).unwrap_err().to_string().contains("--listen"));
    }

    #[test]
    fn flags_have_no_conflicts() {
        use clap::CommandFactory;
        Flags::command().debug_assert();
    }
}
