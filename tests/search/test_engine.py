"""The engine on a shop of four products whose vectors are seen by eye.

Rows are look, meaning, words (3 numbers each; red = (1, 0, 0)); a photo weighs them 1, 1, 0.5, words weigh 0, 1, 0.5.
"""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from catalog.errors import BadQuery, EncoderMismatch, NoGeneration, UnknownProduct, UnsupportedQuery
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.ann.index_plan import IndexPlan
from search.engine import SearchEngine
from search.query.terms import PictureTerm, ProductTerm, Query, TextTerm
from search.retrieval import search_run
from tests.fake_encoder import FakeEncoder
from tests.search.shop_fixtures import BLUE, GREEN, RED, YELLOW, Item, make_shop, open_shop, picture

HALF = math.sqrt(0.5)
BARE = {"lexical": 0.0}  # the vectors alone


def ask(*terms, **options):
    return Query(terms, **options)


def ids(page):
    return [hit.product.id for hit in page.hits]


def scores(page):
    return [hit.score for hit in page.hits]


def near(*values):
    return pytest.approx(list(values), abs=1e-3)


def test_a_photo_finds_what_looks_like_it(engine):
    page = engine.search(ask(PictureTerm(picture(RED))))
    assert ids(page) == ["r", "y", "b", "g"]
    assert scores(page) == near(1.0, HALF, 0.0, 0.0)
    assert page.hits[0].parts == pytest.approx({"look": 1 / 2.5, "meaning": 1 / 2.5, "words": 0.5 / 2.5}, abs=1e-3)
    assert page.generation == 1 and page.took_ms > 0 and page.degraded == ()


def test_words_find_by_meaning_and_by_title_and_never_by_look(engine):
    page = engine.search(ask(TextTerm("green"), blocks=BARE))
    assert ids(page) == ["g", "y", "b", "r"]
    assert scores(page)[0] == pytest.approx(1.0, abs=1e-3)
    assert scores(page)[1] == pytest.approx((1.0 + HALF) / 2, abs=1e-3)  # its second picture is green
    assert page.hits[0].parts == pytest.approx({"look": 0, "meaning": 0.5, "words": 0.5}, abs=1e-3)


def test_a_photo_and_words_together(engine):
    page = engine.search(ask(PictureTerm(picture(RED)), TextTerm("green"), blocks=BARE))
    # a photo's weights sum to 2.5, those of words to 1.5: the query's norm is 4
    expected = {"r": 2.5 / 4, "y": (2.5 + 1.5) * HALF / 4, "g": 1.5 / 4, "b": 0.0}
    assert ids(page) == ["y", "r", "g", "b"]
    assert dict(zip(ids(page), scores(page), strict=True)) == pytest.approx(expected, abs=1e-3)


def test_a_negative_weight_turns_away(engine):
    page = engine.search(ask(PictureTerm(picture(YELLOW)), TextTerm("red", weight=-0.5), blocks=BARE))
    assert ids(page) == ["y", "g", "r", "b"]
    norm = 2.5 + 0.5 * 1.5
    assert scores(page)[2] == pytest.approx((2.5 * HALF - 0.75) / norm, abs=1e-3)
    assert page.hits[2].parts["meaning"] == pytest.approx((HALF - 0.5) / norm, abs=1e-3)


def test_the_texts_of_products_count_beside_the_vectors(engine):
    page = engine.search(ask(TextTerm("red scarf")))
    assert ids(page)[:2] == ["r", "y"] and "b" not in ids(page)  # a hat
    best = page.hits[0]
    assert (best.parts["lexical"], best.parts["kind"]) == pytest.approx((0.25, 0.5), abs=1e-3)  # of a kind, half each
    assert sum(best.parts.values()) == pytest.approx(best.score, abs=1e-6)
    assert best.found_by == ("vector", "lexical")


def test_words_that_are_not_wanted_are_not_wanted_in_texts_either(engine):
    page = engine.search(ask(PictureTerm(picture(GREEN)), TextTerm("scarf", -1.0)))
    assert {hit.product.id: hit.parts["lexical"] < 0 for hit in page.hits} == {
        "r": True,
        "g": True,
        "y": True,
        "b": False,
    }


def test_who_asks_by_number_finds_that_product_first(home):
    items = [Item("r", "red scarf"), Item("wx-77", "blue hat", (BLUE,)), Item("r2", "red scarf no 2")]
    with make_shop(home, items) as engine:
        page = engine.search(ask(TextTerm("red wx-77")))
    assert page.hits[0].product.id == "wx-77" and 0.9 <= page.hits[0].score <= 1.0
    assert sum(page.hits[0].parts.values()) == pytest.approx(page.hits[0].score, abs=1e-6)


def test_a_number_among_other_words_decides_however_small_the_page(home):
    rng = np.random.default_rng(11)
    colours = [tuple(int(c) for c in rng.integers(0, 256, 3)) for _ in range(500)]
    items = [Item(f"wx-{i}", f"red scarf of wool {'blue' if i % 3 else 'warm'}", (c,)) for i, c in enumerate(colours)]
    with make_shop(home, items) as engine:
        for number in (7, 123, 480):
            asked = (TextTerm(f"warm red scarf of wool wx-{number}"),)
            for k in (1, 10):
                assert engine.search(ask(*asked, k=k)).hits[0].product.id == f"wx-{number}"


def test_every_page_of_words_is_the_page_of_an_endless_fetch(home):
    """Whatever depth rows were fetched to, the order is that of all products' scores."""
    rng = np.random.default_rng(5)
    colours = [tuple(int(c) for c in rng.integers(0, 256, 3)) for _ in range(400)]
    words = ["red scarf", "red hat", "blue scarf", "green thing", "hat"]
    items = [Item(f"p{i}", words[int(rng.integers(len(words)))], (colour,)) for i, colour in enumerate(colours)]
    with make_shop(home, items) as engine:
        for asked in ("red scarf", "hat", "blue", "red"):
            whole = engine.search(ask(TextTerm(asked), PictureTerm(picture((90, 40, 200))), k=200))
            for offset in (0, 3, 20, 60):
                page = engine.search(ask(TextTerm(asked), PictureTerm(picture((90, 40, 200))), k=7, offset=offset))
                assert ids(page) == ids(whole)[offset : offset + 7]


@pytest.mark.parametrize(
    "terms",
    [
        (PictureTerm(picture((200, 100, 50))),),
        (TextTerm("red blue"),),
        (PictureTerm(picture((10, 99, 200)), 2.0), TextTerm("green", -0.3), ProductTerm("b", 0.1)),
    ],
)
def test_the_parts_add_up_to_the_score_which_is_at_most_one(engine, terms):
    for hit in engine.search(ask(*terms)).hits:
        assert sum(hit.parts.values()) == pytest.approx(hit.score, abs=1e-5)
        assert hit.score <= 1.0


def test_a_product_comes_once_with_the_picture_that_matched(engine):
    page = engine.search(ask(PictureTerm(picture(GREEN))))
    assert sorted(ids(page)) == ["b", "g", "r", "y"]
    found = page.hits[1]
    assert found.product.id == "y" and found.picture == found.product.pictures[1]


def test_similar_is_never_the_product_itself(engine):
    assert ids(engine.similar("y")) == ["g", "r", "b"]
    assert scores(engine.similar("r", k=1)) == near(0.5)  # the kind alone, as its picture has nothing in common


def test_a_product_among_other_terms_is_not_a_hit_either(engine):
    assert ids(engine.search(ask(ProductTerm("r"), TextTerm("blue", 3.0)))) == ["b", "g", "y"]


def test_block_weights_can_be_chosen(engine):
    page = engine.search(ask(PictureTerm(picture(RED)), blocks={"look": 0, "meaning": 0, "words": 1}))
    assert scores(page) == near(1.0, HALF, 0.0, 0.0)
    assert page.hits[0].parts == pytest.approx({"look": 0, "meaning": 0, "words": 1}, abs=1e-3)
    words = engine.search(ask(TextTerm("red"), blocks={"look": 5}))
    assert scores(words)[0] == pytest.approx(1.0, abs=1e-3)  # words have no look to weigh


@pytest.mark.parametrize(
    ("blocks", "says"),
    [({"colour": 1}, "look, meaning, words"), ({"look": math.nan}, "outside"), ({"look": 99}, "outside")],
)
def test_bad_block_weights_are_refused(engine, blocks, says):
    with pytest.raises(BadQuery, match=says):
        engine.search(ask(PictureTerm(picture(RED)), blocks=blocks))


def test_a_query_that_weighs_nothing_is_refused(engine):
    with pytest.raises(BadQuery, match="Every weight"):
        engine.search(ask(TextTerm("red", weight=0.0)))
    with pytest.raises(BadQuery, match="Every weight"):
        engine.search(ask(TextTerm("red"), blocks={"meaning": 0, "words": 0}))


def test_words_are_refused_by_name_when_the_encoder_cannot_read(home):
    with make_shop(home, encoder=FakeEncoder(texts=False)) as engine:
        assert not engine.status().texts
        assert ids(engine.search(ask(PictureTerm(picture(BLUE)))))[0] == "b"
        engine.warm_up()
        with pytest.raises(UnsupportedQuery, match="'fake'"):
            engine.search(ask(PictureTerm(picture(RED)), TextTerm("red")))


def test_unknown_products(engine):
    for act in (engine.product, engine.similar):
        with pytest.raises(UnknownProduct, match="nobody"):
            act("nobody")
    assert engine.product("r").title == "red scarf"


def test_ties_go_by_product_id_whatever_the_page(home):
    items = [Item(f"p{i:02}", "red thing", (RED,)) for i in (5, 3, 19, *range(6, 19), 0, 4, 2, 1)]
    with make_shop(home, items) as engine:
        whole = engine.search(ask(PictureTerm(picture(RED)), k=20))
        assert ids(whole) == sorted(ids(whole)) and len(whole.hits) == 20
        for k in (1, 3, 7):
            pages = [engine.search(ask(PictureTerm(picture(RED)), k=k, offset=o)) for o in range(0, 20, k)]
            assert [i for page in pages for i in ids(page)] == ids(whole)


def test_listings_of_the_same_thing_are_one_hit_that_can_be_opened(home):
    items = [Item(f"{kind}{i}", f"red {kind}", place="shop") for i in range(4) for kind in ("hat", "scarf")]
    with make_shop(home, [*items, Item("b", "blue hat", (BLUE,))]) as engine:
        page = engine.search(ask(PictureTerm(picture(RED))))
        assert [(h.product.id, h.duplicates) for h in page.hits] == [
            ("hat0", ("hat1", "hat2", "hat3")),
            ("scarf0", ("scarf1", "scarf2", "scarf3")),
            ("b", ()),
        ]
        pages = [engine.search(ask(PictureTerm(picture(RED)), k=1, offset=offset)) for offset in range(4)]
        assert [ids(each) for each in pages] == [["hat0"], ["scarf0"], ["b"], []]
        assert pages[1].hits[0].duplicates == ("scarf1", "scarf2", "scarf3")
        cheap = engine.search(ask(PictureTerm(picture(RED)), sort="newest"))
        assert [h.product.id for h in cheap.hits] == ["scarf3", "hat3"]
        assert ids(engine.similar("hat2")) == ["scarf0", "b"]  # neither itself nor what it is listed as elsewhere
        steered = [engine.search(ask(ProductTerm("hat2"), sort=sort, facets=True)) for sort in ("relevance", "newest")]
        assert [ids(each) for each in steered] == [["scarf0"], ["scarf3"]]
        assert "hat1" in ids(engine.search(ask(ProductTerm("hat2"), collapse=False)))


def test_many_listings_of_one_thing_are_grouped_in_few_rounds(home, monkeypatch):
    rounds = []
    collapse = search_run.collapse_listings
    monkeypatch.setattr(search_run, "collapse_listings", lambda *given: rounds.append(1) or collapse(*given))
    with make_shop(home, [Item(f"hat{i:03}", "red hat", place="shop") for i in range(200)]) as engine:
        page = engine.search(ask(PictureTerm(picture(RED)), sort="price"))
        assert len(page.hits) == 1 and len(page.hits[0].duplicates) == 199
    assert len(rounds) <= 16


def test_pages_continue_and_end(engine):
    query = PictureTerm(picture((200, 90, 30)))
    whole = engine.search(ask(query))
    second = engine.search(ask(query, k=2, offset=2))
    assert second.hits == whole.hits[2:4]
    assert [hit["rank"] for hit in second.to_dict()["hits"]] == [3, 4]
    assert engine.search(ask(query, k=2, offset=4)).hits == ()


def test_a_product_with_many_pictures_does_not_hide_the_others(home):
    many = tuple((255, i, 0) for i in range(50))
    others = [Item(f"p{i}", "red", ((255, 100 + i, 0),)) for i in range(5)]
    with make_shop(home, [Item("many", "red", many), *others]) as engine:
        page = engine.search(ask(PictureTerm(picture(RED)), k=4))
        assert ids(page) == ["many", "p0", "p1", "p2"]
        assert ids(engine.similar("many", k=3)) == ["p0", "p1", "p2"]


def test_products_that_left_the_catalogue_are_skipped_and_the_page_stays_full(home):
    items = [Item(f"p{i:03}", "red", ((255, i, 0),)) for i in range(90)]
    with make_shop(home, items) as engine:
        with_gone = Catalogue.open(home / "catalog.sqlite")
        with_gone.remove([f"p{i:03}" for i in range(70)])
        with_gone.close()
        page = engine.search(ask(PictureTerm(picture(RED)), k=5))
        assert ids(page) == [f"p{i:03}" for i in range(70, 75)]


def test_a_product_put_after_the_index_was_made(home):
    with make_shop(home) as engine:
        later = Catalogue.open(home / "catalog.sqlite")
        later.put([Product("new", "new thing", ())])
        later.close()
        with pytest.raises(UnknownProduct, match="not in the index yet"):
            engine.similar("new")


@pytest.mark.promise("R19")
def test_many_queries_at_once_are_answered_as_one_by_one(engine):
    queries = [ask(PictureTerm(picture(RED))), ask(TextTerm("green"), k=2), ask(ProductTerm("b"), TextTerm("red"))]
    together = engine.search_many(queries)
    assert [page.hits for page in together] == [engine.search(query).hits for query in queries]
    assert engine.search_many([]) == []


@pytest.mark.promise("R19")
def test_threads_share_an_engine(engine):
    queries = [ask(PictureTerm(picture((i, 255 - i, 90)))) for i in range(40)]
    alone = [engine.search(query).hits for query in queries]
    with ThreadPoolExecutor(4) as pool:
        assert [page.hits for page in pool.map(engine.search, queries)] == alone


def test_scores_are_exact_under_an_approximate_index(home):
    generator = np.random.default_rng(3)
    colours = generator.integers(0, 256, (400, 3)).tolist()
    items = [Item(f"p{i:03}", "red" if i % 2 else "blue", (tuple(c),)) for i, c in enumerate(colours)]
    with make_shop(home / "a", items) as flat, make_shop(home / "b", items, plan=IndexPlan("ivf_sq8", 4)) as lists:
        for query in (ask(PictureTerm(picture((90, 10, 200))), k=20), ask(TextTerm("red blue"), k=20)):
            exact, found = flat.search(query), lists.search(query)
            assert ids(exact) == ids(found) and scores(exact) == scores(found)


def test_browsing_shows_other_products_for_another_seed(home):
    with make_shop(home, [Item(f"p{i}") for i in range(40)]) as engine:
        shown = engine.browse(5, seed=1)
        assert shown == engine.browse(5, seed=1) != engine.browse(5, seed=2)
        assert len({product.id for product in shown}) == 5
        assert len({product.id for product in engine.browse(99, seed=1)}) == 40


def test_status_and_warm_up(engine):
    engine.warm_up()
    status = engine.status()
    assert (status.generation, status.products, status.pictures) == (1, 4, 5)
    assert (status.encoder, status.fingerprint, status.texts) == ("fake", "fa" * 32, True)


def test_a_shop_opens_with_the_encoder_that_made_it(home, fake_encoder):
    make_shop(home).close()
    with SearchEngine.open(home) as engine:
        assert ids(engine.search(ask(TextTerm("blue"))))[0] == "b"
    fake_encoder.fingerprint = "00" * 32
    with pytest.raises(EncoderMismatch, match="another version"):
        SearchEngine.open(home)


def test_a_shop_that_was_never_indexed_or_lost_its_catalogue(home, fake_encoder):
    with pytest.raises(NoGeneration, match="no index"):
        SearchEngine.open(home)
    make_shop(home).close()
    for file in home.glob("catalog.sqlite*"):
        file.unlink()
    with pytest.raises(NoGeneration, match="no catalogue"):
        SearchEngine.open(home)
    assert not (home / "catalog.sqlite").exists()


def test_a_hit_whose_picture_was_replaced_shows_the_products_first(home):
    make_shop(home).close()
    catalogue = Catalogue.open(home / "catalog.sqlite")
    catalogue.put([Product("r", "red scarf", catalogue.get("b").pictures)])
    catalogue.close()
    with open_shop(home, FakeEncoder()) as engine:
        hit = engine.search(ask(PictureTerm(picture(RED)), k=1)).hits[0]
        assert hit.product.id == "r" and hit.picture == hit.product.pictures[0]
