"""Facet counts against filtering by each value in turn, and against counting products by hand."""

from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.product import Product
from search.query.filters import parse_filter
from search.retrieval.facets import MAX_VALUES, facet_counts, facet_fields
from search.state.column_store import ProductColumns
from tests.search.random_shops import CHANCES, FILTERS, passes
from tests.search.random_shops import products as drawn_products

FIELDS = ("category", "price", "brand", "colour", "base_colour", "in_stock", "on_sale", "attributes.size")


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
    return drawn_products(draw(CHANCES), range(1, draw(st.integers(1, 25)) + 1))


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
@given(shops(), FILTERS, st.integers(1, 5))
def test_of_each_item_group_a_value_counts_once(products, value, groups):
    products = {key: replace(each, item_group_id=str(key % groups or "")) for key, each in products.items()}
    columns = ProductColumns.of(products.items())
    for facet in facet_counts(columns, parse_filter(value), columns.matching, FIELDS, columns.item_groups()):
        others = without(value, facet.name)
        for choice in facet.values:
            one = columns.matching(parse_filter(as_filter(facet.name, choice.value)))
            held = [
                key
                for key, each in products.items()
                if passes(others, each) and one[columns.ordinals(np.array([key]))[0]]
            ]
            assert choice.count == len({key % groups or -key for key in held})


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
    many = shop(*[{"brand": f"b{i:03}"} for i in range(MAX_VALUES + 10) for _ in range(1 + (i < 5))])
    (facet,) = facet_counts(many, parse_filter({"brand": "b109"}), many.matching, ("brand",))
    assert labels(facet)[0] == ("b000", 2, False) and labels(facet)[-1] == ("b109", 1, True)
    assert len(facet.values) == MAX_VALUES + 1 and facet.others == 9


def test_price_ranges_are_round_and_together_hold_every_price():
    prices = shop(*[{"price": Decimal(f"{i}.49"), "currency": "EUR"} for i in range(5, 105)])
    (facet,) = facet_counts(prices, parse_filter({}), prices.matching, ("price",))
    assert [label for label, _, _ in labels(facet)] == ["up to 30", "30 to 50", "50 to 60", "60 to 80", "from 80"]
    assert sum(count for _, count, _ in labels(facet)) == 100 and facet.span == (5.49, 104.49)
    assert facet.to_dict()["values"][1]["value"] == {"min": 30.0, "max": 50.0}
    assert facet.currency == facet.to_dict()["currency"] == "EUR"


def priced(*prices):
    return shop(*[{"price": Decimal(str(price)), "currency": "EUR"} for price in prices])


def test_prices_that_are_close_together_still_have_ranges():
    mugs = priced(10.90, 11.90, 11.90, 12.50, 12.90, 13.90, 14.90, 15.90, 16.90, 17.90)
    (facet,) = facet_counts(mugs, parse_filter({}), mugs.matching, ("price",))
    assert [label for label, _, _ in labels(facet)] == ["up to 12", "12 to 13", "13 to 14", "14 to 16", "from 16"]
    assert facet.span == (10.9, 17.9)


def test_no_range_is_empty_and_the_own_one_stands_in_its_place():
    split = priced(*[5] * 8, *[400] * 8)
    for value in ({}, {"price": {"min": 6, "max": 390}}):
        (facet,) = facet_counts(split, parse_filter(value), split.matching, ("price",))
        assert all(count or selected for _, count, selected in labels(facet))
    even = priced(*range(5, 105))
    (facet,) = facet_counts(even, parse_filter({"price": {"min": 45, "max": 55}}), even.matching, ("price",))
    assert [label for label, _, _ in labels(facet)] == [
        "up to 20",
        "20 to 40",
        "40 to 60",
        "45 to 55",
        "60 to 80",
        "from 80",
    ]


def test_the_panel_stays_where_only_the_bounds_differ():
    (facet,) = facet_counts(two := priced(10, 20), parse_filter({"price": {"max": 99}}), two.matching, ("price",))
    assert facet.span == (10.0, 20.0)
    same = priced(10, 10)
    assert not facet_counts(same, parse_filter({}), same.matching, ("price",))


COLOURED = shop(
    *[{"attributes": MappingProxyType({"colour": colour})} for colour in (
        "ivory and navy", "navy", "Sky blue", "cobalt blue", "sky blue/white", "oak", "blush pink", "Rot und Weiß",
        "浅蓝色和白色", "深蓝色",
    )]
)  # fmt: skip


def test_colours_are_counted_by_base_colour():
    (facet,) = facet_counts(COLOURED, parse_filter({}), COLOURED.matching, ("base_colour",))
    assert {label: count for label, count, _ in labels(facet)} == {
        "blue": 3, "navy": 2, "Sky blue": 2, "ivory": 1, "white": 1, "cobalt blue": 1, "oak": 1, "blush pink": 1,
        "Rot": 1, "Weiß": 1, "浅蓝色": 1, "白色": 1, "深蓝色": 1, "蓝色": 2,
    }  # fmt: skip
    assert facet_fields(COLOURED)[0] == "base_colour"


def test_several_base_colours_are_alternatives_and_do_not_change_their_own_counts():
    value = parse_filter({"base_colour": ["navy", "White"]})
    (facet,) = facet_counts(COLOURED, value, COLOURED.matching, ("base_colour",))
    counts = {label: (count, selected) for label, count, selected in labels(facet)}
    assert counts["navy"] == (2, True) and counts["white"] == (1, True) and counts["blue"] == (3, False)
    assert int(COLOURED.matching(value).sum()) == 3


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
