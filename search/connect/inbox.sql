-- What shop platforms sent: the newest document of each product, and which deliveries were taken.

CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    platform TEXT NOT NULL,
    delivery TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    UNIQUE (platform, delivery));

CREATE TABLE IF NOT EXISTS documents (
    platform TEXT NOT NULL,
    id TEXT NOT NULL,
    updated REAL NOT NULL,
    body TEXT,
    version INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    shown TEXT NOT NULL DEFAULT '[]',
    failures INTEGER NOT NULL DEFAULT 0,
    failure TEXT NOT NULL DEFAULT '',
    retry_at REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (platform, id)) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS staged (
    platform TEXT NOT NULL,
    id TEXT NOT NULL,
    updated REAL NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (platform, id)) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS documents_pending ON documents (retry_at) WHERE pending = 1;

CREATE INDEX IF NOT EXISTS deliveries_sha256 ON deliveries (platform, sha256);
