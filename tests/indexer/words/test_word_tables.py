"""The tables of words have what the catalogue's word index has."""

from contextlib import closing

import numpy as np
import pytest

from catalog.errors import DamagedGeneration
from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from indexer.words import word_tables
from indexer.words.word_tables import FIELD_BITS, WordTables, read_words

SHOP = [
    ("a-1", "Red mug", {"brand": "Mug", "description": "A mug with brød."}),
    ("b", "Blue mugs 500ml", {}),
    ("c", "红色 mug", {"attributes": {"mpn": "X200-b"}}),
]


@pytest.fixture(params=[1_000_000, 1])
def shop(tmp_path, request, monkeypatch):
    monkeypatch.setattr(word_tables, "BATCH_OCCURRENCES", request.param)
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([Product(id_, title, (Picture("/a.jpg"),), **facts) for id_, title, facts in SHOP])
        catalogue.remove(["a-1"])
        catalogue.put([Product(SHOP[0][0], SHOP[0][1], (Picture("/a.jpg"),), **SHOP[0][2])])
        read_words(catalogue).write(tmp_path)
        yield catalogue, WordTables.open(tmp_path)


def test_words_with_their_products_and_fields(shop):
    catalogue, tables = shop
    assert tables.keys.tolist() == catalogue.keys()
    with catalogue.words() as index:
        assert tables.vocabulary(everything=True) == index.vocabulary()
        for word, count in index.vocabulary():
            number = tables.number(word)
            assert tables.count(number) == count
            products, fields = tables.entries(number)
            for name, bit in FIELD_BITS.items():
                expected = np.fromstring(index.postings([word], name), np.int64, sep=",")
                assert tables.keys[products[fields & bit != 0]].tolist() == expected.tolist()
    for unknown in ("", "zzz", "mu", "=", "\ud800", "👗"):
        assert tables.number(unknown) == -1


def test_the_vocabulary_without_codes_and_without_some_products(shop):
    _, tables = shop
    everything = tables.vocabulary(everything=True)
    codes = [
        (word, count) for word, count in everything if word[0] == "=" or (set("0123456789") & set(word) and count == 1)
    ]
    assert tables.vocabulary() == [entry for entry in everything if entry not in codes]
    assert len(codes) > 3
    gone = np.array([True, False, False])
    left = dict(tables.vocabulary(everything=True, gone=gone))
    assert (left["mugs"], left["mug"], left["=b"]) == (0, 2, 0)


def test_what_an_earlier_version_or_damage_leaves(shop, tmp_path):
    assert WordTables.open(tmp_path / "none") is None
    (tmp_path / word_tables.WORDS_FILE).write_bytes(b"no array")
    with pytest.raises(DamagedGeneration, match="words"):
        WordTables.open(tmp_path)


@pytest.mark.parametrize(
    "name", ["words", "word_starts", "word_entries", "word_products", "word_fields", "word_keys", "words.json"]
)
def test_a_missing_or_short_file_is_damage(tmp_path, name):
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([Product("a", "Red mug", (Picture("/a.jpg"),))])
        read_words(catalogue).write(tmp_path)
    path = tmp_path / (name if "." in name else f"{name}.npy")
    whole = path.read_bytes()
    for part in (whole[:-1], whole[:20], b""):
        path.write_bytes(part)
        with pytest.raises(DamagedGeneration, match="word"):
            WordTables.open(tmp_path)
    path.unlink()
    if path.suffix == ".npy":
        with pytest.raises(DamagedGeneration, match="word"):
            WordTables.open(tmp_path)
    else:
        assert WordTables.open(tmp_path) is None  # as in indexes of earlier versions


def test_arrays_of_another_build_are_damage(tmp_path):
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([Product("a", "Red mug", (Picture("/a.jpg"),))])
        read_words(catalogue).write(tmp_path)
    letters = np.load(tmp_path / word_tables.WORDS_FILE)
    np.save(tmp_path / word_tables.WORDS_FILE, letters[:-4])
    with pytest.raises(DamagedGeneration, match="belong together"):
        WordTables.open(tmp_path)


def test_words_that_another_version_would_make_otherwise(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(word_tables, "current_analysis", lambda: "1 99.0.0")
    assert WordTables.open(tmp_path) is None
    monkeypatch.undo()
    assert WordTables.open(tmp_path) is not None
