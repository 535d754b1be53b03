"""A filter said as a condition holds for every product that passes; below a `not` nothing is said but exactly."""

import random
from decimal import Decimal

import pytest

from catalog.product import Picture, Product
from indexer.vectors.conditions import AllHold, AnyHolds, HasLabel, HoldsNot, IsInStock, IsOnSale, PriceWithin
from indexer.vectors.facts import facts_of
from search.query.filters import Filter, parse_filter
from search.state.column_store import ProductColumns
from search.state.pushdown import row_condition

SIZES = ("S", "S, M", "M, L", "XL", 'a "b", c\\d', "Ｓ")
BRANDS = ("Puma", "puma ", "Nike", "")


def make_product(number):
    chance = random.Random(number)
    price = chance.choice([None, Decimal(0), Decimal(chance.randrange(1, 60))])
    return Product(
        f"p{number}",
        "thing",
        (Picture("a.jpg"),),
        chance.choice(["", "Home", "Home > Lamps", "Home > Chairs > Soft"]),
        price,
        chance.choice(["EUR", "USD"]) if price is not None else "",
        chance.random() < 0.5,
        chance.choice(BRANDS),
        {"size": chance.choice(SIZES), "year": str(chance.randrange(2000, 2020))},
        list_price=None if price is None else price + chance.randrange(3),
    )


PRODUCTS = [make_product(number) for number in range(200)]
COLUMNS = ProductColumns.of(enumerate(PRODUCTS, 1))


def holds(condition, facts):
    match condition:
        case HasLabel(field=field, labels=labels):
            return not set(facts.labels.get(field, ())).isdisjoint(labels)
        case PriceWithin(low=low, high=high):
            if facts.price is None:
                return False
            return (low is None or facts.price >= low) and (high is None or facts.price <= high)
        case IsInStock(in_stock=in_stock):
            return facts.in_stock == in_stock
        case IsOnSale(on_sale=on_sale):
            return facts.on_sale == on_sale
        case AllHold(conditions=conditions):
            return all(holds(part, facts) for part in conditions)
        case AnyHolds(conditions=conditions):
            return any(holds(part, facts) for part in conditions)
        case HoldsNot(condition=inner):
            return not holds(inner, facts)
    raise AssertionError(condition)


def draw(chance, depth=0):
    fields = {}
    if chance.random() < 0.3:
        fields["category"] = chance.choice(["home", "Home > Lamps", "none"])
    if chance.random() < 0.3:
        fields["brand"] = chance.sample(["PUMA", "Nike", "no one"], 2)
    if chance.random() < 0.3:
        low = chance.randrange(30)
        fields["price"] = {"min": low, "max": low + 20} | ({"currency": "eur"} if chance.random() < 0.5 else {})
    if chance.random() < 0.2:
        fields["in_stock"] = chance.random() < 0.5
    if chance.random() < 0.2:
        fields["on_sale"] = chance.random() < 0.5
    if chance.random() < 0.2:
        fields["id"] = ["p1", "p2", "p3"]
    if chance.random() < 0.3:
        size = chance.sample(SIZES, 2)
        fields["attributes"] = {"size": size} if chance.random() < 0.7 else {"year": {"min": 2010}}
    if depth < 3 and chance.random() < 0.4:
        fields["not"] = draw(chance, depth + 1)
    if depth < 3 and chance.random() < 0.3:
        fields["any"] = [draw(chance, depth + 1) for _ in range(2)]
    return fields


@pytest.mark.parametrize("seed", range(150))
def test_no_product_that_passes_is_left_out(seed):
    narrowed = parse_filter(draw(random.Random(seed)))
    condition = row_condition(narrowed)
    if condition is None:
        return
    for product, passes in zip(PRODUCTS, COLUMNS.matching(narrowed).tolist(), strict=True):
        assert holds(condition, facts_of(product)) or not passes, (product, condition)


EXACT = (
    {"category": "Home > Lamps"},
    {"brand": ["puma"], "in_stock": True},
    {"price": {"min": 3, "max": 30, "currency": "USD"}},
    {"on_sale": True},
    {"not": {"brand": "Nike"}},
    {"any": [{"category": "Home > Chairs"}, {"not": {"price": {"max": 10}}}]},
)


@pytest.mark.parametrize("fields", EXACT, ids=str)
def test_what_can_be_said_is_said_exactly(fields):
    narrowed = parse_filter(fields)
    condition = row_condition(narrowed)
    assert condition is not None
    assert [holds(condition, facts_of(product)) for product in PRODUCTS] == COLUMNS.matching(narrowed).tolist()


NOT_SAID = (
    {"id": "p1"},
    {"base_colour": "red"},
    {"attributes": {"year": {"min": 2010}}},
    {"not": {"id": "p1", "in_stock": True}},
)


@pytest.mark.parametrize("fields", NOT_SAID, ids=str)
def test_what_cannot_be_said_is_left_to_the_mask(fields):
    assert row_condition(parse_filter(fields)) is None


def test_no_filter_says_nothing():
    assert row_condition(Filter()) is None
