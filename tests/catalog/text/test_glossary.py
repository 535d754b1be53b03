"""The glossary is read from a table, and faults are reported with their line."""

import pytest

from catalog.errors import BadInput
from catalog.text.glossary import GLOSSARY, GlossaryEntry, read_glossary
from catalog.text.tokenizer import normalise

HEADER = "term,language,replacements\n"


def test_the_shipped_glossary_has_hundreds_of_words_in_both_languages():
    entries = read_glossary(GLOSSARY)
    for language in ("en", "zh"):
        assert sum(entry.language == language for entry in entries) > 200
    assert len({normalise(entry.term) for entry in entries}) == len(entries)
    assert GlossaryEntry("红色", "zh", ("red",)) in entries


@pytest.mark.parametrize("language", ["de", "es", "fr", "ja"])
def test_the_words_of_another_language_are_each_there_once_and_explained_in_english(language):
    entries = read_glossary(GLOSSARY.with_name(f"glossary_{language}.csv"))
    assert {entry.language for entry in entries} == {language}
    assert len({normalise(entry.term) for entry in entries}) == len(entries) > 2000
    assert all(english.isascii() and english.islower() for entry in entries for english in entry.replacements)
    kinds = {normalise(english) for entry in entries for english in entry.replacements}
    assert kinds >= {"mug", "jug", "bowl", "vase", "candle holder", "side table", "cushion", "rug", "striped", "oak"}


def test_a_table(tmp_path):
    path = tmp_path / "glossary.csv"
    path.write_text("\ufeff" + HEADER + "\n Chucks ,SHOP, canvas shoes | sneakers |\n的,zh,\n", encoding="utf-8")
    assert read_glossary(path) == [
        GlossaryEntry("Chucks", "shop", ("canvas shoes", "sneakers")),
        GlossaryEntry("的", "zh", ()),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("term,words\n", "line 1: the header is 'term,words'"),
        ("", "line 1"),
        (HEADER + "a,en,b\nc,en\n", "line 3: 2 cells"),
        (HEADER + ",en,b\n", "line 2: no term"),
        (HEADER + "a,,b\n", "line 2: no term, or no language"),
        (HEADER + "a,en," + "b" * 101 + "\n", "line 2: longer than 100"),
        (HEADER + 'a,en,"b\n', "line 2: this is not CSV"),
    ],
)
def test_a_fault_is_reported_with_its_line(tmp_path, text, message):
    path = tmp_path / "glossary.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        read_glossary(path)


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    path = tmp_path / "glossary.csv"
    with pytest.raises(BadInput, match="cannot be read"):
        read_glossary(path)
    path.write_bytes(HEADER.encode() + b"a,en,\xff\n")
    with pytest.raises(BadInput, match=r"cannot be read.*utf-8"):
        read_glossary(path)
    monkeypatch.setattr("catalog.text.glossary.MAX_BYTES", 10)
    with pytest.raises(BadInput, match="larger than"):
        read_glossary(path)
