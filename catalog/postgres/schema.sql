-- The tables of a shop's catalogue in its schema. Texts are compared byte by byte, as SQLite compares them.

CREATE TABLE meta (name text COLLATE "C" PRIMARY KEY, value text NOT NULL);

-- One row: the last key that a product got, the number of the last change. Whoever writes locks it first.
CREATE TABLE counters (key bigint NOT NULL, seq bigint NOT NULL);

CREATE UNIQUE INDEX counters_has_one_row ON counters ((true));

INSERT INTO counters VALUES (0, 0);

CREATE TABLE products (
    key bigint PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    title text NOT NULL,
    category text NOT NULL,
    price text,
    currency text NOT NULL,
    in_stock boolean NOT NULL,
    brand text NOT NULL,
    attributes json NOT NULL,
    description text NOT NULL,
    origin text NOT NULL,
    link text NOT NULL,
    list_price text,
    item_group_id text NOT NULL);

CREATE TABLE pictures (
    product_key bigint NOT NULL REFERENCES products (key) ON DELETE CASCADE,
    position integer NOT NULL,
    path text NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    PRIMARY KEY (product_key, position));

CREATE INDEX pictures_by_sha256 ON pictures (sha256);

CREATE TABLE changes (
    seq bigint PRIMARY KEY,
    product_id text COLLATE "C" NOT NULL,
    kind text NOT NULL CHECK (kind IN ('put', 'remove')),
    at text COLLATE "C" NOT NULL);

CREATE TABLE history (seq bigint PRIMARY KEY, key bigint NOT NULL, generation bigint, before json);

CREATE TABLE price_segments (
    product_id text COLLATE "C" NOT NULL,
    number integer NOT NULL,
    changes bytea NOT NULL,
    PRIMARY KEY (product_id, number));

-- The word index: our words, a column for each field, and how many products have each word.
CREATE TABLE words (
    key bigint PRIMARY KEY REFERENCES products (key) ON DELETE CASCADE,
    name tsvector NOT NULL,
    kind tsvector NOT NULL,
    text tsvector NOT NULL,
    code tsvector NOT NULL);

CREATE INDEX words_by_name ON words USING gin (name);

CREATE INDEX words_by_kind ON words USING gin (kind);

CREATE INDEX words_by_text ON words USING gin (text);

CREATE INDEX words_by_code ON words USING gin (code);

CREATE TABLE word_counts (word text COLLATE "C" PRIMARY KEY, products bigint NOT NULL);
