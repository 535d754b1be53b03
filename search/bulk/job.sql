CREATE TABLE about (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE rows (
    number INTEGER PRIMARY KEY, line INTEGER, id TEXT, title TEXT, pictures TEXT, cells TEXT,
    state TEXT, tried INTEGER DEFAULT 0, reason TEXT DEFAULT '', suggestion TEXT, confidence REAL DEFAULT 0,
    sure INTEGER DEFAULT 0, content TEXT DEFAULT '', vectors BLOB, thumbnail BLOB, kind TEXT DEFAULT '',
    decided TEXT DEFAULT '{}', kept INTEGER DEFAULT 1, published INTEGER DEFAULT 0
);

CREATE TABLE past (step INTEGER, number INTEGER, kind TEXT, decided TEXT);

CREATE TABLE IF NOT EXISTS publications (
    publication INTEGER, number INTEGER, product_id TEXT, before TEXT, after TEXT, PRIMARY KEY (publication, number)
) WITHOUT ROWID;
