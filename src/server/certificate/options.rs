//! The flags of TLS.

use super::CertificateError;
use crate::server::access::HostName;
use clap::{Args, builder::FalseyValueParser};
use std::{net::IpAddr, path::PathBuf};
use url::Url;

/// Where the certificate is from.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// File with the certificate chain (PEM) for HTTPS on TCP ports; reloaded when it changes
    #[arg(long, env = "HOSTBEAT_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// File with the certificate's private key (PEM)
    #[arg(long, env = "HOSTBEAT_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// HTTPS with a certificate that is made once and kept in the data folder
    #[arg(long, env = "HOSTBEAT_TLS_SELF_SIGNED", value_parser = FalseyValueParser::new())]
    pub tls_self_signed: bool,

    /// HTTPS with a certificate for this name from Let's Encrypt, whose terms you agree to with it; repeatable. It
    /// connects to port 443 of that name
    #[arg(long, env = "HOSTBEAT_ACME", value_name = "DOMAIN", value_delimiter = ',', value_parser = domain)]
    pub acme: Vec<HostName>,

    /// Another authority's ACME directory
    #[arg(long, env = "HOSTBEAT_ACME_DIRECTORY", value_name = "URL", value_parser = directory)]
    pub acme_directory: Option<Url>,

    /// Mail address to which the authority may write
    #[arg(long, env = "HOSTBEAT_ACME_CONTACT", value_name = "MAIL", value_parser = mail)]
    pub acme_contact: Option<String>,

    /// File with the certificate (PEM) that the directory's own is checked with, instead of the public authorities'
    #[arg(long, env = "HOSTBEAT_ACME_CA", value_name = "FILE")]
    pub acme_ca: Option<PathBuf>,
}

impl TlsOptions {
    /// Checks that the options go together. Each may come from the config file, which clap doesn't count as given.
    ///
    /// # Errors
    /// If an option lacks the one that it needs, or there are two sources of certificates.
    pub(in crate::server) fn check(&self) -> Result<(), CertificateError> {
        let (cert, key, acme) = (self.tls_cert.is_some(), self.tls_key.is_some(), !self.acme.is_empty());
        for (option, is_given, needed, has_needed) in [
            ("tls-cert", cert, "tls-key", key),
            ("tls-key", key, "tls-cert", cert),
            ("acme-directory", self.acme_directory.is_some(), "acme", acme),
            ("acme-contact", self.acme_contact.is_some(), "acme", acme),
            ("acme-ca", self.acme_ca.is_some(), "acme-directory", self.acme_directory.is_some()),
        ] {
            if is_given && !has_needed {
                return Err(CertificateError::Incomplete { option, needed });
            }
        }
        let sources = [("tls-cert", cert), ("tls-self-signed", self.tls_self_signed), ("acme", acme)];
        let mut given = sources.into_iter().filter(|(_, is_given)| *is_given).map(|(option, _)| option);
        match (given.next(), given.next()) {
            (Some(one), Some(other)) => Err(CertificateError::Ambiguous { one, other }),
            _ => Ok(()),
        }
    }
}

fn domain(text: &str) -> Result<HostName, String> {
    let name = text.parse::<HostName>().ok().filter(|_| text.contains('.') && text.parse::<IpAddr>().is_err());
    name.ok_or_else(|| "certificates are issued for public names, such as hostbeat.example.com".to_owned())
}

fn directory(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.has_host());
    url.ok_or_else(|| "a directory is a URL such as https://acme.example.com/directory".to_owned())
}

fn mail(text: &str) -> Result<String, String> {
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let is_mail = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.parse::<HostName>().is_ok());
    if is_mail { Ok(text.to_owned()) } else { Err("a contact is a mail address such as ops@example.com".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        tls: TlsOptions,
    }

    fn parse(args: &[&str]) -> Result<TlsOptions, String> {
        let flags = Flags::try_parse_from([&["hostbeat"], args].concat());
        let tls = flags.map(|flags| flags.tls).map_err(|error| error.to_string())?;
        tls.check().map(|()| tls).map_err(|error| error.to_string())
    }

    #[test]
    fn one_source_of_certificates_is_accepted() {
        assert_eq!(parse(&[]), Ok(TlsOptions::default()));
        let acme =
            parse(&["--acme", "a.example.com,b.example.com", "--acme-contact", "mailto:ops@example.com"]).unwrap();
        assert_eq!((acme.acme.len(), acme.acme_contact.as_deref()), (2, Some("ops@example.com")));
        for (args, hint) in [
            (&["--tls-cert", "a.pem"][..], "--tls-key"),
            (&["--tls-key", "a.pem"], "--tls-cert"),
            (&["--tls-cert", "a.pem", "--tls-key", "a.pem", "--tls-self-signed"], "choose one"),
            (&["--tls-self-signed", "--acme", "a.example.com"], "choose one"),
            (&["--acme-directory", "https://a.example/"], "--acme"),
            (&["--acme", "192.0.2.1"], "hostbeat.example.com"),
            (&["--acme", "localhost"], "hostbeat.example.com"),
            (&["--acme", "a.example.com", "--acme-directory", "a.example.com"], "https://acme.example.com/directory"),
            (&["--acme", "a.example.com", "--acme-contact", "ops"], "ops@example.com"),
        ] {
            let message = parse(args).unwrap_err();
            assert!(message.contains(hint), "{message}");
        }
    }
}
