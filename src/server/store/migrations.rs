//! How an older file gets the tables of this version.

use rusqlite::{Connection, TransactionBehavior};

/// The version of a file; 0 for a new one.
pub(in crate::server) fn version(connection: &Connection) -> rusqlite::Result<usize> {
    connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0)).map(|version| version as usize)
}

/// Applies the steps that the file lacks, all or none. Each leads from the version of its index to the next.
pub(in crate::server) fn migrate(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in steps.iter().skip(version(&transaction)?) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", steps.len() as u32)?;
    transaction.commit()
}
