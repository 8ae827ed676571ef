//! Tickets: secrets that open one stream, for clients that can't send headers, such as `EventSource`.

use super::{Credential, secret::SecretHash};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a ticket may be used.
pub(in crate::server) const TICKET_LIFETIME: Duration = Duration::from_secs(60);
/// Tickets of one credential that may be unused at a time; the oldest gives way.
const MAX_PER_CREDENTIAL: usize = 32;

/// The tickets that are not used yet, by the hash of their secret.
#[derive(Debug, Default)]
pub(in crate::server) struct Tickets(Mutex<HashMap<SecretHash, Ticket>>);

#[derive(Debug)]
struct Ticket {
    credential: Arc<Credential>,
    expires: Instant,
}

impl Tickets {
    /// Keeps a ticket that opens one stream as `credential`, until its lifetime after `now`.
    pub(in crate::server) fn issue(&self, secret: SecretHash, credential: &Arc<Credential>, now: Instant) {
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.retain(|_, ticket| ticket.expires > now);
        let own = || tickets.iter().filter(|(_, ticket)| Arc::ptr_eq(&ticket.credential, credential));
        if own().count() >= MAX_PER_CREDENTIAL {
            let oldest = own().min_by_key(|(_, ticket)| ticket.expires).map(|(secret, _)| *secret);
            oldest.map(|oldest| tickets.remove(&oldest));
        }
        tickets.insert(secret, Ticket { credential: Arc::clone(credential), expires: now + TICKET_LIFETIME });
    }

    /// The credential of a ticket, which can't be used again.
    pub(in crate::server) fn redeem(&self, secret: &SecretHash, now: Instant) -> Option<Arc<Credential>> {
        let ticket = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(secret)?;
        (ticket.expires > now && !ticket.credential.has_ended()).then_some(ticket.credential)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::access::{CredentialKind, Scope};

    fn credential() -> Arc<Credential> {
        Credential::new(CredentialKind::Token, "a".to_owned(), "a".to_owned(), Scope::Read, None, 0)
    }

    #[test]
    fn ticket_is_redeemed_once() {
        let (tickets, now, secret) = (Tickets::default(), Instant::now(), SecretHash::of("a"));
        tickets.issue(secret, &credential(), now);
        assert!(tickets.redeem(&SecretHash::of("b"), now).is_none());
        assert!(tickets.redeem(&secret, now).is_some());
        assert!(tickets.redeem(&secret, now).is_none());
    }

    #[test]
    fn expired_ticket_and_ticket_of_ended_credential_are_refused() {
        let (tickets, now, secret) = (Tickets::default(), Instant::now(), SecretHash::of("a"));
        tickets.issue(secret, &credential(), now);
        assert!(tickets.redeem(&secret, now + TICKET_LIFETIME).is_none());
        let ended = credential();
        tickets.issue(secret, &ended, now);
        ended.end();
        assert!(tickets.redeem(&secret, now).is_none());
    }

    #[test]
    fn unused_tickets_of_a_credential_are_bounded() {
        let (tickets, now, credential) = (Tickets::default(), Instant::now(), credential());
        for n in 0..100 {
            tickets.issue(SecretHash::of(&n.to_string()), &credential, now + Duration::from_millis(n));
        }
        let redeemed = (0..100).filter(|n| tickets.redeem(&SecretHash::of(&n.to_string()), now).is_some());
        assert_eq!(redeemed.collect::<Vec<_>>(), (68..100).collect::<Vec<_>>());
    }
}
