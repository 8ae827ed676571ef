//! The commands that change users and tokens, while a server runs or not, the one that checks a config file, those that
//! publish, annotate and record, those that export and import the history, and the service.

mod annotate;
mod api_client;
mod config;
mod export;
mod import;
#[cfg(target_os = "linux")]
mod install;
mod password_input;
mod publish;
mod record;
mod token;
mod user;

pub use annotate::AnnotateCommand;
pub use api_client::ApiError;
pub use config::ConfigCommand;
pub use export::ExportCommand;
pub use import::ImportCommand;
#[cfg(target_os = "linux")]
pub use install::{InstallCommand, UninstallCommand};
pub use publish::PublishCommand;
pub use record::RecordCommand;
pub use token::TokenCommand;
pub use user::UserCommand;

#[cfg(target_os = "linux")]
use super::push::InvalidPush;
use super::{
    certificate::CertificateError, config_file::ConfigFileError, history::HistoryError, oidc::InvalidOidc,
    store::StoreError,
};
use humantime::format_rfc3339_seconds;
use std::{
    io,
    time::{Duration, UNIX_EPOCH},
};

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The accounts can't be read or changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The history can't be read or written.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The config file can't be used.
    #[error(transparent)]
    ConfigFile(#[from] ConfigFileError),
    /// The options of TLS can't be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The options of OpenID Connect can't be used.
    #[error(transparent)]
    Oidc(#[from] InvalidOidc),
    /// The options of pushing metrics can't be used.
    #[cfg(target_os = "linux")]
    #[error(transparent)]
    Push(#[from] InvalidPush),
    /// The server did not do it.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// No password came.
    #[error("{0}")]
    Input(String),
    /// The output can't be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// The service can't be changed.
    #[error("cannot {step}: {reason}")]
    Step {
        /// What failed.
        step: String,
        /// Why.
        reason: String,
    },
}

impl CommandError {
    /// Whether what was asked for must change, rather than the system.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Store(error) => error.is_bad_input(),
            Self::History(error) => error.is_bad_input(),
            Self::Certificate(error) => error.is_bad_input(),
            Self::Api(error) => error.is_bad_input(),
            Self::ConfigFile(_) | Self::Oidc(_) | Self::Input(_) => true,
            #[cfg(target_os = "linux")]
            Self::Push(_) => true,
            Self::Output(_) | Self::Step { .. } => false,
        }
    }
}

/// A time in UTC.
fn date(unix_ms: u64) -> String {
    format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(unix_ms)).to_string()
}
