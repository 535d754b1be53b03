"""Decide which requests a busy server refuses before Flask is reached, and make their answers.

These are the requests of shoppers to the JSON API that the queue in front of the server's work (web.admission) would
refuse too. What never waits there is never refused here: health checks, metrics, pictures and static files. Neither are
staff's requests and pages, which Flask refuses.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from catalog.errors import Overloaded
from search.execution.request_queue import RequestQueue
from web.admission import EXTENSION as QUEUE
from web.admission import shoppers_patience
from web.errors import JSON_PATHS, public_error, retry_after
from web.middleware.access_log import RefusalLog
from web.middleware.metrics import metrics_of
from web.middleware.origins import API, CORS_HEADERS
from web.middleware.policies import UNLIMITED_ENDPOINTS, is_of_shoppers
from web.middleware.response_headers import ACCEPTABLE_ID, SECURITY_HEADERS
from web.settings import Settings
from web.shedding.request_head import RequestHead

EXTENSION = "windowshop.load_shedder"
METHODS = ("GET", "POST", "PUT", "DELETE")


def init_app(app: Flask, settings: Settings) -> None:
    """Make the app's shedder. Called when all routes are registered."""
    app.extensions[EXTENSION] = LoadShedder(app, settings)


class LoadShedder:
    """Refuses requests on arrival, in the thread that reads what arrives; `slots` requests need no look."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.slots = settings.threads
        self._routes = app.url_map.bind("localhost")
        self._origins = frozenset(settings.origins)
        self._queue: RequestQueue = app.extensions[QUEUE]
        self._patience = shoppers_patience(app)
        self._metrics = metrics_of(app)
        self._log = RefusalLog()
        headers = {"Content-Type": "application/json", **SECURITY_HEADERS, "Cache-Control": "no-store"}
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    def route_of(self, head: RequestHead) -> str | None:
        """Return the rule of the route that a request may be refused on; None where it may not be."""
        path = head.path
        if head.method not in METHODS or not path.startswith(JSON_PATHS):
            return None
        try:
            rule, _ = self._routes.match(path, head.method, return_rule=True)
        except (HTTPException, RequestRedirect):
            return None
        refusable = is_of_shoppers(rule.endpoint) and rule.endpoint not in UNLIMITED_ENDPOINTS
        return rule.rule if refusable else None

    def refusal(self, head: RequestHead, route: str) -> bytes | None:
        """Return the answer that refuses a request; the connection stays open.

        None admits it: the thread that works on it does so `in_transit`.
        """
        refused = self._queue.refuse_on_arrival(*self._patience)
        if refused is None:
            return None
        wanted = head.fields.get("x-request-id", "")
        request_id = wanted if ACCEPTABLE_ID.fullmatch(wanted) else secrets.token_hex(8)
        body = (
            json.dumps({"error": public_error(refused), "request_id": request_id}, separators=(",", ":")) + "\n"
        ).encode()
        self._metrics.count_refused(head.method, route)
        sizes = {"bytes_in": head.body_bytes, "bytes_out": len(body)}
        self._log.add(request_id=request_id, method=head.method, route=route, path=head.path, **sizes)
        return self._answer_head(refused, head, request_id, len(body)) + body

    @contextmanager
    def in_transit(self) -> Iterator[None]:
        """Work on a request that was admitted: it counts as waiting until it enters the queue, or ends before."""
        self._queue.reserve()
        try:
            yield
        finally:
            self._queue.release()

    def close(self) -> None:
        """Write what was refused and is not in the log yet."""
        self._log.close()
        self._log.flush()

    def _answer_head(self, refused: Overloaded, head: RequestHead, request_id: str, length: int) -> bytes:
        lines = (
            "HTTP/1.1 503 SERVICE UNAVAILABLE\r\nServer: gunicorn\r\n"
            f"Date: {formatdate(usegmt=True)}\r\nConnection: keep-alive\r\n"
            f"Content-Length: {length}\r\nRetry-After: {retry_after(refused)}\r\nX-Request-ID: {request_id}\r\n"
        )
        if self._origins and head.path.startswith(API):
            lines += "Vary: Origin\r\n"
            origin = head.fields.get("origin")
            if origin in self._origins:
                allowed = {"Access-Control-Allow-Origin": origin, **CORS_HEADERS}
                lines += "".join(f"{name}: {value}\r\n" for name, value in allowed.items())
        return f"{lines}{self._headers}\r\n".encode("latin-1")
