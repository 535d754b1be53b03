"""Rate limits: so many requests a minute by one key, or by one address where no key is sent. Kept in memory.

A token bucket holds a quarter of a minute's worth and refills evenly, so that a page may load all at once and nobody
gets more than five quarters in any minute. Each server process counts for itself.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from time import monotonic

from flask import Flask, request

from web.errors import RateLimited
from web.middleware.auth import ADMIN, LIGHT, POLICIES, WRITE, current_key
from web.middleware.request_context import note
from web.settings import KIB, Settings

READS, WRITES, UPLOADS = "reads", "writes", "uploads"
SMALL_BODY = 64 * KIB
MOST_ASKERS = 50_000
KEY = "windowshop.limits"


class Buckets:
    """A token bucket for each asker, `per_minute` tokens a minute; the longest unseen are forgotten first."""

    def __init__(self, per_minute: int) -> None:
        self._rate = per_minute / 60
        self._most = max(1.0, per_minute / 4)
        self._lock = threading.Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, asker: str, now: float | None = None) -> float:
        """Take a token; 0 when there was one, else the seconds until there will be."""
        if self._rate == 0:
            return 0.0
        now = monotonic() if now is None else now
        with self._lock:
            level, seen = self._levels.get(asker, (self._most, now))
            level = min(self._most, level + (now - seen) * self._rate)
            enough = level >= 1
            self._levels[asker] = (level - 1 if enough else level, now)
            self._levels.move_to_end(asker)
            if len(self._levels) > MOST_ASKERS:
                self._levels.popitem(last=False)
        return 0.0 if enough else (1 - level) / self._rate


def init_app(app: Flask, settings: Settings) -> None:
    """Limit every route but the light ones: static files, pictures of products, and the server's health."""
    buckets = {
        READS: Buckets(settings.reads_per_minute),
        WRITES: Buckets(settings.writes_per_minute),
        UPLOADS: Buckets(settings.uploads_per_minute),
    }
    app.extensions[KEY] = buckets

    def limit() -> None:
        asker = None if request.endpoint in LIGHT else _asker(settings)
        if asker is None:
            return
        kind = kind_of_request()
        wait = buckets[kind].take(asker)
        if wait:
            note(limited=kind)
            raise RateLimited(f"Too many requests came: {kind}.", "Wait as long as the header Retry-After says.", wait)

    app.before_request(limit)


def kind_of_request() -> str:
    """Whether the request counts as one of READS, WRITES or UPLOADS."""
    if request.endpoint is not None and POLICIES.get(request.endpoint) in (WRITE, ADMIN):
        return WRITES
    length = request.content_length
    chunked = length is None and "Transfer-Encoding" in request.headers
    return UPLOADS if chunked or (length or 0) > SMALL_BODY or request.mimetype == "multipart/form-data" else READS


def _asker(settings: Settings) -> str | None:
    """Who is asking: a key, or an address; None for programs of this machine, which no proxy stands for."""
    key = current_key()
    if key is not None:
        return f"key {key.name}"
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "nobody"
    if address.is_loopback and settings.trusted_proxies == 0:
        return None
    if isinstance(address, ipaddress.IPv6Address):  # a household has 2**64 of them
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
