//! A certificate that no authority issued, for a server without a public name. It is made once, so that browsers that
//! were told to trust it go on doing so.

use super::CertificateError;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The file with certificate and key.
pub(super) fn path_in(folder: &Path) -> PathBuf {
    folder.join("self-signed.pem")
}

/// Makes the file, or replaces it.
pub(super) fn create_in(folder: &Path) -> Result<(), CertificateError> {
    create(folder).map_err(|source| CertificateError::Unwritable { path: folder.to_owned(), source })
}

fn create(folder: &Path) -> io::Result<()> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = params().and_then(|params| params.self_signed(&key)).map_err(io::Error::other)?;
    // Only its owner can read a temporary file, and the key is never there in part.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(certificate.pem().as_bytes())?;
    file.write_all(key.serialize_pem().as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path_in(folder))?;
    Ok(())
}

fn params() -> Result<CertificateParams, rcgen::Error> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    #[cfg(unix)]
    {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        names.extend([format!("{host}.local"), host]);
    }
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Hostbeat");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // A wrong clock at the first start must not make it invalid.
    (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(2100, 1, 1));
    Ok(params)
}
