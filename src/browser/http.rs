//! HTTP requests to the server, with the bearer token that a proxy in front of it may require.

use super::storage::storage;
use js_sys::{Array, futures::JsFuture};
use leptos::{
    prelude::window,
    wasm_bindgen::{JsCast, JsValue},
};
use web_sys::{RequestInit, RequestRedirect, Response};

/// Key in local storage; the script in the page's head stores the token under it.
const TOKEN_KEY: &str = "token";

/// The stored bearer token.
pub(super) fn token() -> Option<String> {
    storage()?.get_item(TOKEN_KEY).ok()?.filter(|token| !token.is_empty())
}

/// Sends a GET request. Errors: the request failed or was aborted. A redirect has status 0: a proxy sends it to sign in
/// at another origin, which a script can't follow.
pub(super) async fn get(address: &str, init: &RequestInit) -> Result<Response, JsValue> {
    init.set_redirect(RequestRedirect::Manual);
    if let Some(token) = token() {
        let header = Array::of2(&"authorization".into(), &["Bearer ", &token].concat().into());
        init.set_headers(&Array::of1(&header));
    }
    JsFuture::from(window().fetch_with_str_and_init(address, init)).await?.dyn_into()
}

/// Whether the `Content-Type` of a response starts with `content_type`.
pub(super) fn has_content_type(response: &Response, content_type: &str) -> Result<bool, JsValue> {
    Ok(response.headers().get("content-type")?.is_some_and(|value| value.starts_with(content_type)))
}
