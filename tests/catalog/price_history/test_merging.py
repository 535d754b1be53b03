"""Past prices take their place before what the catalogue recorded itself, once."""

from decimal import Decimal

from catalog.price_history.merging import Conflict, merge
from catalog.price_history.price_change import PriceChange


def own(at, price):
    return PriceChange(at, Decimal(price), currency="EUR")


def past(at, price, currency="EUR"):
    return PriceChange(at, Decimal(price), currency=currency, imported=True)


OWN = (own(100, "12"), own(110, "10"))


def test_past_prices_stand_before_those_that_were_recorded():
    merged = merge(OWN, [past(10, "9"), past(20, "11")])
    assert merged.changes == (past(10, "9"), past(20, "11"), *OWN)
    assert (merged.added, merged.replaced, merged.known, merged.conflicts) == (2, 0, 0, ())
    again = merge(merged.changes, [past(10, "9"), past(20, "11")])
    assert again.changes == merged.changes and (again.added, again.known) == (0, 2)


def test_equal_prices_of_one_week_after_another_are_one():
    merged = merge(OWN, [past(10, "9"), past(20, "9"), past(30, "9.00"), past(40, "8")])
    assert merged.changes == (past(10, "9"), past(40, "8"), *OWN)
    assert (merged.added, merged.known) == (2, 2)
    again = merge(merged.changes, [past(10, "9"), past(20, "9"), past(30, "9"), past(40, "8")])
    assert again.changes == merged.changes and again.known == 4


def test_further_files_fill_gaps_and_correct():
    merged = merge(merge(OWN, [past(10, "9"), past(50, "11")]).changes, [past(30, "7"), past(50, "10")])
    assert merged.changes == (past(10, "9"), past(30, "7"), past(50, "10"), *OWN)
    assert (merged.added, merged.replaced, merged.known) == (1, 1, 0)
    corrected = merge(merged.changes, [past(30, "9")])  # now as before it
    assert corrected.changes == (past(10, "9"), past(50, "10"), *OWN) and corrected.replaced == 1


def test_what_was_recorded_is_compared_and_stays():
    rows = [past(100, "12"), past(105, "12"), past(112, "9"), past(120, "10", "USD"), past(130, "10")]
    merged = merge(OWN, rows)
    assert merged.changes == OWN and merged.known == 3
    assert merged.conflicts == (Conflict(rows[2], OWN[1]), Conflict(rows[3], OWN[1]))
