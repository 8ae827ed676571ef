//! The bearer token that a proxy in front of the server may ask for.

use super::storage::storage;

/// What it is remembered by, here and in the page's head, which takes it from the address.
const KEY: &str = "token";

/// The one that is to be sent with whatever is asked of the server.
pub(super) fn token() -> Option<String> {
    storage()?.get_item(KEY).ok()?.filter(|token| !token.is_empty())
}
