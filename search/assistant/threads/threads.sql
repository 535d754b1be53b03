CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS threads (
    id TEXT PRIMARY KEY,
    started REAL NOT NULL,
    changed REAL NOT NULL,
    state TEXT NOT NULL,
    queue TEXT NOT NULL DEFAULT '',
    priority INTEGER NOT NULL DEFAULT 0,
    language TEXT NOT NULL,
    product_id TEXT NOT NULL DEFAULT '',
    messages INTEGER NOT NULL DEFAULT 0,
    excerpt TEXT NOT NULL DEFAULT '',
    visitor BLOB
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS threads_by_change ON threads (changed);
CREATE INDEX IF NOT EXISTS threads_by_state ON threads (state, priority, changed);
CREATE INDEX IF NOT EXISTS threads_by_visitor ON threads (visitor) WHERE visitor IS NOT NULL;
CREATE TABLE IF NOT EXISTS messages (
    thread TEXT NOT NULL,
    number INTEGER NOT NULL,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    at REAL NOT NULL,
    language TEXT NOT NULL,
    intent TEXT NOT NULL,
    probability REAL,
    code TEXT NOT NULL,
    sources TEXT NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (thread, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mails (hash BLOB NOT NULL, thread TEXT NOT NULL, PRIMARY KEY (hash, thread)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mails_by_thread ON mails (thread);
CREATE TABLE IF NOT EXISTS corrections (
    id INTEGER PRIMARY KEY,
    thread TEXT,
    number INTEGER NOT NULL,
    text TEXT NOT NULL,
    language TEXT NOT NULL,
    intent TEXT NOT NULL,
    passage TEXT NOT NULL,
    author TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (thread, number)
);
CREATE TABLE IF NOT EXISTS handovers (
    thread TEXT PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    at REAL NOT NULL,
    reason TEXT NOT NULL,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    order_number TEXT NOT NULL,
    update_number INTEGER NOT NULL,
    messages INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
    thread TEXT NOT NULL,
    channel TEXT NOT NULL,
    update_number INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    retry_at REAL NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    sent_at REAL,
    PRIMARY KEY (thread, channel, update_number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (retry_at) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS proofs (
    thread TEXT NOT NULL,
    number TEXT NOT NULL,
    email_sha256 TEXT NOT NULL,
    until REAL NOT NULL,
    PRIMARY KEY (thread, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts (key BLOB NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS attempts_by_key ON attempts (key, at)
