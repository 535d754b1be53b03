"""Rate limits: requests per minute of one key, or of one address where no key is sent.

A search key stands in a page that many visitors read: each of their addresses is limited like one without a key, and
the key as a whole has a limit of its own.

A token bucket holds a quarter of a minute's requests and refills evenly, so that a page can load all at once and nobody
gets more than five quarters in any minute. The buckets lie in a small file of the shop's folder, so that all servers of
a shop count as one.
"""

from __future__ import annotations

import ipaddress
from time import time

from flask import Flask, request

from catalog.files.rate_table import RateTable
from catalog.home import ShopHome
from web.errors import RateLimited
from web.middleware.auth import StoredKey, current_key
from web.middleware.policies import ADMIN, POLICIES, SEARCH, SIGNED, UNLIMITED_ENDPOINTS, WRITE
from web.middleware.request_context import note
from web.settings import KIB, Settings

READS, WRITES, UPLOADS, SUGGESTIONS, KEYED = "reads", "writes", "uploads", "suggestions", "search key"
MESSAGES = "messages to the assistant"
REVIEWS = "reviews"
SUGGEST_ENDPOINT = "suggestions.suggest"
SPEECH_ENDPOINT = "speech.recognise"  # costs as much as many searches, however short it is
# May prove an order, which nobody should try often.
ASSISTANT_ENDPOINTS = ("assistant.answer", "assistant_page.send")
# Each review is work for whoever moderates, and each vote counts.
REVIEW_ENDPOINTS = ("review_api.send", "reviews.send", "review_api.vote", "reviews.vote")
QUESTION_ENDPOINTS = ("product_questions.send", "question_pages.send")  # people read what is sent
ALERT_ENDPOINTS = ("price_alerts.create", "price_alert_pages.create")  # each is stored for a year
SMALL_BODY = 64 * KIB
KEY_CALLER = "key "  # begins the name of a caller with a key of its own


class TokenBuckets:
    """A token bucket for each caller of one kind of request: `per_minute` tokens a minute, 0 for no limit."""

    def __init__(self, table: RateTable, kind: str, per_minute: int) -> None:
        self._table = table
        self._kind = kind
        self._interval = 60 / per_minute if per_minute else 0.0
        self._burst = max(1.0, per_minute / 4)

    def take(self, caller: str, now: float | None = None) -> float:
        """Take a token and return 0, or return the seconds until the caller's next token."""
        if not self._interval:
            return 0.0
        return self._table.take(f"{self._kind}\n{caller}", self._interval, self._burst, time() if now is None else now)


def init_app(app: Flask, settings: Settings) -> None:
    """Limit every route but UNLIMITED_ENDPOINTS: static files, pictures of products, and the server's health."""
    limits = {
        READS: settings.reads_per_minute,
        WRITES: settings.writes_per_minute,
        UPLOADS: settings.uploads_per_minute,
        SUGGESTIONS: settings.reads_per_minute,  # typing must not use up the searches
        MESSAGES: settings.assistant_per_minute,
        REVIEWS: settings.reviews_sent_per_minute,
        KEYED: settings.search_key_per_minute,
    }
    table = RateTable(ShopHome(settings.home).rate_limits)
    buckets = {kind: TokenBuckets(table, kind, per_minute) for kind, per_minute in limits.items()}

    def limit() -> None:
        if request.endpoint in UNLIMITED_ENDPOINTS or request.method == "OPTIONS":
            return
        for kind, caller in _counted(settings):
            wait_s = buckets[kind].take(caller)
            if wait_s:
                note(limited=kind)
                raise RateLimited(f"Too many requests: {kind}.", "Wait as long as the header Retry-After says.", wait_s)

    app.before_request(limit)


def request_kind() -> str:
    """Return which limit the request counts against: READS, WRITES, UPLOADS, SUGGESTIONS, MESSAGES or REVIEWS."""
    if request.endpoint == SUGGEST_ENDPOINT:
        return SUGGESTIONS
    if request.endpoint in ASSISTANT_ENDPOINTS:
        return MESSAGES
    if request.endpoint in REVIEW_ENDPOINTS and request.method == "POST":
        return REVIEWS
    if request.endpoint is not None and POLICIES.get(request.endpoint) in (WRITE, ADMIN, SIGNED):
        return WRITES
    if request.endpoint in (SPEECH_ENDPOINT, *QUESTION_ENDPOINTS, *ALERT_ENDPOINTS):
        return UPLOADS
    length = request.content_length
    chunked = length is None and "Transfer-Encoding" in request.headers
    return UPLOADS if chunked or (length or 0) > SMALL_BODY or request.mimetype == "multipart/form-data" else READS


def _counted(settings: Settings) -> list[tuple[str, str]]:
    """Return the limits that the request counts against, each with the key or address to count for.

    A program on this machine has no limit when no proxy is trusted, unless it sends a key. The visitor's own limit
    comes before that of a search key, so that one who is refused does not use up what the others share.
    """
    key = current_key()
    limits = []
    if _own_key(key) or settings.trusted_proxies or not _is_loopback():
        limits.append((request_kind(), caller_name()))
    if key is not None and key.scope == SEARCH:
        limits.append((KEYED, key.name))
    return limits


def _own_key(key: StoredKey | None) -> StoredKey | None:
    """Return the key where it names a single caller; a search key does not."""
    return None if key is None or key.scope == SEARCH else key


def caller_name() -> str:
    """Return the name of the request's key, or else its address; of IPv6 the network of a household."""
    key = _own_key(current_key())
    if key is not None:
        return f"{KEY_CALLER}{key.name}"
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "nobody"
    if isinstance(address, ipaddress.IPv6Address):  # one household has 2**64 addresses
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def customer_name(trusts_proxies: bool) -> str:
    """Return the address of a single customer, "" where many may share it.

    That is a call by the shop's own server, which has a key, and the address of a proxy that nobody said to trust.
    """
    shared = _own_key(current_key()) is not None or (_is_loopback() and not trusts_proxies)
    return "" if shared else caller_name()


def _is_loopback() -> bool:
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
