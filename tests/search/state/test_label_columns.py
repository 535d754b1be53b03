"""Labels of the products that are here now: what was once seen leaves no trace in answers."""

from decimal import Decimal
from types import MappingProxyType

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.product import Product
from search.query.filters import parse_filter
from search.retrieval.facets import facet_counts, facet_fields
from search.state.column_store import ProductColumns
from tests.search.random_shops import CHANCES, FILTERS, products


def thing(key, brand="", category="", **attributes):
    return Product(f"p{key}", "thing", (), category, brand=brand, attributes=MappingProxyType(attributes))


def columns_of(things):
    return ProductColumns.of(sorted(things.items()))


def facets(columns, value):
    return facet_counts(columns, parse_filter(value), columns.matching)


@st.composite
def lives(draw):
    """A shop's products, then what becomes of some of them: changed, removed, or removed and put under another key."""
    chance = draw(CHANCES)
    first = products(chance, range(1, draw(st.integers(1, 10)) + 1))
    steps = draw(st.lists(st.lists(st.integers(1, 14), max_size=6, unique=True), max_size=5))
    return first, [(products(chance, keys[::2]), set(keys[1::2])) for keys in steps]


@settings(max_examples=200, deadline=None)
@given(lives(), FILTERS)
def test_columns_that_were_changed_answer_as_columns_of_the_same_products_do(life, value):
    things, steps = life
    columns = columns_of(things)
    for puts, gone in steps:
        columns = columns.changed(puts, gone)
        things = {key: each for key, each in {**things, **puts}.items() if key not in gone}
    fresh = columns_of(things)
    assert facet_fields(columns) == facet_fields(fresh)
    assert facets(columns, value) == facets(fresh, value)
    assert list(columns.categories().items()) == list(fresh.categories().items())


def test_a_label_is_spelled_as_most_products_spell_it():
    brands = {1: "PUMA", 2: "Puma", 3: "Puma ", 4: "nike"}
    columns = columns_of({key: thing(key, brand.strip()) for key, brand in brands.items()})
    labels = columns.labels_of("brand")
    assert sorted(labels.texts()) == ["Puma", "nike"] and labels.size == 2
    assert labels.text(labels.code("puma")) == "Puma"
    after = columns.changed({2: thing(2, "PUMA")})
    labels = after.labels_of("brand")
    assert labels.text(labels.code("puma")) == "PUMA"
    assert columns.matching(parse_filter({"brand": "pUma"})).sum() == 3


def test_a_product_with_one_label_in_two_spellings_counts_once():
    columns = columns_of({1: thing(1, colour="Red, red, blue"), 2: thing(2, colour="blue")})
    (facet,) = facet_counts(columns, parse_filter({}), columns.matching, ("colour",))
    assert [(value.label, value.count) for value in facet.values] == [("blue", 2), ("Red", 1)]


def test_labels_of_no_product_do_not_hide_a_facet():
    things = {key: thing(key, size="SM"[key % 2]) for key in range(8)}
    columns = columns_of(things)
    for code in range(10):
        columns = columns.changed({0: thing(0, size=f"odd {code}")}).changed({0: things[0]})
    assert facet_fields(columns) == facet_fields(columns_of(things)) == ("attributes.size",)


def test_prices_and_currencies_of_removed_products_do_not_count():
    priced = Product("p2", "thing", (), price=Decimal(3), currency="USD")
    columns = columns_of({1: thing(1, "a"), 2: priced}).changed({}, [2])
    assert facet_fields(columns) == ("brand",)
    assert columns.labels_of("price.currency").size == 0
