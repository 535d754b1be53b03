"""What the history of prices says is wrong: slipped decimal points, stale prices, margins, discounts that are none."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

from catalog.storage.opening import open_catalogue
from search.doctor.audit_rows import AuditRows, Finding, ReportProgress
from search.pricing.owners.cost_limits import CostLimits
from search.pricing.owners.price_check import all_findings
from search.pricing.owners.rules.price_finding import (
    BELOW_COST,
    DECIMAL_POINT,
    JUMP,
    LOW_MARGIN,
    NEVER_CHARGED,
    NOT_LOWEST,
    STALE,
    PriceFinding,
)

PROGRESS_EVERY = 1_000
log = logging.getLogger(__name__)
Facts = Mapping[str, Any]


def price_history_findings(shop: AuditRows, progress: ReportProgress) -> Iterator[Finding]:
    """Find products whose price jumped, is stale or below cost, or announces a discount that is none."""
    products = {product.id: product for product in shop.products}
    now, limits = int(time.time()), CostLimits(shop.engine.home)
    for problem in limits.problems():
        log.error("No margin is checked by this file: %s", problem)
    with closing(open_catalogue(shop.engine.home)) as catalogue:
        found = all_findings(products.values(), catalogue.price_history.changes, limits.of_product, now)
        for done, (product, findings) in enumerate(found):
            if done % PROGRESS_EVERY == 0:
                progress("price history", min(done, len(products)), len(products))
            for finding in findings:
                kind = KINDS[finding.code]
                yield Finding(kind, product, finding.confidence, price_sentence(product.currency, finding), "price")


def price_sentence(currency: str, finding: PriceFinding) -> str:
    """Return the finding in words."""
    return _WORDS[finding.code](currency, finding.facts)


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def _jump(currency: str, facts: Facts) -> str:
    direction = "more" if facts["higher"] else "less"
    return (
        f"Costs {facts['price']} {currency} since {_day(facts['since'])}: {facts['factor']:g} times {direction} than"
        f" the {facts['before']} {currency} before."
    )


def _decimal_point(currency: str, facts: Facts) -> str:
    return f"{_jump(currency, facts)} That looks like a slipped decimal point."


def _below_cost(currency: str, facts: Facts) -> str:
    return f"Costs {facts['price']} {currency}, which is less than its cost of {facts['cost']} {currency}."


def _low_margin(currency: str, facts: Facts) -> str:
    margin, least = f"{facts['margin']:.1%}", f"{facts['least']:.1%}"
    return f"The margin at {facts['price']} {currency} is {margin} of the price; the owner's limit is {least}."


def _never_charged(currency: str, facts: Facts) -> str:
    return (
        f"The list price {facts['list_price']} {currency} was not charged since {_day(facts['since'])}; the highest"
        f" price was {facts['highest']} {currency}. Remove it, unless it is a price that the maker recommends."
    )


def _not_lowest(currency: str, facts: Facts) -> str:
    return (
        f"A discount is announced since {_day(facts['since'])}, but {facts['price']} {currency} is no less than the"
        f" lowest price of the 30 days before, {facts['lowest']} {currency}."
    )


def _stale(currency: str, facts: Facts) -> str:
    direction = "rose" if facts["move"] > 0 else "fell"
    return (
        f"Has the same price for {facts['days']} days. In the last 180 days prices of its category {direction} by"
        f" {abs(facts['move']):.0%} in the middle ({facts['moved']} of {facts['products']} other products)."
    )


KINDS = {
    DECIMAL_POINT: "slipped decimal point",
    JUMP: "price jump",
    BELOW_COST: "below cost",
    LOW_MARGIN: "low margin",
    NEVER_CHARGED: "list price",
    NOT_LOWEST: "announced discount",
    STALE: "stale price",
}
_WORDS: Mapping[str, Callable[[str, Facts], str]] = {
    DECIMAL_POINT: _decimal_point,
    JUMP: _jump,
    BELOW_COST: _below_cost,
    LOW_MARGIN: _low_margin,
    NEVER_CHARGED: _never_charged,
    NOT_LOWEST: _not_lowest,
    STALE: _stale,
}
