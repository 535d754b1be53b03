"""The app's store of price alerts, and the thread that fires and sends them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, abort, current_app

from catalog.errors import BadInput
from search.assistant.services.signed_post import Service
from search.pricing.alerts.alert_sender import AlertSender
from search.pricing.alerts.alert_store import AlertStore
from search.pricing.alerts.alert_worker import AlertWorker
from web.errors import UnsafeConfiguration
from web.settings import Settings
from web.urls import product_url

EXTENSION = "windowshop.price_alerts"
WEBHOOK_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class PriceAlerts:
    """The price alerts of a shop and the thread that works on them; `enabled` says whether visitors may set any."""

    store: AlertStore
    worker: AlertWorker
    enabled: bool


def init_app(app: Flask, settings: Settings) -> None:
    """Open the store, and start the thread, which only removes old alerts where they are switched off.

    Raises UnsafeConfiguration for an address that visitors' data cannot be sent to.
    """
    store = AlertStore(settings.home)
    worker = AlertWorker(
        settings.home, store, _sender(store, settings), settings.price_alert_days, settings.price_alerts
    )
    app.extensions[EXTENSION] = PriceAlerts(store, worker, settings.price_alerts)
    worker.start()


def alerts_of(app: Flask) -> PriceAlerts:
    """Return the app's price alerts."""
    alerts: PriceAlerts = app.extensions[EXTENSION]
    return alerts


def price_alerts() -> PriceAlerts:
    """Return the current app's price alerts; aborts with 404 where the settings switch them off."""
    alerts = alerts_of(current_app)
    if not alerts.enabled:
        abort(404)
    return alerts


def _sender(store: AlertStore, settings: Settings) -> AlertSender | None:
    if not settings.price_alert_url:
        return None
    secret = settings.price_alert_secret.get_secret_value() if settings.price_alert_secret else ""
    try:
        webhook = Service(settings.price_alert_url, secret.encode(), WEBHOOK_TIMEOUT_S)
    except BadInput as error:
        raise UnsafeConfiguration(error.message, error.hint) from error
    public_url = (settings.public_url or "").rstrip("/")
    return AlertSender(store, webhook, lambda product_id: public_url and public_url + product_url(product_id))
