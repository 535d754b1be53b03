"""Two machines of one shop: each has a home of its own, both have their products in one PostgreSQL."""

from contextlib import ExitStack

import pytest

from catalog.storage.opening import SETTING
from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.generations import store
from indexer.generations.publishing import build_lock, rollback
from indexer.maintenance.generation_fetch import FolderSource, fetch_current
from search.live.product_edit import edit_of
from search.query.terms import PictureTerm, Query, TextTerm
from tests.catalog.postgres.test_shop import PICTURES, WORDS, answers, opened
from tests.fake_encoder import FakeEncoder
from tests.promises.feed_writer import draw_feed, draw_pictures
from tests.search.shop_fixtures import RED, picture
from tests.web.shop_fixtures import picture_bytes

PRODUCTS = 25


@pytest.fixture
def feeds(tmp_path):
    folder = tmp_path / "feeds"
    draw_pictures(folder, 3, PICTURES)
    return [draw_feed(folder, f"{number}.csv", number, PRODUCTS, PICTURES) for number in range(2)]


@pytest.fixture
def homes(feeds, postgres_server, tmp_path, monkeypatch):
    """A home that was indexed, and one that has nothing but what it fetched."""
    monkeypatch.setenv(SETTING, postgres_server.address(postgres_server.new_schema()))
    first, second = tmp_path / "first" / "shop", tmp_path / "second" / "shop"
    build_index(first, feeds[0], FakeEncoder())
    assert fetch_current(second, FolderSource(first)).fetched == len(store.current_manifest(first).files)
    return first, second


@pytest.fixture
def engines(homes):
    with ExitStack() as stack:
        yield [stack.enter_context(opened(home)) for home in homes]


def words(engine, text):
    """The ids that answer a text."""
    return [hit.product.id for hit in engine.search(Query((TextTerm(text),), timeout_ms=60_000)).hits]


def alike(engines):
    """What both answer, once each has followed what the other did."""
    for engine in engines:
        engine.follow()
    seen = [answers(engine, WORDS[:2]) for engine in engines]
    assert seen[0] == seen[1]
    return seen[0]


def test_both_answer_alike_and_see_what_is_put_and_removed_through_the_other(engines):
    first, second = engines
    alike(engines)
    second.put(edit_of("lamp", {"title": "crimson lantern", "price": "3 EUR"}, [picture_bytes(RED)]))
    assert words(second, "crimson lantern")[0] == "lamp"
    alike(engines)
    assert words(first, "crimson lantern")[0] == "lamp"
    photo = Query((PictureTerm(picture(RED)),), k=20, timeout_ms=60_000)
    assert "lamp" in [hit.product.id for hit in first.search(photo).hits], "encoded here too"
    first.put(edit_of("lamp", {"price": "4 EUR"}))
    alike(engines)
    assert str(second.product("lamp").price) == "4"
    first.remove("lamp")
    alike(engines)
    assert "lamp" not in words(second, "crimson lantern")


def test_generations_and_ways_back_are_fetched_by_either(homes, engines, feeds):
    first, second = homes
    before = alike(engines)
    update_index(first, FakeEncoder(), UpdateOptions(feeds[1]))
    engines[1].follow()
    assert engines[1].generation.manifest.number == 1, "products are new at once, the generation when it is fetched"
    assert fetch_current(second, FolderSource(first)).generation == 2
    after = alike(engines)
    assert after != before and [engine.generation.manifest.number for engine in engines] == [2, 2]
    with build_lock(first):
        rollback(first)
    report = fetch_current(second, FolderSource(first))
    assert (report.generation, report.fetched) == (1, 0), "it was here already"
    assert alike(engines) == before
    with build_lock(second):
        rollback(second, to=2)  # the machine that fetched goes forward again
    assert fetch_current(first, FolderSource(second)).generation == 2
    assert alike(engines) == after


def test_a_machine_that_opens_later_has_what_the_others_did(homes, engines):
    engines[0].put(edit_of("lamp", {"title": "crimson lantern", "price": "3 EUR"}, [picture_bytes(RED)]))
    with opened(homes[1]) as later:
        alike([engines[0], later])
