//! Chooses a content coding by `Accept-Encoding`, and compresses pages and files whole.

use axum::http::{HeaderMap, header};
use brotli::{BrotliCompress, enc::BrotliEncoderParams};
use flate2::{Compression, write::GzEncoder};
use std::io::{self, Write};

/// The highest quality that compresses a page in a few milliseconds, which is once a second for all readers.
const BROTLI_QUALITY: i32 = 8;
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

    /// The coding that a client prefers among `available`, the first of them if several weigh the same (RFC 9110,
    /// section 12.5.3). `None` is the response without coding: preferred, or all that is left.
    pub(in crate::server) fn preferred(headers: &HeaderMap, available: impl IntoIterator<Item = Self>) -> Option<Self> {
        let weights = available.into_iter().filter_map(|encoding| Some((encoding, weight(headers, encoding.name())?)));
        let heaviest = weights.filter(|(_, weight)| *weight > 0.0).reduce(|a, b| if b.1 > a.1 { b } else { a });
        // Unlisted, the response without coding is the last choice, though `*` names it too.
        let plain = listed_weight(headers, "identity").unwrap_or(0.0);
        heaviest.filter(|(_, weight)| *weight >= plain).map(|(encoding, _)| encoding)
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

/// The weight of a coding in `Accept-Encoding`: its own, or that of `*`.
fn weight(headers: &HeaderMap, name: &str) -> Option<f32> {
    listed_weight(headers, name).or_else(|| listed_weight(headers, "*"))
}

/// The weight of an entry of `Accept-Encoding`, 1 without a valid one.
fn listed_weight(headers: &HeaderMap, name: &str) -> Option<f32> {
    let lists = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|list| list.to_str().ok());
    let mut entries = lists.flat_map(|list| list.split(',')).map(|entry| entry.split_once(';').unwrap_or((entry, "")));
    let (_, parameter) = entries.find(|(listed, _)| listed.trim().eq_ignore_ascii_case(name))?;
    let weight = parameter.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let weight = weight.and_then(|(_, weight)| weight.trim().parse().ok());
    Some(weight.filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use std::io::Read;

    fn preferred(list: &'static str, available: &[Encoding]) -> &'static str {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(list))]);
        Encoding::preferred(&headers, available.iter().copied()).map_or("identity", Encoding::name)
    }

    #[test]
    fn heaviest_coding_is_preferred_and_the_smaller_among_equals() {
        for (list, expected) in [
            ("gzip, deflate, br", "br"),
            ("br;q=0.1, gzip;q=1", "gzip"),
            ("br; Q = 0.5 , GZIP;q=0.8", "gzip"),
            ("deflate, gzip;q=1.0, *;q=0.5", "gzip"),
            ("gzip;q=0.2, *;q=0.5", "br"),
            ("*", "br"),
            ("br;q=0, *", "gzip"),
            ("gzip;q=2", "gzip"),
        ] {
            assert_eq!(preferred(list, &Encoding::ALL), expected, "{list}");
        }
    }

    #[test]
    fn plain_response_is_sent_when_preferred_or_nothing_else_is_left() {
        for list in ["", "identity", "br;q=0", "zstd, br;q=0", "*;q=0", "identity, gzip;q=0.5", "identity;q=0"] {
            assert_eq!(preferred(list, &Encoding::ALL), "identity", "{list}");
        }
        assert_eq!(preferred("identity;q=0, gzip;q=0.1", &Encoding::ALL), "gzip");
        assert_eq!(preferred("identity;q=0.5, gzip;q=0.5", &Encoding::ALL), "gzip");
        assert_eq!(preferred("br, gzip;q=0", &[Encoding::Gzip]), "identity");
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
