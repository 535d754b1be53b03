"""Filters as JSON: what is read, what is refused and how quickly, and that they come back as they went."""

import json
import math

import pytest
from hypothesis import given

from catalog.errors import BadQuery
from search.query.filters import MAX_PARTS, AnyOf, Between, Filter, InStock, Not, OneOf, parse_filter, read_filter
from tests.search.random_shops import FILTERS
from tests.timing import ProcessorTime, speed

FULL = {
    "category": "Apparel>Topwear",
    "brand": ["Puma", "PUMA", "Nike"],
    "price": {"min": 10, "max": 50, "currency": "eur"},
    "in_stock": True,
    "color": "Red",
    "attributes": {"Gender": ["Men"], "year": {"min": 2012}},
    "id": ["a", "A"],
    "not": {"brand": "Acme"},
    "any": [{"colour": "Red"}, {"price": {"max": 5}}],
}


def nested(depth):
    value = {"brand": "x"}
    for _ in range(depth - 1):
        value = {"not": value}
    return value


def test_every_field():
    assert parse_filter(FULL).conditions == (
        OneOf("category", ("Apparel > Topwear",)),
        OneOf("brand", ("Puma", "Nike")),
        Between("price", 10.0, 50.0, "EUR"),
        InStock(True),
        OneOf("colour", ("Red",)),
        OneOf("attributes.gender", ("Men",)),
        Between("attributes.year", 2012.0),
        OneOf("id", ("a", "A")),
        Not(Filter((OneOf("brand", ("Acme",)),))),
        AnyOf((Filter((OneOf("colour", ("Red",)),)), Filter((Between("price", None, 5.0),)))),
    )


@given(FILTERS)
def test_a_filter_comes_back_from_its_json_equal_and_hashes_alike(value):
    filter = parse_filter(value)
    again = read_filter(json.dumps(filter.to_json()))
    assert again == filter and hash(again) == hash(filter)


def test_without_a_field_takes_only_its_own_condition():
    filter = parse_filter({"brand": "a", "in_stock": True, "not": {"brand": "b"}})
    assert filter.without("brand").to_json() == {"in_stock": True, "not": {"brand": ["b"]}}
    assert filter.without("colour") == filter
    assert filter.on("brand") == OneOf("brand", ("a",)) and filter.on("colour") is None


def test_no_conditions():
    assert parse_filter({}) == Filter() and Filter().to_json() == {}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "filter is null"),
        ([], "filter is an empty list"),
        ({"size": "M"}, "no field 'size'"),
        ({"brand": 7}, "filter.brand is a number; it must be a text or a list of texts"),
        ({"brand": []}, "filter.brand is an empty list"),
        ({"brand": [" "]}, "filter.brand has a blank value"),
        ({"brand": ["x", None]}, "filter.brand is null"),
        ({"brand": "x" * 501}, "501 characters"),
        ({"category": ">"}, "filter.category has a blank value"),
        ({"in_stock": 1}, "filter.in_stock is a number; it must be true or false"),
        ({"price": 5}, "filter.price is a number"),
        ({"price": {}}, "filter.price is empty"),
        ({"price": {"least": 5}}, "filter.price has no 'least'"),
        ({"price": {"min": True}}, "filter.price.min is true or false"),
        ({"price": {"min": "5"}}, "filter.price.min is a text"),
        ({"price": {"min": math.nan}}, "filter.price.min is not a finite number"),
        ({"price": {"max": -math.inf}}, "filter.price.max is not a finite number"),
        ({"price": {"max": 10**400}}, "filter.price.max is not a finite number"),
        ({"price": {"min": 6, "max": 5}}, "filter.price goes from 6 to 5"),
        ({"price": {"min": 6, "currency": 5}}, "filter.price.currency is a number"),
        ({"attributes": ["x"]}, "filter.attributes is a list"),
        ({"attributes": {"": "x"}}, "is not the name of an attribute"),
        ({"attributes": {"year": {"min": math.nan}}}, "filter.attributes.year.min is not a finite"),
        ({"colour": "a", "color": "b"}, "'colour' more than once"),
        ({"colour": "a", "attributes": {"Color": "b"}}, "'colour' more than once"),
        ({"any": {}}, "filter.any is an object"),
        ({"any": []}, "filter.any is an empty list"),
        ({"any": [{"brand": "x"}, {"not": {"brand": 5}}]}, "filter.any[1].not.brand is a number"),
        ({7: "x"}, "a name that is no text"),
    ],
)
def test_what_cannot_be_asked_is_named(value, said):
    with pytest.raises(BadQuery) as caught:
        parse_filter(value)
    assert said in caught.value.message


@pytest.mark.promise("S12")
def test_depth_is_bounded():
    parse_filter(nested(8))
    for depth in (9, 500):
        with pytest.raises(BadQuery, match="more than 8 deep"):
            parse_filter(nested(depth))


@pytest.mark.promise("S12")
@pytest.mark.parametrize(
    "make",  # each when its test runs: all workers would make and hold all of them
    [
        lambda: {"brand": ["x" * 9] * 1_000_000},
        lambda: {"attributes": {f"a{i}": "x" for i in range(500_000)}},
        lambda: {f"a{i}": "x" for i in range(500_000)},
        lambda: {"brand": "x" * 10_000_000},
        lambda: {"any": [{"brand": "x"}] * 500_000},
        lambda: {"any": [{"any": [{"brand": [f"{i}" for i in range(100)]}] * 100}] * 100},
    ],
    ids=["values", "attributes", "fields", "one text", "alternatives", "product of all"],
)
def test_ten_megabytes_are_refused_at_once(make):
    value = make()
    with ProcessorTime() as spell, pytest.raises(BadQuery):
        parse_filter(value)
    assert spell.seconds < 0.2 * speed()


@pytest.mark.promise("S12")
@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, '{"not":' * 20_000, "9" * 5_000, '{"brand": "\\ud800"}', " " * 10_000_000]
)
def test_json_that_is_none_or_too_long(text):
    with ProcessorTime() as spell:
        try:
            read_filter(text)
        except BadQuery:
            pass
        else:
            assert "ud800" in text, "a lone surrogate is a text like any other, which no product has"
    assert spell.seconds < 0.2 * speed()


def test_nan_in_json_text():
    with pytest.raises(BadQuery, match="finite"):
        read_filter('{"price": {"min": NaN}}')


def test_as_many_parts_as_allowed():
    parse_filter({"brand": [str(i) for i in range(MAX_PARTS - 1)]})
    with pytest.raises(BadQuery, match="more than 1,000"):
        parse_filter({"brand": [str(i) for i in range(MAX_PARTS)]})
