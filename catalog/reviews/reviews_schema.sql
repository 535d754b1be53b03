-- Format 1. `value` of "salt" is the key of the hashes of visitors, of "change" a number that grows with what is shown.
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

-- `visitor` is a keyed hash, `key` the id of another system, `source` a keyed digest of the review as it came,
-- `digest` that of its text, `analysed` the model that analysed it, "" before.
CREATE TABLE IF NOT EXISTS reviews (number INTEGER PRIMARY KEY AUTOINCREMENT, product_id TEXT NOT NULL, visitor BLOB,
    key TEXT, source BLOB NOT NULL, rating INTEGER NOT NULL, text TEXT NOT NULL, title TEXT NOT NULL,
    author TEXT NOT NULL, language TEXT NOT NULL, at INTEGER NOT NULL, verified INTEGER NOT NULL, state TEXT NOT NULL,
    reasons TEXT NOT NULL, photos TEXT NOT NULL, reply TEXT NOT NULL DEFAULT '', reply_at INTEGER,
    helpful INTEGER NOT NULL DEFAULT 0, unhelpful INTEGER NOT NULL DEFAULT 0, digest BLOB NOT NULL,
    analysed TEXT NOT NULL DEFAULT '');
CREATE UNIQUE INDEX IF NOT EXISTS reviews_by_visitor ON reviews (visitor, product_id) WHERE visitor IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS reviews_by_key ON reviews (key) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS reviews_shown ON reviews
    (product_id, state, rating, at, helpful, unhelpful, verified, photos, language);
CREATE INDEX IF NOT EXISTS reviews_by_state ON reviews (state, at);
CREATE INDEX IF NOT EXISTS reviews_by_digest ON reviews (digest);
CREATE INDEX IF NOT EXISTS reviews_unanalysed ON reviews (number) WHERE analysed = '';

-- Reviews as they came that a later one of the same visitor has replaced.
CREATE TABLE IF NOT EXISTS superseded (source BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS superseded_by_number ON superseded (number);

-- What a text of a digest says, by the model that analysed it: JSON.
CREATE TABLE IF NOT EXISTS analyses (digest BLOB NOT NULL, model TEXT NOT NULL, analysis TEXT NOT NULL,
    PRIMARY KEY (digest, model)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS opinions (product_id TEXT NOT NULL, number INTEGER NOT NULL, start INTEGER NOT NULL,
    aspect TEXT NOT NULL, polarity TEXT NOT NULL, probability REAL NOT NULL, end INTEGER NOT NULL,
    PRIMARY KEY (product_id, number, start, aspect)) WITHOUT ROWID;

-- Of the approved reviews of a product. `stale` where aspects are to be made again.
CREATE TABLE IF NOT EXISTS summaries (product_id TEXT PRIMARY KEY, count INTEGER NOT NULL, total INTEGER NOT NULL,
    distribution TEXT NOT NULL, aspects TEXT NOT NULL DEFAULT '[]', stale INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS summaries_stale ON summaries (product_id) WHERE stale = 1;

CREATE TABLE IF NOT EXISTS votes (number INTEGER NOT NULL, visitor BLOB NOT NULL, helpful INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (number, visitor)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS votes_by_visitor ON votes (visitor);

-- How many reviews a visitor sent on a day (at / 86400).
CREATE TABLE IF NOT EXISTS submissions (visitor BLOB NOT NULL, day INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (visitor, day)) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS photos (sha256 TEXT NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (sha256, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS photos_by_number ON photos (number);

-- Hashes of parts of a text: texts that are nearly the same share some of them.
CREATE TABLE IF NOT EXISTS near_texts (band INTEGER NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (band, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS near_texts_by_number ON near_texts (number);

CREATE TABLE IF NOT EXISTS decisions (at INTEGER NOT NULL, number INTEGER NOT NULL, product_id TEXT NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS decisions_by_time ON decisions (at);
CREATE INDEX IF NOT EXISTS decisions_by_number ON decisions (number);
