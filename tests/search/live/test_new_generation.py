"""What a server answers after it took over a new index: the products of now, whenever it looked before."""

import random
import threading
from pathlib import Path

import numpy as np
import pytest

from catalog.files.failpoints import VARIABLE, Failed
from indexer.build.build import build_index, update_index
from indexer.build.index_run import UpdateOptions
from indexer.columns.column_files import map_table
from search.engine import SearchEngine
from search.query.filters import parse_filter
from search.query.terms import Query, TextTerm
from search.state.column_store import ProductColumns
from tests.fake_encoder import FakeEncoder
from tests.search.live.followed_shop import live
from tests.search.live.shop_life import ShopLife
from tests.search.shop_fixtures import BLUE, RED, save_picture

pytestmark = pytest.mark.usefixtures("fake_encoder")
BEFORE = (
    ("a1", "Red mug", "Tableware > Mugs", "12.90", "in stock"),
    ("a2", "Blue mug", "Tableware > Mugs", "13.90", "in stock"),
)
AFTER = (
    ("a1", "Red mug", "Tableware > Mugs", "92.90", "in stock"),
    ("a2", "Blue mug", "Tableware > Mugs", "13.90", "out of stock"),
    ("a3", "Tea pot", "Kitchen > Teapots", "5.00", "in stock"),
)
HISTORIES = {
    "an update": ("update",),
    "two updates in a row": ("update", "update"),
    "a build": ("build",),
    "prices only, then an update": ("prices", "update"),
    "an update, then prices only": ("update", "prices"),
    "a put between two updates": ("update", "put", "update"),
    "a removal between two builds": ("build", "remove", "build"),
    "a rollback, then an update": ("update", "roll_back", "update"),
    "a build, then a rollback": ("build", "roll_back"),
    "writes while an update runs": ("update while written",),
    "writes while a build runs, then an update": ("build while written", "update"),
    "writes while a build runs, then a rollback": ("update", "build while written", "roll_back"),
    "changes of others, then an index of them": ("elsewhere", "index", "elsewhere"),
}


def feed_of(folder, rows, colours=(RED,)):
    lines = ["id,title,category,price,availability,image"]
    for number, (product_id, title, category, price, stock) in enumerate(rows):
        shown = save_picture(folder, colours[number % len(colours)])
        lines.append(f"{product_id},{title},{category},{price} EUR,{stock},{Path(shown.path).name}")
    (folder / "feed.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "feed.csv"


def reindex(home, feed, builds=False):
    if builds:
        build_index(home, feed, FakeEncoder())
    else:
        update_index(home, FakeEncoder(), UpdateOptions(feed, allow_shrink=True))


def browsed(engine, narrowed, sort="newest"):
    return [hit.product.id for hit in engine.search(Query((), filter=parse_filter(narrowed), sort=sort)).hits]


@pytest.mark.parametrize("builds", [False, True])
@pytest.mark.parametrize("looks_between", [False, True])
def test_filters_counts_and_orders_are_of_the_products_of_now(tmp_path, monkeypatch, builds, looks_between):
    """Whether the server looks between the commit of the products and the move of the pointer, or after both."""
    home = tmp_path / "shop"
    build_index(home, feed_of(tmp_path / "feed", BEFORE), FakeEncoder())
    with SearchEngine.open(home) as engine:
        feed = feed_of(tmp_path / "feed", AFTER)
        if looks_between:
            monkeypatch.setenv(VARIABLE, "catalogue.committed:raise")
            with pytest.raises(Failed):
                reindex(home, feed, builds)
            monkeypatch.delenv(VARIABLE)
            engine.follow()
        reindex(home, feed, builds)
        engine.follow()
        assert engine.status().generation > 1
        assert browsed(engine, {"category": "Kitchen"}) == ["a3"]
        assert browsed(engine, {"price": {"min": 50}}) == ["a1"]
        assert browsed(engine, {"in_stock": False}) == ["a2"]
        assert browsed(engine, {"price": {"min": 0}}, "price") == ["a3", "a2", "a1"]
        assert browsed(engine, {"not": {"category": "Tableware"}}) == ["a3"]
        assert browsed(engine, {"id": ["a3", "a1"]}) == ["a3", "a1"]
        page = engine.search(Query((), filter=parse_filter({}), facets=True))
        categories = next(facet for facet in page.facets if facet.name == "category")
        assert {value.label: value.count for value in categories.values}["Kitchen"] == 1


def test_a_server_takes_the_columns_of_each_new_generation(tmp_path):
    """Those of the first would keep deleted files mapped, with copies and texts of all changes since in memory."""
    home, feed = tmp_path / "shop", tmp_path / "feed"
    build_index(home, feed_of(feed, BEFORE), FakeEncoder())
    with SearchEngine.open(home) as engine:
        for builds, rows in ((False, AFTER), (True, (*AFTER, ("a4", "Tea cup", "Kitchen", "4.00", "in stock")))):
            before = engine._live.served.columns
            reindex(home, feed_of(feed, rows), builds)
            engine.follow()
            columns, generation = engine._live.served.columns, engine.generation
            own = map_table(ProductColumns, generation.folder, generation.manifest.files, generation.manifest.seq)
            assert columns.lineage is not before.lineage and not columns.ids.tail
            assert not np.shares_memory(columns.keys, before.keys) and not columns.keys.flags.owndata
            assert columns.keys.tolist() == own.keys.tolist() and columns.ids.tolist() == own.ids.tolist()
            assert sorted(browsed(engine, {})) == [row[0] for row in rows]


def test_a_new_product_with_the_exact_word_is_found_though_many_pictures_are_nearer(tmp_path):
    """The pictures of 150 products are nearer to the words than the new one's; only the text index brings it up."""
    home = tmp_path / "shop"
    rows = [(f"r{number:03}", f"thing {number}", "Things", "5", "in stock") for number in range(150)]
    shades = [(255, number, 0) for number in range(150)]
    build_index(home, feed_of(tmp_path / "feed", rows, shades), FakeEncoder())
    with SearchEngine.open(home) as engine:
        rows.append(("z", "blue zeppelin", "Things", "5", "in stock"))
        reindex(home, feed_of(tmp_path / "feed", rows, (*shades, BLUE)))
        engine.follow()
        assert engine.status().generation == 2
        query = Query((TextTerm("red zeppelin"),), k=1, blocks={"lexical": 0.8})
        assert engine.search(query).hits[0].product.id == "z"


def test_a_typing_mistake_is_read_as_a_word_that_the_shop_has_now(tmp_path):
    """A small shop's vocabulary is read again at once; a question of a moment ago must not decide for ten seconds."""
    home = tmp_path / "shop"
    build_index(home, feed_of(tmp_path / "feed", BEFORE), FakeEncoder())
    read = ("'samovr' was read as 'samovar'",)
    with SearchEngine.open(home) as engine:
        for title, notes in (("Kettle", ()), ("Samovar", read), ("Kettle", ())):
            reindex(home, feed_of(tmp_path / "feed", [*BEFORE, ("a3", title, "Kitchen", "5", "in stock")]))
            engine.follow()
            assert engine.search(Query.of(text="samovr red")).notes == notes


@pytest.mark.parametrize("history", HISTORIES)
def test_servers_equal_one_that_is_opened_after(tmp_path, history):
    """A server that looks seldom sees all of the history at once; one that looks often sees each step.

    Either may be the one that a product is put or removed over.
    """
    chance = random.Random(history)
    life = ShopLife(tmp_path)
    seldom, often = servers = life.server, SearchEngine.open(life.home)
    acts = {
        "update": lambda: life.update(chance, prices_only=False),
        "prices": lambda: life.update(chance, prices_only=True),
        "build": lambda: life.build(chance),
        "put": lambda: life.put(chance),
        "update while written": lambda: life.index_while_written(chance, builds=False),
        "build while written": lambda: life.index_while_written(chance, builds=True),
        "remove": lambda: life.remove(chance),
        "roll_back": life.roll_back,
        "elsewhere": lambda: life.write_elsewhere(chance),
        "index": life.update_from_catalogue,
    }
    try:
        for name in HISTORIES[history]:
            life.server = chance.choice(servers)
            acts[name]()
            often.follow()
        seldom.follow()
        assert life.differences(*servers) == []
    finally:
        often.close()
        life.server = seldom
        life.close()


def test_searches_with_filters_go_on_while_the_shop_changes(tmp_path):
    """Two searchers use states of before and after a change at one moment: none fails, and no hit comes twice."""
    chance, life, stop = random.Random(1), ShopLife(tmp_path), threading.Event()
    answered, wrong = [], []

    def search():
        while not stop.is_set():
            for narrowed in ({"in_stock": True}, {"category": "Apparel"}, {"brand": "puma"}):
                page = life.server.search(Query.of(text="red cup", filter=narrowed, facets=True, k=50))
                keys = [hit.product.id for hit in page.hits]
                wrong.extend([keys] if len(set(keys)) != len(keys) else [])
            answered.append(len(page.hits))
            stop.wait(0.01)  # else the searches take most of the processor

    def guarded():
        try:
            search()
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(4):
            for _ in range(6):
                life.put(chance)
                life.remove(chance)
            life.write_elsewhere(chance)
            life.update(chance, prices_only=turn % 3 == 0)
            life.server.follow()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        different = life.differences()
        life.close()
    assert answered and wrong == [] and different == []


@pytest.fixture
def small_glossary(tmp_path, monkeypatch):
    """Ship three terms: each comparison opens an engine, a third of whose time is reading the shipped list."""
    path = tmp_path / "glossary.csv"
    path.write_text("term,language,replacements\n围巾,zh,scarf\n红,zh,red\ncrimson,en,red\n", encoding="utf-8")
    monkeypatch.setattr("search.query.glossary.GLOSSARY", path)


@pytest.mark.usefixtures("small_glossary")
def test_three_lives_of_a_followed_shop():
    live(3, 20)


@pytest.mark.torture
@pytest.mark.timeout(3_600)
@pytest.mark.usefixtures("small_glossary")
def test_two_hundred_lives_of_a_followed_shop():
    live(200, 30)
