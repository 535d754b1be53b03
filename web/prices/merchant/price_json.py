"""Prices for merchants and owners as JSON values."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from catalog.product import Product
from search.pricing.demand.price_advice import PriceAdvice
from search.pricing.owners.price_list import PriceListRow
from search.pricing.owners.rules.price_finding import PriceFinding
from search.pricing.price_page import ExpectedPrices, ExpectedWeek
from web.i18n.language import title_of
from web.prices.history.wording import rounded
from web.urls import THUMBNAIL_SIZES, picture_url, product_url

if TYPE_CHECKING:
    from search.listings.price_range import PriceRange


def product_facts(product: Product) -> dict[str, Any]:
    """Return what lists say of a product: id, title, address, picture, price, list price, currency, stock."""
    picture = picture_url(product.pictures[0].sha256, min(THUMBNAIL_SIZES)) if product.pictures else ""
    return {
        "id": product.id,
        "title": title_of(product),
        "url": product_url(product.id),
        "picture_url": picture,
        "price": amount(product.price),
        "list_price": amount(product.list_price) if product.on_sale else None,
        "currency": product.currency,
        "in_stock": product.in_stock,
    }


def row_json(row: PriceListRow, expected: ExpectedPrices | None) -> dict[str, Any]:
    """Return a row of the merchant's list, with the last week of the forecast where there is one."""
    week = expected.weeks[-1] if expected is not None and expected.weeks else None
    return product_facts(row.product) | {
        "since": row.since,
        "before": amount(row.before),
        "findings": [finding_json(finding) for finding in row.findings],
        "verdict": row.verdict,
        "margin": None if row.margin is None else round(row.margin, 4),
        "expected": None if week is None else _expected_json(week, row.product.currency),
    }


def _expected_json(week: ExpectedWeek, currency: str) -> dict[str, Any]:
    bounds = {"low": week.low, "middle": week.middle, "high": week.high}
    amounts = {name: str(rounded(value, currency)) for name, value in bounds.items()}
    return amounts | {"week_start": week.start, "week_end": week.end}


def finding_json(finding: PriceFinding) -> dict[str, Any]:
    """Return a finding: code, confidence, facts."""
    return asdict(finding)


def advice_json(advice: PriceAdvice, look_alikes: PriceRange | None) -> dict[str, Any]:
    """Return what demand says of a price, and the range of look-alikes."""
    found = None if look_alikes is None else look_alikes.to_dict()
    if found is not None:
        del found["products"], found["neighbours"]
    return advice.to_dict() | {"look_alikes": found}


def amount(value: Decimal | None) -> str | None:
    """Return an amount as text, such as "12.90"."""
    return None if value is None else f"{value:f}"
