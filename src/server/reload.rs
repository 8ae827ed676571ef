//! Reloads the config file and the certificate while the server runs. New connections get the new settings.

#[cfg(unix)]
use super::service_manager;
use super::{
    app_state::AppState,
    certificate::Certificates,
    config::Config,
    config_file::{ConfigFile, ConfigFileError},
    delivery::Service,
    router::router,
    settings::Settings,
    telemetry::Telemetry,
};
use std::{env, sync::Arc};
use tokio::sync::watch::{Receiver, Sender, channel};

/// What a reload replaces.
pub(super) struct Reloader<'a> {
    config: &'a Config,
    telemetry: &'a Telemetry,
    certificates: Option<Certificates>,
    /// The file as it was last read.
    file: ConfigFile,
    state: AppState,
    service: Sender<Service>,
}

impl<'a> Reloader<'a> {
    /// Also returns what serves connections, which a reload replaces.
    pub(super) fn new(
        config: &'a Config,
        telemetry: &'a Telemetry,
        certificates: Option<Certificates>,
        state: AppState,
    ) -> (Self, Receiver<Service>) {
        let file = config.config_file.as_deref().and_then(|path| ConfigFile::read(path).ok()).unwrap_or_default();
        let (service, receiver) = channel(service(&state));
        (Self { config, telemetry, certificates, file, state, service }, receiver)
    }

    /// Reads the file again. A faulty one changes nothing.
    pub(super) async fn reload(&mut self) {
        #[cfg(unix)]
        service_manager::report_reloading();
        if let Some(certificates) = &self.certificates {
            certificates.reload().await;
        }
        match self.try_reload() {
            Ok(()) => tracing::info!("reloaded"),
            Err(error) => tracing::error!("the settings stay as they are: {error}"),
        }
        #[cfg(unix)]
        service_manager::report_ready();
    }

    fn try_reload(&mut self) -> Result<(), ConfigFileError> {
        let Some(path) = &self.config.config_file else { return Ok(()) };
        let file = ConfigFile::read(path)?;
        let config = file.with_arguments(env::args_os())?;
        let mut fixed = file.differences(&self.file);
        fixed.retain(|name| name != "log-level" && !Settings::RELOADABLE.contains(&name.as_str()));
        if !fixed.is_empty() {
            let names = fixed.into_iter().collect::<Vec<_>>().join(", ");
            tracing::warn!("restart the server for the changes of {names} in {}", path.display());
        }
        self.telemetry.set_level(config.log_level);
        let mut settings = self.state.settings.reloaded(config.settings);
        settings.allow_host.extend(self.certificates.iter().flat_map(Certificates::names));
        self.state.settings = Arc::new(settings);
        self.service.send_replace(service(&self.state));
        self.file = file;
        Ok(())
    }
}

/// What serves connections with this state.
pub(super) fn service(state: &AppState) -> Service {
    Service { router: router(state.clone()), settings: Arc::clone(&state.settings) }
}
