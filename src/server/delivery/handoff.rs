//! How a stream's body gives its connection away.

use crate::server::{export::CloseReason, stream::Viewer};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Between the body of a response and the connection that it is sent over.
#[derive(Clone, Default)]
pub(in crate::server) struct Handoff(Arc<Mutex<Offer>>);

#[derive(Default)]
struct Offer {
    viewer: Option<Viewer>,
    /// Whether the connection has written everything since the offer.
    flushed: bool,
    stalled: bool,
}

impl Handoff {
    /// Offers a viewer, whose first events are on their way.
    pub(in crate::server) fn offer(&self, viewer: Viewer) {
        let mut offer = self.lock();
        (offer.viewer, offer.flushed) = (Some(viewer), false);
    }

    /// Notes that the connection has nothing left to write.
    pub(super) fn flushed(&self) {
        self.lock().flushed = true;
    }

    /// Notes that the client has taken nothing for too long.
    pub(super) fn stall(&self) {
        let mut offer = self.lock();
        offer.stalled = true;
        if let Some(viewer) = &mut offer.viewer {
            viewer.reason = CloseReason::Stalled;
        }
    }

    /// Whether the connection was given up since its client took nothing.
    pub(in crate::server) fn stalled(&self) -> bool {
        self.lock().stalled
    }

    /// The viewer, if its connection can be taken.
    pub(super) fn take(&self) -> Option<Viewer> {
        let mut offer = self.lock();
        if offer.flushed { offer.viewer.take() } else { None }
    }

    fn lock(&self) -> MutexGuard<'_, Offer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
