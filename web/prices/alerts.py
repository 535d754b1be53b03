"""The API of price alerts: set, list, remove."""

from __future__ import annotations

from flask import Blueprint, Response, g, jsonify, make_response, request

from catalog.errors import BadQuery
from search.pricing.alerts.alert_tokens import FEED, PAGE
from search.pricing.alerts.price_alert import AlertRequest
from web.engine import get_engine
from web.middleware.auth import current_key
from web.middleware.consent import check_visitor
from web.middleware.policies import SEARCH
from web.middleware.response_headers import no_store
from web.prices.alert_requests import NewPriceAlert, VisitorAlertsParameters
from web.prices.alert_service import price_alerts
from web.prices.alert_views import alert_json, alerts_json
from web.requests.validation import read_json, validate
from web.urls import api_url, price_alerts_url, price_feed_url

bp = Blueprint("price_alerts", __name__)


@bp.post("/api/v1/products/<id:product_id>/price-alerts")
def create(product_id: str) -> Response:
    """Set a price alert of a visitor for a product, in place of the one that waits. It fires once.

    It fires when the product is in stock and its price falls to `at_most`, or without it below what it costs now.
    """
    alerts = price_alerts()
    sent = read_json(NewPriceAlert, request)
    _check_reference(sent.reference)
    check_visitor(sent.visitor)
    product = get_engine().product(product_id)
    alert, created = alerts.store.add(AlertRequest(product, sent.visitor, sent.at_most, sent.reference or ""))
    alerts.worker.wake()
    answer = jsonify(alert=alert_json(alert, product), **_addresses(sent.visitor), request_id=g.request_id)
    return make_response(no_store(answer), 201 if created else 200)


@bp.get("/api/v1/price-alerts")
def of_visitor() -> Response:
    """Return the price alerts of a visitor: those that fired, the last first, then those that wait."""
    alerts = price_alerts()
    visitor = _visitor()
    listed = alerts_json(alerts.store.of_visitor(visitor))
    addresses = _addresses(visitor) if listed else {"page": None, "feed": None}
    return no_store(jsonify(alerts=listed, **addresses, request_id=g.request_id))


@bp.delete("/api/v1/price-alerts/<alert_id>")
def remove(alert_id: str) -> Response:
    """Remove a price alert of a visitor, whether it waits or has fired."""
    price_alerts().store.remove(_visitor(), alert_id)
    return make_response("", 204)


def _visitor() -> str:
    """Return the visitor of the address. Raises BadQuery for an id that can be guessed."""
    visitor = validate(VisitorAlertsParameters, request.args.to_dict()).visitor
    check_visitor(visitor)
    return visitor


def _check_reference(reference: str | None) -> None:
    """Raise BadQuery where somebody sends a reference who has no key: the shop writes to the customer that it names."""
    key = current_key()
    if reference and (key is None or key.scope == SEARCH):
        raise BadQuery("A reference needs a key.", "Send a key with the scope read, or leave the reference out.")


def _addresses(visitor: str) -> dict[str, str]:
    """Return the addresses of the visitor's page and feed, each with a token of its own."""
    store = price_alerts().store
    page, feed = store.token(visitor, PAGE), store.token(visitor, FEED)
    return {"page": api_url(price_alerts_url(page)), "feed": api_url(price_feed_url(feed))}
