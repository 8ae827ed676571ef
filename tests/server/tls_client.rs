//! A server with TLS, certificates for it, and clients that trust any certificate.

use super::{
    server_process::{ServerProcess, hostbeat},
    support::TIMEOUT,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;
use tokio_rustls::rustls::{
    self, ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// A server with a self-signed certificate, and its data folder.
pub(crate) fn self_signed_server(args: &[&str]) -> (ServerProcess, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let all = [&["--listen", "127.0.0.1:0", "--tls-self-signed", "--data", data], args].concat();
    (ServerProcess::start(hostbeat(&all)), folder)
}

/// Two files in a folder.
pub(crate) struct CertificateFiles {
    pub(crate) folder: TempDir,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl CertificateFiles {
    pub(crate) fn new((certificate, key): (String, String)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        let files = Self { certificate: path("crt.pem"), key: path("key.pem"), folder };
        files.write((certificate, key));
        files
    }

    pub(crate) fn write(&self, (certificate, key): (String, String)) {
        fs::write(&self.certificate, certificate).unwrap();
        write_secret(&self.key, &key);
    }

    /// The program with the files.
    pub(crate) fn hostbeat(&self, args: &[&str]) -> std::process::Command {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let (certificate, key) = (text(&self.certificate), text(&self.key));
        let data = text(&self.folder.path().join("data"));
        let files = ["--listen", "127.0.0.1:0", "--data", &data, "--tls-cert", &certificate, "--tls-key", &key];
        hostbeat(&[&files, args].concat())
    }
}

fn write_secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Parameters of a certificate for this name.
pub(crate) fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// Certificate and key.
pub(crate) fn self_signed(params: CertificateParams) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// Certificate with that of its issuer, and key.
pub(crate) fn issued(name: &str) -> (String, String) {
    let (key, authority_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut authority = params("Test authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = authority.self_signed(&authority_key).unwrap();
    let certificate = params(name).signed_by(&key, &authority, &authority_key).unwrap();
    (certificate.pem() + &authority.pem(), key.serialize_pem())
}

#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A client that offers one protocol.
pub(crate) fn client_config(protocol: &str) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().dangerous();
    let mut config = builder.with_custom_certificate_verifier(Arc::new(AnyCertificate)).with_no_client_auth();
    config.alpn_protocols = vec![protocol.into()];
    Arc::new(config)
}

pub(crate) type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// Connects and completes the handshake.
pub(crate) fn try_connect(address: &str, name: &str, protocol: &str) -> std::io::Result<TlsStream> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(client_config(protocol), name).unwrap();
    while client.is_handshaking() {
        client.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(client, socket))
}

pub(crate) fn connect(address: &str, protocol: &str) -> TlsStream {
    try_connect(address, "localhost", protocol).unwrap()
}

/// The certificate that new connections get.
pub(crate) fn certificate(stream: &TlsStream) -> Vec<u8> {
    stream.conn.peer_certificates().unwrap()[0].to_vec()
}

/// Sends an HTTP/1.1 request, and returns the connection.
pub(crate) fn request(address: &str, request: &str) -> TlsStream {
    let mut stream = connect(address, "http/1.1");
    write!(stream, "{request}").unwrap();
    stream
}

/// Reads until the text contains `end`.
pub(crate) fn read_until(stream: &mut impl Read, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).unwrap();
        assert_ne!(read, 0, "the connection closed after {text}");
        text += &String::from_utf8_lossy(&bytes[..read]);
    }
    text
}
