"""Words made from those of a generation before are those of the catalogue's word index, to the byte."""

import random
from contextlib import closing
from dataclasses import fields

import numpy as np
import pytest

from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from indexer.words import updated_tables
from indexer.words.updated_tables import updated_words
from indexer.words.word_tables import WordTables, read_words

WORDS = ("red", "mug", "mugs", "500ml", "brød", "红色", "茶杯", "X-200/b", "k.2", "teapot", "zebra", "🚀", "a,b")


def product(number, chance):
    def text(most):
        return " ".join(chance.choice(WORDS) for _ in range(chance.randrange(1, most)))

    facts = {"attributes": {"mpn": text(3), "colour": text(2)}, "category": text(2), "description": text(6)}
    return Product(f"p {number}", text(4), (Picture("/a.jpg"),), brand=text(2), **facts)


def written(arrays):
    found = {field.name: np.asarray(getattr(arrays, field.name)) for field in fields(arrays)}
    return {name: (array.dtype, array.tobytes()) for name, array in found.items()}


@pytest.fixture
def catalogue(tmp_path):
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as opened:
        yield opened


@pytest.mark.parametrize("seed", range(3))
def test_the_bytes_are_those_of_a_full_build_through_many_updates(catalogue, tmp_path, monkeypatch, seed):
    monkeypatch.setattr(updated_tables, "MAX_CHANGED_SHARE", 1)
    monkeypatch.setattr(updated_tables, "PAGE_PRODUCTS", 3)
    chance = random.Random(seed)
    catalogue.put([product(number, chance) for number in range(12)])
    read_words(catalogue).write(tmp_path)
    seq = catalogue.seq
    for turn in range(12):
        catalogue.put([product(chance.randrange(20), chance) for _ in range(chance.randrange(5))])
        catalogue.remove([f"p {chance.randrange(20)}" for _ in range(chance.randrange(4))])
        if turn == 6:
            catalogue.put([Product("first", "aardvark", ()), Product("last", "\U0010fffd", ())])
        words = updated_words(WordTables.open(tmp_path), seq, catalogue)
        assert written(words) == written(read_words(catalogue))
        words.write(tmp_path)
        seq = catalogue.seq


def test_all_words_are_read_where_much_has_changed_or_a_database_may_cut_one(catalogue, tmp_path):
    catalogue.put([product(number, random.Random(number)) for number in range(20)])
    read_words(catalogue).write(tmp_path)
    seq, before = catalogue.seq, WordTables.open(tmp_path)
    catalogue.put([Product("p 0", "x" * 2_001, ())])
    assert updated_words(before, seq, catalogue) is None
    catalogue.put([Product("p 0", "one", ()), Product("p 1", "two", ())])
    assert updated_words(before, seq, catalogue) is not None
    catalogue.put([Product("p 2", "three", ())])
    assert updated_words(before, seq, catalogue) is None
