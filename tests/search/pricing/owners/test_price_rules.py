"""What is found in the history of one product's price, and what is not."""

import math
from dataclasses import replace
from decimal import Decimal

import pytest

from catalog.price_history.readings import lowest_before_reduction
from search.pricing.owners.rules.announced_discounts import discount_findings
from search.pricing.owners.rules.margins import margin_finding, margin_of
from search.pricing.owners.rules.price_finding import (
    BELOW_COST,
    DECIMAL_POINT,
    JUMP,
    LOW_MARGIN,
    NEVER_CHARGED,
    NOT_LOWEST,
)
from search.pricing.owners.rules.price_jumps import jump_finding
from search.pricing.owners.rules.price_spans import spans_of, usual_price
from search.pricing.owners.rules.stale_prices import LongTermMove, category_moves, long_term_move, stale_finding
from tests.search.pricing.owners.price_changes import DAY_S, NOW, history


def code(finding):
    return None if finding is None else finding.code


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (((90, "12.90"), (1, "129.00")), DECIMAL_POINT),
        (((90, "12.90"), (1, "1.29")), DECIMAL_POINT),
        (((90, "12.90"), (1, "1290")), DECIMAL_POINT),
        (((90, "12.90"), (30, "13.90"), (1, "1290")), DECIMAL_POINT),  # cents of an earlier price
        (((90, "12.90"), (1, "45.00")), JUMP),
        (((90, "45.00"), (1, "12.90")), JUMP),
        (((90, "12.90"), (1, "35.00")), None),  # less than three times
        (((3, "12.90"), (1, "129.00")), DECIMAL_POINT),  # exactly tenfold at once
        (((3, "12.90"), (1, "0.0129")), DECIMAL_POINT),
        (((3, "12.90"), (1, "130.00")), None),  # two days of a price are no past
        (((3, "12.90"), (2, "129.00"), (1, "12.90")), None),  # the error has ended
        (((90, "12.90"), (10, "129.00"), (1, "12.90")), None),  # the error has ended
        (((200, "45.00"), (150, "12.90"), (1, "45.00")), None),  # a price of half a year ago, as after a sale
        (((400, "12.90"), (100, "129.00")), None),  # in force for so long that it is meant
        (((90, "12.90"), (40, None), (1, "129.00")), DECIMAL_POINT),  # without a price meanwhile
        (((90, "12.90"), (1, "0")), None),
        (((90, "12.90"), (1, None)), None),
        (((90, "12.90"), (2, "129.00"), (1, "-")), None),  # it has left the catalogue
        (((90, "12.90"), (60, "-"), (2, "129.00")), DECIMAL_POINT),  # it left and came back
        (((0, "12.90"),), None),
        ((), None),
    ],
)
def test_a_price_is_compared_with_its_own_past(steps, expected):
    assert code(jump_finding(history(*steps), NOW)) == expected


def test_a_jump_states_the_prices_and_the_factor():
    found = jump_finding(history((90, "12.90"), (2, "129.00")), NOW)
    since = NOW - 2 * DAY_S
    assert dict(found.facts) == {
        "price": "129.00",
        "before": "12.90",
        "since": since,
        "factor": 10.0,
        "higher": 1,
        "power": 10,
    }


def test_a_deep_discount_is_no_jump_but_a_slipped_decimal_point_is_one():
    assert jump_finding(history((90, "45.00"), (1, "12.90", "45.00")), NOW) is None
    assert code(jump_finding(history((90, "45.00"), (1, "4.50", "45.00")), NOW)) == DECIMAL_POINT


def test_another_currency_is_another_past():
    euros, yen = history((90, "12.90")), history((1, "2000"), currency="JPY")
    assert jump_finding(euros + yen, NOW) is None
    assert [str(span.price) for span in spans_of(euros + yen, NOW)] == ["2000"]


def test_neighbouring_spans_of_one_price_are_one():
    changes = history((30, "5"), (20, "5.00"), (10, "6"))
    changes = (changes[0], replace(changes[1], in_stock=False), changes[2])
    assert [(span.seconds // DAY_S, span.price) for span in spans_of(changes, NOW)] == [(20, 5), (10, 6)]
    assert usual_price(spans_of(changes, NOW)) == 5
    assert usual_price(()) is None


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (((90, "20"), (5, "15", "20")), []),
        (((90, "15"), (5, "15", "20")), [NEVER_CHARGED, NOT_LOWEST]),
        (((90, "20"), (25, "14"), (15, "20"), (5, "15", "20")), [NOT_LOWEST]),  # cheaper in the 30 days before
        (((90, "20"), (45, "14"), (40, "20"), (5, "15", "20")), []),  # cheaper longer ago
        (((90, "20"), (25, "17", "20"), (5, "15", "20")), []),  # one sale that went further down
        (((90, "20"), (25, "15", "20"), (5, "17", "20")), [NOT_LOWEST]),  # it rose: another reduction
        (((90, "18"), (5, "15", "20")), [NEVER_CHARGED]),
        (((90, "19.95"), (5, "15", "20")), []),  # rounded up
        (((20, "18"), (5, "15", "20")), []),  # the history is too short to say
        (((200, "15", "20"),), [NEVER_CHARGED]),  # a permanent discount
        (((90, "20"), (5, "15")), []),  # nothing is announced
        (((90, "20"), (5, "25", "20")), []),
        (((90, "15"), (5, "0", "20")), []),
    ],
)
def test_an_announced_discount_is_compared_with_what_was_charged(steps, expected):
    assert [finding.code for finding in discount_findings(history(*steps), NOW)] == expected


def test_what_was_sold_out_is_no_lower_price():
    regular, sold_out, now = history((400, "16"), (20, "9"), (10, "10", "16"))
    changes = (regular, replace(sold_out, in_stock=False), now)
    assert lowest_before_reduction(changes, NOW).price == 16 and discount_findings(changes, NOW) == ()


def test_the_lowest_price_is_that_of_the_thirty_days_before():
    (found,) = discount_findings(history((90, "20"), (25, "14"), (15, "20"), (5, "15", "20")), NOW)
    assert found.facts["lowest"] == "14" and found.facts["since"] == NOW - 5 * DAY_S


def test_margins():
    assert margin_of(Decimal(20), Decimal(15)) == 0.25
    assert margin_finding(Decimal(20), Decimal(15)) is None
    assert margin_finding(Decimal(20), Decimal(15), 0.25) is None
    assert code(margin_finding(Decimal(20), Decimal(15), 0.3)) == LOW_MARGIN
    assert code(margin_finding(Decimal(10), Decimal(15))) == BELOW_COST
    assert margin_finding(Decimal(15), Decimal(15)) is None


def moves_of(others, constant=True, category="Tea"):
    own = LongTermMove(category, "EUR", 0.0, constant, NOW - 300 * DAY_S)
    return own, category_moves([own, *(LongTermMove(category, "EUR", ratio, False, NOW) for ratio in others)])


@pytest.mark.parametrize(
    ("others", "constant", "category", "expected"),
    [
        ([0.1] * 8, True, "Tea", True),
        ([-0.1] * 8, True, "Tea", True),
        ([0.1] * 7, True, "Tea", False),  # too few others
        ([0.02] * 8, True, "Tea", False),  # they hardly moved
        ([0.2] * 5 + [-0.2] * 4, True, "Tea", False),  # they went both ways
        ([0.1] * 8, False, "Tea", False),  # its price did change, and went back
        ([0.1] * 8, True, "", False),  # without a category nothing is comparable
        ([0.0] * 8, True, "Tea", False),  # a calm category
    ],
)
def test_a_price_is_stale_only_where_its_category_moved(others, constant, category, expected):
    own, moved = moves_of(others, constant, category)
    assert (stale_finding(own, moved, NOW) is not None) == expected


def test_a_stale_price_states_how_far_the_category_moved():
    own, moved = moves_of([math.log(1.1)] * 9)
    facts = stale_finding(own, moved, NOW).facts
    assert facts == {"since": NOW - 300 * DAY_S, "days": 300, "move": 0.1, "products": 9, "moved": 9}


def test_the_long_term_move_ignores_promotions_and_needs_the_whole_window():
    promoted = long_term_move(history((300, "10"), (5, "7")), "Tea", NOW)
    assert promoted.log_ratio == 0 and not promoted.constant
    raised = long_term_move(history((300, "10"), (90, "11")), "Tea", NOW)
    assert raised.log_ratio == pytest.approx(math.log(1.1))
    assert long_term_move(history((300, "10")), "Tea", NOW).constant
    assert long_term_move(history((100, "10")), "Tea", NOW) is None
    assert long_term_move(history((300, "10"), (100, "-"), (90, "10")), "Tea", NOW) is None
