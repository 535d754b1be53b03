-- The tables of a catalogue, of schema version 5. The table of the history is in history.py, that of prices in price_rows.py.

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE products (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    category TEXT NOT NULL,
    price TEXT,
    currency TEXT NOT NULL,
    in_stock INTEGER NOT NULL,
    brand TEXT NOT NULL,
    attributes TEXT NOT NULL,
    description TEXT NOT NULL,
    origin TEXT NOT NULL,
    link TEXT NOT NULL DEFAULT '',
    list_price TEXT,
    item_group_id TEXT NOT NULL DEFAULT '');

CREATE TABLE pictures (
    product_key INTEGER NOT NULL REFERENCES products (key) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    PRIMARY KEY (product_key, position)) WITHOUT ROWID;

CREATE INDEX pictures_by_sha256 ON pictures (sha256);

CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    product_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('put', 'remove')),
    at TEXT NOT NULL);
