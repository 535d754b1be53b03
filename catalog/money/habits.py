"""Learn how a feed writes its prices, and in which currencies, to decide what one price alone leaves open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock

from catalog.errors import BadRow
from catalog.money.amounts import THOUSANDTHS, Number
from catalog.money.currencies import currency_of, decimals_of
from catalog.money.price_text import PriceText, take_apart

POINT, COMMA = ".", ","
LARGE = 1000  # from here on thousands may be grouped
SOME_ROWS = 2_000  # rows that are looked at; more only while they tell nothing
_OTHER = {POINT: COMMA, COMMA: POINT}
_AMOUNTS = ("price", "sale_price", "list_price")

Cells = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class PriceHabits:
    """Counts over the prices of one feed, of those that can be read in one way only unless said otherwise."""

    marks: Counter[str] = field(default_factory=Counter)  # decimal marks
    thousandths: Counter[str] = field(default_factory=Counter)  # marks of 0.990 and 1299.000
    fine_marks: Counter[str] = field(default_factory=Counter)  # of currencies that have thousandths
    fine_three_digits: Counter[str] = field(default_factory=Counter)  # 1.299 KWD, which can be read in two ways
    small_wholes: int = 0  # 899
    large_wholes: int = 0  # 1299
    currencies: Counter[str] = field(default_factory=Counter)

    def count(self, price: PriceText, currency: str) -> None:
        """Count one price, and the code of its currency column."""
        number = price.number
        if number is None:
            return
        code = currency or (price.currency.usual if price.currency and len(price.currency.codes) == 1 else "")
        fine = bool(code) and decimals_of(code) >= THOUSANDTHS
        if code:
            self.currencies[code] += 1
        if number.grouped is not None:
            self.fine_three_digits[number.mark] += fine
        elif not number.mark:
            if number.value < LARGE:
                self.small_wholes += 1
            else:
                self.large_wholes += 1
        elif fine:
            self.fine_marks[number.mark] += 1
        elif int(number.value.as_tuple().exponent) == -THOUSANDTHS:
            self.thousandths[number.mark] += 1
        else:
            self.marks[number.mark] += 1

    @property
    def tell_enough(self) -> bool:
        """Whether they tell which mark is decimal, or which currencies there are."""
        return bool(self.marks or self.thousandths or self.currencies)

    def groups_thousands(self, number: Number, codes: Iterable[str]) -> bool:
        """Tell whether three digits behind the only mark of a number are thousands; `codes` are its currencies, if any.

        A currency with less than three decimals has no thousandths, unless the feed writes them: "0.990". One with
        three has them, unless its other prices show the other decimal mark. Without a currency, the feed's decimal
        mark decides, then its currencies, then whether its prices are whole.
        """
        mark, other = number.mark, _OTHER[number.mark]
        places = [decimals_of(code) for code in codes]
        if places and max(places) < THOUSANDTHS:
            return not self.thousandths[mark]
        if places and min(places) >= THOUSANDTHS:
            if self.fine_marks[mark] != self.fine_marks[other]:
                return self.fine_marks[mark] < self.fine_marks[other]
            return mark == COMMA and self.fine_three_digits[POINT] > 0  # with both marks, the point is decimal
        if self.marks[mark] != self.marks[other]:
            return self.marks[mark] < self.marks[other]
        if self.thousandths[mark] or self.thousandths[other]:
            return not self.thousandths[mark]
        if self.currencies:
            return max(decimals_of(code) for code in self.currencies) < THOUSANDTHS
        if self.small_wholes and not self.large_wholes:
            return True
        return mark == COMMA


class FeedHabits:
    """The habits of one feed, read from its rows when a price first needs them. Threads may share it."""

    def __init__(self, reread: Callable[[], Iterable[Cells]]) -> None:
        self._reread = reread
        self._habits: PriceHabits | None = None
        self._lock = Lock()
        self.uses = 0  # by prices that need them

    def __call__(self) -> PriceHabits:
        """Return the habits; the first call reads the feed."""
        self.uses += 1
        if self._habits is None:
            with self._lock:
                self._habits = self._habits or habits_of(self._reread())
        return self._habits


def habits_of(rows: Iterable[Cells]) -> PriceHabits:
    """Count the prices of a feed's first rows; a price that cannot be read counts for nothing."""
    habits = PriceHabits()
    for number, cells in enumerate(rows, 1):
        column = currency_of(" ".join(cells.get("currency", ())))
        for name in _AMOUNTS:
            for text in cells.get(name, ()):
                with suppress(BadRow):
                    habits.count(take_apart(text), column.usual if column else "")
        if number >= SOME_ROWS and habits.tell_enough:
            break
    return habits
