"""Columns that were written beside an index and mapped answer as those that are read from the products."""

import json
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import DamagedGeneration
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.build import generation_builder
from indexer.build.build import build_index
from indexer.columns.column_files import COLUMNS_FILE, change_noted, map_table, write_table
from indexer.columns.product_table import ShopTable
from indexer.columns.text_column import TextColumn
from indexer.generations.store import open_current
from search.engine import SearchEngine
from search.query.filters import Filter, parse_filter
from search.query.terms import Query
from search.retrieval.facets import facet_counts, facet_fields
from search.retrieval.result_set import browse_order
from search.state.change_replay import ChangeReplayer
from search.state.column_store import ProductColumns
from search.state.snapshot import GenerationRows
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import colour_shop
from tests.search.random_shops import CHANCES, FILTERS, products

SORTS = ("newest", "price", "price_desc")


@st.composite
def lives(draw):
    """A shop's products, then what becomes of some of them."""
    chance = draw(CHANCES)
    first = products(chance, range(1, draw(st.integers(1, 10)) + 1))
    steps = draw(st.lists(st.lists(st.integers(1, 14), max_size=6, unique=True), max_size=4))
    return first, [(products(chance, keys[::2]), set(keys[1::2])) for keys in steps]


def mapped(columns, folder):
    write_table(folder, columns)
    return map_table(ProductColumns, folder, {COLUMNS_FILE: None}, 7)


def answers(columns, value):
    """All that can be asked of columns, by key or id, so that dictionaries in another order make no difference."""
    parsed = parse_filter(value)
    mask = columns.matching(parsed)
    groups = columns.item_groups()
    return [
        columns.keys[mask].tolist(),
        columns.keys[columns.present].tolist(),
        columns.ids[columns.present].tolist(),
        [columns.ids[place] for place in columns.by_id.tolist() if columns.present[place]],
        [browse_order(columns, mask, sort, groups).tolist() for sort in SORTS],
        facet_fields(columns),
        facet_counts(columns, parsed, columns.matching, None, groups),
        [*columns.categories().items()],
        columns.category_groups,
        sorted(columns.currencies()),
        {name: sorted(columns.labels_of(name).texts()) for name in columns.labels if columns.labels_of(name).size},
        sorted(columns.keys_of(columns.ids.tolist())),
    ]


@settings(max_examples=100, deadline=None)
@given(lives(), FILTERS)
def test_mapped_columns_answer_as_those_of_the_products_whatever_is_changed_then(life, value):
    things, steps = life
    with TemporaryDirectory() as first, TemporaryDirectory() as second:
        columns = mapped(ProductColumns.of(sorted(things.items())), Path(first))
        assert columns.seq == 7
        for puts, gone in [({}, set()), *steps]:
            columns = columns.changed(puts, gone)
            things = {key: each for key, each in {**things, **puts}.items() if key not in gone}
            assert answers(columns, value) == answers(ProductColumns.of(sorted(things.items())), value)
        if columns.present.all():  # what was added since is written too
            assert answers(mapped(columns, Path(second)), value) == answers(columns, value)


def test_texts_of_any_script_and_length():
    texts = ["", "a", "Größe", "耐克", "a" * 300, "\ud800", ""]
    column = TextColumn.of(texts[:4]).added(texts[4:])
    assert column.tolist() == [*column] == texts and column[5] == "\ud800" and column[-1] == ""
    assert column[2:6] == texts[2:6] and column[::2] == texts[::2] and column[5:2] == []
    assert column[np.array([6, 0, 3])].tolist() == ["", "", "耐克"]
    assert column.packed().tolist() == texts and not column.packed().tail
    with pytest.raises(IndexError):
        column[7]


@pytest.fixture
def home(tmp_path):
    build_index(tmp_path / "home", colour_shop(tmp_path / "feed"), FakeEncoder())
    return tmp_path / "home"


def browsed(home):
    with SearchEngine.open(home) as engine:
        page = engine.search(Query((), filter=Filter(), facets=True, sort="price"))
        return [hit.product.id for hit in page.hits], page.facets


@pytest.mark.usefixtures("fake_encoder")
def test_opening_reads_no_product_and_an_older_generation_opens_as_before(home, monkeypatch):
    found = browsed(home)
    with monkeypatch.context() as patched:
        patched.setattr(ProductColumns, "read", None)
        assert browsed(home) == found
    with monkeypatch.context() as patched:
        patched.setattr(generation_builder, "write_product_table", lambda _, catalogue, __: ShopTable.read(catalogue))
        build_index(home, home.parent / "feed" / "products.csv", FakeEncoder())
    assert COLUMNS_FILE not in open_current(home).manifest.files
    assert browsed(home) == found


def test_columns_of_a_later_format_are_not_read_and_wrong_ones_are_damage(home):
    generation = open_current(home)
    path = ShopHome(home).generation(1) / COLUMNS_FILE
    body = json.loads(path.read_text())
    path.write_text(json.dumps(body | {"notes": body["notes"] | {"format": 2}}))
    assert map_table(ProductColumns, generation.folder, generation.manifest.files, 1) is None
    path.write_text(json.dumps(body | {"arrays": {"keys": ["int64", 0, 10_000]}}))
    with pytest.raises(DamagedGeneration):
        map_table(ProductColumns, generation.folder, generation.manifest.files, 1)


@pytest.mark.usefixtures("fake_encoder")
def test_columns_of_another_catalogue_are_not_taken(home, caplog):
    """A copy of an earlier day, which has had as many changes since, has the numbers of the one that was indexed."""
    generation, path = open_current(home), ShopHome(home).generation(1) / COLUMNS_FILE
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue:
        replayer = ChangeReplayer(catalogue)
        assert change_noted(generation.folder) == catalogue.product_changed_at(catalogue.seq) != ""
        body = json.loads(path.read_text())
        for noted, is_mapped in (("another", False), (None, True)):
            path.write_text(json.dumps(body | {"notes": body["notes"] | {"changed": noted}}))
            columns = replayer.open(GenerationRows(generation)).columns
            assert columns.keys.flags.owndata is not is_mapped
            assert ("is not the one of the index" in caplog.text) is not is_mapped
            caplog.clear()
