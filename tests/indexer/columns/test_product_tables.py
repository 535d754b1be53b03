"""The table of products beside an index: made of the table before and the changes, it is that of all products."""

import random
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.build.build import build_index
from indexer.build.kind_texts import sample_texts
from indexer.columns import product_tables
from indexer.columns.column_files import map_table
from indexer.columns.product_table import ShopTable
from indexer.columns.product_tables import table_of, write_product_table
from indexer.generations.store import open_current
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import colour_shop
from tests.search.random_shops import product as drawn_product


@pytest.fixture
def catalogue(tmp_path):
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as opened:
        yield opened


def draw_products(chance, count):
    return [drawn_product(chance, number) for number in range(count)]


def state(table):
    """What a table says of each product, whatever the numbers of its labels."""
    spelled = {
        name: [(place, labels.words.texts[code]) for place, code in zip(labels.rows, labels.codes, strict=True)]
        for name, labels in table.labels.items()
        if labels.entries
    }
    order = table.price_order
    arrays = (table.keys, table.by_id, table.stock, table.reduced, order.rising, order.falling)
    return (
        spelled,
        table.ids.tolist(),
        [array.tolist() for array in arrays],
        np.nan_to_num(table.prices, nan=-1).tolist(),
    )


def written(folder, catalogue, before=None):
    """The table that is written, mapped again, as of the catalogue's last change."""
    folder.mkdir()
    write_product_table(folder, catalogue, before)
    return map_table(ShopTable, folder, {"columns.json": None}, catalogue.seq)


def test_a_table_that_was_changed_is_that_of_all_products(catalogue, tmp_path, monkeypatch):
    monkeypatch.setattr(product_tables, "MAX_CHANGED_SHARE", 1.0)
    chance = random.Random(4)
    catalogue.put(draw_products(chance, 60))
    table = written(tmp_path / "0", catalogue)
    for number in range(1, 6):
        others = draw_products(chance, 70)
        catalogue.put(chance.sample(others, 8))
        catalogue.remove([product.id for product in chance.sample(others, 5)])
        with monkeypatch.context() as patched:
            patched.setattr(ShopTable, "read", None)
            table = written(tmp_path / str(number), catalogue, table)
        whole = ShopTable.read(catalogue)
        assert state(table) == state(whole)
        assert sample_texts(table, catalogue) == sample_texts(whole, catalogue)


@pytest.mark.parametrize(("changed", "reads"), [(5, False), (7, True)])
def test_all_products_are_read_where_many_changed(catalogue, tmp_path, monkeypatch, changed, reads):
    products = draw_products(random.Random(1), 60)
    catalogue.put(products)
    table = written(tmp_path / "0", catalogue)
    catalogue.put([replace(product, title=f"{product.title}!") for product in products[:changed]])
    read, calls = ShopTable.read, []
    monkeypatch.setattr(ShopTable, "read", lambda opened: calls.append(opened) or read(opened))
    written(tmp_path / "1", catalogue, table)
    assert bool(calls) == reads


def test_worn_dictionaries_are_made_again(catalogue, tmp_path, monkeypatch):
    monkeypatch.setattr(product_tables, "FEW_LISTS", 0)
    monkeypatch.setattr(product_tables, "MAX_CHANGED_SHARE", 1.0)
    products = [replace(product, brand=f"brand {product.id}") for product in draw_products(random.Random(1), 20)]
    catalogue.put(products)
    table = written(tmp_path / "0", catalogue)
    catalogue.put([replace(product, brand=f"other {product.id}") for product in products])
    table = written(tmp_path / "1", catalogue, table)
    assert len(table.labels["brand"].words.texts) == len(products)


def test_the_table_of_another_catalogue_is_not_taken(tmp_path):
    build_index(tmp_path / "home", colour_shop(tmp_path / "feed"), FakeEncoder())
    generation = open_current(tmp_path / "home")
    files, seq = generation.manifest.files, generation.manifest.seq
    with closing(Catalogue.open(ShopHome(tmp_path / "home").catalogue)) as catalogue:
        assert table_of(generation.folder, files, seq, catalogue).keys.tolist() == catalogue.keys()
        assert table_of(generation.folder, {}, seq, catalogue) is None
        assert table_of(generation.folder, files, seq - 1, catalogue) is None
