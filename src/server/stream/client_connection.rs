//! What a stream knows of its client's connection, independent of socket types: the peer, the handoff, and whether it stalled.

use super::Viewer;
use crate::server::access::Peer;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::mpsc;

/// Request extension that `delivery` adds.
#[derive(Clone, Debug)]
pub(in crate::server) struct ClientConnection {
    /// The connection's other end.
    pub peer: Peer,
    /// Takes the viewer, with its socket, from hyper to what serves streams; `None` for HTTP/2.
    pub handoff: Option<Handoff>,
    /// Whether the connection was closed because its client took no bytes.
    pub stalled: StallFlag,
}

/// The one transition of a stream: its response's body sends the viewer, and the connection's task receives it.
#[derive(Clone, Debug)]
pub(in crate::server) struct Handoff(mpsc::Sender<Viewer>);

impl Handoff {
    /// A handoff, and the end that receives the viewer.
    pub(in crate::server) fn new() -> (Self, mpsc::Receiver<Viewer>) {
        // One stream at most is sent over a connection: its response says `Connection: close`.
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), receiver)
    }

    /// Sends the viewer, whose first chunk hyper has taken.
    pub(super) fn send(&self, viewer: Viewer) {
        // A connection that has ended receives nothing: the viewer is dropped, and so counted as closed.
        let _ = self.0.try_send(viewer);
    }
}

/// Set when a client has taken no bytes for the stall timeout.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct StallFlag(Arc<AtomicBool>);

impl StallFlag {
    pub(in crate::server) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(in crate::server) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
