"""Filters, facets, sorting and browsing through the engine, against a brute-force reading of the same shop."""

import numpy as np
import pytest

from catalog.errors import BadQuery
from search.live.product_edit import edit_of
from search.query.filters import parse_filter
from search.query.terms import PictureTerm, ProductTerm, Query, TextTerm
from tests.search.shop_fixtures import BLUE, GREEN, RED, Item, make_shop, picture

COLOURS = {"red": RED, "green": GREEN, "blue": BLUE}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Sixty scarves and hats in three colours, priced 1 to 60, without duplicates in look."""
    rng = np.random.default_rng(3)
    items = []
    for number in range(1, 61):
        name = list(COLOURS)[number % 3]
        shade = tuple(int(max(0, c - rng.integers(0, 90))) for c in COLOURS[name])
        kind = ("Scarves", "Hats")[number % 2]
        items.append(
            Item(f"p{number:02}", f"{name} {kind[:-1].lower()} {number}", (shade,), f"Apparel > {kind}", str(number))
        )
    with make_shop(tmp_path_factory.mktemp("shop"), items) as engine:
        yield engine


def ids(page):
    return [hit.product.id for hit in page.hits]


def asked(narrowed=None, **options):
    return Query((PictureTerm(picture(RED)),), filter=None if narrowed is None else parse_filter(narrowed), **options)


def test_a_filtered_answer_is_the_whole_answer_without_what_does_not_pass(shop):
    whole = shop.search(asked(k=60))
    narrowed = shop.search(asked({"category": "apparel > hats", "price": {"max": 30}}, k=60))
    passing = [h.product.id for h in whole.hits if h.product.category == "Apparel > Hats" and h.product.price <= 30]
    assert ids(narrowed) == passing and len(passing) == 15
    assert [h.score for h in narrowed.hits] == [h.score for h in whole.hits if h.product.id in passing]


def test_words_and_filters_together(shop):
    page = shop.search(Query((TextTerm("red hat"),), filter=parse_filter({"price": {"min": 31}}), k=5))
    assert all(h.product.price >= 31 for h in page.hits)
    assert all("red hat" in h.product.title for h in page.hits)


def test_sorting_comes_after_the_cut_of_what_is_relevant(shop):
    page = shop.search(asked(sort="price", k=60))
    prices = [h.product.price for h in page.hits]
    assert prices == sorted(prices) and page.total == len(prices)
    assert {h.product.title.split()[0] for h in page.hits} == {"red"}, "what does not match is not sorted in"
    assert ids(shop.search(asked(sort="-price", k=60))) == ids(page)[::-1]
    assert ids(shop.search(asked(sort="newest", k=60))) == ids(page)[::-1]  # the dear ones were added last
    assert ids(shop.search(asked(sort="price", k=3, offset=3))) == ids(page)[3:6]


def test_facets_count_what_matches_and_do_not_filter_themselves(shop):
    page = shop.search(asked({"category": "Apparel > Hats"}, facets=True, k=2))
    counts = {facet.name: {v.label: v.count for v in facet.values} for facet in page.facets}
    matching = shop.search(asked(sort="price", k=60)).hits
    hats = [h for h in matching if h.product.category.endswith("Hats")]
    assert counts["category"]["Hats"] == len(hats) == page.total
    assert counts["category"]["Scarves"] == len(matching) - len(hats)
    assert sum(counts["price"].values()) == len(hats)


def test_what_is_like_a_product_is_cut_by_the_best_of_them(shop):
    """The product itself is the best row of all, and must not set the bar, nor be missed when it is left out."""
    whole = shop.search(Query((ProductTerm("p03"),), sort="price", k=60))
    assert 0 < whole.total < 59
    narrowed = Query(
        (ProductTerm("p03"),), sort="price", k=60, facets=True, filter=parse_filter({"price": {"max": 30}})
    )
    page = shop.search(narrowed)
    assert ids(page) == [h.product.id for h in whole.hits if h.product.price <= 30]
    assert page.total == len(page.hits)


def test_browsing_needs_no_terms(shop):
    page = shop.search(Query((), filter=parse_filter({"category": "Apparel > Scarves"}), k=4, facets=True))
    assert ids(page) == ["p60", "p58", "p56", "p54"] and page.total == 30
    assert [h.score for h in page.hits] == [0.0] * 4
    cheap = shop.search(Query((), filter=parse_filter({}), sort="price", k=3))
    assert ids(cheap) == ["p01", "p02", "p03"] and cheap.total == 60
    again = shop.query_of(cheap.refine)
    assert (again.filter, again.sort) == (parse_filter({}), "price")


def test_a_filter_that_nothing_passes_gives_nothing(shop):
    page = shop.search(asked({"brand": "Acme"}, facets=True, sort="price"))
    assert page.hits == () and page.total == 0


def test_what_changes_is_filtered_as_it_is_now(tmp_path):
    with make_shop(tmp_path) as engine:
        priced = asked({"price": {"max": 5}})
        assert ids(engine.search(priced)) == []
        engine.put(edit_of("g", {"price": "4.50", "currency": "EUR"}))
        assert ids(engine.search(priced)) == ["g"]
        engine.put(edit_of("g", {"in_stock": False}))
        assert ids(engine.search(asked({"in_stock": True}))) == ["r", "y", "b"]
        engine.remove("r")
        assert ids(engine.search(Query((), filter=parse_filter({"category": "Apparel > Scarves"})))) == ["y", "g"]


def test_this_but_in_another_colour_keeps_the_kind(tmp_path):
    """Without it, red things of another kind come before green scarves."""
    items = [Item(f"{colour}-{kind}", f"{colour} {kind}", (COLOURS[colour],), f"Apparel > {kind}")
             for kind in ("scarf", "hat", "sock") for colour in COLOURS]  # fmt: skip
    with make_shop(tmp_path, items) as engine:
        page = engine.search(Query((ProductTerm("red-scarf"), TextTerm("green"))))
        assert page.hits[0].product.id == "green-scarf"
        assert page.hits[0].parts["kind"] > 0
        less = engine.search(Query((ProductTerm("red-scarf"), TextTerm("red", -0.5)), sort="price"))
        assert {hit.product.category for hit in less.hits} == {"Apparel > scarf"}, "what is not wanted keeps it too"
        none = engine.search(Query((ProductTerm("red-scarf"), TextTerm("purple"))))
        kept = {hit.product.category for hit in none.hits if hit.parts.get("kind", 0) > 0}
        assert kept == {"Apparel > scarf"}, "also when the shop has none in that colour"
        other = engine.search(Query((ProductTerm("red-scarf"), TextTerm("sock"))))
        assert {h.product.category for h in other.hits if h.parts["kind"] > 0} == {"Apparel > sock"}, (
            "words name the kind"
        )


def test_an_order_that_does_not_exist_is_refused():
    with pytest.raises(BadQuery, match="no order"):
        asked(sort="best")
