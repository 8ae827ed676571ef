//! Reads rows from the pages of a database without its trees, one of whose pages may be damaged
//! (<https://sqlite.org/fileformat.html>).

use rusqlite::types::Value;
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

/// Bytes of a page, unless a file was made with others.
pub(super) const PAGE: usize = 4096;
/// The first byte of a leaf of a table (1.6).
const TABLE_LEAF: u8 = 0x0d;
/// Bytes before the positions of a leaf's cells.
const LEAF_HEADER: usize = 8;
/// Bytes of a row that remain on a leaf, at most, and those that do at least when others don't (1.6).
const MAX_LOCAL: usize = PAGE - 35;
const MIN_LOCAL: usize = (PAGE - 12) * 32 / 255 - 23;
/// Bytes of a page of overflow, after the number of the next one.
const OVERFLOW: usize = PAGE - 4;
/// No row is larger.
const MAX_ROW: u64 = 64 << 20;

/// Calls `visit` with the key and the columns of each row of any table but the schema. Some may have been removed or
/// replaced, and the content of a damaged page is whatever is there.
pub(super) fn for_each_row<E: From<io::Error>>(
    file: &mut File,
    mut visit: impl FnMut(i64, &[Value]) -> Result<(), E>,
) -> Result<(), E> {
    let pages = file.metadata()?.len() / PAGE as u64;
    for number in 1..pages {
        // A bad sector costs its page.
        let Some(page) = read_page(file, number).filter(|page| page[0] == TABLE_LEAF) else { continue };
        for cell in 0..be16(&page, 3).unwrap_or_default() {
            let at = be16(&page, LEAF_HEADER + 2 * cell).and_then(|at| page.get(at..));
            if let Some((key, columns)) = at.and_then(|cell| row(file, cell)) {
                visit(key, &columns)?;
            }
        }
    }
    Ok(())
}

/// A page, counted from 0.
fn read_page(file: &mut File, number: u64) -> Option<[u8; PAGE]> {
    let mut page = [0; PAGE];
    file.seek(SeekFrom::Start(number * PAGE as u64)).ok()?;
    file.read_exact(&mut page).ok()?;
    Some(page)
}

/// The key and the columns of the row that a cell has.
fn row(file: &mut File, mut cell: &[u8]) -> Option<(i64, Vec<Value>)> {
    let len = usize::try_from(varint(&mut cell).filter(|len| *len <= MAX_ROW)?).ok()?;
    let key = varint(&mut cell)? as i64;
    if len <= MAX_LOCAL {
        return Some((key, columns(cell.get(..len)?)?));
    }
    let whole_pages = MIN_LOCAL + (len - MIN_LOCAL) % OVERFLOW;
    let local = if whole_pages <= MAX_LOCAL { whole_pages } else { MIN_LOCAL };
    let mut payload = cell.get(..local)?.to_vec();
    let mut next = be32(cell, local)?;
    while payload.len() < len {
        // Pages are counted from 1.
        let page = read_page(file, u64::from(next.checked_sub(1)?))?;
        next = be32(&page, 0)?;
        payload.extend(&page[4..PAGE.min(4 + len - payload.len())]);
    }
    Some((key, columns(&payload)?))
}

/// The columns of a record (2.1), of the types that the history has.
fn columns(record: &[u8]) -> Option<Vec<Value>> {
    let mut types = record;
    let header = usize::try_from(varint(&mut types)?).ok()?;
    let mut types = record.get(record.len() - types.len()..header)?;
    let mut content = record.get(header..)?;
    let mut columns = Vec::new();
    while !types.is_empty() {
        let kind = varint(&mut types)?;
        let len = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 => 8,
            12.. => usize::try_from((kind - 12) / 2).ok()?,
            _ => return None,
        };
        let bytes = content.split_off(..len)?;
        columns.push(match kind {
            0 => Value::Null,
            8 | 9 => Value::Integer(kind as i64 - 8),
            // The first byte has the sign.
            1..=6 => Value::Integer(
                bytes.iter().skip(1).fold(i64::from(bytes[0] as i8), |all, byte| all << 8 | i64::from(*byte)),
            ),
            _ if kind % 2 == 0 => Value::Blob(bytes.to_vec()),
            _ => Value::Text(String::from_utf8(bytes.to_vec()).ok()?),
        });
    }
    Some(columns)
}

/// Seven bits a byte, high ones first; the ninth has eight.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for _ in 0..8 {
        let byte = *bytes.split_off_first()?;
        number = number << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some(number);
        }
    }
    Some(number << 8 | u64::from(*bytes.split_off_first()?))
}

fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 2)?;
    Some(usize::from(bytes[0]) << 8 | usize::from(bytes[1]))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn rows_are_those_that_queries_have() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let connection = Connection::open(file.path()).unwrap();
        connection
            .execute_batch("CREATE TABLE t (key INTEGER PRIMARY KEY, number INTEGER, name TEXT, data BLOB)")
            .unwrap();
        let mut random = fastrand::Rng::with_seed(3);
        let rows = (0..500).map(|row| {
            let number = random.i64(..) >> random.u32(..63);
            let data: Vec<_> = (0..random.usize(..15_000)).map(|_| random.u8(..)).collect();
            let values = vec![Value::Null, number.into(), format!("name {row}").into(), data.into()];
            (row << random.u32(..50) | row, values)
        });
        let mut expected: std::collections::BTreeMap<_, _> = rows.collect();
        expected.insert(-5, vec![Value::Null, 0.into(), String::new().into(), vec![1; MAX_LOCAL].into()]);
        for (key, values) in &expected {
            connection.execute("INSERT INTO t VALUES (?, ?, ?, ?)", (key, &values[1], &values[2], &values[3])).unwrap();
        }
        drop(connection);
        let mut found = std::collections::BTreeMap::new();
        let visit = |key, columns: &[Value]| {
            found.insert(key, columns.to_vec());
            Ok::<_, io::Error>(())
        };
        for_each_row(&mut File::open(file.path()).unwrap(), visit).unwrap();
        assert!(found == expected, "{} of {}", found.len(), expected.len());
    }
}
