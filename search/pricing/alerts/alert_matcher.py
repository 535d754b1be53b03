"""Match price alerts with the catalogue's change log, which is followed from a stored position.

The position moves in the transaction that turns waiting alerts into fired ones. So a process may end at any moment: a
change is looked at again, and an alert that fired waits no more.

A product is judged as it is when the matcher looks at it. A price that fell and rose again before that fires nothing,
as it would tell a visitor of an offer that is gone. An alert is `unseen` until it was judged once, because its product
may have changed between the moment at which the visitor saw the price and that at which the alert was stored.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable

from catalog.files.failpoints import failpoint
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from search.pricing.alerts.alert_store import COLUMNS, AlertStore, read_alert
from search.pricing.alerts.price_alert import MAX_TITLE, NOT_SENT, PENDING, PriceAlert, fires

PAGE_CHANGES = 500
_POSITION = "SELECT value FROM about WHERE name = 'position'"
_SET_POSITION = "INSERT OR REPLACE INTO about VALUES ('position', ?)"
_ANY_UNSEEN = "SELECT 1 FROM alerts WHERE unseen = 1 LIMIT 1"
_UNSEEN = f"SELECT {COLUMNS} FROM alerts WHERE unseen = 1 LIMIT ?"  # noqa: S608 - the names of COLUMNS
_OF_PRODUCTS = f"SELECT {COLUMNS} FROM alerts WHERE product IN (SELECT value FROM json_each(?))"  # noqa: S608
_SEEN = "UPDATE alerts SET unseen = 0 WHERE id = ?"
_FIRE = f"""INSERT INTO fired ({COLUMNS}, fired_price, fired_at, delivery)
    SELECT {COLUMNS}, ?, ?, ? FROM alerts WHERE id = ?"""  # noqa: S608
_SET_TITLE = "UPDATE fired SET title = ? WHERE id = ?"


class AlertMatcher:
    """Fires the alerts of one shop. `sends` says whether what fires is to be delivered to a webhook."""

    def __init__(self, store: AlertStore, catalogue: Catalogue, sends: bool = False) -> None:
        self._file = store.file
        self._catalogue = catalogue
        self._delivery = PENDING if sends else NOT_SENT

    def judge_all_again(self) -> None:
        """Have every alert judged once more, as after a restart: the catalogue may be another, such as a backup's."""
        with self._file.writing() as db:
            db.execute("UPDATE alerts SET unseen = 1")
            db.execute(_SET_POSITION, (self._catalogue.seq,))

    def step(self, now: float | None = None) -> bool:
        """Judge the alerts of the next changes and those not judged yet; return whether more may be to do.

        Raises StoreError.
        """
        with self._file.reading() as db:
            stored = db.execute(_POSITION).fetchone()
            position, unseen = -1 if stored is None else int(stored[0]), db.execute(_ANY_UNSEEN).fetchone() is not None
        last = self._catalogue.seq
        if not 0 <= position <= last:
            self.judge_all_again()
            return True
        if position == last and not unseen:
            return False
        changes = self._catalogue.changes(position, PAGE_CHANGES)
        reached = changes[-1].seq if changes else position
        changed = json.dumps(sorted({change.product_id for change in changes}))
        with self._file.writing() as db:
            rows = [*db.execute(_OF_PRODUCTS, (changed,)), *db.execute(_UNSEEN, (PAGE_CHANGES,))]
            alerts = {alert.id: alert for alert in map(read_alert, rows)}
            # Read after the alerts, so that no change comes between an alert that is marked as seen and its product.
            products = self._products(alert.product_id for alert in alerts.values())
            for alert in alerts.values():
                self._judge(db, alert, products.get(alert.product_id), int(time.time() if now is None else now))
            db.execute(_SET_POSITION, (reached,))
            failpoint("alert.matched")
        failpoint("alert.fired")
        return True

    def _judge(self, db: sqlite3.Connection, alert: PriceAlert, product: Product | None, at: int) -> None:
        if product is None or not fires(alert, product):
            db.execute(_SEEN, (alert.id,))
            return
        db.execute(_FIRE, (str(product.price), at, self._delivery, alert.id))
        db.execute(_SET_TITLE, (product.title[:MAX_TITLE], alert.id))
        db.execute("DELETE FROM alerts WHERE id = ?", (alert.id,))

    def _products(self, ids: Iterable[str]) -> dict[str, Product]:
        return {product_id: product for product_id, (_, product) in self._catalogue.find(set(ids)).items()}
