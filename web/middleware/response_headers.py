"""Headers of every answer: a request id to find it by, a policy that keeps pages inert, and who may read the API."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from urllib.parse import quote

from flask import Flask, Response, g, request

from web.errors import MalformedRequest
from web.settings import Settings

POLICY = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
# For pages of other sites that were let in; never credentials, so a key travels only in a header that a script sets.
SHARED = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Request-ID",
    "Access-Control-Expose-Headers": "X-Request-ID, Retry-After",
    "Access-Control-Max-Age": "600",
}
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def init_app(app: Flask, settings: Settings) -> None:
    """Name every request, and put the policy on every answer, errors and static files too."""
    app.before_request(_name_request)
    app.before_request(_check_address)
    app.after_request(_put_policy)
    if settings.hosts:
        app.config["TRUSTED_HOSTS"] = list(settings.hosts)
    if settings.origins:
        origins = settings.origins

        def share(answer: Response) -> Response:
            if request.path.startswith("/api/"):
                answer.vary.add("Origin")
                if request.headers.get("Origin") in origins:
                    answer.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
                    answer.headers.update(SHARED)
            return answer

        app.after_request(share)


def no_store(answer: Response) -> Response:
    """The answer, which no browser nor proxy may keep."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


def csv_file(text: str | Iterable[str], name: str) -> Response:
    """A table to download under that name; what it says must be safe to open already.

    Where the name has other characters than every browser reads, it comes twice: without them, and whole.
    """
    answer = no_store(Response(text, content_type="text/csv; charset=utf-8"))
    plain = _NOT_PLAIN.sub("-", name).strip("-.") or "table.csv"
    whole = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{plain}"{whole}'
    return answer


def _name_request() -> None:
    offered = request.headers.get("X-Request-ID", "")
    g.request_id = offered if _ACCEPTABLE_ID.fullmatch(offered) else secrets.token_hex(8)


def _check_address() -> None:
    """Refuse what werkzeug would fail to read: bytes after the question mark that are neither quoted nor UTF-8."""
    try:
        request.query_string.decode()
    except UnicodeDecodeError:
        request.query_string = b""  # the page that says so reads the address too
        raise MalformedRequest("The address is not UTF-8.", "Quote what it holds: %C3%A9 for é.") from None


def _put_policy(answer: Response) -> Response:
    answer.headers.update(POLICY)
    answer.headers["X-Request-ID"] = g.get("request_id", "")
    return answer
