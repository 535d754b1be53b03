"""A title is found by its words in any language, as shoppers there write them."""

import csv
import unicodedata
from contextlib import closing
from pathlib import Path

import pytest

from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from search.query.glossary import Glossary
from search.retrieval.lexical import Lexicon, TextAnalysis

with Path(__file__).with_name("scripts.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))
GLOSSARY = Glossary(())
TITLES = [row["title"] for row in ROWS]


def pairs(column):
    return [
        pytest.param(row["title"], query, id=f"{row['language']}-{query}".encode("unicode_escape").decode())
        for row in ROWS
        for query in row[column].split("|")
        if query
    ]


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory):
    with closing(Catalogue.open(tmp_path_factory.mktemp("scripts") / "catalog.sqlite")) as catalogue:
        catalogue.put([Product(f"p{number}", title, (Picture("/a.jpg"),)) for number, title in enumerate(TITLES)])
        yield Lexicon(catalogue, GLOSSARY)


def score(lexicon, title, query):
    """Return the score of a title without corrections."""
    hits = lexicon.search(TextAnalysis(query, GLOSSARY.apply(query)))
    return dict(zip(hits.keys.tolist(), hits.scores.tolist(), strict=True)).get(TITLES.index(title) + 1, 0.0)


@pytest.mark.parametrize(("title", "query"), pairs("found"))
def test_a_title_is_found_by_its_words_however_they_are_written(lexicon, title, query):
    assert lexicon.read(query).corrections == ()
    assert score(lexicon, title, query) == pytest.approx(1.0)


@pytest.mark.parametrize(("title", "query"), pairs("not_found"))
def test_a_title_is_not_found_by_a_part_of_a_word(lexicon, title, query):
    assert score(lexicon, title, query) == 0.0


@pytest.mark.parametrize("title", [title for title in TITLES if "™" not in title])  # NFKC makes two letters of it
@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC"])
def test_a_title_is_found_by_itself_in_any_normal_form(lexicon, title, form):
    query = unicodedata.normalize(form, title)
    for written in (query, query.upper(), query.lower()):
        assert score(lexicon, title, written) == pytest.approx(1.0)
