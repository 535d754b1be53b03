"""A facet's count, the total after a click, and the hits of all pages are one number."""

import random
from dataclasses import replace

import pytest

from search.engine import SearchEngine
from search.evaluation.facet_truth import FacetClick, click, random_click, selecting
from search.hits import Facet, FacetValue
from search.query.filters import parse_filter
from search.query.terms import Query
from tests.fake_encoder import FakeEncoder
from tests.quality.question_sets.random_queries import random_queries
from tests.search.random_shop import make_random_shop

CLICKS = 120
PRICE_QUERIES = 12  # of which every price range is clicked on


def test_a_click_states_what_disagrees():
    assert FacetClick("brand", "Puma", 3, 3, 3).differences == ()
    assert FacetClick("brand", "Puma", 3, 3, None).differences == ()  # more pages than can be turned to
    wrong = FacetClick("brand", "Puma", 3, 4, 24, repeated=1).differences
    assert [text.split(":")[-1].strip() for text in wrong] == [
        "The facet brand states 3 for 'Puma', the click shows 4",
        "the total is 4, all pages list 24",
        "1 products are listed twice",
    ]


def test_a_value_replaces_its_fields_own_condition():
    active = parse_filter({"brand": ["Puma"], "attributes": {"gender": ["Men"]}, "not": {"colour": "red"}})
    by_brand = selecting(active, "brand", FacetValue("Nike", "Nike", 1))
    assert by_brand == parse_filter({"attributes": {"gender": ["Men"]}, "not": {"colour": "red"}, "brand": ["Nike"]})
    by_gender = selecting(active, "attributes.gender", FacetValue("Women", "Women", 1))
    assert by_gender.on("attributes.gender").values == ("Women",) and by_gender.on("brand").values == ("Puma",)
    price = selecting(None, "price", FacetValue({"min": 5.0, "currency": "EUR"}, "from 5", 1))
    assert price == parse_filter({"price": {"min": 5.0, "currency": "EUR"}})


def test_browsing_is_true(engine):
    """Three scarves and a hat: the facet says so, and so does the page after the click."""
    browsing = Query.of(filter={"category": "Apparel"})
    facet = next(facet for facet in engine.search(Query.of(filter={}, facets=True)).facets if facet.name == "category")
    scarves = next(value for value in facet.values if value.label == "Scarves")
    clicked = click(engine, browsing, Facet("category", (scarves,)), scarves)
    assert (clicked.count, clicked.total, clicked.listed, clicked.differences) == (3, 3, 3, ())


def price_clicks(engine, query):
    facets = engine.search(replace(query, facets=True, offset=0)).facets
    return [click(engine, query, facet, value) for facet in facets if facet.name == "price" for value in facet.values]


@pytest.fixture(scope="module")
def clicks(tmp_path_factory):
    """Random clicks on the answers to random queries of a shop drawn by chance."""
    home = tmp_path_factory.mktemp("random") / "shop"
    shop = make_random_shop(home, 120)
    products = list(shop.by_id.values())
    shop.close()
    photos = [home / "feed" / path.name for path in (home / "feed").iterdir()]
    rng = random.Random(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.engine.open_encoder", lambda name, *, runtime, home: FakeEncoder())
        with SearchEngine.open(home) as engine:
            queries = list(random_queries(products, photos, CLICKS))
            found = [random_click(engine, query, rng) for query in queries]
            found += [price for query in queries[:PRICE_QUERIES] for price in price_clicks(engine, query)]
    return [found_click for found_click in found if found_click is not None]


def test_a_facets_count_is_what_the_click_shows(clicks):
    assert len(clicks) > CLICKS / 2 and sum(one.field == "price" for one in clicks) > PRICE_QUERIES
    assert [text for one in clicks if one.total != one.count for text in one.differences] == []


def test_all_pages_list_the_total(clicks):
    assert [text for one in clicks for text in one.differences] == []
