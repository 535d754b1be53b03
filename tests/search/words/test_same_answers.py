"""Words looked up in a generation's tables give what the catalogue's own index gives, to the last bit of a score."""

from contextlib import closing

import numpy as np
import pytest

from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from catalog.text.glossary import GlossaryEntry
from indexer.words.word_tables import WordTables, write_word_tables
from search.query.glossary import Glossary
from search.query.terms import Query, TextTerm
from search.retrieval.lexical import Lexicon
from search.retrieval.lexical_fusion import match_text
from search.state.column_store import ProductColumns
from search.words.word_follower import WordFollower

GLOSSARY = Glossary(
    [
        GlossaryEntry("红色", "zh", ("red",)),
        GlossaryEntry("茶壶", "zh", ("teapot",)),
        GlossaryEntry("jug", "en", ("pitcher",)),
    ]
)
NAMES = ["red", "blue", "teapot", "teapots", "mug", "shirt", "t-shirt", "lamp", "Kochtopf", "Topf", "Stehlampe", "brød"]
NAMES += ["红色茶壶", "500ml", "10x15", "x200-b", "men's", "👗"]
BRANDS = ("", "Kettlewick", "Nike Air", "耐克", "Götz")
QUESTIONS = (
    "red teapot",
    "topf",
    "lampe",
    "tepot",
    "a red t shirt for men",
    "kettlewick",
    "Gotz mug",
    "nike air x200b",
    "x200-b",
    "p17",
    "P 17",
    "0,5 l mug",
    "15x10",
    "红色",
    "绿茶壶 👗",
    "brod jug",
    "tea pot",
    "zyzzyva qwrtz",
    "ps5 p3 red",
    "mugs without a lamp",
)


def random_product(number, rng):
    words = rng.choice(NAMES, rng.integers(1, 5)).tolist()
    attributes = {
        "colour": str(rng.choice(["Red", "Blue", "绿色", ""])),
        "mpn": str(rng.choice(["", "X200-b", "12345"])),
    }
    return Product(
        f"p{number}",
        " ".join(words),
        (Picture("/a.jpg"),),
        str(rng.choice(["", "Home > Mugs", "Home > Lamps"])),
        brand=str(rng.choice(BRANDS)),
        description=" ".join(rng.choice(NAMES, rng.integers(0, 4)).tolist()),
        attributes={name: value for name, value in attributes.items() if value},
    )


def by_key(hits):
    held = np.flatnonzero(hits.all_scores)
    return dict(zip(hits.all_keys[held].tolist(), hits.all_scores[held].tolist(), strict=True))


def assert_same(catalogue, follower, columns):
    index = follower.at(columns, catalogue)
    expected_lexicon, lexicon = Lexicon(catalogue, GLOSSARY), Lexicon(catalogue, GLOSSARY)
    assert index.products() == catalogue.count()
    for question in QUESTIONS:
        reading = expected_lexicon.read(question)
        assert lexicon.read(question, words=index) == reading, question
        expected, found = expected_lexicon.search(reading), lexicon.search(reading, words=index)
        assert by_key(found) == by_key(expected), question
        for name in ("keys", "scores", "exact", "exact_keys"):
            assert np.array_equal(getattr(found, name), getattr(expected, name)), (question, name)
        terms = (TextTerm(question), TextTerm("red", weight=-0.5), TextTerm("mug", weight=-1.0))
        for query in (Query(terms[:1]), Query(terms), Query(terms[1:2])):
            fused = match_text(lexicon, query, index=index).scores
            plain = match_text(expected_lexicon, query).scores
            assert fused.share == plain.share
            assert np.array_equal(np.sort(fused.exact), np.sort(plain.exact))
            keys = columns.keys
            assert np.array_equal(fused.parts_of(keys)["lexical"], plain.parts_of(keys)["lexical"])


@pytest.mark.parametrize("count", [3, 400])
def test_equal_scores_before_and_after_changes(tmp_path, count):
    rng = np.random.default_rng(count)
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([random_product(number, rng) for number in range(count)])
        catalogue.remove(["p1"])
        write_word_tables(tmp_path, catalogue)
        follower = WordFollower(WordTables.open(tmp_path), catalogue.seq)
        columns = ProductColumns.read(catalogue)
        assert_same(catalogue, follower, columns)
        for step in range(4):
            numbers = rng.integers(0, count + 20, 1 + count // 20).tolist()
            catalogue.put([random_product(number, rng) for number in numbers])
            catalogue.remove([f"p{number}" for number in rng.integers(0, count, 1 + step * count // 8).tolist()])
            changes = catalogue.changes(columns.seq)
            found = catalogue.find({change.product_id for change in changes})
            gone = columns.keys_of({change.product_id for change in changes}) - {key for key, _ in found.values()}
            columns = columns.changed(dict(found.values()), gone, catalogue.seq)
            assert_same(catalogue, follower, columns)
        assert_same(catalogue, follower, ProductColumns.read(catalogue))  # places are other ones


def test_a_shop_that_is_opened_after_a_removal(tmp_path):
    rng = np.random.default_rng(0)
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([random_product(number, rng) for number in range(20)])
        write_word_tables(tmp_path, catalogue)
        follower = WordFollower(WordTables.open(tmp_path), catalogue.seq)
        catalogue.remove(["p19", "p3"])
        assert_same(catalogue, follower, ProductColumns.read(catalogue))


def test_words_of_an_empty_shop(tmp_path):
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        write_word_tables(tmp_path, catalogue)
        follower = WordFollower(WordTables.open(tmp_path), catalogue.seq)
        assert_same(catalogue, follower, ProductColumns.read(catalogue))
        catalogue.put([random_product(number, np.random.default_rng(0)) for number in range(5)])
        assert_same(catalogue, follower, ProductColumns.read(catalogue))
