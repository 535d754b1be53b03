"""The log: one JSON object a line, on stderr; one line for each request, which tells no words, addresses or keys.

A request's line has time, level, logger, message "request", and:
    request_id, method, route, path, status, ms, bytes_in, bytes_out, key (its name)
    steps {decode, encode, search, metadata, render} in ms; generation, hits, degraded; query {length, sha256}
    bad_picture {sha256, format, bytes, reason}; limited; error (the code of the answer)
Those of the second and third line only where there is something to tell.
"""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import datetime, timezone
from time import perf_counter
from typing import Any

from flask import Flask, Response, g, request

from web.middleware.request_context import noted
from web.settings import Settings

LONGEST_PATH = 200
log = logging.getLogger("web.requests")


class JsonLines(logging.Formatter):
    """Any record as one line of ASCII JSON: line breaks and terminal codes in it are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": at, "level": record.levelname.lower(), "logger": record.name}
        line["message"] = record.getMessage()
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)


def write_json_lines() -> None:
    """Let this process log to stderr as JSON, our own rooms from the level info on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], force=True)
    for room in ("catalog", "indexer", "search", "web"):
        logging.getLogger(room).setLevel(logging.INFO)


def init_app(app: Flask, settings: Settings) -> None:
    """Log every request once it is answered. Comes before whatever else looks at requests, to see the answers last."""

    def begin() -> None:
        g.began = perf_counter()

    def end(answer: Response) -> Response:
        line = line_of(answer, (perf_counter() - g.get("began", perf_counter())) * 1000)
        words = noted().get("words") or ""
        if words:
            line["query"] = {"length": len(words), "sha256": _hash(words)}
            if settings.log_queries:
                line["query"]["words"] = words
        log.info("request", extra={"facts": line})
        return answer

    app.before_request(begin)
    app.after_request(end)


def line_of(answer: Response, ms: float) -> dict[str, Any]:
    """What is told of a request and its answer, as JSON values."""
    facts = dict(noted())
    steps = {name: round(took, 2) for name, took in facts.pop("steps", {}).items()}
    facts.pop("words", None)
    key = g.get("key")
    line = {
        "request_id": g.get("request_id", ""),
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule is not None else None,
        "path": request.path[:LONGEST_PATH],
        "status": answer.status_code,
        "ms": round(ms, 2),
        "bytes_in": request.content_length or 0,
        "bytes_out": answer.calculate_content_length(),
        "key": key.name if key is not None else None,
    }
    if steps:
        line["steps"] = steps
    return line | {name: value for name, value in facts.items() if value not in (None, [], "")}


def _hash(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]
