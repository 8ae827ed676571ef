//! The hashes by which the content security policy allows the page's inline scripts. Unlike a nonce, they are the same in
//! all responses, which can then be shared.

use super::{ASSETS, pages::WATCH};
use crate::app;
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// A source expression for each inline script (CSP 3, section 2.3.1).
pub(super) static SCRIPT_HASHES: LazyLock<String> = LazyLock::new(|| {
    let scripts = app::inline_scripts(&ASSETS.parts, WATCH.clone());
    let hashes = scripts.iter().map(|script| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(script))));
    hashes.collect::<Vec<_>>().join(" ")
});
