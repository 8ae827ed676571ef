//! Whose samples a log has, so that nobody takes them for another host's.

use serde::{Deserialize, Serialize};

/// A host, and an epoch of its log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The host, stable over restarts and reinstalls; it reveals nothing about the host.
    pub host_id: String,
    /// A period in which the log has no break, and ids can be resumed.
    pub epoch: String,
}

#[cfg(feature = "ssr")]
impl Identity {
    /// A new epoch of this host. A host without an id gets a random one.
    pub fn new_epoch(host_id: Option<String>) -> Self {
        let random = || format!("{:032x}", fastrand::u128(..));
        Self { host_id: host_id.unwrap_or_else(random), epoch: format!("{:016x}", fastrand::u64(..)) }
    }

    /// The tag of every event id: the first 24 bits of SHA-256 over host id and epoch.
    pub fn tag(&self) -> u32 {
        use sha2::{Digest, Sha256};
        let hash = Sha256::new().chain_update(&self.host_id).chain_update(&self.epoch).finalize();
        hash.iter().take(3).fold(0, |tag, byte| tag << 8 | u32::from(*byte))
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn tag_differs_by_host_and_by_epoch() {
        let tag = |host_id: &str, epoch: &str| Identity { host_id: host_id.to_owned(), epoch: epoch.to_owned() }.tag();
        // From sha256sum.
        assert_eq!((tag("", ""), tag("ab", "c")), (0x00e3_b0c4, 0x00ba_7816));
        assert_ne!(tag("host a", "1"), tag("host b", "1"));
        assert_ne!(tag("host a", "1"), tag("host a", "2"));
    }
}
