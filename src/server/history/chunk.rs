//! The bytes of a chunk: columns of values at equal steps, some of them missing, compressed without loss.
//!
//! A column has the form of its values, the lengths of the runs of slots that alternately have a value and none, and the
//! values. Those that were rounded to decimals are kept as whole numbers, whose differences compress far better than those
//! of floats. A checksum follows the last column.

use super::checksum;
use pco::{
    ChunkConfig, DEFAULT_COMPRESSION_LEVEL,
    errors::PcoError,
    standalone::{simple_compress, simple_decompress},
};

/// Values are rounded to hundredths, means to more.
const MAX_DECIMALS: u8 = 6;
/// Up to here (2^53), an f64 represents every whole number exactly.
const EXACT: u64 = 1 << 53;

/// The form of values that are no whole numbers of up to [`MAX_DECIMALS`] decimals.
const FLOATS: u8 = 0x40;
/// The form of one value that all slots have.
const CONSTANT: u8 = 0x41;

/// Why a chunk can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DamagedChunk {
    /// It is not what was written.
    #[error("its checksum is wrong")]
    Checksum,
    /// It was written by another program.
    #[error("its form is unknown")]
    Form,
    /// Its values can't be decompressed.
    #[error("it can't be decompressed: {0}")]
    Values(#[from] PcoError),
}

/// The bytes of a chunk that is kept under `key`; NaN is a value that is missing.
///
/// # Errors
/// When values can't be compressed, which doesn't happen.
pub(super) fn encode(columns: &[&[f64]], key: i64) -> Result<Vec<u8>, PcoError> {
    let mut bytes = Vec::new();
    for column in columns {
        encode_column(column, &mut bytes)?;
    }
    checksum::append(&mut bytes, key);
    Ok(bytes)
}

/// The columns of the chunk that is kept under `key`.
///
/// # Errors
/// When the bytes are not those of a chunk.
pub(super) fn decode(bytes: &[u8], key: i64) -> Result<Vec<Vec<f64>>, DamagedChunk> {
    let mut bytes = checksum::verify(bytes, key).ok_or(DamagedChunk::Checksum)?;
    let mut columns = Vec::new();
    while !bytes.is_empty() {
        columns.push(decode_column(&mut bytes)?);
    }
    Ok(columns)
}

fn encode_column(column: &[f64], into: &mut Vec<u8>) -> Result<(), PcoError> {
    let present: Vec<_> = column.iter().copied().filter(|value| !value.is_nan()).collect();
    let config = ChunkConfig::default().with_compression_level(DEFAULT_COMPRESSION_LEVEL);
    let is_constant = present.array_windows().all(|[one, next]| one.to_bits() == next.to_bits());
    let scaled = || (0..=MAX_DECIMALS).find_map(|decimals| Some((decimals, to_whole(&present, decimals)?)));
    let (form, values) = match (present.first(), is_constant) {
        (Some(first), true) => (CONSTANT, first.to_le_bytes().to_vec()),
        _ => match scaled() {
            Some((decimals, whole)) => (decimals, simple_compress(&whole, &config)?),
            None => (FLOATS, simple_compress(&present, &config)?),
        },
    };
    into.push(form);
    let runs: Vec<_> = column.chunk_by(|one, next| one.is_nan() == next.is_nan()).map(<[f64]>::len).collect();
    let starts_missing = column.first().is_some_and(|first| first.is_nan());
    write_number(runs.len() + usize::from(starts_missing), into);
    if starts_missing {
        write_number(0, into);
    }
    runs.into_iter().for_each(|run| write_number(run, into));
    write_number(values.len(), into);
    into.extend(values);
    Ok(())
}

fn decode_column(bytes: &mut &[u8]) -> Result<Vec<f64>, DamagedChunk> {
    let form = bytes.split_off_first().copied().ok_or(DamagedChunk::Form)?;
    let runs = read_number(bytes)?;
    let runs = (0..runs).map(|_| read_number(bytes)).collect::<Result<Vec<_>, _>>()?;
    let len = read_number(bytes)?;
    let values = bytes.split_off(..len).ok_or(DamagedChunk::Form)?;
    let count = runs.iter().step_by(2).sum();
    let values = match form {
        CONSTANT => vec![f64::from_le_bytes(values.try_into().map_err(|_| DamagedChunk::Form)?); count],
        FLOATS => simple_decompress(values)?,
        decimals @ ..=MAX_DECIMALS => from_whole(&simple_decompress(values)?, decimals),
        _ => return Err(DamagedChunk::Form),
    };
    let mut values = values.into_iter();
    let slots = runs.iter().enumerate().flat_map(|(index, &run)| std::iter::repeat_n(index % 2 == 0, run));
    slots.map(|is_present| if is_present { values.next().ok_or(DamagedChunk::Form) } else { Ok(f64::NAN) }).collect()
}

/// The values times 10^`decimals`; `None` unless that restores each of them exactly.
fn to_whole(values: &[f64], decimals: u8) -> Option<Vec<i64>> {
    let factor = 10f64.powi(decimals.into());
    let whole = values.iter().map(|value| {
        let whole = (value * factor).round() as i64;
        (whole.unsigned_abs() < EXACT && (whole as f64 / factor).to_bits() == value.to_bits()).then_some(whole)
    });
    whole.collect()
}

fn from_whole(values: &[i64], decimals: u8) -> Vec<f64> {
    let factor = 10f64.powi(decimals.into());
    values.iter().map(|&value| value as f64 / factor).collect()
}

/// As LEB128: seven bits a byte, low ones first.
fn write_number(mut number: usize, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn read_number(bytes: &mut &[u8]) -> Result<usize, DamagedChunk> {
    let mut number = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = bytes.split_off_first().copied().ok_or(DamagedChunk::Form)?;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(DamagedChunk::Form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits(columns: &[Vec<f64>]) -> Vec<Vec<u64>> {
        columns.iter().map(|column| column.iter().map(|value| value.to_bits()).collect()).collect()
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            3 => (0i64..1_000_000).prop_map(|hundredths| hundredths as f64 / 100.0),
            2 => (0u64..1 << 50).prop_map(|bytes| bytes as f64),
            1 => Just(-0.0),
            1 => any::<f64>().prop_filter("NaN means missing", |value| !value.is_nan()),
            2 => Just(f64::NAN),
        ]
    }

    proptest! {
        #[test]
        fn decoded_chunk_has_the_bits_of_the_encoded_one(
            columns in prop::collection::vec(prop::collection::vec(value(), 0..200), 0..4)
        ) {
            let columns: Vec<Vec<f64>> = columns;
            let encoded = encode(&columns.iter().map(|column| &**column).collect::<Vec<_>>(), 7).unwrap();
            prop_assert_eq!(bits(&decode(&encoded, 7).unwrap()), bits(&columns));
        }

        #[test]
        fn damaged_chunk_is_refused(values in prop::collection::vec(value(), 1..100), at in any::<prop::sample::Index>()) {
            let mut encoded = encode(&[&values], 7).unwrap();
            prop_assert!(decode(&encoded, 8).is_err());
            let at = at.index(encoded.len());
            encoded[at] ^= 0x10;
            prop_assert!(decode(&encoded, 7).is_err());
            prop_assert!(decode(&encoded[..at], 7).is_err());
        }
    }

    #[test]
    fn constant_hour_takes_twenty_bytes_and_rounded_one_less_than_floats() {
        assert!(encode(&[&[7.25; 3600]], 0).unwrap().len() < 20);
        let rounded: Vec<_> = (0..3600).map(|second| f64::from(second * 7919 % 1000) / 100.0).collect();
        let exact: Vec<_> = rounded.iter().map(|value| value / 3.0).collect();
        let [rounded, exact] = [rounded, exact].map(|values| encode(&[&values], 0).unwrap().len());
        assert!(rounded * 3 < exact * 2, "{rounded}, {exact}");
    }
}
