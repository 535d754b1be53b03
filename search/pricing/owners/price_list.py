"""The rows of the merchant's list of prices: each product as it is now, with what is found in its price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.product import Product
from search.pricing.demand.price_advice import NOT_KNOWN
from search.pricing.owners.price_check import HISTORY_S, ChangesOf, LimitOf
from search.pricing.owners.price_overview import PriceOverview
from search.pricing.owners.rules.margins import margin_of
from search.pricing.owners.rules.price_finding import STALE, PriceFinding
from search.pricing.owners.rules.price_spans import spans_of
from search.pricing.owners.rules.product_check import product_findings


@dataclass(frozen=True, slots=True)
class PriceListRow:
    """A product of the list.

    Its price is in force `since` a time in unix seconds, None where that is not known, and was `before`, None without
    another one in the same currency. `margin` is a share of the price, None where the cost is not known.
    """

    product: Product
    since: int | None
    before: Decimal | None
    findings: tuple[PriceFinding, ...]
    verdict: str
    margin: float | None


@dataclass(frozen=True, slots=True)
class PriceSources:
    """What the rows are made from: the history, costs with limits, and the last check."""

    changes_of: ChangesOf
    limit_of: LimitOf
    overview: PriceOverview


def list_rows(products: Sequence[Product], sources: PriceSources, now: int) -> list[PriceListRow]:
    """Return the rows of some products, in their order.

    Findings are of `now`, so a fault that was corrected is gone; that a price is stale and the verdict are from the
    last check. Raises StoreError where the history cannot be read.
    """
    ids = [product.id for product in products]
    stale, verdicts = sources.overview.findings_of(ids, STALE), sources.overview.verdicts_of(ids)
    return [_row(product, sources, (stale, verdicts), now) for product in products]


def _row(
    product: Product, sources: PriceSources, checked: tuple[Mapping[str, PriceFinding], Mapping[str, str]], now: int
) -> PriceListRow:
    stale, verdicts = checked
    changes, limit = sources.changes_of(product.id, now - HISTORY_S), sources.limit_of(product)
    spans = spans_of(changes, now)
    last = spans[-1] if spans and spans[-1].end >= now and spans[-1].price == product.price else None
    before = spans[-2].price if last is not None and len(spans) > 1 else None
    findings = product_findings(changes, now, limit)
    since = None if last is None else last.start
    if since is not None and product.id in stale and stale[product.id].facts["since"] == since:
        findings = (*findings, stale[product.id])
    priced = limit.cost is not None and product.price is not None and product.price > 0
    margin = margin_of(product.price, limit.cost) if priced and product.price and limit.cost is not None else None
    return PriceListRow(product, since, before, findings, verdicts.get(product.id, NOT_KNOWN), margin)
