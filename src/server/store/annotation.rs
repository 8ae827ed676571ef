//! Annotations.

use super::{Edit, StoreError};
use crate::schema::{Annotation, AnnotationLevel};
use rusqlite::{Connection, Row, params};

/// Annotations that are kept at most; beyond, the oldest are forgotten.
pub const MAX_ANNOTATIONS: usize = 5_000;

/// An annotation and who may change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnnotation {
    /// The annotation.
    pub annotation: Annotation,
    /// The author's user or token.
    pub owner: String,
}

impl Edit<'_> {
    /// Keeps an annotation in place of one with its id.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn set_annotation(&self, kept: &KeptAnnotation) -> Result<(), StoreError> {
        let KeptAnnotation { annotation: Annotation { id, t, until, level, title, text, tags, author }, owner } = kept;
        let replace = "INSERT OR REPLACE INTO annotations (id, t, until, level, title, text, tags, author, owner)
                       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        // Tags have no spaces.
        let tags = tags.join(" ");
        self.0.execute(replace, params![id, t, until, level.as_str(), title, text, tags, author, owner])?;
        let forget = "DELETE FROM annotations WHERE id IN
                      (SELECT id FROM annotations ORDER BY t DESC LIMIT -1 OFFSET ?)";
        self.0.execute(forget, [MAX_ANNOTATIONS])?;
        Ok(())
    }

    /// Removes an annotation; that there is none is no error.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn remove_annotation(&self, id: &str) -> Result<(), StoreError> {
        self.0.execute("DELETE FROM annotations WHERE id = ?", [id])?;
        Ok(())
    }
}

/// All annotations, oldest first.
pub(super) fn read_annotations(connection: &Connection) -> rusqlite::Result<Vec<KeptAnnotation>> {
    let mut annotations = connection.prepare("SELECT * FROM annotations ORDER BY t LIMIT ?")?;
    annotations.query_map([MAX_ANNOTATIONS], read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<KeptAnnotation> {
    let (level, tags): (String, String) = (row.get("level")?, row.get("tags")?);
    let annotation = Annotation {
        id: row.get("id")?,
        t: row.get("t")?,
        until: row.get("until")?,
        // A newer version may have kept another level.
        level: AnnotationLevel::ALL.into_iter().find(|known| known.as_str() == level).unwrap_or_default(),
        title: row.get("title")?,
        text: row.get("text")?,
        tags: tags.split_whitespace().map(str::to_owned).collect(),
        author: row.get("author")?,
    };
    Ok(KeptAnnotation { annotation, owner: row.get("owner")? })
}
