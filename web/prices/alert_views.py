"""Price alerts as pages and the API show them, each with what its product costs now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.money.currencies import decimal_text
from catalog.product import Product
from catalog.times import utc_text
from search.pricing.alerts.alert_store import VisitorAlerts
from search.pricing.alerts.price_alert import FiredAlert, PriceAlert
from web.engine import get_engine
from web.i18n.dates import date_text
from web.i18n.language import language, title_of
from web.i18n.messages import PRICE_ALERTS, page_message
from web.i18n.money import money
from web.urls import api_url, product_url

WAITING, FIRED = "waiting", "fired"


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert on a page. `condition` says what it waits for or what happened, `now` what the product costs today.

    `product` is None once the shop sells it no more.
    """

    id: str
    title: str
    product: Product | None
    condition: str
    now: str


def alert_text(key: str, **values: object) -> str:
    """Return the message of a key of `price_alerts.json` in the page's language."""
    return page_message(PRICE_ALERTS, key, language(), **values)


def products_of(alerts: VisitorAlerts) -> Mapping[str, Product]:
    """Return the products of a visitor's alerts by id, without those that the shop has no more."""
    ids = {alert.product_id for alert in (*alerts.waiting, *(fired.alert for fired in alerts.fired))}
    return get_engine().find(list(ids)) if ids else {}


def waiting_views(alerts: VisitorAlerts, products: Mapping[str, Product]) -> Sequence[AlertView]:
    """Return the alerts that wait, as a page shows them."""
    return [_view(alert, products, _limit_text(alert)) for alert in alerts.waiting]


def fired_views(alerts: VisitorAlerts, products: Mapping[str, Product]) -> Sequence[AlertView]:
    """Return the alerts that fired, as a page shows them."""
    return [_view(fired.alert, products, fired_text(fired)) for fired in alerts.fired]


def fired_text(fired: FiredAlert) -> str:
    """Return when a price fell, and to what, for people."""
    return alert_text("fell_to", price=money(fired.price, fired.alert.currency), date=date_text(fired.at))


def alert_json(alert: PriceAlert, product: Product | None, fired: FiredAlert | None = None) -> dict[str, Any]:
    """Return an alert as JSON values, amounts as exact texts; there is nothing of the visitor in it."""
    return {
        "id": alert.id,
        "product_id": alert.product_id,
        "title": alert.title if product is None else product.title,
        "state": WAITING if fired is None else FIRED,
        "at_most": None if alert.at_most is None else decimal_text(alert.at_most, alert.currency),
        "price_when_set": decimal_text(alert.price, alert.currency),
        "currency": alert.currency,
        "set_at": utc_text(alert.at),
        "reference": alert.reference or None,
        "fired_price": None if fired is None else decimal_text(fired.price, alert.currency),
        "fired_at": None if fired is None else utc_text(fired.at),
        "product": None if product is None else _product_json(product),
    }


def alerts_json(alerts: VisitorAlerts) -> list[dict[str, Any]]:
    """Return all alerts of a visitor as JSON values: those that fired first, then those that wait."""
    products = products_of(alerts)
    fired = [alert_json(item.alert, products.get(item.alert.product_id), item) for item in alerts.fired]
    return fired + [alert_json(alert, products.get(alert.product_id)) for alert in alerts.waiting]


def _view(alert: PriceAlert, products: Mapping[str, Product], condition: str) -> AlertView:
    product = products.get(alert.product_id)
    title = alert.title if product is None else title_of(product)
    return AlertView(alert.id, title, product, condition, _now(product))


def _now(product: Product | None) -> str:
    if product is None:
        return alert_text("gone")
    if product.price is None:
        return alert_text("now_no_price")
    return alert_text("now" if product.in_stock else "now_out", price=money(product.price, product.currency))


def _limit_text(alert: PriceAlert) -> str:
    if alert.at_most is None:
        return alert_text("waits_below", price=money(alert.price, alert.currency))
    return alert_text("waits_at_most", price=money(alert.at_most, alert.currency))


def _product_json(product: Product) -> dict[str, Any]:
    return {
        "price": None if product.price is None else decimal_text(product.price, product.currency),
        "currency": product.currency or None,
        "in_stock": product.in_stock,
        "url": api_url(product_url(product.id)),
    }
