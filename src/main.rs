//! The server, from its command line to its end.

use clap::{CommandFactory, Parser, error::ErrorKind};
use hostbeat::server::{self, Config};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let config = match Config::parse().check() {
        Ok(config) => config,
        Err(refusal) => Config::command().error(ErrorKind::ValueValidation, refusal).exit(),
    };
    server::init_telemetry(config.log_format, config.log_level);
    match server::run(&config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
