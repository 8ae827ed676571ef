//! The tables. Times are Unix milliseconds.

/// Each step leads from the version of its index to the next; published steps never change.
pub(super) const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE users (
        name TEXT PRIMARY KEY,
        role TEXT NOT NULL CHECK (role IN ('viewer', 'admin')),
        password_hash TEXT,
        created INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE tokens (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        scope TEXT NOT NULL CHECK (scope IN ('read', 'publish', 'admin')),
        secret_hash BLOB NOT NULL UNIQUE,
        created INTEGER NOT NULL,
        expires INTEGER,
        last_used INTEGER
    ) STRICT;
    -- The user may be unknown here: a proxy or a provider signs in users of its own.
    CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        secret_hash BLOB NOT NULL UNIQUE,
        user_name TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('viewer', 'admin')),
        method TEXT NOT NULL CHECK (method IN ('password', 'proxy', 'oidc')),
        address TEXT NOT NULL,
        user_agent TEXT NOT NULL,
        created INTEGER NOT NULL,
        last_seen INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX sessions_by_user ON sessions (user_name);
    CREATE INDEX sessions_by_last_seen ON sessions (last_seen);
    CREATE TRIGGER removed_user_ends_sessions AFTER DELETE ON users BEGIN
        DELETE FROM sessions WHERE user_name = old.name;
    END;
    CREATE TRIGGER changed_user_ends_sessions AFTER UPDATE OF role, password_hash ON users BEGIN
        DELETE FROM sessions WHERE user_name = old.name;
    END;
",
    "
    CREATE TABLE channels (
        name TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        unit TEXT NOT NULL,
        kind TEXT NOT NULL,
        warning REAL,
        critical REAL
    ) STRICT;
",
    "
    -- Tags are separated by spaces.
    CREATE TABLE annotations (
        id TEXT PRIMARY KEY,
        t INTEGER NOT NULL,
        until INTEGER,
        level TEXT NOT NULL,
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        tags TEXT NOT NULL,
        author TEXT NOT NULL,
        owner TEXT NOT NULL
    ) STRICT;
    CREATE INDEX annotations_by_time ON annotations (t);
",
    "
    -- The story is a list in JSON.
    CREATE TABLE recordings (
        id TEXT PRIMARY KEY,
        began INTEGER NOT NULL,
        ended INTEGER NOT NULL,
        title TEXT NOT NULL,
        level TEXT NOT NULL,
        cause TEXT NOT NULL,
        author TEXT NOT NULL,
        is_automatic INTEGER NOT NULL,
        note TEXT NOT NULL,
        story TEXT NOT NULL,
        owner TEXT NOT NULL
    ) STRICT;
",
];

/// The version that this program writes.
pub(super) const VERSION: usize = MIGRATIONS.len();
