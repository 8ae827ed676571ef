//! The transports of the stream, and the actions that the reconnect policy returns.

/// How ticks reach the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `EventSource`.
    EventSource,
    /// `fetch` with a streamed body; unlike `EventSource` it exposes the status and the reason of a refusal.
    Fetch,
    /// Polling of `GET /api/snapshot`.
    Poll,
    /// Events relayed by the leading tab of this browser.
    Tab,
}

/// What the stream client does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamAction {
    /// Nothing.
    None,
    /// Close the current stream and open one over this transport.
    Open(Transport),
    /// Close the stream and leave the tab election.
    Close,
    /// Join the tab election.
    JoinElection,
    /// Close the stream, receive events from the leading tab, and request a snapshot of what was missed.
    FollowLeader,
    /// Request a snapshot while the stream stays open.
    RequestSnapshot,
}
