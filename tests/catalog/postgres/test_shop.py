"""A shop whose catalogue is in PostgreSQL answers as one whose catalogue is in a file does."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.errors import GenerationError
from catalog.storage.opening import SETTING, open_catalogue
from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.generations.publishing import rollback
from indexer.generations.store import open_current
from indexer.maintenance.backup import backup, restore
from indexer.maintenance.consistency import check_consistency
from search.engine import SearchEngine
from search.live.product_edit import edit_of
from search.query.filters import parse_filter
from search.query.terms import PictureTerm, Query, TextTerm
from tests.fake_encoder import FakeEncoder
from tests.promises.feed_writer import draw_feed, draw_pictures
from tests.search.shop_fixtures import RED, picture
from tests.web.shop_fixtures import picture_bytes

PRODUCTS, PICTURES = 40, 50
WORDS = ("red", "green chair", "blue", "red -green", "chair 7", "p007", "nothing")


@pytest.fixture(scope="module")
def feeds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feeds")
    draw_pictures(folder, 3, PICTURES)
    return [draw_feed(folder, f"{number}.csv", number, PRODUCTS, PICTURES) for number in range(2)]


def opened(home):
    engine = SearchEngine(home, open_current(home), open_catalogue(home), FakeEncoder())
    engine.follow()  # the changes since the index was built
    return engine


def product_state(product):
    """A product without the folder that an uploaded picture is in."""
    return replace(product, pictures=tuple(replace(found, path=Path(found.path).name) for found in product.pictures))


def page_state(page):
    hits = [(product_state(hit.product), hit.score, dict(hit.parts)) for hit in page.hits]
    facets = [(facet.name, [(value.value, value.count) for value in facet.values]) for facet in page.facets or ()]
    return hits, page.total, facets, page.degraded


def answers(engine, texts=WORDS):
    """What the shop answers to words, a photo, filters and sort orders, and what is similar to some products."""
    queries = [Query((TextTerm(text),), k=20, facets=True, typed=text, timeout_ms=60_000) for text in texts]
    queries += [Query((PictureTerm(picture(RED)),), k=20, timeout_ms=60_000)]
    cheap = parse_filter({"price": {"max": 5}})
    queries += [replace(query, filter=cheap) for query in queries[:3]]
    queries += [Query((), k=30, filter=cheap, sort="price", facets=True, timeout_ms=60_000)]
    found = [page_state(engine.search(query)) for query in queries]
    ids = [hit[0].id for hit in found[0][0]]
    found += [page_state(engine.similar(product_id, timeout_ms=60_000)) for product_id in ids[:5]]
    return found


def life(home, feeds, folder):
    """Index, serve, change live, update, go back, back up: what the shop answers after each."""
    build_index(home, feeds[0], FakeEncoder())
    seen = []
    with opened(home) as engine, opened(home) as follower:
        answers(engine)  # tables that the first questions read are then in memory
        seen.append(answers(engine))
        engine.put(edit_of("new", {"title": "red lamp", "price": "3 EUR"}, [picture_bytes((250, 5, 5), (16, 16))]))
        engine.put(edit_of("p003", {"price": "4.50 EUR"}))
        seen.append(answers(engine))
        engine.remove("new")
        seen.append(answers(engine))
        follower.follow()
        assert answers(follower) == seen[-1]
        update_index(home, FakeEncoder(), UpdateOptions(feeds[1]))
        engine.follow()
        seen.append(answers(engine))
        assert check_consistency(home, open_current(home)).all() == []
        rollback(home)
        engine.follow()
        seen.append(answers(engine))
    with opened(home) as engine:
        assert answers(engine) == seen[-1]
    backup(home, folder / "copy")
    with closing(open_catalogue(home)) as catalogue:
        seen.append([(change.product_id, change.kind) for change in catalogue.changes()])
    return seen


def test_equal_answers_through_a_life(feeds, postgres_server, tmp_path, monkeypatch):
    monkeypatch.delenv(SETTING, raising=False)
    in_file = life(tmp_path / "file" / "shop", feeds, tmp_path / "file")
    monkeypatch.setenv(SETTING, postgres_server.address(postgres_server.new_schema()))
    home = tmp_path / "postgres" / "shop"
    in_postgres = life(home, feeds, tmp_path / "postgres")
    assert not (home / "catalog.sqlite").exists()
    assert in_postgres == in_file
    with pytest.raises(GenerationError, match=SETTING):
        restore(tmp_path / "postgres" / "copy", tmp_path / "restored")
    monkeypatch.delenv(SETTING)  # a backup has the catalogue in a file, with which the shop serves anywhere
    restore(tmp_path / "postgres" / "copy", tmp_path / "restored")
    with opened(tmp_path / "restored") as engine:
        assert answers(engine) == in_file[-2]
