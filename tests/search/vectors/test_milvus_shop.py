"""A whole shop on Milvus answers as the embedded one does: photos, words, filters, similar products, live changes."""

import csv
import io
import time
from decimal import Decimal

import numpy as np
import pytest
from PIL import Image

from catalog.errors import VectorsUnavailable
from catalog.home import ShopHome
from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.vectors.embedded import EmbeddedVectors
from indexer.vectors.milvus.milvus_vectors import MilvusVectors
from search.engine import SearchEngine
from search.live.product_edit import ProductEdit
from search.query.filters import parse_filter
from search.query.terms import PictureTerm, ProductTerm, Query, TextTerm
from tests.fake_encoder import FakeEncoder

COUNT = 60
MANY_SECONDS = 60
FILTERS = {
    "none": None,
    "category": {"category": "Home > Lamps"},
    "brand": {"brand": ["Ikki", 'O"Neil\\']},
    "price": {"price": {"min": 10, "max": 30, "currency": "EUR"}},
    "stock": {"in_stock": True},
    "attribute": {"attributes": {"size": ["S"]}},
    "a list of values": {"attributes": {"size": ["S, M"]}},
    "not": {"not": {"category": "Home > Lamps"}, "in_stock": True},
    "any": {"any": [{"brand": "Ikki"}, {"price": {"max": 12}}]},
    "id": {"id": ["p3", "p4", "p55"]},
    "nothing": {"brand": "nobody"},
}


def colour_of(number):
    random = np.random.default_rng(number)
    return tuple(random.integers(0, 256, 3).tolist())


def picture(number):
    return Image.new("RGB", (8, 8), colour_of(number))


def png(number):
    file = io.BytesIO()
    picture(number).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def server(milvus_server):
    return milvus_server


@pytest.fixture(scope="module")
def feed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feed")
    names = ("id", "title", "image", "category", "brand", "price", "currency", "availability", "size")
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(names)
        for number in range(COUNT):
            (folder / f"{number}.png").write_bytes(png(number))
            word = ("red", "green", "blue")[number % 3]
            kind = ("lamp", "chair")[number % 2]
            category = ("Home > Lamps", "Home > Chairs")[number % 2]
            brand = ("Ikki", 'O"Neil\\', "Ünal")[number % 3]
            stock = "in_stock" if number % 4 else "out_of_stock"
            row = (f"p{number}", f"{word} {kind} {number}", f"{number}.png", category, brand)
            table.writerow((*row, 5 + number, "EUR", stock, ("S", "S, M", "L")[number % 3]))
    return folder / "products.csv"


@pytest.fixture(scope="module", autouse=True)
def encoder():
    encoder = FakeEncoder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.engine.open_encoder", lambda name, *, runtime, home: encoder)
        patch.setattr("indexer.vectors.milvus.milvus_vectors.MAX_LISTED", 3)  # so that filters are pushed down
        yield encoder


@pytest.fixture(scope="module")
def homes(server, feed, encoder, tmp_path_factory):
    """The same shop twice: embedded, and on Milvus."""
    embedded, remote = (tmp_path_factory.mktemp(name) / "shop" for name in ("embedded", "remote"))
    build_index(embedded, feed, encoder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINDOWSHOP_VECTORS", server.address)
        build_index(remote, feed, encoder)
        yield embedded, remote


@pytest.fixture(scope="module")
def engines(homes):
    with SearchEngine.open(homes[0]) as embedded, SearchEngine.open(homes[1]) as remote:
        assert isinstance(embedded.generation.vectors, EmbeddedVectors)
        assert isinstance(remote.generation.vectors, MilvusVectors)
        yield embedded, remote


def assert_equal_pages(engines, query):
    pages = [engine.search(query) for engine in engines]
    found = [[(hit.product.id, hit.duplicates) for hit in page.hits] for page in pages]
    assert found[0] == found[1]
    assert [hit.score for hit in pages[1].hits] == pytest.approx([hit.score for hit in pages[0].hits], abs=1e-4)
    for ours, theirs in zip(pages[0].hits, pages[1].hits, strict=True):
        assert ours.parts == pytest.approx(theirs.parts, abs=1e-4)
    assert (pages[0].total, pages[0].facets, pages[0].degraded) == (pages[1].total, pages[1].facets, pages[1].degraded)
    return pages[1]


@pytest.mark.parametrize("name", FILTERS)
def test_photos_and_words_with_filters_answer_alike(engines, name):
    narrowed = None if FILTERS[name] is None else parse_filter(FILTERS[name])
    for terms in ((PictureTerm(picture(5)),), (TextTerm("red lamp"),), (PictureTerm(picture(7)), TextTerm("blue"))):
        assert_equal_pages(engines, Query(terms, k=8, filter=narrowed, facets=True))


@pytest.mark.parametrize("offset", [0, 8, 56])
def test_every_page_is_alike(engines, offset):
    assert_equal_pages(engines, Query((PictureTerm(picture(3)),), k=8, offset=offset))


def test_prices_in_order_are_alike(engines):
    assert_equal_pages(engines, Query((TextTerm("green"),), k=8, sort="price"))


def test_similar_products_are_alike(engines):
    for number in (0, 17, 59):
        assert_equal_pages(engines, Query((ProductTerm(f"p{number}"),), k=10, group_variants=True))
    ids = [f"p{number}" for number in range(5)]
    vectors = [engine.similarity_vectors(ids) for engine in engines]
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-6)


def test_changes_are_found_at_once_and_alike(engines):
    query = Query((PictureTerm(picture(777)),), k=5)
    for engine in engines:
        engine.put(
            ProductEdit("new", {"title": "red lamp of 777", "price": Decimal(3), "currency": "EUR"}, (png(777),))
        )
    assert assert_equal_pages(engines, query).hits[0].product.id == "new"
    cheap = Query((PictureTerm(picture(777)),), k=5, filter=parse_filter({"price": {"max": 6}}))
    assert [hit.product.id for hit in assert_equal_pages(engines, cheap).hits] == ["new", "p0", "p1"]
    for engine in engines:  # facts alone: the rows in Milvus have the price of the build
        engine.put(ProductEdit("p9", {"price": Decimal(4)}))
    assert "p9" in {hit.product.id for hit in assert_equal_pages(engines, cheap).hits}
    for engine in engines:  # another picture
        engine.put(ProductEdit("p9", {}, (png(778),)))
    assert assert_equal_pages(engines, Query((PictureTerm(picture(778)),), k=5)).hits[0].product.id == "p9"
    for engine in engines:
        engine.remove("new")
        engine.remove("p9")
    found = {hit.product.id for hit in assert_equal_pages(engines, query).hits}
    assert found.isdisjoint({"new", "p9"})


def test_without_milvus_texts_still_answer_and_photos_say_why(server, engines):
    remote = engines[1]
    words = Query((TextTerm("red lamp"),), k=5)
    before = [hit.product.id for hit in remote.search(words).hits]
    server.kill()
    try:
        for page in (remote.search(words), remote.search(words)):
            assert "vector" in page.degraded
            assert page.hits and all("red" in hit.product.title for hit in page.hits)
        with pytest.raises(VectorsUnavailable):
            remote.search(Query((PictureTerm(picture(5)),), k=5))
        with SearchEngine.open(remote.home) as opened:
            assert "vector" in opened.search(words).degraded
    finally:
        server.start()
    deadline = time.monotonic() + MANY_SECONDS
    while (page := remote.search(words)).degraded:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert [hit.product.id for hit in page.hits] == before


def test_a_shop_moves_to_milvus_and_back(server, feed, encoder, tmp_path, monkeypatch):
    home = tmp_path / "shop"
    monkeypatch.setenv("WINDOWSHOP_VECTORS", "")
    build_index(home, feed, encoder)
    query, answers = Query((PictureTerm(picture(11)),), k=10), []
    for address in ("", server.address, "embedded"):
        monkeypatch.setenv("WINDOWSHOP_VECTORS", address)
        encoded = encoder.pictures_encoded
        report = update_index(home, encoder, UpdateOptions(feed=feed))
        assert encoder.pictures_encoded == encoded  # vectors come from the rows before, or the cache
        assert report.made == (address != "")  # nothing else has changed
        rows = ShopHome(home).generation(report.generation) / "rows.npy"
        assert rows.is_file() == (address != server.address)
        with SearchEngine.open(home) as engine:
            answers.append([(hit.product.id, round(hit.score, 5)) for hit in engine.search(query).hits])
    assert answers[0] == answers[1] == answers[2]
