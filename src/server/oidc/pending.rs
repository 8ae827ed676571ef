//! Sign-ins that are under way at the provider.

use crate::server::{
    access::Client,
    store::{Secret, SecretHash, StoreError},
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use url::Url;

/// How long a reader may take at the provider.
pub(in crate::server) const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Past it, a further sign-in replaces the oldest.
const MAX_SIGN_INS: usize = 1_000;
/// Sign-ins of one client, so that none replaces all others'.
const MAX_PER_CLIENT: usize = 20;
/// Bytes of the address to return to; a longer one is left out.
const MAX_NEXT: usize = 2_048;

/// A sign-in that the provider has not answered.
#[derive(Debug)]
pub(in crate::server) struct PendingSignIn {
    client: Client,
    browser: SecretHash,
    /// Where the provider sends the browser.
    pub(super) redirect: Url,
    /// Repeated in the ID token, which so belongs to this sign-in.
    pub(super) nonce: Secret,
    /// Proves to the provider that the code is exchanged by whoever started the sign-in.
    pub(super) verifier: Secret,
    /// The address to return to.
    pub next: String,
}

impl PendingSignIn {
    pub(super) fn new(client: Client, browser: SecretHash, redirect: Url, next: String) -> Result<Self, StoreError> {
        let next = if next.len() > MAX_NEXT { String::new() } else { next };
        Ok(Self { client, browser, redirect, nonce: Secret::of_session()?, verifier: Secret::of_session()?, next })
    }
}

/// The sign-ins by the hash of their state.
#[derive(Debug, Default)]
pub(super) struct PendingSignIns(Mutex<HashMap<SecretHash, (Instant, PendingSignIn)>>);

impl PendingSignIns {
    pub(super) fn keep(&self, state: SecretHash, sign_in: PendingSignIn, now: Instant) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (expires, _)| *expires > now);
        let own = || kept.iter().filter(|(_, (_, other))| other.client == sign_in.client);
        let oldest = if own().count() >= MAX_PER_CLIENT {
            own().min_by_key(|(_, (expires, _))| *expires)
        } else if kept.len() >= MAX_SIGN_INS {
            kept.iter().min_by_key(|(_, (expires, _))| *expires)
        } else {
            None
        };
        if let Some(oldest) = oldest.map(|(state, _)| *state) {
            kept.remove(&oldest);
        }
        kept.insert(state, (now + LIFETIME, sign_in));
    }

    /// Removes and returns the sign-in with that state, if it is of this browser and has not expired.
    pub(super) fn take(&self, state: &SecretHash, browser: &[SecretHash], now: Instant) -> Option<PendingSignIn> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(state).filter(|(_, sign_in)| browser.contains(&sign_in.browser))?;
        let (expires, sign_in) = kept.remove(state)?;
        (expires > now).then_some(sign_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn hash(text: &str) -> SecretHash {
        SecretHash::of(text)
    }

    fn sign_in(address: [u8; 4]) -> PendingSignIn {
        let redirect = Url::parse("https://a.example/sign-in/oidc/callback").unwrap();
        PendingSignIn::new(IpAddr::from(address).into(), hash("browser"), redirect, "?kiosk".to_owned()).unwrap()
    }

    #[test]
    fn sign_in_is_taken_once_by_its_browser_in_time() {
        let (sign_ins, now) = (PendingSignIns::default(), Instant::now());
        sign_ins.keep(hash("state"), sign_in([192, 0, 2, 1]), now);
        let take = |state: &str, browser: &str, now| sign_ins.take(&hash(state), &[hash(browser)], now);
        assert!(take("other", "browser", now).is_none() && take("state", "other", now).is_none());
        assert_eq!(take("state", "browser", now).unwrap().next, "?kiosk");
        assert!(take("state", "browser", now).is_none());
        sign_ins.keep(hash("state"), sign_in([192, 0, 2, 1]), now);
        assert!(take("state", "browser", now + LIFETIME).is_none());
    }

    #[test]
    fn oldest_sign_in_of_a_client_makes_room_for_its_next() {
        let (sign_ins, now) = (PendingSignIns::default(), Instant::now());
        sign_ins.keep(hash("other"), sign_in([192, 0, 2, 1]), now);
        let state = |n: usize| hash(&n.to_string());
        for n in 0..50 {
            sign_ins.keep(state(n), sign_in([192, 0, 2, 2]), now + Duration::from_millis(n as u64));
        }
        let taken = (0..50).filter(|n| sign_ins.take(&state(*n), &[hash("browser")], now).is_some());
        assert!(taken.eq(30..50));
        assert!(sign_ins.take(&hash("other"), &[hash("browser")], now).is_some());
    }

    #[test]
    fn sign_ins_of_all_clients_are_bounded() {
        let (sign_ins, now) = (PendingSignIns::default(), Instant::now());
        for n in 0..=u8::MAX {
            for m in 0..8 {
                sign_ins.keep(hash(&format!("{n} {m}")), sign_in([192, 0, 2, n]), now);
            }
        }
        assert_eq!(sign_ins.0.lock().unwrap().len(), MAX_SIGN_INS);
    }

    #[test]
    fn long_return_address_is_left_out() {
        let redirect = Url::parse("https://a.example/").unwrap();
        let client = IpAddr::from([192, 0, 2, 1]).into();
        assert_eq!(PendingSignIn::new(client, hash(""), redirect, "a".repeat(2_049)).unwrap().next, "");
    }
}
