"""Which pages of other sites may use the API: those of allowed origins (CORS); pages of any other origin are refused.

Forms that send to the page of the assistant are refused alike.

A browser sends the origin of the page that asks, and no script can change it. Programs that are not browsers are not
refused: they could send any origin. Answers carry no credentials, so a key travels only in a header that a script sets.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from web.errors import NotAllowed
from web.middleware.auth import current_key
from web.middleware.policies import SEARCH
from web.settings import Settings

API = "/api/"
ASSISTANT_PAGE = "/assistant"  # whose form may call a person
EXTENSION = "windowshop.origins"
CORS_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Request-ID",
    "Access-Control-Expose-Headers": "X-Request-ID, Retry-After",
    "Access-Control-Max-Age": "600",
}


def init_app(app: Flask, settings: Settings) -> None:
    """Refuse requests of pages of foreign origins, and let those of allowed origins read the answers."""
    origins = frozenset(settings.origins)

    def refuse_foreign_pages() -> None:
        guarded = request.path.startswith(API) and request.method != "OPTIONS"
        if (guarded or _sends_to_assistant()) and _is_foreign(origins):
            raise NotAllowed(
                "The page that asks belongs to an origin that may not use this shop.",
                "The shop's owner can allow it with WINDOWSHOP_CORS_ORIGINS.",
            )

    def allow_origin(response: Response) -> Response:
        if request.path.startswith(API):
            response.vary.add("Origin")
            if request.headers.get("Origin") in origins:
                response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
                response.headers.update(CORS_HEADERS)
        return response

    app.before_request(refuse_foreign_pages)
    if origins:
        app.after_request(allow_origin)


def _sends_to_assistant() -> bool:
    return request.path == ASSISTANT_PAGE and request.method == "POST"


def _is_foreign(origins: frozenset[str]) -> bool:
    """Return whether a page sent the request that is neither the shop's own nor of an allowed origin.

    Where the browser does not say how origin and host are related, as over plain HTTP, only the public search key is
    refused: behind a proxy that replaces the host, the shop's own pages look foreign.
    """
    origin = request.headers.get("Origin")
    if origin is None or origin in origins:
        return False
    relation = request.headers.get("Sec-Fetch-Site")
    if relation is not None:
        return relation not in ("same-origin", "none")
    key = current_key()
    return key is not None and key.scope == SEARCH and not _is_own(origin)


def _is_own(origin: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == request.host.lower()
    except ValueError:
        return False
