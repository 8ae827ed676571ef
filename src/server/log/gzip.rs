//! gzip (RFC 1952) that many viewers share.
//!
//! Every chunk is deflated on its own and flushed to a whole byte, so that none refers to an earlier one: what joins a
//! stream at any chunk is a stream. Only the sum at the end is each viewer's own, and is joined from those of the chunks.

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use std::cell::RefCell;

/// Deflate, no name, no time, no extras, of an unknown system (RFC 1952, section 2.3).
pub(super) const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// A last block, with nothing in it (RFC 1951, section 3.2.6).
const LAST_BLOCK: [u8; 2] = [3, 0];
/// A sync flush ends in this; a chunk always leaves room for it.
const SLACK: usize = 64;

thread_local! {
    /// Takes 300 KB: made anew for every chunk, it would leave holes between what viewers keep.
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::default(), false));
}

/// `plain` as deflate blocks that stand for themselves.
pub(super) fn blocks(plain: &[u8]) -> Vec<u8> {
    COMPRESS.with_borrow_mut(|compress| {
        compress.reset();
        deflate(compress, plain)
    })
}

fn deflate(compress: &mut Compress, plain: &[u8]) -> Vec<u8> {
    // Room for the worst case: after its output was full, the compressor may return before the sync flush is complete.
    let mut packed = Vec::with_capacity(plain.len() + plain.len() / 64 + SLACK);
    loop {
        let taken = compress.total_in() as usize;
        let status = compress.compress_vec(&plain[taken..], &mut packed, FlushCompress::Sync);
        let room = packed.capacity() - packed.len();
        // With room to spare, nothing was held back.
        if !matches!(status, Ok(Status::Ok)) || (compress.total_in() as usize == plain.len() && room > 0) {
            return packed;
        }
        packed.reserve(plain.len() / 2 + SLACK);
    }
}

/// What a chunk adds to the sum of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    crc: u32,
    length: u32,
    /// Moves a sum past this chunk's length; the same for every viewer.
    shift: u32,
}

impl Part {
    pub(super) fn of(plain: &[u8]) -> Self {
        let mut crc = Crc::new();
        crc.update(plain);
        Self { crc: crc.sum(), length: plain.len() as u32, shift: power_of_x8(plain.len()) }
    }
}

/// The sum over all that a viewer was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    crc: u32,
    length: u32,
}

impl Sum {
    /// Joins two sums as zlib's `crc32_combine_op` does.
    pub(super) fn add(&mut self, part: &Part) {
        self.crc = multiply(part.shift, self.crc) ^ part.crc;
        self.length = self.length.wrapping_add(part.length);
    }

    /// What ends the stream.
    pub(super) fn trailer(self) -> Vec<u8> {
        [&LAST_BLOCK[..], &self.crc.to_le_bytes(), &self.length.to_le_bytes()].concat()
    }
}

/// CRC-32's polynomial, lowest power first.
const POLYNOMIAL: u32 = 0xedb8_8320;
/// The power 0 of x, and 8: bits count from the top.
const ONE: u32 = 1 << 31;
const X8: u32 = 1 << 23;

/// The product of two polynomials, modulo CRC-32's (zlib's `multmodp`).
fn multiply(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    for bit in (0..32).rev() {
        if a >> bit & 1 == 1 {
            product ^= b;
        }
        b = (b >> 1) ^ (POLYNOMIAL * (b & 1));
    }
    product
}

/// x to the power of 8 `bytes`: what moves a sum by so many (zlib's `crc32_combine_gen`).
fn power_of_x8(mut bytes: usize) -> u32 {
    let (mut power, mut square) = (ONE, X8);
    while bytes > 0 {
        if bytes & 1 == 1 {
            power = multiply(square, power);
        }
        square = multiply(square, square);
        bytes >>= 1;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use proptest::prelude::*;
    use std::io::Read;

    /// What any gzip makes of `chunks`, the trailer checked.
    fn unpack(chunks: &[Vec<u8>]) -> Vec<u8> {
        let mut sum = Sum::default();
        let mut packed = HEADER.to_vec();
        for chunk in chunks {
            packed.extend(blocks(chunk));
            sum.add(&Part::of(chunk));
        }
        packed.extend(sum.trailer());
        let mut plain = Vec::new();
        GzDecoder::new(&*packed).read_to_end(&mut plain).unwrap();
        plain
    }

    #[test]
    fn a_large_piece_is_packed_whole() {
        // Text that hardly repeats, so that the first guess at the room is too small.
        let mut state = 1_u32;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        let chunk: Vec<u8> = noise.take(300_000).collect();
        assert_eq!(unpack(std::slice::from_ref(&chunk)), chunk);
    }

    #[test]
    fn chunk_just_over_a_deflate_block_is_compressed_completely() {
        let text: Vec<u8> = std::iter::repeat_with(|| fastrand::alphanumeric() as u8).take(64_000).collect();
        for length in (31_740..31_920).chain(63_480..63_720).step_by(8) {
            assert_eq!(unpack(&[text[..length].to_vec()]), text[..length], "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn pieces_of_their_own_make_one_stream(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 0..8)) {
            prop_assert_eq!(unpack(&chunks), chunks.concat());
        }
    }
}
