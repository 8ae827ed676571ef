//! A certificate in files. New handshakes get the newest that was valid; open connections keep theirs.

use super::{Certificate, CertificateError, pem, self_signed};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, SystemTime},
};
use tokio::{task::spawn_blocking, time::interval};
use tokio_rustls::rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// Time between checks of the files.
const CHECK_INTERVAL: Duration = Duration::from_secs(3);

/// Changes when a file is written or replaced.
type Version = Option<(SystemTime, u64)>;

/// The files and what was loaded from them.
#[derive(Debug)]
pub(in crate::server) struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<Certificate>>,
    /// The files when they were last loaded, or failed to load.
    seen: Mutex<[Version; 2]>,
}

impl CertificateFiles {
    pub(super) fn open(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let seen = Mutex::new([version(certificate), version(key)]);
        let current = RwLock::new(Arc::new(pem::load(certificate, key)?));
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), current, seen })
    }

    /// The self-signed certificate in `folder`, which is made if there is none that can be used.
    pub(super) fn open_or_create(folder: &Path) -> Result<Self, CertificateError> {
        let path = self_signed::path_in(folder);
        if path.exists() {
            match Self::open(&path, &path) {
                Err(error) => tracing::warn!("{error}. A new self-signed certificate replaces it"),
                opened => return opened,
            }
        }
        self_signed::create_in(folder)?;
        Self::open(&path, &path)
    }

    /// The certificate of new connections.
    pub(super) fn current(&self) -> Arc<Certificate> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Loads the files again. A certificate that can't be used is logged, and the one before stays in use.
    pub(super) fn reload(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = self.versions();
        match pem::load(&self.certificate, &self.key) {
            Ok(certificate) => {
                tracing::info!(fingerprint = certificate.fingerprint(), "loaded the certificate");
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certificate);
            }
            Err(error) => tracing::error!("{error}. The certificate from before stays in use"),
        }
    }

    /// Reloads when a file changes.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut due = interval(CHECK_INTERVAL);
        loop {
            due.tick().await;
            let files = Arc::clone(&self);
            // A file system may hang.
            if let Err(error) = spawn_blocking(move || files.reload_if_changed()).await {
                tracing::error!(%error, "cannot look at the certificate's files");
            }
        }
    }

    pub(super) fn reload_if_changed(&self) {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen != self.versions() {
            self.reload();
        }
    }

    fn versions(&self) -> [Version; 2] {
        [version(&self.certificate), version(&self.key)]
    }
}

fn version(path: &Path) -> Version {
    let file = path.metadata().ok()?;
    Some((file.modified().ok()?, file.len()))
}

impl ResolvesServerCert for CertificateFiles {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current().key))
    }
}
