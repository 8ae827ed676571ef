//! What a token claims: for whom and until when it is valid (OpenID Connect Core 1.0, section 3.1.3.7), and who the user is.

use super::{OidcError, OidcOptions};
use crate::server::store::{Name, Role};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Seconds by which the provider's clock may differ.
const MAX_SKEW: f64 = 60.0;

/// Why a token is not for this sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidClaims {
    /// A required claim is missing, or has another type.
    #[error("it lacks iss, sub, aud, exp or iat, or one is of a wrong type")]
    Incomplete,
    /// Another provider issued it.
    #[error("another provider issued it (iss)")]
    Issuer,
    /// It is for another client.
    #[error("it is for another client (aud, azp)")]
    Audience,
    /// It is valid only earlier or later.
    #[error("it is not valid now (exp, iat, nbf); compare the clocks of both hosts")]
    Time,
    /// It is of another sign-in.
    #[error("it is of another sign-in (nonce)")]
    Nonce,
}

/// What a token must claim.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    /// Unix seconds.
    pub(super) now: u64,
}

/// The claims that every token has.
#[derive(Deserialize)]
struct Required {
    iss: String,
    // Required, and so present when it serves as the user's name.
    #[serde(rename = "sub")]
    _sub: String,
    aud: OneOrMany,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

/// A user whom the provider signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct OidcUser {
    /// The name in the session.
    pub name: Name,
    /// What the groups permit.
    pub role: Role,
}

/// The claims of a token that is for this sign-in.
#[derive(Debug)]
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// Refuses claims that are not for this sign-in.
    pub(super) fn checked(claims: Map<String, Value>, expected: &Expected<'_>) -> Result<Self, InvalidClaims> {
        let required = Required::deserialize(&Value::Object(claims.clone())).map_err(|_| InvalidClaims::Incomplete)?;
        let (now, audience) = (expected.now as f64, required.aud.into_vec());
        let is_for_client = audience.iter().any(|client| client == expected.client_id);
        let is_authorized = match &required.azp {
            Some(party) => party == expected.client_id,
            None => audience.len() == 1,
        };
        if required.iss != expected.issuer {
            Err(InvalidClaims::Issuer)
        } else if !is_for_client || !is_authorized {
            Err(InvalidClaims::Audience)
        } else if required.exp <= now - MAX_SKEW || required.iat.max(required.nbf.unwrap_or(0.0)) > now + MAX_SKEW {
            Err(InvalidClaims::Time)
        } else if required.nonce.as_deref() != Some(expected.nonce) {
            Err(InvalidClaims::Nonce)
        } else {
            Ok(Self(claims))
        }
    }

    /// Who signed in, and in which role.
    pub(super) fn user(&self, options: &OidcOptions) -> Result<OidcUser, OidcError> {
        let (name, groups) = (self.name(&options.oidc_user_claim)?, self.texts(&options.oidc_groups_claim));
        let is_in = |group: &Option<String>| group.as_ref().is_some_and(|group| groups.contains(group));
        let role = if is_in(&options.oidc_admin_group) {
            Role::Admin
        } else if options.oidc_viewer_group.is_none() || is_in(&options.oidc_viewer_group) {
            Role::Viewer
        } else {
            return Err(OidcError::NoGroup { name, groups });
        };
        Ok(OidcUser { name, role })
    }

    /// The first claim that can be a name here. An address that the provider has not verified could be anyone's.
    fn name(&self, claim: &str) -> Result<Name, OidcError> {
        let names = [claim, "email", "sub"];
        let is_verified = self.0.get("email_verified") != Some(&Value::Bool(false));
        let usable = names.iter().filter(|name| **name != "email" || is_verified);
        let name = usable.filter_map(|name| self.0.get(*name)?.as_str()?.parse().ok()).next();
        name.ok_or_else(|| OidcError::NoName(names.join(", ")))
    }

    /// A claim that is a text or a list of them.
    fn texts(&self, claim: &str) -> Vec<String> {
        let texts = self.0.get(claim).and_then(|value| OneOrMany::deserialize(value).ok());
        texts.map(OneOrMany::into_vec).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: u64 = 1_800_000_000;

    /// A valid token's claims with some replaced, or removed if `null`.
    fn claims(changes: Value) -> Map<String, Value> {
        let claims = json!({
            "iss": "https://id.example", "sub": "7", "aud": "hostbeat", "exp": NOW + 300, "iat": NOW, "nonce": "n",
            "preferred_username": "ann", "email": "ann@example.com", "groups": ["staff", "ops"],
        });
        let mut claims = claims.as_object().unwrap().clone();
        claims.extend(changes.as_object().unwrap().clone());
        claims.retain(|_, value| !value.is_null());
        claims
    }

    fn checked(changes: Value) -> Result<Claims, InvalidClaims> {
        let expected = Expected { issuer: "https://id.example", client_id: "hostbeat", nonce: "n", now: NOW };
        Claims::checked(claims(changes), &expected)
    }

    fn user(
        changes: Value,
        admin_group: Option<&str>,
        viewer_group: Option<&str>,
    ) -> Result<(String, Role), OidcError> {
        let options = OidcOptions {
            oidc_admin_group: admin_group.map(str::to_owned),
            oidc_viewer_group: viewer_group.map(str::to_owned),
            ..OidcOptions::default()
        };
        let user = checked(changes).unwrap().user(&options)?;
        Ok((user.name.to_string(), user.role))
    }

    #[test]
    fn token_for_this_sign_in_is_accepted_within_the_skew() {
        for changes in [
            json!({}),
            json!({"aud": ["hostbeat"]}),
            json!({"aud": ["hostbeat", "other"], "azp": "hostbeat"}),
            json!({"exp": NOW - 59, "iat": NOW - 400}),
            json!({"iat": NOW + 60, "nbf": NOW + 60}),
            json!({"exp": NOW as f64 + 0.5}),
        ] {
            assert!(checked(changes.clone()).is_ok(), "{changes}");
        }
    }

    #[test]
    fn token_for_anything_else_is_refused() {
        use InvalidClaims::{Audience, Incomplete, Issuer, Nonce, Time};
        for (changes, expected) in [
            (json!({"iss": "https://id.example/"}), Issuer),
            (json!({"iss": null}), Incomplete),
            (json!({"sub": null}), Incomplete),
            (json!({"aud": "other"}), Audience),
            (json!({"aud": []}), Audience),
            (json!({"aud": ["hostbeat", "other"]}), Audience),
            (json!({"azp": "other"}), Audience),
            (json!({"exp": NOW - 60}), Time),
            (json!({"exp": null}), Incomplete),
            (json!({"exp": "9999999999"}), Incomplete),
            (json!({"iat": NOW + 61}), Time),
            (json!({"nbf": NOW + 61}), Time),
            (json!({"nbf": "soon"}), Incomplete),
            (json!({"nonce": "other"}), Nonce),
            (json!({"nonce": null}), Nonce),
        ] {
            assert_eq!(checked(changes.clone()).unwrap_err(), expected, "{changes}");
        }
    }

    #[test]
    fn groups_decide_the_role() {
        for (admin_group, viewer_group, expected) in [
            (None, None, Some(Role::Viewer)),
            (Some("ops"), None, Some(Role::Admin)),
            (Some("ops"), Some("others"), Some(Role::Admin)),
            (Some("root"), Some("staff"), Some(Role::Viewer)),
            (Some("root"), None, Some(Role::Viewer)),
            (Some("root"), Some("others"), None),
            (None, Some("STAFF"), None),
        ] {
            let role = user(json!({}), admin_group, viewer_group).ok().map(|(_, role)| role);
            assert_eq!(role, expected, "{admin_group:?} {viewer_group:?}");
        }
        assert_eq!(user(json!({"groups": "ops"}), Some("ops"), None).unwrap().1, Role::Admin);
        for groups in [json!(null), json!({"ops": true}), json!(7), json!([["ops"]])] {
            let refused = user(json!({"groups": groups}), Some("ops"), Some("staff"));
            assert!(matches!(refused, Err(OidcError::NoGroup { .. })), "{groups}");
        }
    }

    #[test]
    fn name_is_the_first_usable_claim() {
        for (changes, expected) in [
            (json!({}), Some("ann")),
            (json!({"preferred_username": "Ann M\u{fc}ller"}), Some("ann@example.com")),
            (json!({"preferred_username": null}), Some("ann@example.com")),
            (json!({"preferred_username": null, "email_verified": false}), Some("7")),
            (json!({"preferred_username": 5, "email": null}), Some("7")),
            (json!({"preferred_username": "", "email": null, "sub": "a|b"}), None),
        ] {
            assert_eq!(user(changes.clone(), None, None).ok().map(|(name, _)| name).as_deref(), expected, "{changes}");
        }
    }
}
