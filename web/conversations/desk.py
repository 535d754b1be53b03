"""What stands behind the assistant: the app's conversations, orders and hand-overs, and the thread that sends these."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from flask import Flask
from pydantic import SecretStr

from catalog.errors import BadFeed, BadInput, StoreError
from catalog.home import ShopHome
from search.assistant.handover.handover import HandoverSettings, MailSettings
from search.assistant.handover.handovers import Handovers
from search.assistant.handover.outbox import Outbox
from search.assistant.handover.outbox_worker import OutboxWorker
from search.assistant.handover.queues import QueueRules
from search.assistant.orders.order_desk import OrderDesk
from search.assistant.services.signed_post import Service
from search.assistant.threads.thread_store import ThreadStore
from web.errors import UnsafeConfiguration
from web.settings import Settings

EXTENSION = "windowshop.desk"
WEBHOOK_TIMEOUT_S = 15.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServiceDesk:
    """The conversations of a shop, its orders, its rules of queues, its hand-overs, and what sends them."""

    store: ThreadStore
    orders: OrderDesk
    queues: QueueRules
    handovers: Handovers
    worker: OutboxWorker

    def close(self) -> None:
        """End the thread that sends hand-overs."""
        self.worker.close()


def init_app(app: Flask, settings: Settings) -> None:
    """Open the desk; where hand-overs go to mail or a webhook, start the thread that sends them.

    Raises UnsafeConfiguration for an address that customers' data cannot be sent to.
    """
    store = ThreadStore(settings.home, settings.thread_days)
    try:
        orders_secret = _secret(settings.orders_secret)
        orders = OrderDesk.open(store, settings.home, settings.orders_url or "", orders_secret)
        channels = handover_settings(settings)
        outbox = Outbox(store, channels)
    except BadInput as error:
        raise UnsafeConfiguration(error.message, error.hint) from error
    worker = OutboxWorker(settings.home, outbox)
    handovers = Handovers(store, channels, worker.wake)
    app.extensions[EXTENSION] = ServiceDesk(store, orders, _queues(settings), handovers, worker)
    if channels.channels:
        worker.start()
    _remove_expired(store, settings)


def desk_of(app: Flask) -> ServiceDesk:
    """Return the app's desk."""
    desk: ServiceDesk = app.extensions[EXTENSION]
    return desk


def handover_settings(settings: Settings) -> HandoverSettings:
    """Return where hand-overs go. Raises BadInput."""
    mail = None
    if settings.handover_mail:
        server = _secret(settings.smtp_url)
        if not server:
            raise BadInput("Hand-overs shall be mailed, and there is no mail server.", "Set WINDOWSHOP_SMTP_URL.")
        mail = MailSettings.read(settings.handover_mail, server, settings.handover_from or "")
    url = settings.handover_url
    webhook = Service(url, _secret(settings.handover_secret).encode(), WEBHOOK_TIMEOUT_S) if url else None
    public_url = (settings.public_url or "").rstrip("/")
    return HandoverSettings(mail, webhook, settings.shop_name, public_url)


def _remove_expired(store: ThreadStore, settings: Settings) -> None:
    """Remove conversations whose time is over, also where nobody has written since."""
    if ShopHome(settings.home).threads.is_file():
        try:
            store.prune(time.time())
        except StoreError as error:
            log.error("Conversations whose time is over cannot be removed: %s", error)


def _queues(settings: Settings) -> QueueRules:
    """Return the shop's rules of queues; the shipped ones, with a line in the log, where its own table is wrong."""
    try:
        return QueueRules.open(settings.home)
    except BadFeed as error:
        log.warning("The shop's own rules of queues are not used: %s", error)
        return QueueRules.shipped()


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value is not None else ""
