//! The bytes of a tick's events. Old ticks are seldom read and compress to a fifth, so the ring keeps them compressed.

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use std::{
    borrow::Cow,
    io::{self, Read, Write},
};

/// The events of a tick, one after the other.
#[derive(Debug)]
pub(super) enum EventBytes {
    /// As they are sent.
    Plain(Box<[u8]>),
    /// Compressed (raw deflate).
    Packed(Box<[u8]>),
}

impl EventBytes {
    pub(super) fn is_packed(&self) -> bool {
        matches!(self, Self::Packed(_))
    }

    /// The same events, compressed. Speed matters more than a few percent of size.
    pub(super) fn packed(&self) -> io::Result<Self> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&self.plain()?)?;
        Ok(Self::Packed(encoder.finish()?.into()))
    }

    /// The events as they are sent.
    pub(super) fn plain(&self) -> io::Result<Cow<'_, [u8]>> {
        match self {
            Self::Plain(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Packed(bytes) => {
                let mut plain = Vec::with_capacity(bytes.len() * 6);
                DeflateDecoder::new(&**bytes).read_to_end(&mut plain)?;
                Ok(Cow::Owned(plain))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packed_bytes_unpack_to_the_same(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let packed = EventBytes::Plain(bytes.clone().into()).packed().unwrap();
            prop_assert!(packed.is_packed());
            prop_assert_eq!(&*packed.plain().unwrap(), &bytes[..]);
        }
    }
}
