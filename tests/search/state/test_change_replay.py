"""Snapshots brought up to date: which number they have, what is read for them, and who waits for room."""

from contextlib import closing

import pytest

from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.generations.store import open_generation
from search.engine import SearchEngine
from search.query.filters import parse_filter
from search.state.change_replay import ChangeReplayer
from search.state.column_store import ProductColumns
from search.state.snapshot import GenerationRows, Snapshot
from tests.search.shop_fixtures import BLUE, GREEN, RED, Item, make_shop, save_picture

BEFORE = (Item("a", "red cup", (RED,), "Cups", "5"), Item("b", "blue cup", (BLUE,), "Cups", "7"))
AFTER = (Item("a", "red cup", (RED,), "Mugs", "9"), Item("c", "green cup", (GREEN,), "Cups", "7"))


@pytest.fixture
def catalogue(home):
    """The catalogue of a shop with two generations, of BEFORE and of AFTER."""
    for items in (BEFORE, AFTER):
        make_shop(home, items).close()
    with closing(Catalogue.open(home / "catalog.sqlite")) as opened:
        yield opened


@pytest.fixture
def generations(home, catalogue):
    return [GenerationRows(open_generation(home, number)) for number in (1, 2)]


def things(home, ids, colour=RED):
    shown = save_picture(home / "feed", colour)
    return [Product(product_id, "red thing", (shown,), "Things") for product_id in ids]


def ids(snapshot, value):
    columns = snapshot.columns
    return sorted(columns.ids[columns.matching(parse_filter(value))].tolist())


def caught_up(replayer, snapshot, engine):
    while replayer.behind(snapshot):
        snapshot = replayer.step(snapshot, engine._live.served.row_encoder)
    return snapshot


def test_columns_of_an_earlier_change_are_brought_to_the_generation(home, catalogue, generations, monkeypatch):
    """What changed between them is replayed: prices, categories, what came and what went. Nothing else is read."""
    early = _columns_of(BEFORE)
    monkeypatch.setattr(ProductColumns, "read", None)
    snapshot = ChangeReplayer(catalogue).open(generations[1], early)
    assert snapshot.seq == generations[1].generation.manifest.seq == catalogue.seq
    assert (ids(snapshot, {"category": "Mugs"}), ids(snapshot, {"price": {"min": 8}})) == (["a"], ["a"])
    assert ids(snapshot, {}) == ["a", "c"] and snapshot.products == 2
    assert snapshot.rows_allowed(snapshot.columns.present).all()


def test_columns_of_a_later_change_are_taken_as_of_the_generation(catalogue, generations):
    """After a rollback the rows are behind: the change of the earlier part counts, and replaying goes on from there."""
    snapshot = ChangeReplayer(catalogue).open(generations[0], ProductColumns.read(catalogue))
    assert snapshot.seq == generations[0].generation.manifest.seq < catalogue.seq
    assert snapshot.products == 1, "of the rows of a and b, only a is still a product"


def test_columns_that_are_far_behind_are_read_anew(catalogue, generations, monkeypatch):
    monkeypatch.setattr("search.state.change_replay.MAX_REPLAYED_CHANGES", 1)
    snapshot = ChangeReplayer(catalogue).open(generations[1], _columns_of(BEFORE))
    assert (ids(snapshot, {}), snapshot.skipped) == (["a", "c"], 0), "the index has what was not replayed"


def test_a_generation_that_is_far_behind_gets_the_removals_only(catalogue, generations, monkeypatch):
    monkeypatch.setattr("search.state.change_replay.MAX_REPLAYED_CHANGES", 1)
    columns = ProductColumns.read(catalogue)
    monkeypatch.setattr(ProductColumns, "read", None)
    snapshot = ChangeReplayer(catalogue).open(generations[0], columns)
    assert (snapshot.seq, snapshot.skipped, snapshot.products) == (catalogue.seq, 3, 1)


def test_any_columns_give_a_snapshot_that_steps_bring_up_to_date(home, fake_encoder, catalogue, generations):
    """Whatever parts a snapshot is made of, it has one number, from which both parts are replayed."""
    replayer = ChangeReplayer(catalogue)
    with SearchEngine.open(home) as engine:
        for rows in generations:
            for columns in (ProductColumns.of([]), _columns_of(BEFORE), ProductColumns.read(catalogue)):
                snapshot = caught_up(replayer, Snapshot.of(rows, columns), engine)
                assert snapshot.seq == catalogue.seq and snapshot.products == 2
                assert sorted(snapshot.columns.keys_of("abc")) == sorted(set(snapshot.found_keys().tolist()))


def test_a_product_that_another_process_removed_is_gone_though_it_had_no_row(home, fake_encoder, catalogue):
    with SearchEngine.open(home) as engine:
        catalogue.put([Product("bare", "without a picture", (), "Things")])
        engine.follow()
        assert engine.categories()["Things"] == 1, "it can be browsed"
        catalogue.remove(["bare"])
        engine.follow()
        assert "Things" not in engine.categories()


def test_a_product_that_was_removed_and_put_again_has_one_key(home, fake_encoder, catalogue):
    with SearchEngine.open(home) as engine:
        for _ in range(3):
            catalogue.remove(["a", "c"])
            catalogue.put(things(home, "ca"))
        engine.remove("c")
        snapshot = engine._live.served.snapshot
        assert snapshot.columns.keys_of("a") == {catalogue.key_of("a")} == set(snapshot.found_keys().tolist())
        assert ids(snapshot, {"id": "a"}) == ids(snapshot, {}) == ["a"]


def test_products_that_wait_get_in_when_there_is_room(home, fake_encoder, catalogue):
    with SearchEngine.open(home, live_rows=2) as engine:
        catalogue.put(things(home, "nmop"))
        engine.follow()
        assert engine.status().degraded == ("2 changed products wait for a new index",)
        catalogue.remove(["o"])
        engine.follow()
        assert engine.status().degraded == ("1 changed products wait for a new index",), "what is gone waits no more"
        catalogue.remove(["n"])
        engine.follow()
        assert (engine.status().degraded, engine.status().products, engine.status().live) == ((), 4, 2)


def _columns_of(items):
    """What a server of the first generation has in memory."""
    products = [(key, Product(item.id, item.title, (), item.category)) for key, item in enumerate(items, 1)]
    return ProductColumns.of(products, seq=2)
