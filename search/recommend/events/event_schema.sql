-- Format 2. An event belongs to the segment of its week (at / 604800), and the events of a visitor lie together in it:
-- a history is one lookup a segment, and an old week is removed without a scan of the others.
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE products (code INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);

-- `hash` is the keyed hash of the visitor id, `last_segment` is the newest segment with an event of the visitor.
CREATE TABLE visitors (code INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, last_segment INTEGER NOT NULL);

-- `imported` is the unix time of the last import that added events to the segment, 0 without any.
CREATE TABLE segments (number INTEGER PRIMARY KEY, events INTEGER NOT NULL, imported INTEGER NOT NULL DEFAULT 0);

-- `at` is unix seconds, `kind` a position in EVENT_KINDS, `seq` the order of storing, `price` that of one unit.
CREATE TABLE events (segment INTEGER NOT NULL, visitor INTEGER NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL,
    kind INTEGER NOT NULL, product INTEGER NOT NULL, quantity REAL, price REAL, query_id TEXT, rank INTEGER,
    PRIMARY KEY (segment, visitor, at, seq)) WITHOUT ROWID
