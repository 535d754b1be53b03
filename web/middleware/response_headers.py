"""Headers of every response: the request id and a policy that keeps injected content inert.

The security headers are our own table: they never vary by route, so an extension would only hide them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from urllib.parse import quote

from flask import Flask, Response, g, request

from web.errors import MalformedRequest
from web.settings import Settings

SECURITY_HEADERS = {
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
WITH_MICROPHONE = "camera=(self), microphone=(self), geolocation=()"
_UNSAFE_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def init_app(app: Flask, settings: Settings) -> None:
    """Give every request an id, and every response the headers, errors and static files too."""
    app.before_request(_set_request_id)
    app.before_request(_check_address)
    app.after_request(_add_headers)
    if settings.hosts:
        app.config["TRUSTED_HOSTS"] = list(settings.hosts)


def no_store(response: Response) -> Response:
    """Mark the response as not cacheable (`Cache-Control: no-store`)."""
    response.headers["Cache-Control"] = "no-store"
    return response


def csv_file(text: str | Iterable[str], name: str) -> Response:
    """Return a CSV download of that name; the text must have its formulas escaped already.

    A name with characters in _UNSAFE_IN_NAMES is sent twice: with them replaced, and in full, percent-encoded.
    """
    response = no_store(Response(text, content_type="text/csv; charset=utf-8"))
    safe = _UNSAFE_IN_NAMES.sub("-", name).strip("-.") or "table.csv"
    encoded = "" if safe == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["Content-Disposition"] = f'attachment; filename="{safe}"{encoded}'
    return response


def _set_request_id() -> None:
    requested = request.headers.get("X-Request-ID", "")
    g.request_id = requested if ACCEPTABLE_ID.fullmatch(requested) else secrets.token_hex(8)


def _check_address() -> None:
    """Refuse a query string of unquoted bytes that are not UTF-8, which werkzeug fails to read."""
    try:
        request.query_string.decode()
    except UnicodeDecodeError:
        request.query_string = b""  # the error page reads the address too
        raise MalformedRequest("The address is not UTF-8.", "Percent-encode it: %C3%A9 for é.") from None


def _add_headers(response: Response) -> Response:
    response.headers.update(SECURITY_HEADERS)
    if g.get("microphone"):  # a page that has the button to search by voice
        response.headers["Permissions-Policy"] = WITH_MICROPHONE
    response.headers["X-Request-ID"] = g.get("request_id", "")
    return response
