//! Compresses with gzip (RFC 1952) so that any viewer's stream can continue with any chunk.
//!
//! Each chunk is deflated on its own and flushed to a byte boundary, so it refers to no earlier one. Only the CRC at the end
//! is a viewer's own; it is combined from those of the chunks.

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use std::cell::RefCell;

/// Deflate, no name, no time, no extra fields, unknown system (RFC 1952, section 2.3).
pub(super) const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// An empty last block (RFC 1951, section 3.2.6).
const LAST_BLOCK: [u8; 2] = [3, 0];
/// Room for the end of a sync flush.
const SLACK: usize = 64;

thread_local! {
    /// Takes 300 KB; allocated per chunk, it would fragment the heap.
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::default(), false));
}

/// `plain` as deflate blocks that refer to nothing before them.
pub(super) fn deflate(plain: &[u8]) -> Vec<u8> {
    COMPRESS.with_borrow_mut(|compress| {
        compress.reset();
        deflate_with(compress, plain)
    })
}

/// `plain` as uncompressed blocks, for the few bytes that only one viewer gets: compressing them would cost each viewer
/// more than it saves.
pub(super) fn store(plain: &[u8]) -> Vec<u8> {
    let blocks = plain.chunks(usize::from(u16::MAX)).flat_map(|block| {
        let length = block.len() as u16;
        // Not the last block, of the type without compression (RFC 1951, section 3.2.4).
        [&[0], &length.to_le_bytes()[..], &(!length).to_le_bytes(), block].concat()
    });
    blocks.collect()
}

fn deflate_with(compress: &mut Compress, plain: &[u8]) -> Vec<u8> {
    // Room for the worst case: after its output was full, the compressor may return before the sync flush is complete.
    let mut compressed = Vec::with_capacity(plain.len() + plain.len() / 64 + SLACK);
    loop {
        let taken = compress.total_in() as usize;
        let status = compress.compress_vec(&plain[taken..], &mut compressed, FlushCompress::Sync);
        let room = compressed.capacity() - compressed.len();
        // Unused room proves that the flush is complete.
        if !matches!(status, Ok(Status::Ok)) || (compress.total_in() as usize == plain.len() && room > 0) {
            return compressed;
        }
        compressed.reserve(plain.len() / 2 + SLACK);
    }
}

/// The CRC and length of uncompressed bytes.
pub(super) fn crc(plain: &[u8]) -> Crc {
    let mut crc = Crc::new();
    crc.update(plain);
    crc
}

/// The end of a stream with this CRC and length.
pub(super) fn trailer(crc: &Crc) -> Vec<u8> {
    [&LAST_BLOCK[..], &crc.sum().to_le_bytes(), &crc.amount().to_le_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use proptest::prelude::*;
    use std::io::Read;

    fn twice(chunks: &[Vec<u8>]) -> Vec<u8> {
        chunks.iter().flat_map(|chunk| chunk.repeat(2)).collect()
    }

    /// The stream of `chunks`, each compressed and then stored, decompressed by a standard decoder that checks the trailer.
    fn round_trip(chunks: &[Vec<u8>]) -> Vec<u8> {
        let mut total = Crc::new();
        let mut compressed = HEADER.to_vec();
        for chunk in chunks {
            compressed.extend(deflate(chunk));
            compressed.extend(store(chunk));
            total.combine(&crc(chunk));
            total.combine(&crc(chunk));
        }
        compressed.extend(trailer(&total));
        let mut plain = Vec::new();
        GzDecoder::new(&*compressed).read_to_end(&mut plain).unwrap();
        plain
    }

    #[test]
    fn large_chunk_is_compressed_completely() {
        // Barely compressible, so that the initial capacity is too small.
        let mut state = 1_u32;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        let chunk: Vec<u8> = noise.take(300_000).collect();
        assert_eq!(round_trip(std::slice::from_ref(&chunk)), chunk.repeat(2));
    }

    #[test]
    fn chunk_just_over_a_deflate_block_is_compressed_completely() {
        let text: Vec<u8> = std::iter::repeat_with(|| fastrand::alphanumeric() as u8).take(64_000).collect();
        for length in (31_740..31_920).chain(63_480..63_720).step_by(8) {
            assert_eq!(round_trip(&[text[..length].to_vec()]), text[..length].repeat(2), "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn independent_chunks_form_one_stream(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 0..8)) {
            prop_assert_eq!(round_trip(&chunks), twice(&chunks));
        }
    }
}
