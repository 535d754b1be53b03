"""Send fired alerts to the shop's webhook, at least once, tried again until they have arrived or there is no hope.

An attempt is counted before it is made, and marked as sent after it was. A process that ends between the two sends once
more with the same Idempotency-Key, the alert's id, so that the receiver can tell.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from catalog.files.failpoints import failpoint
from catalog.money.currencies import decimal_text
from catalog.times import utc_text
from search.assistant.services.retries import KEY_HEADER, MAX_ATTEMPTS, MAX_ERROR, wait_s
from search.assistant.services.signed_post import Service, ServiceFailed
from search.pricing.alerts.alert_store import COLUMNS, AlertStore, read_fired
from search.pricing.alerts.price_alert import FAILED, PENDING, SENT, FiredAlert

EVENT = "price_alert"
_DUE = f"""SELECT attempts, {COLUMNS}, fired_price, fired_at, delivery FROM fired
    WHERE delivery = 'pending' AND retry_at <= ? ORDER BY retry_at, fired_at LIMIT 1"""  # noqa: S608 - names
_BEGIN = "UPDATE fired SET attempts = attempts + 1, retry_at = ? WHERE id = ? AND delivery = 'pending'"
_END = "UPDATE fired SET delivery = ?, error = ?, sent_at = ? WHERE id = ?"
log = logging.getLogger(__name__)


class AlertSender:
    """Sends the fired alerts of one shop. One thread of one process works on it at a time."""

    def __init__(self, store: AlertStore, webhook: Service, product_url: Callable[[str], str]) -> None:
        """`product_url` returns the address of a product's page, "" where it is not known."""
        self._file = store.file
        self._webhook = webhook
        self._product_url = product_url

    def step(self, now: float | None = None) -> bool:
        """Attempt one due delivery; return whether there was one. Raises StoreError."""
        at = time.time() if now is None else now
        with self._file.writing() as db:
            row = db.execute(_DUE, (at,)).fetchone()
            if row is None:
                return False
            attempts, fired = int(row[0]), read_fired(row[1:])
            db.execute(_BEGIN, (at + wait_s(attempts), fired.alert.id))
        failpoint("alert.begun")
        state, error = SENT, ""
        try:
            status = self._webhook.post(self._body(fired), {KEY_HEADER: fired.alert.id}).status
            if not 200 <= status < 300:
                raise ServiceFailed(f"The webhook answered {status}.")
        except ServiceFailed as failed:
            state, error = PENDING if attempts + 1 < MAX_ATTEMPTS else FAILED, str(failed)
            log.warning("The price alert %s was not sent: %s", fired.alert.id, error)
        failpoint("alert.sent")
        with self._file.writing() as db:
            db.execute(_END, (state, error[:MAX_ERROR], int(at) if state == SENT else None, fired.alert.id))
        return True

    def _body(self, fired: FiredAlert) -> bytes:
        alert = fired.alert
        body: dict[str, Any] = {
            "event": EVENT,
            "alert_id": alert.id,
            "reference": alert.reference or None,
            "product_id": alert.product_id,
            "title": alert.title,
            "url": self._product_url(alert.product_id) or None,
            "price": decimal_text(fired.price, alert.currency),
            "currency": alert.currency,
            "at_most": None if alert.at_most is None else decimal_text(alert.at_most, alert.currency),
            "price_when_set": decimal_text(alert.price, alert.currency),
            "set_at": utc_text(alert.at),
            "fired_at": utc_text(fired.at),
        }
        return json.dumps(body, ensure_ascii=False).encode()
