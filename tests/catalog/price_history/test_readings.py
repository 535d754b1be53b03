"""Prices at a moment, the lowest of a time, and the lowest before a reduction: small histories, read by eye."""

from decimal import Decimal

import pytest

from catalog.price_history.price_change import PriceChange
from catalog.price_history.readings import (
    DAY_S,
    LowestPrice,
    announced_reduction,
    lowest_before_reduction,
    lowest_between,
    price_at,
)


def day(number, price, list_price=None, currency="EUR", **flags):
    """A change on a day, in short."""
    amounts = (None if amount is None else Decimal(amount) for amount in (price, list_price))
    return PriceChange(number * DAY_S, *amounts, currency, **flags)


def lowest(price, since, complete=True, currency="EUR"):
    return LowestPrice(Decimal(price), currency, since * DAY_S, complete)


def before_reduction(*changes, now=200):
    return lowest_before_reduction(changes, now * DAY_S)


def began(*changes, now=200):
    return announced_reduction(reversed(changes), now * DAY_S).began / DAY_S


def test_the_price_at_a_moment_is_the_last_before_it():
    changes = (day(10, "5"), day(20, "4"), day(20, "3"), day(30, "6"))
    assert price_at(changes, 10 * DAY_S - 1) is None and price_at((), 5) is None
    found = {number: str(price_at(changes, number * DAY_S).price) for number in (10, 19, 20, 29, 30, 99)}
    assert found == {10: "5", 19: "5", 20: "3", 29: "3", 30: "6", 99: "6"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], None),
        ([day(30, "5")], None),  # after the time
        ([day(0, "5")], lowest("5", 0)),
        ([day(0, "5"), day(12, "4"), day(15, "6")], lowest("4", 12)),
        ([day(0, "3"), day(10, "5")], lowest("5", 10)),  # 3 ended as the time began
        ([day(0, "3"), day(11, "5")], lowest("3", 0)),
        ([day(12, "5")], lowest("5", 12, complete=False)),
        ([day(0, "5"), day(20, "1")], lowest("5", 0)),  # 1 began as the time ended
        ([day(0, "5"), day(12, "1"), day(12, "6")], lowest("5", 0)),  # 1 was never in force
    ],
)
def test_the_lowest_price_of_a_time(changes, expected):
    assert lowest_between(changes, 10 * DAY_S, 20 * DAY_S) == expected


def test_what_is_not_offered_is_never_the_lowest():
    changes = [
        *(day(0, "9"), day(11, "0"), day(12, None), day(13, "4", in_stock=False), day(14, "3", present=False)),
        day(15, "8"),
    ]
    assert lowest_between(changes, 10 * DAY_S, 20 * DAY_S) == lowest("8", 15)
    assert lowest_between(changes[1:5], 10 * DAY_S, 20 * DAY_S) is None


def test_a_change_of_currency_starts_a_new_comparison():
    changes = [day(0, "3"), day(12, "5", currency="USD"), day(14, None, currency=""), day(16, "7", currency="USD")]
    assert lowest_between(changes, 10 * DAY_S, 20 * DAY_S) == lowest("5", 12, False, "USD")
    assert lowest_between(changes, 12 * DAY_S, 20 * DAY_S) == lowest("5", 12, True, "USD")
    back = [*changes, day(18, "4")]
    assert lowest_between(back, 10 * DAY_S, 20 * DAY_S) == lowest("4", 18, False)


def test_the_lowest_of_thirty_days_before_a_reduction():
    assert before_reduction(day(0, "10"), day(50, "8"), day(60, "12"), day(100, "9", "12")) == lowest("12", 60)
    assert before_reduction(day(0, "10"), day(50, "8"), day(75, "12"), day(100, "9", "12")) == lowest("8", 50)
    assert before_reduction(day(0, "10"), day(50, "8")) is None  # nothing is announced
    assert before_reduction(day(0, "10"), day(50, "8", "10"), day(60, "10")) is None  # no more


def test_a_further_reduction_is_compared_with_prices_before_the_first():
    changes = (day(0, "10"), day(100, "9", "10"), day(110, "8", "10"), day(115, "8", "10", in_stock=False))
    assert before_reduction(*changes, day(120, "7", "10")) == lowest("10", 0)
    assert before_reduction(*changes, day(117, "9.5"), day(120, "7", "10")) == lowest("8", 110)


def test_a_rise_begins_another_reduction():
    first = (day(0, "16"), day(100, "8", "16"))
    assert before_reduction(*first, day(180, "15", "16"), day(199, "11", "16")) == lowest("8", 100)
    assert began(*first, day(180, "15", "16"), day(199, "11", "16")) == 180
    assert before_reduction(*first, day(140, "12", "16"), day(199, "11", "16")) == lowest("8", 100)
    sold_out = {"in_stock": False}  # what nobody could pay did not rise
    assert before_reduction(day(0, "16"), day(180, "9", "16", **sold_out), day(190, "10", "16")) == lowest("16", 0)
    assert before_reduction(*first, day(190, "12", "16", **sold_out), day(195, "8", "16")) == lowest("16", 0)
    assert before_reduction(*first, day(190, "10", "16", **sold_out)) == lowest("8", 100)  # it announces 10 now


def test_a_reduction_without_a_lowest_price_says_why():
    def missing(*changes):
        return announced_reduction(reversed(changes), 200 * DAY_S).missing

    sale = day(199, "12", "16")
    assert missing(day(0, "16"), sale) == ""
    assert missing(day(0, "16"), day(150, "16", in_stock=False), sale) == "not_offered"
    assert missing(sale) == missing(day(190, "16", in_stock=False), sale) == "no_record"
    assert missing(day(0, "16", currency="USD"), sale) == "other_currency"
    assert missing(day(0, "9", currency="USD"), day(150, "16", in_stock=False), sale) == "not_offered"
    assert announced_reduction(iter(()), 5) is announced_reduction([day(0, "16")], 5) is None


def test_no_more_is_read_than_the_thirty_days_before_a_reduction():
    changes = [*(day(number, str(10 + number % 3)) for number in range(150)), day(150, "8", "16"), day(160, "7", "16")]
    unread = iter(reversed(changes))
    assert announced_reduction(unread, 200 * DAY_S).lowest == lowest("10", 147)
    assert next(unread) == changes[119]
    unread = iter(reversed(changes[:150]))
    assert announced_reduction(unread, 200 * DAY_S) is None and next(unread) == changes[148]


def test_a_short_absence_does_not_interrupt_a_reduction_but_a_long_one_does():
    first = (day(0, "10"), day(100, "8", "10"), day(101, "8", "10", present=False))
    assert before_reduction(*first, day(102, "8", "10")) == lowest("10", 0)
    assert began(*first, day(131, "8", "10")) == 100
    assert began(*first, day(132, "8", "10")) == 132
    assert before_reduction(*first, day(132, "8", "10")) is None  # it was absent for thirty days
    assert before_reduction(*first) is None  # it is absent now


def test_a_history_that_is_too_short_says_so():
    assert before_reduction(day(90, "10"), day(100, "8", "10")) == lowest("10", 90, complete=False)
    assert before_reduction(day(90, "8", "10")) is None
    assert before_reduction() is None


def test_a_reduction_in_another_currency_is_another_one():
    changes = (day(0, "10"), day(100, "8", "10"), day(110, "9", "12", currency="USD"))
    assert before_reduction(*changes) is None
    later = (*changes, day(120, "12", currency="USD"), day(130, "9", "12", currency="USD"))
    assert before_reduction(*later) == lowest("9", 110, False, "USD")
    assert began(*changes) == 110


def test_a_clock_that_was_ahead_hides_no_reduction():
    changes = (day(0, "10"), day(300, "8", "10"))
    assert before_reduction(*changes, now=200) == lowest("10", 0)


def test_a_product_that_costs_nothing_is_not_on_sale():
    assert before_reduction(day(0, "10"), day(100, "0", "10")) is None
