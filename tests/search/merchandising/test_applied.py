"""What rules do to a query: pins at their places on every page, parts of scores, masks."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from catalog.product import Product
from search.merchandising.applied import NOT_RULED, RULE_SHARE, apply_rules, page_with_pins
from search.merchandising.rule_set import QueryRules, Rules, rules_of
from search.merchandising.rules import Rule, check_rule
from search.query.filters import parse_filter
from search.query.terms import PictureTerm, ProductTerm, Query, TextTerm
from search.state.column_store import ProductColumns

PRODUCTS = [
    (7, Product("a", "mug", (), brand="Acme", price=Decimal(5))),
    (8, Product("b", "mug", (), brand="Puma", in_stock=False)),
    (9, Product("c", "vase", (), brand="Puma", price=Decimal(9))),
]
MUG = Query((TextTerm("mug"),))


@pytest.fixture(scope="module")
def columns():
    return ProductColumns.of(PRODUCTS)


def applied(columns, *given, query=MUG):
    return apply_rules(rules_of(Rules(check_rule(rule) for rule in given), query), columns)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 30),
    st.lists(st.integers(1, 20), unique=True, max_size=6).map(sorted),
    st.integers(1, 9),
)
def test_pins_are_at_their_positions_and_every_item_on_one_page(count, positions, size):
    others = [f"other{number}" for number in range(count)]
    pins = [(position, f"pin{position}") for position in positions]
    pages, offset = [], 0
    while page := page_with_pins(pins, offset, size, lambda start, number: others[start : start + number]):
        pages += page
        offset += size
    assert sorted(pages) == sorted([*others, *(item for _, item in pins)])
    assert [item for item in pages if item in others] == others
    assert [item for item in pages if item not in others] == [item for _, item in pins]
    for number, (position, item) in enumerate(pins):
        assert pages.index(item) == min(position - 1, count + number)


def test_nothing_to_apply(columns):
    assert applied(columns) is NOT_RULED
    assert applied(columns, Rule("pin", "vase", "c")) is NOT_RULED


def test_pins_of_products_in_the_shop(columns):
    found = applied(columns, Rule("pin", "mug", "c", number=3), Rule("pin", "mug", "gone"), Rule("pin", "mug", "b"))
    assert found.pins == ((2, 8), (3, 9)) and found.pinned(columns).tolist() == [False, True, True]
    positions, places = found.placed(np.array([7, 9, 8]))
    assert positions == {2: 2, 1: 3} and places.tolist() == [2, 1]
    removed = columns.changed({}, [9])
    assert applied(removed, Rule("pin", "mug", "c")).pins == ()
    assert applied(columns, Rule("pin", "mug", "b"), Rule("hide", "mug", "in_stock=no")).pins == ()


def test_boosts_and_buries_add_up_within_their_bound(columns):
    bury = Rule("bury", "mug", "in_stock=no", number=0.5)
    parts = applied(columns, Rule("boost", "", "brand=Puma", "every", 2), bury).boosts
    assert parts.tolist() == pytest.approx([0, 0, RULE_SHARE * np.log10(2)])
    strong = [Rule("boost", "", f"brand=Puma; id=b|c{number}|c", "every", 10) for number in range(3)]
    parts = applied(columns, *strong, Rule("bury", "mug", "id=a", number=0.1)).boosts
    assert parts.tolist() == [np.float32(-RULE_SHARE), np.float32(RULE_SHARE), np.float32(RULE_SHARE)]


def test_hidden_products_leave_every_mask(columns):
    found = applied(columns, Rule("hide", "mug", "brand=Puma"))
    assert found.without_hidden(None).tolist() == [True, False, False]
    assert found.without_hidden(np.array([False, True, True])).tolist() == [False] * 3
    assert found.less_hidden(np.array([True, True, False])).tolist() == [True, False, False]
    assert NOT_RULED.without_hidden(None) is None and NOT_RULED.boosts is None


def test_which_rules_a_query_has():
    rules = Rules(
        check_rule(rule)
        for rule in (
            Rule("pin", "mug", "a"),
            Rule("redirect", "mug", "/mugs"),
            Rule("hide", "", "brand=Acme", "every"),
            Rule("boost", "mug", "brand=Puma", "words"),
            Rule("boost", "", "in_stock=yes", "every"),
        )
    )
    photo = PictureTerm(Image.new("RGB", (8, 8)))
    words = rules_of(rules, Query((TextTerm("Mugs"), TextTerm("striped", -0.5))))
    assert words.pins and words.redirect == "/mugs" and words.hidden and len(words.boosts) == 2
    both = rules_of(rules, Query((TextTerm("mug"), photo)))
    assert not both.pins and both.redirect is None and both.hidden and len(both.boosts) == 2
    for term in (photo, ProductTerm("a"), TextTerm("mug", -0.5)):
        assert rules_of(rules, Query((term,))) == QueryRules(hidden=words.hidden)
    assert rules_of(rules, Query((), filter=parse_filter({"brand": "Acme"}))) == QueryRules()
