"""The section "Price history" of a product's page: sentences, a chart, a table of the same, and what is expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from catalog.product import Product
from search.pricing.price_page import ExpectedPrices, OfferedPrice, PricePage, in_last_currency
from web.i18n.dates import date_text, day_of
from web.i18n.language import language
from web.i18n.languages import percent_text
from web.i18n.money import money
from web.prices.history.chart import PriceChart, price_chart
from web.prices.history.wording import decimals_of, price_text, rounded, short_date, tick_label, time_of_day

LEAST_DAYS = 2  # of a history without any change, from which a chart says something
MAX_ROWS = 150  # of the table: more than two years of weekly changes
DAY_S = 86_400
LEFT_EDGE, RIGHT_EDGE = 7, 93  # percent of the width, beyond which a date would be cut off if it stood in the middle


@dataclass(frozen=True, slots=True)
class DateLabel:
    """A date below the chart: its place in percent of the width, how it is anchored, and if narrow screens have it."""

    place: str
    text: str
    anchor: str
    minor: bool


@dataclass(frozen=True, slots=True)
class ChartView:
    """The chart with its words. `label` says what it shows to those who do not see it."""

    chart: PriceChart
    label: str
    amounts: tuple[str, ...]
    dates: tuple[DateLabel, ...]


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A row of the table: since when, the price, and the price before a discount, "" without one."""

    since: str
    price: str
    list_price: str


@dataclass(frozen=True, slots=True)
class ExpectedView:
    """What is expected, in words, and a row for each week: its dates, the lowest, the middle and the highest price."""

    sentence: str
    explanation: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class PriceSection:
    """The section; `left_out` says that there are earlier changes that the table does not list, "" for none."""

    sentences: tuple[str, ...]
    chart: ChartView | None
    expected: ExpectedView | None
    rows: tuple[PriceRow, ...]
    reduced: bool
    left_out: str


def price_section(product: Product, page: PricePage, now: int) -> PriceSection | None:
    """Return the section of a product's page; None where no price of it is known."""
    offered = in_last_currency(page.offered)
    if not offered:
        return None
    expected = None if page.expected is None else _expected_view(page.expected, offered)
    sentences = _sentences(product, page, offered)
    chart = _chart_view(offered, page.expected, now)
    if chart is not None:
        spoken = (*sentences, expected.sentence) if expected else sentences
        chart = ChartView(chart.chart, " ".join((chart.label, *spoken)), chart.amounts, chart.dates)
    listed = page.offered[-MAX_ROWS:]
    return PriceSection(
        sentences=sentences,
        chart=chart,
        expected=expected,
        rows=_rows(listed),
        reduced=any(offer.list_price is not None for offer in listed),
        left_out=_left_out(page, len(listed)),
    )


@lru_cache(maxsize=8192)
def _amount(price: Decimal, currency: str, code: str) -> str:
    """Return an amount for people; `code`, the page's language, is what the cache tells apart."""
    return money(price, currency)


def amount_text(price: Decimal, currency: str) -> str:
    """Return an amount in the page's language."""
    return _amount(price, currency, language())


def _left_out(page: PricePage, listed: int) -> str:
    """Return which changes the table does not list; "" where it lists all."""
    if not page.complete:
        return price_text("left_out_before", date=date_text(page.offered[0].at))
    count = len(page.offered) - listed
    return price_text("left_out", count=count) if count else ""


def _sentences(product: Product, page: PricePage, offered: Sequence[OfferedPrice]) -> tuple[str, ...]:
    """Return what the price is since when, its lowest and highest, and whether the currency changed."""
    last, every = offered[-1], page.offered
    priced = [offer for offer in offered if offer.price is not None]
    shown = amount_text(priced[-1].price or Decimal(0), priced[-1].currency)
    since = last.at  # of being gone; a price is older than its return to stock or its list price
    if last.price is None:
        key = "no_price_since" if product.in_stock else "not_offered_since"
    else:
        since = since if page.current is None else page.current.at
        key = "since_first" if page.complete and since <= every[0].at else "since"
    date = date_text(since)
    sentences = [price_text(key, price=shown, date=date)]
    if extremes := _extremes(offered):
        lowest, highest = extremes
        sentences.append(
            price_text(
                "range",
                start=date_text(offered[0].at),
                low=amount_text(lowest.price or Decimal(0), lowest.currency),
                low_date=date_text(lowest.at),
                high=amount_text(highest.price or Decimal(0), highest.currency),
                high_date=date_text(highest.at),
            )
        )
    if offered[0] is not every[0]:
        sentences.append(price_text("currency_since", date=date_text(offered[0].at), currency=offered[0].currency))
    return tuple(sentences)


def _extremes(offered: Sequence[OfferedPrice]) -> tuple[OfferedPrice, OfferedPrice] | None:
    """Return the last offers with the lowest and the highest price; None while there was one price alone."""
    priced = [(offer.price, offer.at, offer) for offer in offered if offer.price is not None]
    lowest = min(priced, key=lambda found: (found[0], -found[1]))[2]
    highest = max(priced, key=lambda found: (found[0], found[1]))[2]
    return None if lowest.price == highest.price else (lowest, highest)


def _chart_view(offered: Sequence[OfferedPrice], expected: ExpectedPrices | None, now: int) -> ChartView | None:
    weeks = () if expected is None else expected.weeks
    now = max(now, offered[-1].at)
    if now == offered[0].at or (len(offered) == 1 and not weeks and now - offered[0].at < LEAST_DAYS * DAY_S):
        return None
    currency = offered[0].currency
    chart = price_chart(offered, weeks, now, decimals_of(currency))
    rounds = all(level == int(level) for level in chart.levels)
    dates = []
    for number, tick in enumerate(chart.ticks):
        anchor = "start" if tick.place < LEFT_EDGE else "end" if tick.place > RIGHT_EDGE else "middle"
        dates.append(DateLabel(f"{tick.place:g}", tick_label(tick.day), anchor, number % 2 == 1))
    return ChartView(
        chart=chart,
        label=price_text("chart", start=date_text(offered[0].at), end=date_text(now)),
        amounts=tuple(money(level, currency, rounds=rounds) for level in chart.levels),
        dates=tuple(dates),
    )


def _expected_view(expected: ExpectedPrices, offered: Sequence[OfferedPrice]) -> ExpectedView:
    currency = offered[0].currency
    amounts = [
        tuple(amount_text(rounded(part, currency), currency) for part in (week.low, week.middle, week.high))
        for week in expected.weeks
    ]
    low = amount_text(rounded(min(week.low for week in expected.weeks), currency), currency)
    high = amount_text(rounded(max(week.high for week in expected.weeks), currency), currency)
    last_day = date_text(expected.weeks[-1].end - 1)  # the first of the weeks is the one that is running
    if low == high:
        sentence = price_text("expected_same", date=last_day, price=low)
    else:
        sentence = price_text("expected_flat" if expected.flat else "expected", date=last_day, low=low, high=high)
    percent = percent_text(round(expected.level * 100), language())
    return ExpectedView(
        sentence=sentence,
        explanation=price_text("expected_how", percent=percent, date=date_text(expected.made_at)),
        rows=tuple((short_date(week.start), *found) for week, found in zip(expected.weeks, amounts, strict=True)),
    )


def _rows(offered: Sequence[OfferedPrice]) -> tuple[PriceRow, ...]:
    """Return the rows of the table, the newest first; days with several changes have the time too."""
    days = [day_of(offer.at) for offer in offered]
    rows = []
    for place, offer in enumerate(offered):
        alone = days[place] not in (days[place - 1] if place else None, *days[place + 1 : place + 2])
        since = short_date(offer.at) if alone else f"{short_date(offer.at)}, {time_of_day(offer.at)}"
        if offer.price is None:
            rows.append(PriceRow(since, price_text("not_offered"), ""))
            continue
        before = "" if offer.list_price is None else amount_text(offer.list_price, offer.currency)
        rows.append(PriceRow(since, amount_text(offer.price, offer.currency), before))
    return tuple(reversed(rows))
