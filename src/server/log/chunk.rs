//! Bytes of a stream as they leave: packed if the client wants it, and framed for HTTP/1.1.

use super::gzip::{self, Part, Sum};
use bytes::{BufMut, Bytes, BytesMut};
use std::io::Write;

/// How a stream is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Coding {
    /// Not at all.
    #[default]
    Identity,
    /// In chunks that all its viewers share.
    Gzip,
}

/// Some events, ready to be written, shared by whoever gets the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// A chunk of HTTP/1.1's chunked coding (RFC 9112, section 7.1), which is how most viewers get it.
    framed: Bytes,
    /// Where the chunk's data begin.
    data: u8,
    part: Option<Part>,
    /// How many events it holds.
    pub events: u32,
}

/// Ends a chunk's size, and its data.
const CRLF: &[u8] = b"\r\n";

impl Chunk {
    pub(super) fn new(plain: &[u8], events: u32, coding: Coding) -> Self {
        match coding {
            Coding::Identity => Self::frame(&[plain], events, None),
            Coding::Gzip => Self::frame(&[&gzip::blocks(plain)], events, Some(Part::of(plain))),
        }
    }

    fn frame(data: &[&[u8]], events: u32, part: Option<Part>) -> Self {
        let length: usize = data.iter().map(|data| data.len()).sum();
        let mut chunk = BytesMut::with_capacity(length + 16);
        // Writing to memory can't fail.
        let _ = write!((&mut chunk).writer(), "{length:x}\r\n");
        let start = chunk.len() as u8;
        data.iter().for_each(|data| chunk.put_slice(data));
        chunk.put_slice(CRLF);
        Self { framed: chunk.freeze(), data: start, part, events }
    }

    /// With HTTP/1.1's framing.
    pub fn framed(&self) -> &Bytes {
        &self.framed
    }

    /// Without any framing.
    pub fn data(&self) -> Bytes {
        self.framed.slice(usize::from(self.data)..self.framed.len() - CRLF.len())
    }

    /// Bytes without any framing.
    pub fn data_len(&self) -> usize {
        self.framed.len() - CRLF.len() - usize::from(self.data)
    }
}

/// Packs what only one viewer gets, and keeps the sum over that and over what it shares.
#[derive(Debug, Default)]
pub struct Encoder {
    /// How this viewer's stream is packed.
    pub coding: Coding,
    sum: Sum,
}

impl Encoder {
    /// Packs in this way, from the beginning of a stream.
    pub fn new(coding: Coding) -> Self {
        Self { coding, sum: Sum::default() }
    }

    /// The first chunk.
    pub fn first(&mut self, plain: &[u8], events: u32) -> Chunk {
        match self.coding {
            Coding::Identity => self.next(plain, events),
            Coding::Gzip => {
                let part = self.add(Part::of(plain));
                Chunk::frame(&[&gzip::HEADER, &gzip::blocks(plain)], events, Some(part))
            }
        }
    }

    /// A chunk of this viewer's own.
    pub fn next(&mut self, plain: &[u8], events: u32) -> Chunk {
        self.share(Chunk::new(plain, events, self.coding))
    }

    /// A chunk that others get, too.
    pub fn share(&mut self, chunk: Chunk) -> Chunk {
        self.count(&chunk);
        chunk
    }

    /// Counts a chunk in that others get, too.
    pub fn count(&mut self, chunk: &Chunk) {
        if let Some(part) = chunk.part {
            self.add(part);
        }
    }

    /// The last chunk.
    pub fn last(&mut self, plain: &[u8], events: u32) -> Chunk {
        match self.coding {
            Coding::Identity => self.next(plain, events),
            Coding::Gzip => {
                let part = self.add(Part::of(plain));
                Chunk::frame(&[&gzip::blocks(plain), &self.sum.trailer()], events, Some(part))
            }
        }
    }

    fn add(&mut self, part: Part) -> Part {
        self.sum.add(&part);
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_piece_has_its_length_in_front_for_those_who_need_it() {
        let chunk = Chunk::new(&[b'x'; 26], 1, Coding::Identity);
        assert_eq!(chunk.data(), vec![b'x'; 26]);
        assert_eq!(*chunk.framed(), [&b"1a\r\n"[..], &[b'x'; 26], b"\r\n"].concat());
    }

    #[test]
    fn viewers_who_joined_at_different_times_share_what_follows() {
        let shared: Vec<_> = ["one ", "two ", "three "].map(|text| Chunk::new(text.as_bytes(), 1, Coding::Gzip)).into();
        for joined in 0..3 {
            let mut encoder = Encoder::new(Coding::Gzip);
            let mut stream = encoder.first(b"hello ", 1).data().to_vec();
            for chunk in &shared[joined..] {
                stream.extend(encoder.share(chunk.clone()).data());
            }
            stream.extend(encoder.next(b"", 0).data());
            stream.extend(encoder.last(b"goodbye", 1).data());
            let mut text = String::new();
            flate2::read::GzDecoder::new(&*stream).read_to_string(&mut text).unwrap();
            assert_eq!(text, format!("hello {}goodbye", ["one ", "two ", "three "][joined..].concat()));
        }
    }
}
