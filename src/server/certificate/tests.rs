use super::{chain::check_chain, files::CertificateFiles};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tokio_rustls::rustls::pki_types::UnixTime;

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn open(&self, certificate: &str, key: &str) -> Result<CertificateFiles, String> {
        let (certificate, key) = (self.write("crt.pem", certificate), self.write("key.pem", key));
        CertificateFiles::open(&certificate, &key).map_err(|error| error.to_string())
    }
}

/// Clients distinguish certificates by their subjects.
fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn self_signed(params: CertificateParams) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// A certificate, its key, and the certificate of its issuer.
fn issued() -> (rcgen::Certificate, KeyPair, rcgen::Certificate) {
    let (key, authority_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut authority = params("authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = authority.self_signed(&authority_key).unwrap();
    (params("server").signed_by(&key, &authority, &authority_key).unwrap(), key, authority)
}

#[test]
fn unusable_certificate_is_refused_with_the_reason() {
    let (good, key) = self_signed(params("good"));
    let (other, other_key) = self_signed(params("other"));
    let valid = |from, to| {
        let mut params = params("late");
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        self_signed(params)
    };
    let (expired, expired_key) = valid(2019, 2020);
    let (future, future_key) = valid(2090, 2091);
    let (server, server_key, _) = issued();
    let (alone, with_stranger, server_key) = (server.pem(), server.pem() + &other, server_key.serialize_pem());
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let with_garbage = server.pem() + garbage;
    for (certificate, key, reason) in [
        (&*expired, &*expired_key, "expired at 2020-01-01T00:00:00Z"),
        (&future, &future_key, "valid only from 2090-01-01T00:00:00Z"),
        (&good, &other_key, "is not that of the certificate"),
        ("", &key, "crt.pem has no CERTIFICATE"),
        (&key, &key, "crt.pem has no CERTIFICATE"),
        (&good, &good, "key.pem has no PRIVATE KEY"),
        (&good, encrypted, "openssl pkey -in"),
        (garbage, &key, "can't be used"),
        (&alone, &server_key, "fullchain.pem"),
        (&with_stranger, &server_key, "fullchain.pem"),
        (&with_garbage, &server_key, "can't be used"),
    ] {
        let error = Files::new().open(certificate, key).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
    let missing = CertificateFiles::open(Path::new("/nowhere/crt.pem"), Path::new("/nowhere/key.pem")).unwrap_err();
    assert!(missing.to_string().contains("cannot read /nowhere/crt.pem"), "{missing}");
}

#[test]
fn issued_certificate_is_not_self_signed() {
    let (server, key, authority) = issued();
    let chain = [server.der().clone(), authority.der().clone()];
    assert_eq!(check_chain(&chain, UnixTime::now()), Ok(false));
    assert_eq!(check_chain(&chain[1..], UnixTime::now()), Ok(true), "as made by openssl req -x509");
    let files = Files::new();
    let opened = files.open(&(server.pem() + &authority.pem()), &key.serialize_pem()).unwrap();
    assert!(!opened.current().is_self_signed);
}

#[test]
fn self_signed_certificate_is_made_once_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let open = || CertificateFiles::open_or_create(folder.path()).unwrap().current();
    let [first, second] = [open(), open()];
    assert!(first.is_self_signed);
    assert_eq!(first.fingerprint(), second.fingerprint());
    assert_eq!(first.fingerprint().len(), 32 * 3 - 1);
    let path = folder.path().join("self-signed.pem");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    fs::write(&path, "damaged").unwrap();
    assert_ne!(open().fingerprint(), first.fingerprint());
}

#[test]
fn changed_files_are_loaded_and_bad_ones_keep_the_certificate_before() {
    let files = Files::new();
    let (first, second) = (self_signed(params("first")), self_signed(params("second")));
    let opened = files.open(&first.0, &first.1).unwrap();
    let before = opened.current().fingerprint();
    opened.reload_if_changed();
    assert_eq!(opened.current().fingerprint(), before);
    files.write("crt.pem", &format!("{}\n", second.0));
    opened.reload_if_changed();
    assert_eq!(opened.current().fingerprint(), before, "the key is still the old one");
    files.write("key.pem", &format!("{}\n", second.1));
    opened.reload_if_changed();
    assert_ne!(opened.current().fingerprint(), before);
}
