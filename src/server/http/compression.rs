//! How an answer is packed, by what its client takes.

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

/// Where brotli still takes only a millisecond for a page.
const BROTLI_QUALITY: i32 = 5;
/// Looks back 128 KiB, which is a page. More would cost each page under way megabytes; less makes brotli take another way,
/// which is slower.
const BROTLI_WINDOW: i32 = 17;

/// A content coding (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// All that we write, the smallest first.
    pub(in crate::server) const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// As it stands in headers.
    pub(in crate::server) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Whether a client takes it; a weight of 0 refuses it (RFC 9110, section 12.5.3).
    pub(in crate::server) fn accepted(self, headers: &HeaderMap) -> bool {
        let lists = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|list| list.to_str().ok());
        let mut entries = lists.flat_map(|list| list.split(','));
        entries.any(|entry| {
            let (name, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
            name.trim().eq_ignore_ascii_case(self.name()) && weight != Some(0.0)
        })
    }

    /// # Errors
    /// When memory can't be written to, which doesn't happen.
    pub(in crate::server) fn encode(self, mut plain: &[u8]) -> io::Result<Vec<u8>> {
        let mut encoded = Vec::with_capacity(plain.len() / 4);
        match self {
            Self::Brotli => {
                let parameters = BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: BROTLI_WINDOW,
                    size_hint: plain.len(),
                    ..BrotliEncoderParams::default()
                };
                BrotliCompress(&mut plain, &mut encoded, &parameters)?;
            }
            Self::Gzip => {
                let mut encoder = GzEncoder::new(&mut encoded, Compression::default());
                encoder.write_all(plain)?;
                encoder.finish()?;
            }
        }
        Ok(encoded)
    }
}

/// Packs pages and the past. Files were packed when they were built, and everything else is small.
pub(in crate::server) async fn compress(request: Request, next: Next) -> Response {
    let wanted = request.method() != Method::HEAD;
    let accepted = Encoding::ALL.into_iter().find(|encoding| wanted && encoding.accepted(request.headers()));
    let mut response = next.run(request).await;
    if !is_large(response.headers()) {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    let Some(encoding) = accepted else { return response };
    let (mut head, body) = response.into_parts();
    // A page is rendered in memory; nothing can keep it from being read.
    let plain = to_bytes(body, usize::MAX).await.unwrap_or_default();
    match encoding.encode(&plain) {
        Ok(encoded) => {
            head.headers.remove(header::CONTENT_LENGTH);
            head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
            Response::from_parts(head, Body::from(encoded))
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be packed");
            Response::from_parts(head, Body::from(plain))
        }
    }
}

fn is_large(headers: &HeaderMap) -> bool {
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
    fn a_client_says_what_it_takes() {
        assert_eq!(accepts("gzip, deflate, br"), ["br", "gzip"]);
        assert_eq!(accepts("GZIP;q=0.5"), ["gzip"]);
        assert_eq!(accepts("br;q=0, gzip"), ["gzip"]);
        assert_eq!(accepts("identity"), [""; 0]);
        assert_eq!(accepts(""), [""; 0]);
    }

    #[test]
    fn what_is_packed_can_be_unpacked() {
        let page = "<p>one of many alike</p>".repeat(10_000);
        for encoding in Encoding::ALL {
            let encoded = encoding.encode(page.as_bytes()).unwrap();
            assert!(encoded.len() < page.len() / 20, "{encoding:?}: {} bytes", encoded.len());
            let mut plain = String::new();
            match encoding {
                Encoding::Brotli => brotli::Decompressor::new(&*encoded, 4096).read_to_string(&mut plain).unwrap(),
                Encoding::Gzip => flate2::read::GzDecoder::new(&*encoded).read_to_string(&mut plain).unwrap(),
            };
            assert!(plain == page, "{encoding:?} lost something");
        }
    }
}
