"""Words looked up in a generation's tables give what the catalogue's own index gives, to the last bit of a score."""

from contextlib import closing
from types import SimpleNamespace

import numpy as np
import pytest

from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from catalog.text.glossary import GlossaryEntry
from indexer.words.word_tables import FIELD_BITS, WordTables, read_words
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


def brought_up_to_date(columns, catalogue):
    ids = {change.product_id for change in catalogue.changes(columns.seq)}
    found = catalogue.find(ids)
    gone = columns.keys_of(ids) - {key for key, _ in found.values()}
    return columns.changed(dict(found.values()), gone, catalogue.seq)


def entries(words):
    found = {word: [words.holding([word], name).tolist() for name in FIELD_BITS] for word, _ in words.vocabulary()}
    return words.vocabulary(), found


@pytest.mark.parametrize("count", [3, 400])
def test_equal_scores_before_and_after_changes(tmp_path, count):
    rng = np.random.default_rng(count)
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([random_product(number, rng) for number in range(count)])
        catalogue.remove(["p1"])
        read_words(catalogue).write(tmp_path)
        follower = WordFollower(WordTables.open(tmp_path), catalogue.seq)
        columns = ProductColumns.read(catalogue)
        assert_same(catalogue, follower, columns)
        for step in range(4):
            numbers = rng.integers(0, count + 20, 1 + count // 20).tolist()
            catalogue.put([random_product(number, rng) for number in numbers])
            catalogue.remove([f"p{number}" for number in rng.integers(0, count, 1 + step * count // 8).tolist()])
            columns = brought_up_to_date(columns, catalogue)
            assert_same(catalogue, follower, columns)
        assert_same(catalogue, follower, ProductColumns.read(catalogue))  # places are other ones


def test_a_shop_that_is_opened_after_a_removal(tmp_path):
    rng = np.random.default_rng(0)
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([random_product(number, rng) for number in range(20)])
        read_words(catalogue).write(tmp_path)
        follower = WordFollower(WordTables.open(tmp_path), catalogue.seq)
        catalogue.remove(["p19", "p3"])
        assert_same(catalogue, follower, ProductColumns.read(catalogue))


def test_words_of_an_empty_shop(tmp_path):
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        read_words(catalogue).write(tmp_path)
        follower = WordFollower(WordTables.open(tmp_path), catalogue.seq)
        assert_same(catalogue, follower, ProductColumns.read(catalogue))
        catalogue.put([random_product(number, np.random.default_rng(0)) for number in range(5)])
        assert_same(catalogue, follower, ProductColumns.read(catalogue))


def test_a_search_with_an_earlier_state_than_the_last(tmp_path):
    rng = np.random.default_rng(1)
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([random_product(number, rng) for number in range(20)])
        read_words(catalogue).write(tmp_path)
        follower, other = (WordFollower(WordTables.open(tmp_path), catalogue.seq) for _ in range(2))
        built = ProductColumns.read(catalogue)
        catalogue.put([random_product(number, rng) for number in (5, 30)])
        earlier = brought_up_to_date(built, catalogue)
        expected = entries(other.at(earlier, catalogue))
        catalogue.put([random_product(number, rng) for number in (31, 32)])
        later = brought_up_to_date(earlier, catalogue)
        assert later.lineage is earlier.lineage
        assert_same(catalogue, follower, later)
        assert entries(follower.at(earlier, catalogue)) == expected
        assert_same(catalogue, follower, later)


def test_the_vocabulary_of_a_large_shop_after_changes(tmp_path, monkeypatch):
    monkeypatch.setattr("search.words.served_words.MANY_WORDS", 1)
    rng = np.random.default_rng(2)

    def product(id_, title):
        return Product(id_, title, (Picture("/a.jpg"),))

    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([random_product(number, rng) for number in range(30)])
        catalogue.put([product("a", "x9000 mug"), product("b", "x9000 lamp"), product("c", "y77 mug")])
        catalogue.put([product("d", "z5 mug"), product("e", "z5 lamp")])
        read_words(catalogue).write(tmp_path)
        follower = WordFollower(WordTables.open(tmp_path), catalogue.seq)
        columns = ProductColumns.read(catalogue)
        for step in range(3):
            with catalogue.words() as index:
                expected = [
                    (word, count)
                    for word, count in index.vocabulary()
                    if word[0] != "=" and (count > 1 or not set("0123456789") & set(word))
                ]
            found = follower.at(columns, catalogue).vocabulary()
            assert found == expected
            assert {word: count for word, count in found if word in ("x9000", "y77", "z5", "v31")} == (
                {"x9000": 2, "z5": 2} if step == 0 else {"x9000": 2, "y77": 2}
            )
            catalogue.put([product("b", "x9000 jug"), product("f", "y77 jug v31"), random_product(3, rng)])
            catalogue.remove(["e", "p4"])
            columns = brought_up_to_date(columns, catalogue)


def test_too_many_changes_are_not_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr("search.words.word_follower.MAX_REPLAYED_CHANGES", 3)
    rng = np.random.default_rng(3)
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([random_product(number, rng) for number in range(5)])
        read_words(catalogue).write(tmp_path)
        follower = WordFollower(WordTables.open(tmp_path), catalogue.seq)
        catalogue.put([random_product(number, rng) for number in (1, 2)])
        earlier = ProductColumns.read(catalogue)
        assert_same(catalogue, follower, earlier)
        catalogue.put([random_product(number, rng) for number in (1, 2, 3)])
        assert follower.at(ProductColumns.read(catalogue), catalogue) is None
        assert not follower._changed
        assert follower.at(earlier, catalogue) is None  # else the changes would be read again


def test_a_generation_whose_words_cannot_be_used(tmp_path, monkeypatch):
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([random_product(number, np.random.default_rng(4)) for number in range(5)])
        read_words(catalogue).write(tmp_path)
        generation = SimpleNamespace(folder=tmp_path, manifest=SimpleNamespace(seq=catalogue.seq))
    assert WordFollower.open(generation) is not None
    monkeypatch.setattr("indexer.words.word_tables.current_analysis", lambda: "1 99.0.0")
    assert WordFollower.open(generation) is None
    monkeypatch.undo()
    (tmp_path / "word_fields.npy").unlink()
    assert WordFollower.open(generation) is None
