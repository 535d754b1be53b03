"""Facet counts against filtering by each value in turn, and against counting products by hand."""

from decimal import Decimal
from types import MappingProxyType

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.product import Product
from search.query.filters import parse_filter
from search.retrieval.facets import MAX_VALUES, facet_counts, facet_fields
from search.state.column_store import ProductColumns
from tests.search.random_shops import FILTERS, passes, product

FIELDS = ("category", "price", "brand", "colour", "in_stock", "attributes.size")


def as_filter(name, value):
    if name.startswith("attributes."):
        return {"attributes": {name.removeprefix("attributes."): value}}
    return {name: value}


def without(value, name):
    rest = {key: each for key, each in value.items() if key not in (name, "attributes")}
    attributes = {k: v for k, v in value.get("attributes", {}).items() if f"attributes.{k}" != name}
    return rest | ({"attributes": attributes} if attributes else {})


@st.composite
def shops(draw):
    return {key: product(draw, key) for key in range(1, draw(st.integers(1, 25)) + 1)}


@settings(max_examples=300, deadline=None)
@given(shops(), FILTERS, st.integers(2, 3))
def test_a_count_is_what_filtering_by_that_value_instead_would_find(products, value, part):
    """The answer is what passes the filter and, as if a query were asked too, has a key that `part` does not divide."""
    columns = ProductColumns.of(products.items())
    relevant = columns.keys % part > 0
    facets = facet_counts(columns, parse_filter(value), lambda f: columns.matching(f) & relevant, FIELDS)
    for facet in facets:
        others = without(value, facet.name)
        for choice in facet.values:
            one = as_filter(facet.name, choice.value)
            held = [key for key, each in products.items() if key % part and passes(others, each)]
            assert choice.count == int(
                (columns.matching(parse_filter(one)) & columns.mask_of(np.array(held, int))).sum()
            )
        assert facet.others == 0
    named = {facet.name: facet for facet in facets}
    for name in FIELDS:
        if parse_filter(value).on(name):
            assert any(choice.selected for choice in named[name].values), "what is chosen can be taken back"


@settings(max_examples=100, deadline=None)
@given(shops())
def test_every_value_of_an_answer_is_listed(products):
    columns = ProductColumns.of(products.items())
    named = {f.name: f for f in facet_counts(columns, parse_filter({}), columns.matching, ("brand", "colour"))}
    brands = {each.brand.lower() for each in products.values() if each.brand}
    if len(brands) > 1:
        assert {choice.label.lower() for choice in named["brand"].values} == brands


def shop(*facts):
    return ProductColumns.of((key, Product(f"p{key}", "thing", (), **each)) for key, each in enumerate(facts, 1))


def labels(facet):
    return [(value.label, value.count, value.selected) for value in facet.values]


CLOTHES = shop(
    {"category": "Apparel > Topwear > Shirts"},
    {"category": "Apparel > Topwear > Shirts"},
    {"category": "Apparel > Topwear > Tops"},
    {"category": "Apparel > Dresses"},
    {"category": "Footwear > Shoes"},
)


def categories(value):
    filter = parse_filter(value)
    return labels(facet_counts(CLOTHES, filter, CLOTHES.matching)[0])


def test_categories_open_where_one_is_chosen_and_where_there_is_only_one():
    assert categories({}) == [("Apparel", 4, False), ("Footwear", 1, False)]
    assert categories({"category": "apparel"}) == [
        ("Apparel", 4, True),
        ("Topwear", 3, False),
        ("Dresses", 1, False),
        ("Footwear", 1, False),
    ]
    assert categories({"category": "Apparel > Topwear > Tops"})[1:4] == [
        ("Topwear", 3, False),
        ("Shirts", 2, False),
        ("Tops", 1, True),
    ]
    assert categories({"id": ["p1", "p3"]}) == [
        ("Apparel", 2, False),
        ("Topwear", 2, False),
        ("Shirts", 1, False),
        ("Tops", 1, False),
    ]


def test_of_many_values_the_most_frequent_are_listed_and_the_chosen_one():
    many = shop(*[{"brand": f"b{i:02}"} for i in range(MAX_VALUES + 10) for _ in range(1 + (i < 5))])
    (facet,) = facet_counts(many, parse_filter({"brand": "b29"}), many.matching, ("brand",))
    assert labels(facet)[0] == ("b00", 2, False) and labels(facet)[-1] == ("b29", 1, True)
    assert len(facet.values) == MAX_VALUES + 1 and facet.others == 9


def test_price_ranges_are_round_and_together_hold_every_price():
    prices = shop(*[{"price": Decimal(f"{i}.49"), "currency": "EUR"} for i in range(5, 105)])
    (facet,) = facet_counts(prices, parse_filter({}), prices.matching, ("price",))
    assert [label for label, _, _ in labels(facet)] == ["up to 25", "25 to 50", "50 to 100", "from 100"]
    assert sum(count for _, count, _ in labels(facet)) == 100 and facet.span == (5.49, 104.49)
    assert facet.to_dict()["values"][1]["value"] == {"min": 25.0, "max": 50.0}


def test_prices_of_two_currencies_are_not_mixed():
    mixed = shop(
        *[{"price": Decimal(i), "currency": "EUR"} for i in (1, 20, 30)], {"price": Decimal(9000), "currency": "JPY"}
    )
    (facet,) = facet_counts(mixed, parse_filter({}), mixed.matching, ("price",))
    assert facet.span == (1.0, 30.0) and all(value.value["currency"] == "EUR" for value in facet.values)


def test_a_text_of_its_own_for_each_product_is_no_facet():
    facts = [
        {"attributes": MappingProxyType({"note": f"text {i}", "size": "S, M" if i % 2 else "M"}), "in_stock": i > 3}
        for i in range(20)
    ]
    columns = shop(*facts)
    assert facet_fields(columns) == ("in_stock", "attributes.size")
    facets = {facet.name: labels(facet) for facet in facet_counts(columns, parse_filter({}), columns.matching)}
    assert facets == {
        "in_stock": [("in stock", 16, False), ("out of stock", 4, False)],
        "attributes.size": [("M", 20, False), ("S", 10, False)],
    }
