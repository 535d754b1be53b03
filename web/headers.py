"""Headers of every answer: a request id to find it by, and a policy that keeps pages inert."""

from __future__ import annotations

import re
import secrets

from flask import Flask, Response, g, request

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
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def init_app(app: Flask) -> None:
    """Name every request, and put the policy on every answer, errors and static files too."""
    app.before_request(_name_request)
    app.after_request(_put_headers)


def _name_request() -> None:
    offered = request.headers.get("X-Request-ID", "")
    g.request_id = offered if _ACCEPTABLE_ID.fullmatch(offered) else secrets.token_hex(8)


def _put_headers(answer: Response) -> Response:
    answer.headers.update(POLICY)
    answer.headers["X-Request-ID"] = g.get("request_id", "")
    return answer
