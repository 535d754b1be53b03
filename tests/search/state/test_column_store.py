"""Columns against the obvious: each product looked at by itself, before and after changes."""

from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from search.query.filters import parse_filter
from search.state.column_store import ProductColumns
from tests.search.random_shops import CHANCES, FILTERS, passes
from tests.search.random_shops import products as drawn_products


@st.composite
def histories(draw):
    """A shop's first products, then up to four changes: puts by key, and keys removed."""
    chance = draw(CHANCES)
    first = drawn_products(chance, range(1, draw(st.integers(0, 12)) + 1))
    steps = []
    for _ in range(draw(st.integers(0, 4))):
        keys = draw(st.lists(st.integers(1, 30), max_size=6, unique=True))
        puts = drawn_products(chance, keys)
        gone = draw(st.sets(st.integers(1, 30), max_size=6)) - puts.keys()
        steps.append((puts, gone))
    return first, steps


def found(columns, value):
    return set(columns.keys[columns.matching(parse_filter(value))].tolist())


@settings(max_examples=300, deadline=None)
@given(histories(), st.lists(FILTERS, min_size=1, max_size=4))
def test_filters_find_what_each_product_says_whatever_was_changed(history, filters):
    products, steps = history
    columns = ProductColumns.of(sorted(products.items()))
    products = dict(products)
    for puts, gone in [({}, set()), *steps]:
        earlier, columns = columns, columns.changed(puts, gone)
        products = {key: each for key, each in {**products, **puts}.items() if key not in gone}
        for value in (*filters, {}):
            assert found(columns, value) == {key for key, each in products.items() if passes(value, each)}
        assert set(columns.keys[columns.present].tolist()) == set(products)
        ids = [columns.ids[place] for place in columns.by_id]
        assert ids == sorted(ids) and len(ids) == len(columns)
        assert sorted(columns.by_id.tolist()) == list(range(len(columns)))
        if columns.lineage is earlier.lineage:
            assert columns.keys[: len(earlier)].tolist() == earlier.keys.tolist()


def thing(key, **facts):
    return Product(f"p{key}", "thing", (), **facts)


def test_a_change_leaves_the_columns_before_it_alone():
    columns = ProductColumns.of([(1, thing(1, brand="a")), (2, thing(2, brand="b", price=Decimal(5)))])
    after = columns.changed({2: thing(2, brand="a"), 3: thing(3, brand="new")}, {1})
    assert found(columns, {"brand": "a"}) == {1} and found(columns, {"brand": "new"}) == set()
    assert found(after, {"brand": "a"}) == {2} and found(after, {"brand": "new"}) == {3}
    assert found(after, {"price": {"min": 0}}) == set() and found(columns, {"price": {"min": 0}}) == {2}
    assert after.lineage is columns.lineage


def test_what_is_gone_is_swept_out_when_it_is_much():
    columns = ProductColumns.of([(key, thing(key)) for key in range(1, 101)])
    after = columns.changed({}, range(1, 60))
    assert len(after) == 100 and after.lineage is columns.lineage
    swept = after.changed({200: thing(200)}, ())
    assert len(swept) == 42 and swept.lineage is not columns.lineage
    assert found(swept, {}) == {*range(60, 101), 200}


def test_an_empty_shop():
    columns = ProductColumns.of([])
    for value in ({}, {"brand": "a"}, {"id": "a"}, {"price": {"min": 1}}, {"not": {"in_stock": True}}):
        assert columns.matching(parse_filter(value)).tolist() == []
    assert columns.ordinals(np.array([4])).tolist() == [-1]
    assert found(columns.changed({1: thing(1)}), {"id": "p1"}) == {1}


def test_width_case_and_spaces_do_not_count_but_in_ids_they_do():
    columns = ProductColumns.of([(1, thing(1, brand="ＡＣＭＥ  Co")), (2, Product("P1", "", ()))])
    assert found(columns, {"brand": "acme co"}) == {1}
    assert found(columns, {"id": ["P1"]}) == {2}


def test_prices_of_one_currency():
    prices = [(1, "EUR"), (2, "USD")]
    columns = ProductColumns.of(
        [(key, thing(key, price=Decimal("12.90"), currency=currency)) for key, currency in prices]
    )
    assert found(columns, {"price": {"min": 12.9, "max": 12.9}}) == {1, 2}
    assert found(columns, {"price": {"max": 13, "currency": "usd"}}) == {2}
    assert found(columns, {"price": {"currency": "GBP"}}) == set()


def test_read_from_a_catalogue(tmp_path):
    catalogue = Catalogue.open(tmp_path / "catalog.sqlite")
    catalogue.put([thing(1, brand="a", in_stock=False), thing(2, brand="b")])
    columns = ProductColumns.read(catalogue)
    assert found(columns, {"in_stock": False}) == {catalogue.key_of("p1")}
    catalogue.close()
