"""What changed for those who buy, from what the catalogue recorded."""

from decimal import Decimal

from catalog.price_history.price_change import PriceChange
from search.pricing.price_page import OfferedPrice, in_last_currency, offered_prices

TEN, NINE, ZERO = Decimal("10.00"), Decimal("9.00"), Decimal(0)


def change(at, price, list_price=None, currency="EUR", **more):
    return PriceChange(at, price, list_price, currency, **more)


def offer(at, price, list_price=None, currency="EUR"):
    return OfferedPrice(at, price, list_price, currency)


def test_each_price_is_offered_from_its_change_on():
    found = offered_prices([change(1, TEN), change(5, NINE, TEN)])
    assert found == (offer(1, TEN), offer(5, NINE, TEN))


def test_nothing_is_offered_while_it_cannot_be_bought_or_has_no_price():
    unsold = (
        change(5, TEN, in_stock=False),
        change(6, TEN, present=False),
        change(7, None),
        change(8, ZERO),
    )
    for gone in unsold:
        assert offered_prices([change(1, TEN), gone, change(9, TEN)]) == (
            offer(1, TEN),
            OfferedPrice(gone.at),
            offer(9, TEN),
        )
    assert offered_prices([change(1, TEN), *unsold]) == (offer(1, TEN), OfferedPrice(5))
    assert offered_prices(unsold) == ()


def test_a_change_that_nobody_sees_is_none():
    assert offered_prices([change(1, TEN), change(5, TEN, NINE)]) == (offer(1, TEN),)  # a list price below the price
    assert offered_prices([change(1, TEN, in_stock=False), change(2, TEN)]) == (offer(2, TEN),)


def test_of_changes_at_one_second_the_last_counts():
    assert offered_prices([change(1, TEN), change(5, NINE), change(5, TEN)]) == (offer(1, TEN),)
    assert offered_prices([change(5, NINE), change(5, TEN)]) == (offer(5, TEN),)


def test_prices_are_compared_in_one_currency_only():
    francs, euros = offer(1, TEN, currency="CHF"), offer(9, NINE)
    assert in_last_currency((offer(0, TEN), francs, OfferedPrice(5), euros, OfferedPrice(12))) == (
        euros,
        OfferedPrice(12),
    )
    assert in_last_currency((francs, OfferedPrice(5))) == (francs, OfferedPrice(5))
    assert in_last_currency(()) == ()
