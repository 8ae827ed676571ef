//! How the page and the server stand to each other.

/// What the page knows of its stream; what it shows is never better than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The first connection is being made.
    Connecting,
    /// Ticks arrive on time.
    Live,
    /// Connected, but no tick arrives.
    Stale,
    /// Not connected; being tried again.
    Reconnecting,
}

impl Link {
    /// Its name on the page, and its class in the stylesheet.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Reconnecting => "reconnecting",
        }
    }
}
