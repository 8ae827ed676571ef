//! The type of a chunk: encoded events ready to send, with HTTP/1.1's framing, compressed with gzip if the client accepts it.

use super::{chunk_memory::ChunkMemory, encoded_tick::EncodedTick, event_writer::write_json, gzip};
use crate::schema::{Annotation, EventFilter, EventId, WindowSnapshot};
use bytes::{BufMut, Bytes, BytesMut};
use flate2::Crc;
use serde::Serialize;
use std::{io::Write, sync::Arc};

/// A stream's content coding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Coding {
    /// Uncompressed.
    #[default]
    Identity,
    /// gzip, in chunks that all viewers share.
    Gzip,
}

/// Some events, ready to be written to any number of viewers.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// With HTTP/1.1's chunked framing (RFC 9112, section 7.1), which most viewers need.
    framed: Bytes,
    /// Offset of the data within `framed`.
    data_start: u8,
    /// Of the uncompressed data; `None` for [`Coding::Identity`], which needs none.
    crc: Option<Arc<Crc>>,
    /// How many events it holds.
    pub events: u32,
}

/// The data of a `window` event.
#[derive(Debug, Serialize)]
pub(super) struct WindowEvent<'a> {
    #[serde(flatten)]
    pub window: WindowSnapshot,
    /// Those of the last hour; `None` for a client that filters them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<&'a [Annotation]>,
}

/// Ends a chunk's size line, and its data.
const CRLF: &[u8] = b"\r\n";

impl Chunk {
    pub(super) fn new(plain: &[u8], events: u32, coding: Coding) -> Self {
        match coding {
            Coding::Identity => Self::frame(&[plain], events, None),
            Coding::Gzip => Self::frame(&[&gzip::deflate(plain)], events, Some(gzip::crc(plain))),
        }
    }

    /// The events named in `wanted` of one tick.
    pub(super) fn of_tick(tick: &EncodedTick, wanted: &EventFilter, coding: Coding) -> Self {
        let mut plain = BytesMut::new();
        let events = tick.write(&mut plain, wanted, 0);
        Self::new(&plain, events, coding)
    }

    /// The events named in `wanted` of several ticks, without the first `skip` events of the first tick.
    pub(super) fn of_ticks(ticks: &[Arc<EncodedTick>], skip: usize, wanted: &EventFilter, coding: Coding) -> Self {
        let (mut plain, mut skip) = (BytesMut::new(), skip);
        let events = ticks.iter().map(|tick| tick.write(&mut plain, wanted, std::mem::take(&mut skip))).sum();
        Self::new(&plain, events, coding)
    }

    /// A `window` event whose newest event has the id `newest`.
    pub(super) fn of_window(window: &WindowEvent<'_>, newest: EventId, coding: Coding) -> Self {
        let mut plain = BytesMut::new();
        write_json(&mut plain, Some(newest), "window", window);
        Self::new(&plain, 1, coding)
    }

    fn frame(data: &[&[u8]], events: u32, crc: Option<Crc>) -> Self {
        let length: usize = data.iter().map(|data| data.len()).sum();
        let mut framed = BytesMut::with_capacity(length + 16);
        // Writing to memory can't fail.
        let _ = write!((&mut framed).writer(), "{length:x}\r\n");
        let data_start = framed.len() as u8;
        data.iter().for_each(|data| framed.put_slice(data));
        framed.put_slice(CRLF);
        Self { framed: framed.freeze(), data_start, crc: crc.map(Arc::new), events }
    }

    /// The same chunk, whose bytes `memory` counts.
    pub(super) fn counted(self, memory: &ChunkMemory) -> Self {
        Self { framed: memory.count(self.framed), ..self }
    }

    /// With HTTP/1.1's chunk framing.
    pub fn framed(&self) -> &Bytes {
        &self.framed
    }

    /// Without framing.
    pub fn data(&self) -> Bytes {
        self.framed.slice(usize::from(self.data_start)..self.framed.len() - CRLF.len())
    }

    /// Bytes without framing.
    pub fn data_len(&self) -> usize {
        self.framed.len() - CRLF.len() - usize::from(self.data_start)
    }
}

/// Encodes one viewer's stream: frames what only this viewer gets, and combines the CRCs of all chunks.
#[derive(Debug, Default)]
pub struct Encoder {
    /// The stream's content coding.
    pub coding: Coding,
    crc: Crc,
}

impl Encoder {
    /// The encoder of a new stream.
    pub fn new(coding: Coding) -> Self {
        Self { coding, crc: Crc::new() }
    }

    /// The stream's first chunk.
    pub fn first(&mut self, plain: &[u8], events: u32) -> Chunk {
        match self.coding {
            Coding::Identity => self.next(plain, events),
            Coding::Gzip => {
                let crc = gzip::crc(plain);
                self.crc.combine(&crc);
                Chunk::frame(&[&gzip::HEADER, &gzip::store(plain)], events, Some(crc))
            }
        }
    }

    /// A chunk for this viewer only.
    pub fn next(&mut self, plain: &[u8], events: u32) -> Chunk {
        let chunk = match self.coding {
            Coding::Identity => Chunk::frame(&[plain], events, None),
            Coding::Gzip => Chunk::frame(&[&gzip::store(plain)], events, Some(gzip::crc(plain))),
        };
        self.add(&chunk);
        chunk
    }

    /// Adds a chunk's CRC to the stream's; shared chunks are added like this viewer's own.
    pub fn add(&mut self, chunk: &Chunk) {
        if let Some(crc) = &chunk.crc {
            self.crc.combine(crc);
        }
    }

    /// The stream's last chunk.
    pub fn last(&mut self, plain: &[u8], events: u32) -> Chunk {
        match self.coding {
            Coding::Identity => self.next(plain, events),
            Coding::Gzip => {
                let crc = gzip::crc(plain);
                self.crc.combine(&crc);
                Chunk::frame(&[&gzip::store(plain), &gzip::trailer(&self.crc)], events, Some(crc))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn framed_chunk_starts_with_its_length_in_hex() {
        let chunk = Chunk::new(&[b'x'; 26], 1, Coding::Identity);
        assert_eq!(chunk.data(), vec![b'x'; 26]);
        assert_eq!(*chunk.framed(), [&b"1a\r\n"[..], &[b'x'; 26], b"\r\n"].concat());
    }

    #[test]
    fn viewers_that_join_at_different_times_share_later_chunks() {
        let shared: Vec<_> = ["one ", "two ", "three "].map(|text| Chunk::new(text.as_bytes(), 1, Coding::Gzip)).into();
        for joined in 0..3 {
            let mut encoder = Encoder::new(Coding::Gzip);
            let mut stream = encoder.first(b"hello ", 1).data().to_vec();
            for chunk in &shared[joined..] {
                encoder.add(chunk);
                stream.extend(chunk.data());
            }
            stream.extend(encoder.next(b"", 0).data());
            stream.extend(encoder.last(b"goodbye", 1).data());
            let mut text = String::new();
            flate2::read::GzDecoder::new(&*stream).read_to_string(&mut text).unwrap();
            assert_eq!(text, format!("hello {}goodbye", ["one ", "two ", "three "][joined..].concat()));
        }
    }
}
