//! The page's static files, embedded in the binary, compressed at build time, and served under fingerprinted names.

use super::Encoding;
use crate::app::Parts;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;
use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

/// The browser library: embedded from `make build` in a release, read from cargo-leptos's output in a debug build.
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

/// The stylesheet of pages with forms, which the dashboard need not load.
const ACCOUNT_STYLE: &str = concat!(
    include_str!("../../../style/tokens.css"),
    include_str!("../../../style/base.css"),
    include_str!("../../../style/account.css"),
    include_str!("../../../style/arrange.css"),
);

/// What pages of the history add to the stylesheet.
const HISTORY_STYLE: &str = include_str!("../../../style/history.css");

/// The whole stylesheet of a recording that is one file.
pub(super) fn recording_style() -> String {
    without_comments(&[STYLE, HISTORY_STYLE].concat())
}

/// The script of pages of the history.
const HISTORY_SCRIPT: &str = include_str!("../../../script/history.js");

/// The script of the page that arranges the panels.
const ARRANGE_SCRIPT: &str = include_str!("../../../script/arrange.js");

/// For names that change with the content.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ONE_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");
/// For the service worker: a cache on the way would delay its update.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// The embedded files.
pub(in crate::server) static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::load);

/// The files by name.
#[derive(Debug)]
pub(in crate::server) struct Assets {
    hashed: BTreeMap<String, File>,
    public: BTreeMap<String, File>,
    /// Paths of the files that the page refers to.
    pub(in crate::server) parts: Parts,
    /// Fingerprint of these files: a page of another version is outdated.
    pub(in crate::server) version: String,
}

#[derive(Clone, Debug)]
struct File {
    content_type: &'static str,
    plain: Cow<'static, [u8]>,
    /// Precompressed, smallest first.
    compressed: Vec<(Encoding, Cow<'static, [u8]>)>,
    cache: HeaderValue,
    /// The fingerprint that `ETag` is made of.
    fingerprint: String,
}

impl Assets {
    fn load() -> Self {
        let mut hashed = BTreeMap::new();
        let mut add = |stem: &str, extension: &str, file: File| {
            let name = format!("{stem}-{}.{extension}", file.fingerprint);
            let path = format!("./assets/{name}");
            hashed.insert(name, file);
            path
        };
        let mut style = |stem, text| {
            add(stem, "css", File::new("css", without_comments(text).into_bytes().into(), IMMUTABLE).compressed())
        };
        let history_style = style("history", HISTORY_STYLE);
        let (style, account_style) = (style("hostbeat", STYLE), style("account", ACCOUNT_STYLE));
        let mut script =
            |stem, text: &'static str| add(stem, "js", File::new("js", text.as_bytes().into(), IMMUTABLE).compressed());
        let (arrange_script, history_script) = (script("arrange", ARRANGE_SCRIPT), script("history", HISTORY_SCRIPT));
        let mut library = |extension: &str| Some(add("hostbeat", extension, File::library(extension)?));
        let (script, wasm) = (library("js"), library("wasm"));
        let parts = Parts { style, account_style, arrange_script, history_style, history_script, script, wasm };
        let version = fingerprint(format!("{parts:?}").as_bytes());
        let public = Public::iter().filter_map(|name| {
            let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
            let cache = if name == "sw.js" { REVALIDATE } else { ONE_DAY };
            Some((name.to_string(), File::new(extension, Public::get(&name)?.data, cache).compressed()))
        });
        Self { public: public.collect(), hashed, parts, version }
    }

    /// A file by its fingerprinted name.
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
        let fingerprint = fingerprint(&plain);
        Self { content_type: content_type(extension), plain, compressed: Vec::new(), cache, fingerprint }
    }

    /// Compresses a small file while the server starts.
    fn compressed(mut self) -> Self {
        let compress = |encoding: Encoding| Some((encoding, encoding.compress(&self.plain).ok()?.into()));
        self.compressed = Encoding::ALL.into_iter().filter_map(compress).collect();
        self
    }

    fn library(extension: &str) -> Option<Self> {
        let read = |suffix| Some(Library::get(&format!("hostbeat.{extension}{suffix}"))?.data);
        let compressed = [(Encoding::Brotli, read(".br")), (Encoding::Gzip, read(".gz"))];
        Some(Self {
            compressed: compressed.into_iter().filter_map(|(encoding, data)| Some((encoding, data?))).collect(),
            ..Self::new(extension, read("")?, IMMUTABLE)
        })
    }

    fn respond(&self, request: &HeaderMap) -> Response {
        let encoding = Encoding::preferred(request, self.compressed.iter().map(|(encoding, _)| *encoding));
        let tag = self.entity_tag(encoding);
        let mut response = if is_known(request, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            self.respond_in_full(encoding)
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, self.cache.clone());
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        if !self.compressed.is_empty() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        response
    }

    fn respond_in_full(&self, encoding: Option<Encoding>) -> Response {
        let compressed = self.compressed.iter().find(|(of, _)| Some(*of) == encoding);
        let body = match compressed.map_or(&self.plain, |(_, data)| data) {
            Cow::Borrowed(data) => Body::from(*data),
            Cow::Owned(data) => Body::from(data.clone()),
        };
        let mut response = body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
        }
        response
    }

    /// Each coding has a tag of its own, since it has other bytes (RFC 9110, section 8.8.3.3).
    fn entity_tag(&self, encoding: Option<Encoding>) -> String {
        format!("\"{}-{}\"", self.fingerprint, encoding.map_or("identity", Encoding::name))
    }
}

/// Whether the client has the representation with this tag. The comparison is weak, because proxies that compress weaken
/// tags (RFC 9110, section 13.1.2).
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let lists = request.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|list| list.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
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

/// Comments are a sixth of the stylesheet's compressed size.
fn without_comments(css: &str) -> String {
    let mut parts = css.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |css, part| css + part.split_once("*/").map_or("", |(_, rest)| rest.trim_start()))
}

/// FNV-1a over the content (draft-eastlake-fnv, 64 bits): it tells builds apart and needs no cryptographic strength.
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
        let compressed = vec![(Encoding::Brotli, Cow::Borrowed(&b"b"[..])), (Encoding::Gzip, Cow::Borrowed(&b"g"[..]))];
        File { compressed, ..File::new("js", Cow::Borrowed(b"plain"), IMMUTABLE) }
    }

    fn encoding_for(accept: &'static str) -> Option<String> {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(accept))]);
        let response = file().respond(&headers);
        response.headers().get(header::CONTENT_ENCODING).map(|name| name.to_str().unwrap().to_owned())
    }

    #[test]
    fn client_gets_smallest_accepted_encoding() {
        assert_eq!(encoding_for("gzip, deflate, br").as_deref(), Some("br"));
        assert_eq!(encoding_for("gzip").as_deref(), Some("gzip"));
        assert_eq!(encoding_for("identity"), None);
        assert_eq!(encoding_for("br;q=0.5, gzip").as_deref(), Some("gzip"));
    }

    fn conditional(accept: &'static str, known: &str) -> Response {
        let known = HeaderValue::from_str(known).unwrap();
        let accept = HeaderValue::from_static(accept);
        file().respond(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, accept), (header::IF_NONE_MATCH, known)]))
    }

    #[test]
    fn known_representation_is_not_sent_again() {
        let full = conditional("gzip", "\"other\"");
        assert_eq!(full.status(), StatusCode::OK);
        let tag = full.headers()[header::ETAG].to_str().unwrap();
        for known in [tag.to_owned(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let response = conditional("gzip", &known);
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            for name in [header::ETAG, header::CACHE_CONTROL, header::VARY] {
                assert_eq!(response.headers()[&name], full.headers()[&name], "{known}");
            }
            assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
        }
        assert_eq!(conditional("br", tag).status(), StatusCode::OK, "another coding has other bytes");
    }

    #[test]
    fn service_worker_is_revalidated_at_each_request() {
        let assets = Assets::load();
        let cache = |name| assets.public(name, &HeaderMap::new()).unwrap().headers()[header::CACHE_CONTROL].clone();
        assert_eq!((cache("sw.js"), cache("manifest.webmanifest")), (REVALIDATE, ONE_DAY));
    }

    #[test]
    fn fingerprint_depends_on_content() {
        assert_eq!(fingerprint(b""), "cbf29ce484222325");
        assert_eq!(fingerprint(b"a"), "af63dc4c8601ec8c");
    }

    #[test]
    fn stylesheet_is_served_without_comments() {
        assert_eq!(without_comments("/* a */\nb { c: d; /* e\n f */ }\n"), "b { c: d; }\n");
        assert!(!without_comments(STYLE).contains("*/"));
    }

    #[test]
    fn stylesheet_is_served_only_under_fingerprinted_name() {
        let assets = Assets::load();
        let name = assets.parts.style.strip_prefix("./assets/").unwrap();
        let response = assets.hashed(name, &HeaderMap::new()).unwrap();
        assert_eq!(response.headers()[header::CACHE_CONTROL], IMMUTABLE);
        assert!(assets.hashed("hostbeat.css", &HeaderMap::new()).is_none());
        assert!(assets.public("favicon.svg", &HeaderMap::new()).is_some());
    }
}
