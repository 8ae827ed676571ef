//! The flags of pushing metrics to other systems.

use super::format::Format;
use crate::server::{
    duration::duration,
    http_agent::is_private,
    secret_file::{SecretFileError, read_secret},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use clap::Args;
use percent_encoding::percent_decode_str;
use std::{env, fmt, path::PathBuf, str::FromStr, time::Duration};
use url::Url;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);
const REMOTE_WRITE_TOKEN: &str = "HOSTBEAT_REMOTE_WRITE_TOKEN";
const OTLP_TOKEN: &str = "HOSTBEAT_OTLP_TOKEN";

/// Other systems that get the host's metrics.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct PushOptions {
    /// Address that receives Prometheus remote write, such as https://metrics.example.com/api/v1/write
    #[arg(long, env = "HOSTBEAT_REMOTE_WRITE", hide_env_values = true, value_name = "URL")]
    pub remote_write: Option<ReceiverUrl>,

    /// Time from one sample of remote write to the next
    #[arg(long, env = "HOSTBEAT_REMOTE_WRITE_STEP", value_name = "TIME", default_value = "1s", value_parser = step)]
    pub remote_write_step: Duration,

    /// File with the bearer token for remote write; or HOSTBEAT_REMOTE_WRITE_TOKEN has it
    #[arg(long, env = "HOSTBEAT_REMOTE_WRITE_TOKEN_FILE", value_name = "FILE")]
    pub remote_write_token_file: Option<PathBuf>,

    /// OpenTelemetry collector that receives OTLP over HTTP below this address, such as http://127.0.0.1:4318
    #[arg(long, env = "HOSTBEAT_OTLP", hide_env_values = true, value_name = "URL")]
    pub otlp: Option<ReceiverUrl>,

    /// Time from one sample of OTLP to the next
    #[arg(long, env = "HOSTBEAT_OTLP_STEP", value_name = "TIME", default_value = "1s", value_parser = step)]
    pub otlp_step: Duration,

    /// File with the bearer token for OTLP; or HOSTBEAT_OTLP_TOKEN has it
    #[arg(long, env = "HOSTBEAT_OTLP_TOKEN_FILE", value_name = "FILE")]
    pub otlp_token_file: Option<PathBuf>,
}

impl Default for PushOptions {
    fn default() -> Self {
        Self {
            remote_write: None,
            remote_write_step: SECOND,
            remote_write_token_file: None,
            otlp: None,
            otlp_step: SECOND,
            otlp_token_file: None,
        }
    }
}

/// An address, possibly with a user and a password. Its debug output hides both.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceiverUrl(Url);

impl fmt::Debug for ReceiverUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceiverUrl({})", self.address())
    }
}

impl FromStr for ReceiverUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_receiver = |url: &Url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none();
        let url = Url::parse(text).ok().filter(is_receiver);
        url.map(Self).ok_or("a receiver is a URL such as https://metrics.example.com/api/v1/write")
    }
}

impl ReceiverUrl {
    /// The address without user and password.
    fn address(&self) -> Url {
        let mut url = self.0.clone();
        // A URL with a host can have either.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        url
    }

    /// `Authorization` for the user and the password (RFC 7617).
    fn basic_authorization(&self) -> Option<String> {
        let (user, password) = (self.0.username(), self.0.password().unwrap_or_default());
        let [user, password] = [user, password].map(|part| percent_decode_str(part).decode_utf8_lossy());
        let has_user = !user.is_empty() || !password.is_empty();
        has_user.then(|| format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
    }
}

/// Options that don't go together, or a token that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPush {
    /// The address has no path.
    #[error("--remote-write needs the path, too, such as http://127.0.0.1:9090/api/v1/write")]
    NoPath,
    /// There is a file, but no receiver.
    #[error("--{0}-token-file needs --{0} with the address that the token is for")]
    NoReceiver(&'static str),
    /// There are two credentials.
    #[error("--{0} has a user and a password, and there is a token, too; leave one of them out")]
    TwoCredentials(&'static str),
    /// The file has no token.
    #[error("{error}; --{flag}-token-file names a file with the token that the receiver expects")]
    Token {
        /// The receiver's flag.
        flag: &'static str,
        /// What is wrong with the file.
        error: SecretFileError,
    },
}

/// Where metrics go, and how.
pub(super) struct Target {
    pub(super) format: Format,
    pub(super) url: Url,
    /// The value of `Authorization`.
    pub(super) authorization: Option<String>,
    pub(super) step: Duration,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Target {
    /// Whether others on the way can read the credentials.
    pub(super) fn exposes_secret(&self) -> bool {
        self.authorization.is_some() && !is_private(&self.url)
    }
}

/// The flags of one receiver.
struct ReceiverFlags<'a> {
    format: Format,
    flag: &'static str,
    token_variable: &'static str,
    url: Option<&'a ReceiverUrl>,
    token_file: Option<&'a PathBuf>,
    step: Duration,
}

impl PushOptions {
    /// Checks the options together, and reads the tokens.
    ///
    /// # Errors
    /// When an option is missing, or a token can't be read.
    pub fn check(&self) -> Result<(), InvalidPush> {
        self.targets().map(drop)
    }

    /// Where metrics go.
    pub(super) fn targets(&self) -> Result<Vec<Target>, InvalidPush> {
        let remote_write = ReceiverFlags {
            format: Format::RemoteWrite,
            flag: "remote-write",
            token_variable: REMOTE_WRITE_TOKEN,
            url: self.remote_write.as_ref(),
            token_file: self.remote_write_token_file.as_ref(),
            step: self.remote_write_step,
        };
        let otlp = ReceiverFlags {
            format: Format::Otlp,
            flag: "otlp",
            token_variable: OTLP_TOKEN,
            url: self.otlp.as_ref(),
            token_file: self.otlp_token_file.as_ref(),
            step: self.otlp_step,
        };
        [remote_write, otlp].iter().filter_map(|flags| flags.target().transpose()).collect()
    }
}

impl ReceiverFlags<'_> {
    fn target(&self) -> Result<Option<Target>, InvalidPush> {
        let Some(url) = self.url else {
            return if self.token_file.is_some() { Err(InvalidPush::NoReceiver(self.flag)) } else { Ok(None) };
        };
        let authorization = match (url.basic_authorization(), self.token()?) {
            (Some(_), Some(_)) => return Err(InvalidPush::TwoCredentials(self.flag)),
            (basic, token) => basic.or(token.map(|token| format!("Bearer {token}"))),
        };
        let url = url.address();
        if self.format == Format::RemoteWrite && url.path() == "/" {
            return Err(InvalidPush::NoPath);
        }
        Ok(Some(Target { format: self.format, url: self.format.endpoint(url), authorization, step: self.step }))
    }

    fn token(&self) -> Result<Option<String>, InvalidPush> {
        match self.token_file {
            Some(path) => read_secret(path).map(Some).map_err(|error| InvalidPush::Token { flag: self.flag, error }),
            None => Ok(env::var(self.token_variable).ok().filter(|token| !token.is_empty())),
        }
    }
}

fn step(text: &str) -> Result<Duration, String> {
    let step = duration(text)?;
    let is_fine = (SECOND..=HOUR).contains(&step) && step.subsec_nanos() == 0;
    is_fine.then_some(step).ok_or_else(|| "a step is whole seconds, from 1s to 1h, such as 10s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::fs;

    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        push: PushOptions,
    }

    fn parse(args: &[&str]) -> Result<PushOptions, String> {
        let flags = Flags::try_parse_from([&["hostbeat"], args].concat());
        flags.map(|flags| flags.push).map_err(|error| error.to_string())
    }

    fn targets(args: &[&str]) -> Result<Vec<Target>, String> {
        parse(args)?.targets().map_err(|error| error.to_string())
    }

    #[test]
    fn parsed_flags_without_arguments_equal_defaults_and_push_nowhere() {
        assert_eq!(parse(&[]), Ok(PushOptions::default()));
        assert!(targets(&[]).unwrap().is_empty());
    }

    #[test]
    fn each_receiver_has_its_endpoint_step_and_credentials() {
        let token = tempfile::NamedTempFile::new().unwrap();
        fs::write(&token, "t0ken\n").unwrap();
        let targets = targets(&[
            "--remote-write=https://ann:p%40ss@metrics.example/api/v1/write?tenant=1",
            "--remote-write-step=10s",
            "--otlp=http://127.0.0.1:4318/",
            "--otlp-token-file",
            token.path().to_str().unwrap(),
        ]);
        let described = targets.unwrap().into_iter().map(|Target { format, url, authorization, step }| {
            (format, url.to_string(), authorization.unwrap(), step.as_secs())
        });
        let basic = format!("Basic {}", BASE64_STANDARD.encode("ann:p@ss"));
        let expected = [
            (Format::RemoteWrite, "https://metrics.example/api/v1/write?tenant=1".to_owned(), basic, 10),
            (Format::Otlp, "http://127.0.0.1:4318/v1/metrics".to_owned(), "Bearer t0ken".to_owned(), 1),
        ];
        assert_eq!(described.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn secret_is_exposed_over_plain_http_to_other_hosts() {
        for (url, is_exposed) in [
            ("http://ann:b@metrics.example/write", true),
            ("http://metrics.example/write", false),
            ("https://ann:b@metrics.example/write", false),
            ("http://ann:b@127.0.0.1/write", false),
        ] {
            assert_eq!(targets(&["--remote-write", url]).unwrap()[0].exposes_secret(), is_exposed, "{url}");
        }
    }

    #[test]
    fn credentials_are_no_debug_output() {
        let options = parse(&["--remote-write=https://ann:s3cret@metrics.example/write"]).unwrap();
        for output in [format!("{options:?}"), format!("{:?}", options.targets().unwrap())] {
            assert!(!output.contains("s3cret") && !output.contains("ann"), "{output}");
        }
    }

    #[test]
    fn invalid_options_are_refused_with_what_is_right() {
        for (args, expected) in [
            (&["--remote-write", "metrics.example"][..], "https://metrics.example.com/api/v1/write"),
            (&["--otlp", "unix:/run/otlp"], "https://metrics.example.com"),
            (&["--remote-write", "http://127.0.0.1:9090"], "http://127.0.0.1:9090/api/v1/write"),
            (&["--remote-write-step", "500ms"], "such as 10s"),
            (&["--otlp-step", "2h"], "such as 10s"),
            (&["--otlp-token-file", "/nowhere/token"], "needs --otlp"),
            (&["--otlp", "http://a.example", "--otlp-token-file", "/nowhere/token"], "--otlp-token-file names a file"),
        ] {
            let fault = targets(args).unwrap_err();
            assert!(fault.contains(expected), "{args:?}: {fault}");
        }
        let token = tempfile::NamedTempFile::new().unwrap();
        fs::write(&token, "t0ken").unwrap();
        let path = token.path().to_str().unwrap();
        let two = ["--remote-write=http://ann:b@a.example/write", "--remote-write-token-file", path];
        assert!(targets(&two).unwrap_err().contains("leave one of them out"));
    }
}
