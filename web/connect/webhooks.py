"""The routes for webhooks of Shopify and WooCommerce.

Both answer as soon as the message is on the disk: 202 when there is something to do, 200 when there is not.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Set
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, make_response, request

from catalog.errors import BadDelivery, BadQuery, BadRow
from catalog.feeds.platform_documents import shopify_documents, woocommerce_documents
from catalog.feeds.platform_documents.document import moment
from search.connect.inbox import ACCEPTED, DocumentChange, Inbox
from search.connect.inbox_worker import InboxWorker
from search.connect.platform_sync import PlatformSync
from web.connect.signatures import check_signature, checked_delivery_id, digest, secret_of
from web.engine import holder_of
from web.errors import MalformedRequest, NotAllowed
from web.middleware.request_context import note
from web.middleware.uploads import body_of
from web.settings import Settings

SHOPIFY, WOOCOMMERCE = "shopify", "woocommerce"
STALE_SECONDS = 3 * 86_400  # Shopify gives up sending a webhook long before
PONG = "pong"
EXTENSION = "windowshop.connect"
bp = Blueprint("connect", __name__)
Payload = Mapping[str, Any]


class Receiver:
    """The inbox of the app's shop and the thread that works on it; both begin when they are first needed."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._inbox: Inbox | None = None
        self._worker = InboxWorker(settings.home, self._sync, lambda: holder_of(app).engine())

    @property
    def inbox(self) -> Inbox:
        """The open inbox. Raises StoreError."""
        with self._lock:
            if self._inbox is None:
                self._inbox = Inbox(self.settings.home)
            return self._inbox

    def start(self) -> None:
        """Work on what was left when the server stopped, and on what comes."""
        self._worker.start()

    def accept(self, change: DocumentChange, delivery: str, sha256: str) -> Response:
        """Store a change, wake the thread, and answer what became of it."""
        status = self.inbox.accept(change, delivery, sha256)
        note(webhook=status, product=change.product_id)
        if status == ACCEPTED:
            self._worker.wake()
        return make_response(jsonify(status=status, request_id=g.request_id), 202 if status == ACCEPTED else 200)

    def close(self) -> None:
        """End the thread and close the inbox."""
        self._worker.close()
        with self._lock:
            if self._inbox is not None:
                self._inbox.close()
                self._inbox = None

    def _sync(self) -> PlatformSync:
        return PlatformSync(self.inbox, self.settings.fetch_rules, self.settings.shop_currency or "")


def init_app(app: Flask, settings: Settings) -> None:
    """Register the routes; where a secret is set, start the thread that works on what they store."""
    app.register_blueprint(bp)
    app.extensions[EXTENSION] = receiver = Receiver(app, settings)
    if settings.shopify_secret or settings.woocommerce_secret:
        receiver.start()


def receiver_of(app: Flask) -> Receiver:
    """Return the app's receiver of webhooks."""
    receiver: Receiver = app.extensions[EXTENSION]
    return receiver


@bp.post("/connect/shopify/webhooks")
def shopify() -> Response:
    """Take a webhook of Shopify about a product. Answers once it is durable; the pictures are fetched afterwards."""
    receiver, headers = receiver_of(current_app), request.headers
    settings = receiver.settings
    secret = secret_of(settings.shopify_secret, "Shopify", "WINDOWSHOP_SHOPIFY_SECRET")
    body = body_of(request)
    check_signature(secret, body, headers.get("X-Shopify-Hmac-Sha256", ""))
    domain = headers.get("X-Shopify-Shop-Domain", "")
    if not settings.shopify_domain or domain.lower() != settings.shopify_domain.lower():
        message = f"The webhook is of the shop {domain[:100]!r}, which is not the one that this server is for."
        raise NotAllowed(message, "WINDOWSHOP_SHOPIFY_DOMAIN names the shop, such as corner-shop.myshopify.com.")
    read = _chosen(SHOPIFY_TOPICS, headers.get("X-Shopify-Topic", ""))
    delivery = checked_delivery_id(headers.get("X-Shopify-Webhook-Id", ""), "X-Shopify-Webhook-Id")
    triggered = headers.get("X-Shopify-Triggered-At")
    at = _moment_of(triggered) if triggered else time.time()
    if at < time.time() - STALE_SECONDS:
        hint = "Shopify sends a webhook again for some hours only; the nightly reconciliation mends what was missed."
        raise BadDelivery(f"The webhook was triggered at {triggered!r:.60}, which is more than three days ago.", hint)
    return receiver.accept(_change(read, _payload(body), settings, at), delivery, digest(body))


@bp.post("/connect/woocommerce/webhooks")
def woocommerce() -> Response:
    """Take a webhook of WooCommerce about a product. Answers once it is durable; pictures are fetched afterwards."""
    receiver, headers = receiver_of(current_app), request.headers
    secret = secret_of(receiver.settings.woocommerce_secret, "WooCommerce", "WINDOWSHOP_WOOCOMMERCE_SECRET")
    if _is_ping():
        return make_response(jsonify(status=PONG, request_id=g.request_id))
    body = body_of(request)
    check_signature(secret, body, headers.get("X-WC-Webhook-Signature", ""))
    read = _chosen(WOOCOMMERCE_TOPICS, headers.get("X-WC-Webhook-Topic", ""))
    delivery = checked_delivery_id(headers.get("X-WC-Webhook-Delivery-ID", ""), "X-WC-Webhook-Delivery-ID")
    # WooCommerce makes the number of the webhook and the second, so that two messages may have the same one.
    change, sha256 = _change(read, _payload(body), receiver.settings, time.time()), digest(body)
    return receiver.accept(change, f"{delivery} {sha256}", sha256)


Reader = Callable[[Payload, Settings, float], DocumentChange]


def _shopify_put(payload: Payload, settings: Settings, at: float) -> DocumentChange:
    document = shopify_documents.product_of_webhook(payload, settings.shop_url or f"https://{settings.shopify_domain}")
    return DocumentChange(SHOPIFY, document.id, document.updated, document.merged)


def _shopify_delete(payload: Payload, settings: Settings, at: float) -> DocumentChange:
    _check_removal(payload, {"id"})
    return DocumentChange(SHOPIFY, shopify_documents.id_of(payload.get("id")), at, lambda known: None)


def _shopify_stock(payload: Payload, settings: Settings, at: float) -> DocumentChange:
    product, variant, quantity, updated = shopify_documents.quantity_of_webhook(payload)
    return DocumentChange(
        SHOPIFY,
        product,
        updated,
        lambda known: known and known.with_quantity(variant, quantity, updated),
        partial=True,
    )


def _woocommerce_put(payload: Payload, settings: Settings, at: float, restores: bool = False) -> DocumentChange:
    if not woocommerce_documents.is_variation(payload):
        document = woocommerce_documents.product_of(payload)
        return DocumentChange(WOOCOMMERCE, document.id, document.updated, document.merged, restores=restores)
    parent, variant = woocommerce_documents.id_of(payload.get("parent_id")), woocommerce_documents.variation_of(payload)
    if payload.get("status") != "publish":
        return DocumentChange(
            WOOCOMMERCE, parent, variant.updated, lambda known: known and known.without(variant.id), partial=True
        )
    return DocumentChange(
        WOOCOMMERCE, parent, variant.updated, lambda known: known and known.with_variant(variant), partial=True
    )


def _woocommerce_restore(payload: Payload, settings: Settings, at: float) -> DocumentChange:
    return _woocommerce_put(payload, settings, at, restores=True)


def _woocommerce_delete(payload: Payload, settings: Settings, at: float) -> DocumentChange:
    _check_removal(payload, {"id", woocommerce_documents.EXTENSION})
    product_id = woocommerce_documents.id_of(payload.get("id"))
    return DocumentChange(WOOCOMMERCE, product_id, woocommerce_documents.deleted_at(payload, at), lambda known: None)


def _check_removal(payload: Payload, fields: Set[str]) -> None:
    """Raise BadQuery for a removal that has more than the `fields` of one.

    The topic is in a header, which is not signed: without this, a recorded product could be sent as its removal.
    """
    others = sorted(payload.keys() - fields)
    if others:
        message = f"The webhook of a removal has the field {others[0][:60]!r}, which a removal does not have."
        raise BadQuery(message, f"A removal has only {' and '.join(sorted(fields))}.")


SHOPIFY_TOPICS: Mapping[str, Reader] = {
    "products/create": _shopify_put,
    "products/update": _shopify_put,
    "products/delete": _shopify_delete,
    "variants/in_stock": _shopify_stock,
    "variants/out_of_stock": _shopify_stock,
}
WOOCOMMERCE_TOPICS: Mapping[str, Reader] = {
    "product.created": _woocommerce_put,
    "product.updated": _woocommerce_put,
    "product.restored": _woocommerce_restore,
    "product.deleted": _woocommerce_delete,
}


def _chosen(topics: Mapping[str, Reader], topic: str) -> Reader:
    """Return how a topic is read. Raises BadQuery for another one."""
    if topic not in topics:
        raise BadQuery(f"The topic {topic[:60]!r} is not taken.", f"Subscribe to {', '.join(topics)}.")
    return topics[topic]


def _change(read: Reader, payload: Payload, settings: Settings, at: float) -> DocumentChange:
    """Return the change that a webhook reports. Raises BadQuery when it lacks what it needs."""
    try:
        return read(payload, settings, at)
    except BadRow as error:
        raise BadQuery(f"The webhook cannot be read: {error.message}.", "Send the whole product.") from None


def _payload(body: bytes) -> Payload:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedRequest("The body is not valid JSON.", "Webhooks send products as JSON.") from None
    if not isinstance(payload, dict):
        raise MalformedRequest("The body is JSON, but not an object.", "Webhooks send products as JSON objects.")
    return payload


def _moment_of(text: str) -> float:
    try:
        return moment(text)
    except BadRow as error:
        raise BadQuery(f"The header X-Shopify-Triggered-At cannot be read: {error.message}.", "") from None


def _is_ping() -> bool:
    """Tell whether WooCommerce asks if anybody is here, as it does when a webhook is saved: a form, not signed."""
    is_form = request.mimetype == "application/x-www-form-urlencoded"
    return is_form and "X-WC-Webhook-Topic" not in request.headers and "X-WC-Webhook-Signature" not in request.headers
