//! `hostbeat config`: checks a config file.

use super::CommandError;
use crate::server::config_file::ConfigFile;
use clap::{Args, Subcommand};
use std::{
    io::{self, Write},
    path::PathBuf,
};

/// Work with the config file
#[derive(Args, Debug)]
pub struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print "ok", or each fault of a config file
    Check {
        /// The TOML file
        #[arg(env = "HOSTBEAT_CONFIG")]
        file: PathBuf,
    },
}

impl ConfigCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the file can't be read or has faults.
    pub fn run(&self) -> Result<(), CommandError> {
        let Action::Check { file } = &self.action;
        let config = ConfigFile::read(file)?.with_arguments(["hostbeat".into()])?;
        config.tls.check()?;
        config.oidc.check()?;
        #[cfg(target_os = "linux")]
        config.push.check()?;
        writeln!(io::stdout(), "ok")?;
        Ok(())
    }
}
