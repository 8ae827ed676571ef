//! Passwords and their Argon2id hashes, with the parameters that OWASP recommends: 19 MiB, two passes, one lane.

use super::{Name, StoreError};
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};
use std::{fmt, ops::RangeInclusive};

const LENGTH: RangeInclusive<usize> = 8..=1024;
/// A hash of no password, with the parameters of the others, so that an unknown name takes as long to refuse.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$aG9zdGJlYXQtZHVtbXktcw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password that is good enough for a user. Its debug output hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// A password that is not good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Too short or too long.
    #[error("a password has 8 to 1024 bytes")]
    Length,
    /// The first guess of an attacker.
    #[error("a password must differ from the user's name")]
    IsName,
}

impl Password {
    /// Accepts 8 to 1024 bytes that differ from the user's name.
    ///
    /// # Errors
    /// When the password is too short, too long, or the name.
    pub fn new(password: String, name: &Name) -> Result<Self, InvalidPassword> {
        if password == name.as_ref() {
            Err(InvalidPassword::IsName)
        } else if LENGTH.contains(&password.len()) {
            Ok(Self(password))
        } else {
            Err(InvalidPassword::Length)
        }
    }

    /// The hash to keep, as a PHC string. Takes tens of milliseconds.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn hash(&self) -> Result<PasswordHash, StoreError> {
        let hash: phc::PasswordHash =
            Argon2::default().hash_password(self.0.as_bytes()).map_err(StoreError::Password)?;
        Ok(PasswordHash(hash.to_string()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// An Argon2id hash as a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub(super) String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// Whether `password` has that hash; takes as long without a hash. It fills 19 MiB for tens of milliseconds, so callers
/// run it on a blocking thread and bound how many run at once.
#[must_use]
pub fn verify_password(hash: Option<&PasswordHash>, password: &str) -> bool {
    let text = hash.map_or(DUMMY_HASH, |hash| &hash.0);
    let Ok(parsed) = phc::PasswordHash::new(text) else { return false };
    // Hashing gigabytes of "password" would take longer than any limit.
    let password = if *LENGTH.end() < password.len() { "" } else { password };
    let matches = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    matches && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn password(text: &str) -> Result<Password, InvalidPassword> {
        Password::new(text.to_owned(), &"long-name".parse().unwrap())
    }

    #[test]
    fn short_or_long_password_and_the_name_are_refused() {
        assert_eq!(password("1234567"), Err(InvalidPassword::Length));
        assert_eq!(password(&"a".repeat(1025)), Err(InvalidPassword::Length));
        assert_eq!(password("long-name"), Err(InvalidPassword::IsName));
        assert!(password("12345678").is_ok() && password(&"a".repeat(1024)).is_ok());
    }

    #[test]
    fn only_the_right_password_matches_its_hash() {
        let hash = password("correct horse").unwrap().hash().unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert!(verify_password(Some(&hash), "correct horse"));
        assert!(!verify_password(Some(&hash), "correct hors") && !verify_password(Some(&hash), ""));
        assert!(!verify_password(None, "correct horse") && !verify_password(None, ""));
    }

    #[test]
    fn unknown_name_takes_as_long_as_a_wrong_password() {
        let hash = password("correct horse").unwrap().hash().unwrap();
        // The fastest of several: other processes may delay some.
        let fastest = |hash: Option<&PasswordHash>| {
            let time = |_| {
                let start = Instant::now();
                assert!(!verify_password(hash, "wrong password"));
                start.elapsed()
            };
            (0..5).map(time).min().unwrap_or(Duration::ZERO)
        };
        let (known, unknown) = (fastest(Some(&hash)), fastest(None));
        assert!(unknown > known / 2 && known > unknown / 2, "{known:?}, {unknown:?}");
    }
}
