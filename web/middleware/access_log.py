"""The log of requests: one line each, without query texts, addresses, keys and ids of visitors.

Readable lines have method, path, status and time. Only pages, changes, uploads and what failed have one: what a page
fetches by itself, such as its pictures, and health checks have none. A JSON line has time, level, logger, message
"request", and:
    request_id, method, route, path, status, ms, bytes_in, bytes_out, key (its name)
    steps {queue, decode, encode, search, metadata, render} in ms; generation, hits, degraded; query {length, sha256}
    bad_picture {sha256, format, bytes, reason}; limited; overloaded; error (the code of the response)
    dropped, the refusals before this one that have no line as too many waited to be written
Fields after the first two lines are left out when empty. What was refused before the app was reached has no key.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import deque
from http import HTTPStatus
from time import perf_counter
from typing import Any

from flask import Flask, Response, g, request

from search.execution.worker_thread import WorkerThread
from web.middleware.request_context import request_facts
from web.settings import Settings

MAX_PATH = 200  # characters
VISITOR = "visitor"  # the argument of routes that is a visitor's id
VISITORS = "/api/v1/visitors/"  # an id follows, also where the method is wrong and no route is found
PROBES = ("/healthz", "/readyz", "/metrics")
REFUSALS_SECONDS = 0.5  # between two times that refusals are logged
MAX_REFUSALS = 10_000  # that wait for their lines, some 10 MB
log = logging.getLogger("web.requests")


def init_app(app: Flask, settings: Settings) -> None:
    """Log every request after its response. Registered before other hooks, so that it sees responses last."""

    def start() -> None:
        g.log_started = perf_counter()

    def finish(response: Response) -> Response:
        line = request_line(response, (perf_counter() - g.get("log_started", perf_counter())) * 1000)
        text = request_facts().get("words") or ""
        if text:
            line["query"] = {"length": len(text), "sha256": _hash(text)}
            if settings.log_queries:
                line["query"]["words"] = text
        log.info("request", extra={"facts": line, "brief": brief_line(response, line["ms"])})
        return response

    app.before_request(start)
    app.after_request(finish)


def request_line(response: Response, ms: float) -> dict[str, Any]:
    """Return the logged fields of a request and its response, as JSON values."""
    facts = dict(request_facts())
    steps = {name: round(step_ms, 2) for name, step_ms in facts.pop("steps", {}).items()}
    facts.pop("words", None)
    key = g.get("key")
    line = {
        "request_id": g.get("request_id", ""),
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule is not None else None,
        "path": _path(),
        "status": response.status_code,
        "ms": round(ms, 2),
        "bytes_in": request.content_length or 0,
        "bytes_out": response.calculate_content_length(),
        "key": key.name if key is not None else None,
    }
    if steps:
        line["steps"] = steps
    return line | {name: value for name, value in facts.items() if value not in (None, [], "")}


def brief_line(response: Response, ms: float) -> str:
    """Return a request's readable line, "" for one that a page makes by itself and for probes, if they are answered."""
    failed = response.status_code >= HTTPStatus.BAD_REQUEST
    page = response.mimetype == "text/html" or request.method not in ("GET", "HEAD")
    if request.path in PROBES or not (failed or page):
        return ""
    return f"{request.method} {_path()} {response.status_code} in {ms:.0f} ms"


def _path() -> str:
    rule = request.url_rule.rule if request.url_rule is not None and VISITOR in (request.view_args or ()) else None
    return rule or loggable_path(request.path)


def loggable_path(path: str) -> str:
    """Return the path of a request, without the id of a visitor: who knows it is that visitor."""
    return f"{VISITORS}..." if path.startswith(VISITORS) else path[:MAX_PATH]


class RefusalLog(WorkerThread):
    """Logs requests that were refused before the app was reached, in a thread: those of a moment together."""

    def __init__(self) -> None:
        super().__init__("refusal-log", REFUSALS_SECONDS)
        self._refused: deque[tuple[float, dict[str, Any]]] = deque(maxlen=MAX_REFUSALS)
        self._dropped = 0  # changed by the thread that adds
        self._reported = 0  # of those dropped; changed by the thread that writes
        self._started = False

    def add(self, **facts: Any) -> None:
        """Log a request soon: request_id, method, route, path, bytes_in and bytes_out. One thread calls this."""
        if len(self._refused) == MAX_REFUSALS:
            self._dropped += 1  # the oldest one
        self._refused.append((time.time(), facts))
        if not self._started:
            self._started = True
            self.start()

    def flush(self) -> None:
        """Log those that wait."""
        for _ in range(len(self._refused)):
            at, facts = self._refused.popleft()
            if log.isEnabledFor(logging.INFO):
                self._write(at, facts)

    def _write(self, at: float, facts: dict[str, Any]) -> None:
        status = HTTPStatus.SERVICE_UNAVAILABLE.value
        path = facts["route"] if f"{VISITOR}>" in facts["route"] else loggable_path(facts["path"])
        line = facts | {"path": path, "status": status, "ms": 0.0, "key": None, "overloaded": True}
        brief = f"{facts['method']} {path} {status} in 0 ms"
        dropped = self._dropped - self._reported
        if dropped:
            self._reported += dropped
            line["dropped"] = dropped
            brief += f"; {dropped} refusals before it are not in the log"
        record = log.makeRecord(
            log.name, logging.INFO, __file__, 0, "request", (), None, extra={"facts": line, "brief": brief}
        )
        record.created = at
        log.handle(record)

    def _step(self) -> bool:
        self.flush()
        return False

    def _failed(self, error: Exception) -> None:
        log.error("Refused requests were not logged", exc_info=error)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
