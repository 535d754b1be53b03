"""The form of a product's page that sets a price alert: what was typed, and what is wrong with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal

from flask import Request, current_app

from catalog.errors import BadRow, PriceAlertRefused
from catalog.money.currencies import decimals_of
from catalog.money.prices import parse_price
from catalog.product import Product
from search.pricing.alerts.alert_store import MAX_OF_VISITOR, NO_PRICE, NOT_LOWER, TOO_MANY
from search.pricing.alerts.price_alert import has_price
from web.i18n.money import amount_to_type, money
from web.middleware.consent import random_visitor
from web.prices.alert_service import alerts_of
from web.prices.alert_views import alert_text

MAX_TYPED = 40  # characters
NINE_TENTHS, WHOLE_FROM = Decimal("0.9"), 10  # an example has no decimals from there on


@dataclass(frozen=True, slots=True)
class AlertForm:
    """The form as it is shown. `price` is what it costs for people, `example` a lower amount to type, if any."""

    price: str
    example: str
    typed: str = ""
    visitor: str = ""
    error: str = ""


def alert_form(product: Product) -> AlertForm | None:
    """Return the empty form of a product; None where its price cannot be compared, or alerts are switched off."""
    if product.price is None or not has_price(product) or not alerts_of(current_app).enabled:
        return None
    return AlertForm(money(product.price, product.currency), _example(product.price, product.currency))


def read_alert_form(product: Product, request: Request) -> tuple[AlertForm | None, Decimal | None]:
    """Return the form as it was sent, and the amount typed, None without one; the form has what is wrong with it."""
    form = alert_form(product)
    if form is None:
        return None, None
    typed = request.form.get("at_most", "").strip()[:MAX_TYPED]
    form = replace(form, typed=typed, visitor=random_visitor(request.form.get("visitor", "")))
    if not typed:
        return form, None
    for currency in (product.currency, ""):
        with suppress(BadRow):
            amount, named = parse_price(typed, currency)
            if amount is not None and named in ("", product.currency):
                return form, amount
    if not form.example:
        return replace(form, error=alert_text("error_no_amount")), None
    return replace(form, error=alert_text("error_not_number", example=form.example)), None


def with_refusal(form: AlertForm, refused: PriceAlertRefused) -> AlertForm:
    """Return the form with why the shop refused the alert."""
    of_reason: dict[str, dict[str, object]] = {NOT_LOWER: {"price": form.price}, TOO_MANY: {"count": MAX_OF_VISITOR}}
    values = of_reason.get(refused.reason, {})
    return replace(form, error=alert_text(f"error_{refused.reason or NO_PRICE}", **values))


def _example(price: Decimal, currency: str) -> str:
    """Return an amount below a price that can be typed in its currency; "" where there is none."""
    decimals, nine_tenths = decimals_of(currency), price * NINE_TENTHS
    step = Decimal(1) if nine_tenths >= WHOLE_FROM else Decimal(1).scaleb(-decimals)
    example = nine_tenths.quantize(step, ROUND_DOWN)
    return amount_to_type(example, decimals) if example else ""
