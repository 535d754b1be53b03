"""The pages of price alerts: set one on a product's page, list and remove one's own, and their feed.

They need no JavaScript. The browser has the visitor's id and sends it in a form; a token in the address takes its place
from then on, so that the id itself is in no address.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from flask import Blueprint, Flask, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from catalog.errors import PriceAlertRefused, UnknownPriceAlert
from catalog.product import Product
from search.pricing.alerts.alert_tokens import FEED, PAGE
from search.pricing.alerts.price_alert import AlertRequest
from web.engine import get_engine
from web.errors import IncompleteLink
from web.i18n.language import language
from web.middleware.consent import check_visitor
from web.middleware.response_headers import no_store
from web.prices.alert_feed import write_feed
from web.prices.alert_form import AlertForm, alert_form, read_alert_form, with_refusal
from web.prices.alert_service import alerts_of, price_alerts
from web.prices.alert_views import AlertView, alert_text, fired_views, products_of, waiting_views
from web.urls import price_alerts_url, price_feed_url

SET, REMOVED, ALL_REMOVED = "set", "removed", "all-removed"  # what has just happened, in the address of the page
ALL = "all"  # in place of an alert's id
FEED_TYPE = "application/atom+xml; charset=utf-8"
bp = Blueprint("price_alert_pages", __name__)


@dataclass(frozen=True, slots=True)
class AlertsPage:
    """The page of one visitor: the token that its forms send, the address of the feed, and the alerts."""

    token: str
    feed: str
    fired: Sequence[AlertView]
    waiting: Sequence[AlertView]
    done: str = ""


def init_app(app: Flask) -> None:
    """Register the pages, and let the pages of products show the form."""
    app.jinja_env.globals.update(
        alert_text=alert_text,
        price_alert_form=alert_form,
        price_alerts_url=price_alerts_url,
        price_alerts_enabled=alerts_of(app).enabled,
    )
    app.register_blueprint(bp)


@bp.post("/products/<id:product_id>/price-alerts")
def create(product_id: str) -> Response | AnyResponse:
    """Set a price alert and go to the visitor's alerts; render the form again where what was typed cannot be."""
    alerts, product = price_alerts(), get_engine().product(product_id)
    form, at_most = read_alert_form(product, request)
    if form is None or form.error:
        return _refused(product, form)
    try:
        alerts.store.add(AlertRequest(product, form.visitor, at_most))
    except PriceAlertRefused as refused:
        return _refused(product, with_refusal(form, refused))
    alerts.worker.wake()
    return _to_page(alerts.store.token(form.visitor, PAGE), SET)


@bp.get("/price-alerts")
def page() -> Response:
    """Render the alerts of the visitor whose token the address has; without one, a form that sends who visits."""
    alerts, token = price_alerts(), request.args.get("token", "")
    if not token:
        return no_store(make_response(render_template("price_alerts.html", page=None)))
    visitor = _visitor(token, PAGE)
    found = alerts.store.of_visitor(visitor)
    products = products_of(found)
    feed = price_feed_url(alerts.store.token(visitor, FEED), lang=language())
    done = next((name for name in (SET, REMOVED, ALL_REMOVED) if name in request.args), "")
    shown = AlertsPage(token, feed, fired_views(found, products), waiting_views(found, products), done)
    return no_store(make_response(render_template("price_alerts.html", page=shown)))


@bp.post("/price-alerts")
def open_page() -> AnyResponse:
    """Go to the alerts of the visitor whose id the browser sends. Raises BadQuery for an id that can be guessed."""
    visitor = request.form.get("visitor", "")
    check_visitor(visitor)
    return redirect(price_alerts_url(price_alerts().store.token(visitor, PAGE)), 303)


@bp.post("/price-alerts/<alert_id>/remove")
def remove(alert_id: str) -> AnyResponse:
    """Remove an alert, or ALL of the page, and return to it; one that is gone already is removed too."""
    token = request.form.get("token", "")
    visitor, store = _visitor(token, PAGE), price_alerts().store
    if alert_id == ALL:
        store.forget(visitor)
        return _to_page(token, ALL_REMOVED)
    with suppress(UnknownPriceAlert):
        store.remove(visitor, alert_id)
    return _to_page(token, REMOVED)


@bp.get("/price-alerts.atom")
def feed() -> Response:
    """Return the visitor's alerts that fired as an Atom feed, the last first, for a token that only reads."""
    token = request.args.get("token", "")
    fired = price_alerts().store.of_visitor(_visitor(token, FEED)).fired
    response = Response(write_feed(fired, token), content_type=FEED_TYPE)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex"
    response.add_etag()
    response.make_conditional(request)
    return response


def _visitor(token: str, purpose: str) -> bytes:
    """Return the hash of the visitor whose token this is. Raises IncompleteLink."""
    visitor = price_alerts().store.visitor_of(token, purpose)
    if visitor is None:
        raise IncompleteLink("The link to price alerts is incomplete.", "Open it again as it was shown.")
    return visitor


def _to_page(token: str, done: str) -> AnyResponse:
    return redirect(f"{price_alerts_url(token)}&{done}=1", 303)


def _refused(product: Product, form: AlertForm | None) -> Response:
    return no_store(make_response(render_template("price_alert_refused.html", product=product, form=form), 422))
