//! The flags of OpenID Connect.

use crate::server::{
    http_agent::is_private,
    secret_file::{SecretFileError, read_secret},
};
use clap::Args;
use std::{env, path::PathBuf};
use url::Url;

/// No flag, because other users of the host can read those.
const SECRET_VARIABLE: &str = "HOSTBEAT_OIDC_CLIENT_SECRET";
const GROUPS_CLAIM: &str = "groups";
const USER_CLAIM: &str = "preferred_username";

/// An OpenID Connect provider, and which of its users may do what.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct OidcOptions {
    /// OpenID Connect provider whose users may sign in, such as https://id.example.com; HOSTBEAT_OIDC_CLIENT_SECRET has
    /// the client's secret
    #[arg(long, env = "HOSTBEAT_OIDC_ISSUER", value_name = "URL", value_parser = issuer)]
    pub oidc_issuer: Option<String>,

    /// Id under which the provider knows Hostbeat
    #[arg(long, env = "HOSTBEAT_OIDC_CLIENT_ID", value_name = "ID")]
    pub oidc_client_id: Option<String>,

    /// File with the client's secret, instead of the environment
    #[arg(long, env = "HOSTBEAT_OIDC_CLIENT_SECRET_FILE", value_name = "FILE")]
    pub oidc_client_secret_file: Option<PathBuf>,

    /// Group whose members are admins
    #[arg(long, env = "HOSTBEAT_OIDC_ADMIN_GROUP", value_name = "NAME")]
    pub oidc_admin_group: Option<String>,

    /// Group whose members are viewers; without it everyone whom the provider signs in is one
    #[arg(long, env = "HOSTBEAT_OIDC_VIEWER_GROUP", value_name = "NAME")]
    pub oidc_viewer_group: Option<String>,

    /// Claim that lists the user's groups
    #[arg(long, env = "HOSTBEAT_OIDC_GROUPS_CLAIM", value_name = "NAME", default_value = GROUPS_CLAIM)]
    pub oidc_groups_claim: String,

    /// Claim that names the user; email and sub are next
    #[arg(long, env = "HOSTBEAT_OIDC_USER_CLAIM", value_name = "NAME", default_value = USER_CLAIM)]
    pub oidc_user_claim: String,

    /// Address of /sign-in/oidc/callback as browsers reach it; by default by the request's Host and X-Forwarded-Proto
    #[arg(long, env = "HOSTBEAT_OIDC_REDIRECT_URL", value_name = "URL", value_parser = redirect_url)]
    pub oidc_redirect_url: Option<Url>,

    /// Name of the provider on the sign-in page; by default its host
    #[arg(long, env = "HOSTBEAT_OIDC_NAME", value_name = "NAME")]
    pub oidc_name: Option<String>,
}

impl Default for OidcOptions {
    fn default() -> Self {
        Self {
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_client_secret_file: None,
            oidc_admin_group: None,
            oidc_viewer_group: None,
            oidc_groups_claim: GROUPS_CLAIM.to_owned(),
            oidc_user_claim: USER_CLAIM.to_owned(),
            oidc_redirect_url: None,
            oidc_name: None,
        }
    }
}

/// Options that don't go together, or a secret that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidOidc {
    /// There is a provider, but no client.
    #[error("--oidc-issuer needs --oidc-client-id with the id under which the provider knows Hostbeat")]
    NoClient,
    /// There are other options, but no provider.
    #[error("--oidc-client-id needs --oidc-issuer with the provider's address, such as https://id.example.com")]
    NoIssuer,
    /// The file has no secret.
    #[error("{0}; --oidc-client-secret-file names a file with the client's secret, which the provider shows")]
    Secret(#[from] SecretFileError),
}

/// Who Hostbeat is to the provider.
pub(super) struct ClientIdentity {
    /// Exactly as the provider writes it.
    pub(super) issuer: String,
    pub(super) id: String,
    /// `None` for a public client.
    pub(super) secret: Option<String>,
}

impl std::fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientIdentity").field("issuer", &self.issuer).field("id", &self.id).finish_non_exhaustive()
    }
}

impl OidcOptions {
    /// Checks the options together, and reads the secret.
    ///
    /// # Errors
    /// When an option is missing, or the secret can't be read.
    pub(in crate::server) fn check(&self) -> Result<(), InvalidOidc> {
        self.client().map(drop)
    }

    /// Who Hostbeat is to the provider; `None` without one.
    pub(super) fn client(&self) -> Result<Option<ClientIdentity>, InvalidOidc> {
        match (&self.oidc_issuer, &self.oidc_client_id) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(InvalidOidc::NoClient),
            (None, Some(_)) => Err(InvalidOidc::NoIssuer),
            (Some(issuer), Some(id)) => {
                Ok(Some(ClientIdentity { issuer: issuer.clone(), id: id.clone(), secret: self.secret()? }))
            }
        }
    }

    fn secret(&self) -> Result<Option<String>, InvalidOidc> {
        match &self.oidc_client_secret_file {
            Some(path) => Ok(Some(read_secret(path)?)),
            None => Ok(env::var(SECRET_VARIABLE).ok().filter(|secret| !secret.is_empty())),
        }
    }
}

fn issuer(text: &str) -> Result<String, String> {
    let url = Url::parse(text).ok().filter(|url| is_private(url) && url.query().is_none() && url.fragment().is_none());
    let is_issuer = url.is_some_and(|url| url.username().is_empty() && url.password().is_none());
    is_issuer.then(|| text.to_owned()).ok_or_else(|| {
        "an issuer is a URL such as https://id.example.com/realms/main; http is for providers on this host only"
            .to_owned()
    })
}

fn redirect_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.filter(|url| url.path().ends_with("/sign-in/oidc/callback") && url.query().is_none());
    url.ok_or_else(|| "the address is such as https://hostbeat.example.com/sign-in/oidc/callback".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::fs;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        oidc: OidcOptions,
    }

    fn parse(args: &[&str]) -> Result<OidcOptions, String> {
        let flags = Flags::try_parse_from([&["hostbeat"], args].concat());
        flags.map(|flags| flags.oidc).map_err(|error| error.to_string())
    }

    fn fault(args: &[&str]) -> String {
        parse(args).unwrap().check().unwrap_err().to_string()
    }

    #[test]
    fn parsed_flags_without_arguments_equal_defaults() {
        assert_eq!(parse(&[]), Ok(OidcOptions::default()));
        assert!(OidcOptions::default().check().is_ok());
    }

    #[test]
    fn issuer_is_encrypted_or_of_this_host() {
        for url in
            ["https://id.example.com", "https://id.example.com/o/app/", "http://localhost:9400", "http://[::1]:1"]
        {
            assert_eq!(parse(&["--oidc-issuer", url]).unwrap().oidc_issuer.as_deref(), Some(url));
        }
        for url in ["id.example.com", "http://id.example.com", "http://10.0.0.1", "https://a/?b", "https://a:b@c", ""] {
            let message = parse(&["--oidc-issuer", url]).unwrap_err();
            assert!(message.contains("https://id.example.com/realms/main"), "{message}");
        }
    }

    #[test]
    fn redirect_url_leads_to_the_callback() {
        assert!(parse(&["--oidc-redirect-url", "https://a.example/monitor/sign-in/oidc/callback"]).is_ok());
        for url in ["https://a.example/", "/sign-in/oidc/callback", "ftp://a.example/sign-in/oidc/callback"] {
            let message = parse(&["--oidc-redirect-url", url]).unwrap_err();
            assert!(message.contains("https://hostbeat.example.com/sign-in/oidc/callback"), "{message}");
        }
    }

    #[test]
    fn missing_option_or_unusable_secret_is_refused_with_what_is_right() {
        let issuer = ["--oidc-issuer", "https://id.example.com"];
        assert!(fault(&issuer).contains("--oidc-client-id"));
        assert!(fault(&["--oidc-client-id", "a"]).contains("--oidc-issuer"));
        let with_file = |path: &str| {
            let args = ["--oidc-client-id", "a", "--oidc-client-secret-file", path];
            parse(&[&issuer[..], &args].concat()).unwrap()
        };
        let missing = with_file("/nowhere/secret").check().unwrap_err().to_string();
        assert!(missing.contains("/nowhere/secret") && missing.contains("--oidc-client-secret-file"), "{missing}");
        let file = tempfile::NamedTempFile::new().unwrap();
        let options = with_file(file.path().to_str().unwrap());
        assert!(options.check().unwrap_err().to_string().contains("is empty"));
        fs::write(&file, "s3cret\n").unwrap();
        let client = options.client().unwrap().unwrap();
        assert_eq!(client.secret.as_deref(), Some("s3cret"));
        assert!(!format!("{client:?}").contains("s3cret"));
    }
}
