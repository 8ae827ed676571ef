//! Tickets: secrets that open one stream, for clients that can't send headers, such as `EventSource`.

use super::Principal;
use crate::server::store::SecretHash;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a ticket may be used.
pub(in crate::server) const TICKET_LIFETIME: Duration = Duration::from_secs(60);
/// Unused tickets of one principal; a further one replaces the oldest.
const MAX_PER_PRINCIPAL: usize = 100;

/// The tickets that are not used yet, by the hash of their secret.
#[derive(Debug, Default)]
pub(in crate::server) struct Tickets(Mutex<HashMap<SecretHash, Ticket>>);

#[derive(Debug)]
struct Ticket {
    principal: Principal,
    expires: Instant,
}

impl Tickets {
    /// Keeps a ticket that opens one stream as `principal`, until its lifetime after `now`.
    pub(in crate::server) fn issue(&self, secret: SecretHash, principal: Principal, now: Instant) {
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.retain(|_, ticket| ticket.expires > now);
        let own = || tickets.iter().filter(|(_, ticket)| ticket.principal.is_same(&principal));
        if own().count() >= MAX_PER_PRINCIPAL {
            let oldest = own().min_by_key(|(_, ticket)| ticket.expires).map(|(secret, _)| *secret);
            oldest.map(|oldest| tickets.remove(&oldest));
        }
        tickets.insert(secret, Ticket { principal, expires: now + TICKET_LIFETIME });
    }

    /// The principal of a ticket, which can't be used again.
    pub(in crate::server) fn redeem(&self, secret: &SecretHash, now: Instant) -> Option<Principal> {
        let Ticket { principal, expires } = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(secret)?;
        let has_ended = principal.credential().is_some_and(|credential| credential.has_ended());
        (expires > now && !has_ended).then_some(principal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{access::principal, store::Scope};
    use std::sync::Arc;

    fn token() -> Principal {
        Principal::Known(principal::token(Scope::Read))
    }

    #[test]
    fn ticket_is_redeemed_once() {
        let (tickets, now, secret) = (Tickets::default(), Instant::now(), SecretHash::of("a"));
        tickets.issue(secret, token(), now);
        assert!(tickets.redeem(&SecretHash::of("b"), now).is_none());
        assert!(tickets.redeem(&secret, now).is_some());
        assert!(tickets.redeem(&secret, now).is_none());
    }

    #[test]
    fn expired_ticket_and_ticket_of_ended_credential_are_refused() {
        let (tickets, now, secret) = (Tickets::default(), Instant::now(), SecretHash::of("a"));
        tickets.issue(secret, token(), now);
        assert!(tickets.redeem(&secret, now + TICKET_LIFETIME).is_none());
        let ended = token();
        tickets.issue(secret, ended.clone(), now);
        ended.credential().map(Arc::clone).unwrap().end();
        assert!(tickets.redeem(&secret, now).is_none());
    }

    #[test]
    fn unused_tickets_of_a_principal_are_bounded_and_others_stay() {
        let (tickets, now, other) = (Tickets::default(), Instant::now(), SecretHash::of("other"));
        tickets.issue(other, token(), now);
        let principal = token();
        let secret = |n: u64| SecretHash::of(&n.to_string());
        (0..200).for_each(|n| tickets.issue(secret(n), principal.clone(), now + Duration::from_millis(n)));
        let redeemed = (0..200).filter(|n| tickets.redeem(&secret(*n), now).is_some());
        assert_eq!(redeemed.collect::<Vec<_>>(), (100..200).collect::<Vec<_>>());
        assert!(tickets.redeem(&other, now).is_some());
    }
}
