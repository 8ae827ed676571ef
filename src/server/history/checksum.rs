//! A checksum after bytes that are kept, so that damaged ones are noticed.

use flate2::Crc;

/// Bytes of the checksum.
const LENGTH: usize = 4;

/// Adds the checksum. `key` is where the bytes are kept: elsewhere they are damaged, too.
pub(super) fn append(bytes: &mut Vec<u8>, key: i64) {
    let sum = of(bytes, key);
    bytes.extend(sum);
}

/// The bytes before the checksum; `None` if they are damaged.
pub(super) fn verify(bytes: &[u8], key: i64) -> Option<&[u8]> {
    let (bytes, sum) = bytes.split_last_chunk::<LENGTH>()?;
    (of(bytes, key) == *sum).then_some(bytes)
}

fn of(bytes: &[u8], key: i64) -> [u8; LENGTH] {
    let mut crc = Crc::new();
    crc.update(&key.to_le_bytes());
    crc.update(bytes);
    crc.sum().to_le_bytes()
}
