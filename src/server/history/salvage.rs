//! Copies what is readable of a damaged file into a new one: a damaged page costs the rows that are on it.

use super::{
    HistoryError, checksum, chunk,
    error::is_damage,
    pages::{PAGE, for_each_row},
    recent_ticks::is_intact,
    tier::Tier,
};
use rusqlite::{Connection, ErrorCode, OpenFlags, params, params_from_iter, types::Value};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

/// The tables without chunks.
const TABLES: [&str; 4] = ["state", "series", "recent_ticks", "processes"];

/// What was copied.
#[derive(Debug, Default)]
pub(super) struct Salvaged {
    pub(super) rows: usize,
    /// Rows that are damaged, and pages that broke the reading of a table off.
    pub(super) damaged: usize,
}

impl Salvaged {
    /// Notes that damage broke the reading off; other errors remain.
    fn unless_damaged(&mut self, what: &str, copied: rusqlite::Result<()>) -> rusqlite::Result<()> {
        match copied {
            Err(error) if is_damage(&error) => {
                self.damaged += 1;
                tracing::warn!(%error, "a part of the history's {what} can't be read");
                Ok(())
            }
            copied => copied,
        }
    }
}

/// Copies from the file at `path` into that at `new_path`, which has the tables and no rows.
pub(super) fn salvage(path: &Path, new_path: &Path, into: &mut Connection) -> Result<Salvaged, HistoryError> {
    let first_page = exchange_first_page(path, &first_page_of_new(new_path)?)?;
    let salvaged = copy(path, into);
    // What is set aside remains as it was.
    exchange_first_page(path, &first_page)?;
    salvaged
}

/// The first page has the header and where the tables are, which is the same in every file. So a new file's is as good.
fn first_page_of_new(path: &Path) -> io::Result<Vec<u8>> {
    let mut page = vec![0; PAGE];
    File::open(path)?.read_exact(&mut page)?;
    // Written by a write-ahead log (https://sqlite.org/fileformat.html, 1.3.3).
    page[18..20].fill(2);
    // The number of pages is unknown, so that of the file counts.
    page[28..32].fill(0);
    Ok(page)
}

/// Writes the first page of a file, and returns what was there.
fn exchange_first_page(path: &Path, page: &[u8]) -> io::Result<Vec<u8>> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut before = Vec::new();
    (&file).take(PAGE as u64).read_to_end(&mut before)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(page)?;
    Ok(before)
}

fn copy(path: &Path, into: &mut Connection) -> Result<Salvaged, HistoryError> {
    let from = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let transaction = into.transaction()?;
    let mut salvaged = Salvaged::default();
    for table in TABLES.into_iter().chain(Tier::ALL.map(Tier::table)) {
        let copied = copy_rows(&from, &transaction, table, &mut salvaged);
        salvaged.unless_damaged(table, copied)?;
    }
    let copied = copy_series_by_path(&from, &transaction);
    salvaged.unless_damaged("index", copied)?;
    // What is behind a damaged page.
    for_each_row(&mut File::open(path)?, |key, columns| {
        salvaged.rows += copy_found(&transaction, key, columns)?;
        Ok::<_, HistoryError>(())
    })?;
    // A series that is lost leaves chunks that can't be asked for, and whose number another one may get.
    for tier in Tier::ALL {
        let delete = format!("DELETE FROM {} WHERE key & 0xffffffff NOT IN (SELECT id FROM series)", tier.table());
        transaction.execute(&delete, [])?;
    }
    // Or rows to come would count as compacted.
    let update =
        "UPDATE state SET compacted_row = min(compacted_row, coalesce((SELECT max(number) FROM recent_ticks), 0))";
    transaction.execute(update, [])?;
    transaction.commit()?;
    Ok(salvaged)
}

/// Copies the rows of a table up to one that can't be read.
fn copy_rows(from: &Connection, into: &Connection, table: &str, salvaged: &mut Salvaged) -> rusqlite::Result<()> {
    let has_chunks = Tier::ALL.iter().any(|tier| tier.table() == table);
    let mut select = from.prepare(&format!("SELECT rowid, * FROM {table} ORDER BY rowid"))?;
    let columns = select.column_count() - 1;
    let marks = vec!["?"; columns].join(", ");
    let mut insert = into.prepare(&format!("INSERT OR IGNORE INTO {table} VALUES ({marks})"))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let key = row.get(0)?;
        let values: Vec<Value> = (1..=columns).map(|column| row.get(column)).collect::<Result<_, _>>()?;
        let is_chunk = |value: &Value| matches!(value, Value::Blob(data) if checksum::verify(data, key).is_some());
        let is_kept = !has_chunks || values.last().is_some_and(is_chunk);
        match if is_kept { insert.execute(params_from_iter(values)) } else { Ok(0) } {
            Ok(0) => salvaged.damaged += 1,
            Ok(copied) => salvaged.rows += copied,
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => salvaged.damaged += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Copies the series that only the index of paths has, which is read from both ends up to what is damaged.
fn copy_series_by_path(from: &Connection, into: &Connection) -> rusqlite::Result<()> {
    let mut insert = into.prepare("INSERT OR IGNORE INTO series (id, path) VALUES (?, ?)")?;
    for order in ["ASC", "DESC"] {
        let select = "SELECT id, path FROM series INDEXED BY sqlite_autoindex_series_1 ORDER BY path";
        let mut select = from.prepare(&format!("{select} {order}"))?;
        let mut rows = select.query([])?;
        while let Ok(Some(row)) = rows.next() {
            let (Ok(id), Ok(path)) = (row.get::<_, u32>(0), row.get::<_, String>(1)) else { break };
            insert.execute((id, path))?;
        }
    }
    Ok(())
}

/// Copies a row of an unknown table, whose checksum tells whether it is one of the history and intact, unless there is
/// one of its key.
fn copy_found(into: &Connection, key: i64, columns: &[Value]) -> rusqlite::Result<usize> {
    let insert = |table: &str, columns: &[&dyn rusqlite::ToSql]| {
        let marks = vec!["?"; columns.len()].join(", ");
        into.prepare_cached(&format!("INSERT OR IGNORE INTO {table} VALUES ({marks})"))?.execute(columns)
    };
    match columns {
        [Value::Null, Value::Blob(data)] => {
            let Ok(columns) = chunk::decode(data, key) else { return Ok(0) };
            let is_of = |tier: &Tier| {
                columns.len() == tier.columns() && columns.iter().all(|column| column.len() == tier.chunk_len())
            };
            Tier::ALL.iter().find(|tier| is_of(tier)).map_or(Ok(0), |tier| insert(tier.table(), params![key, data]))
        }
        [Value::Null, Value::Integer(number), Value::Integer(last), Value::Blob(row)] if is_intact(row, *last) => {
            insert("recent_ticks", params![key, number, last, row])
        }
        [Value::Null, Value::Integer(last), Value::Blob(data)] if checksum::verify(data, key).is_some() => {
            insert("processes", params![key, last, data])
        }
        _ => Ok(0),
    }
}
