-- The empty word index, in place of any other.

DROP TABLE IF EXISTS vocabulary;
DROP TABLE IF EXISTS words;
CREATE VIRTUAL TABLE words USING fts5(name, kind, text, code,
    content = '', columnsize = 0, detail = column, tokenize = "ascii tokenchars '.,='");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, 'row');
DELETE FROM meta WHERE name IN ('words.analysis', 'words.until');
