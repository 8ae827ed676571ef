//! The files of the page, embedded in the binary: one file to copy to a server.

use super::Encoding;
use crate::app::Parts;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;
use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

/// The browser library. A release embeds what `make build` made; a debug build reads what cargo-leptos made, at start.
#[derive(RustEmbed)]
#[cfg_attr(debug_assertions, folder = "target/watch/pkg/")]
#[cfg_attr(not(debug_assertions), folder = "target/site/pkg/")]
#[allow_missing = true]
struct Library;

#[derive(RustEmbed)]
#[folder = "public/"]
struct Public;

/// The stylesheet, in the order of the cascade.
const STYLE: &str = concat!(
    include_str!("../../../style/tokens.css"),
    include_str!("../../../style/base.css"),
    include_str!("../../../style/header.css"),
    include_str!("../../../style/tiles.css"),
    include_str!("../../../style/panel.css"),
    include_str!("../../../style/details.css"),
    include_str!("../../../style/table.css"),
    include_str!("../../../style/chart.css"),
    include_str!("../../../style/message.css"),
    include_str!("../../../style/view.css"),
);

/// A name that changes with the content can be kept for ever.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const FOR_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// What this binary carries.
pub(in crate::server) static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::load);

/// All files by the name they are asked for.
#[derive(Debug)]
pub(in crate::server) struct Assets {
    hashed: BTreeMap<String, File>,
    public: BTreeMap<String, File>,
    /// Where the page finds its parts.
    pub(in crate::server) parts: Parts,
}

#[derive(Clone, Debug)]
struct File {
    content_type: &'static str,
    plain: Cow<'static, [u8]>,
    /// Encodings made ahead, best first.
    encoded: Vec<(Encoding, Cow<'static, [u8]>)>,
    cache: HeaderValue,
}

impl Assets {
    fn load() -> Self {
        let mut hashed = BTreeMap::new();
        let mut add = |stem: &str, extension: &str, file: File| {
            let name = format!("{stem}-{}.{extension}", fingerprint(&file.plain));
            let path = format!("/assets/{name}");
            hashed.insert(name, file);
            path
        };
        let style = File::new("css", without_comments(STYLE).into_bytes().into(), FOR_EVER).encoded();
        let style = add("hostbeat", "css", style);
        let mut library = |extension: &str| Some(add("hostbeat", extension, File::library(extension)?));
        let parts = Parts { style, script: library("js"), wasm: library("wasm") };
        let public = Public::iter().filter_map(|name| {
            let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
            Some((name.to_string(), File::new(extension, Public::get(&name)?.data, FOR_A_DAY).encoded()))
        });
        Self { public: public.collect(), hashed, parts }
    }

    /// A file whose name carries its fingerprint.
    pub(in crate::server) fn hashed(&self, name: &str, headers: &HeaderMap) -> Option<Response> {
        Some(self.hashed.get(name)?.respond(headers))
    }

    /// A file of `public/`.
    pub(in crate::server) fn public(&self, name: &str, headers: &HeaderMap) -> Option<Response> {
        Some(self.public.get(name)?.respond(headers))
    }
}

impl File {
    fn new(extension: &str, plain: Cow<'static, [u8]>, cache: HeaderValue) -> Self {
        Self { content_type: content_type(extension), plain, encoded: Vec::new(), cache }
    }

    /// With what a small file can be packed into while the server starts.
    fn encoded(mut self) -> Self {
        let encode = |encoding: Encoding| Some((encoding, encoding.encode(&self.plain).ok()?.into()));
        self.encoded = Encoding::ALL.into_iter().filter_map(encode).collect();
        self
    }

    fn library(extension: &str) -> Option<Self> {
        let read = |suffix| Some(Library::get(&format!("hostbeat.{extension}{suffix}"))?.data);
        let encoded = [(Encoding::Brotli, read(".br")), (Encoding::Gzip, read(".gz"))];
        Some(Self {
            encoded: encoded.into_iter().filter_map(|(encoding, data)| Some((encoding, data?))).collect(),
            ..Self::new(extension, read("")?, FOR_EVER)
        })
    }

    fn respond(&self, headers: &HeaderMap) -> Response {
        let best = self.encoded.iter().find(|(encoding, _)| encoding.accepted(headers));
        let data = best.map_or(&self.plain, |(_, data)| data);
        let body = match data {
            Cow::Borrowed(data) => Body::from(*data),
            Cow::Owned(data) => Body::from(data.clone()),
        };
        let mut response = body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::CACHE_CONTROL, self.cache.clone());
        if !self.encoded.is_empty() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if let Some((encoding, _)) = best {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
        }
        response
    }
}

fn content_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// What only those who write it read would be a sixth of what travels.
fn without_comments(css: &str) -> String {
    let mut parts = css.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |css, part| css + part.split_once("*/").map_or("", |(_, rest)| rest.trim_start()))
}

/// FNV-1a over the content (draft-eastlake-fnv, 64 bits): it tells builds apart, and guards nothing.
fn fingerprint(content: &[u8]) -> String {
    let hash = content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> File {
        let encoded = vec![(Encoding::Brotli, Cow::Borrowed(&b"b"[..])), (Encoding::Gzip, Cow::Borrowed(&b"g"[..]))];
        File { encoded, ..File::new("js", Cow::Borrowed(b"plain"), FOR_EVER) }
    }

    fn encoding_for(accept: &'static str) -> Option<String> {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(accept))]);
        let response = file().respond(&headers);
        response.headers().get(header::CONTENT_ENCODING).map(|name| name.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_best_encoding_that_the_client_takes_is_served() {
        assert_eq!(encoding_for("gzip, deflate, br").as_deref(), Some("br"));
        assert_eq!(encoding_for("gzip").as_deref(), Some("gzip"));
        assert_eq!(encoding_for("identity"), None);
    }

    #[test]
    fn a_name_changes_with_its_content() {
        assert_eq!(fingerprint(b""), "cbf29ce484222325");
        assert_eq!(fingerprint(b"a"), "af63dc4c8601ec8c");
    }

    #[test]
    fn comments_stay_at_home() {
        assert_eq!(without_comments("/* a */\nb { c: d; /* e\n f */ }\n"), "b { c: d; }\n");
        assert!(!without_comments(STYLE).contains("*/"));
    }

    #[test]
    fn the_stylesheet_is_served_under_its_own_name_only() {
        let assets = Assets::load();
        let name = assets.parts.style.strip_prefix("/assets/").unwrap();
        let response = assets.hashed(name, &HeaderMap::new()).unwrap();
        assert_eq!(response.headers()[header::CACHE_CONTROL], FOR_EVER);
        assert!(assets.hashed("hostbeat.css", &HeaderMap::new()).is_none());
        assert!(assets.public("favicon.svg", &HeaderMap::new()).is_some());
    }
}
