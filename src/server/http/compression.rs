//! Compresses pages and snapshots by `Accept-Encoding`. Replaces `tower_http`'s layer, which compresses a
//! complete page in pieces, and would have to be kept from streams and precompressed files.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use brotli::{BrotliCompress, enc::BrotliEncoderParams};
use flate2::{Compression, write::GzEncoder};
use std::io::{self, Write};

/// The highest quality that compresses a page in about a millisecond.
const BROTLI_QUALITY: i32 = 5;
/// 128 KiB, the size of a page. A larger window takes megabytes for each page under way; a smaller one is slower.
const BROTLI_WINDOW: i32 = 17;

/// A content coding (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// All codings, smallest output first.
    pub(in crate::server) const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// The name in headers.
    pub(in crate::server) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Whether a client accepts it; a weight of 0 refuses it (RFC 9110, section 12.5.3).
    pub(in crate::server) fn accepted(self, headers: &HeaderMap) -> bool {
        let lists = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|list| list.to_str().ok());
        let mut entries = lists.flat_map(|list| list.split(','));
        entries.any(|entry| {
            let (name, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
            name.trim().eq_ignore_ascii_case(self.name()) && weight != Some(0.0)
        })
    }

    /// Compresses `plain` whole.
    ///
    /// # Errors
    /// When writing to memory fails, which doesn't happen.
    pub(in crate::server) fn compress(self, mut plain: &[u8]) -> io::Result<Vec<u8>> {
        let mut compressed = Vec::with_capacity(plain.len() / 4);
        match self {
            Self::Brotli => {
                let parameters = BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: BROTLI_WINDOW,
                    size_hint: plain.len(),
                    ..BrotliEncoderParams::default()
                };
                BrotliCompress(&mut plain, &mut compressed, &parameters)?;
            }
            Self::Gzip => {
                let mut encoder = GzEncoder::new(&mut compressed, Compression::default());
                encoder.write_all(plain)?;
                encoder.finish()?;
            }
        }
        Ok(compressed)
    }
}

/// Middleware for pages and snapshots. Files are precompressed, and other responses are small.
pub(in crate::server) async fn compress(request: Request, next: Next) -> Response {
    let wanted = request.method() != Method::HEAD;
    let accepted = Encoding::ALL.into_iter().find(|encoding| wanted && encoding.accepted(request.headers()));
    let mut response = next.run(request).await;
    if !is_compressible(response.headers()) {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    let Some(encoding) = accepted else { return response };
    let (mut head, body) = response.into_parts();
    // The body is in memory already, so reading it can't fail.
    let plain = to_bytes(body, usize::MAX).await.unwrap_or_default();
    match encoding.compress(&plain) {
        Ok(compressed) => {
            head.headers.remove(header::CONTENT_LENGTH);
            head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
            Response::from_parts(head, Body::from(compressed))
        }
        Err(error) => {
            tracing::error!(%error, "cannot compress a page");
            Response::from_parts(head, Body::from(plain))
        }
    }
}

fn is_compressible(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map(|content_type| content_type.as_bytes());
    content_type.is_some_and(|name| name.starts_with(b"text/html") || name.starts_with(b"application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn accepts(list: &'static str) -> Vec<&'static str> {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(list))]);
        Encoding::ALL.into_iter().filter(|encoding| encoding.accepted(&headers)).map(Encoding::name).collect()
    }

    #[test]
    fn accept_encoding_selects_codings() {
        assert_eq!(accepts("gzip, deflate, br"), ["br", "gzip"]);
        assert_eq!(accepts("GZIP;q=0.5"), ["gzip"]);
        assert_eq!(accepts("br;q=0, gzip"), ["gzip"]);
        assert_eq!(accepts("identity"), [""; 0]);
        assert_eq!(accepts(""), [""; 0]);
    }

    #[test]
    fn compressed_page_decompresses_to_original() {
        let page = "<p>one of many alike</p>".repeat(10_000);
        for encoding in Encoding::ALL {
            let compressed = encoding.compress(page.as_bytes()).unwrap();
            assert!(compressed.len() < page.len() / 20, "{encoding:?}: {} bytes", compressed.len());
            let mut plain = String::new();
            match encoding {
                Encoding::Brotli => brotli::Decompressor::new(&*compressed, 4096).read_to_string(&mut plain).unwrap(),
                Encoding::Gzip => flate2::read::GzDecoder::new(&*compressed).read_to_string(&mut plain).unwrap(),
            };
            assert!(plain == page, "{encoding:?}");
        }
    }
}
