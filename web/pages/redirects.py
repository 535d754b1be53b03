"""Send a shopper to the address that the shop's owner has for a question, if there is one."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from flask import make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from catalog.errors import BadInput
from search.ops.rule_preview import redirect_of
from search.query.builder import QueryBuilder
from search.query.terms import Query
from web.engine import get_engine
from web.middleware.response_headers import no_store
from web.requests.page_request import PageRequest


def sent_on(page_request: PageRequest, query: Query) -> Response | None:
    """Return the response that sends a shopper on; None for results.

    Only a question of words that has just been asked is sent on: with a filter, an order or another page, the shopper
    is looking through results. An address whose own question is sent on too is not followed: it could lead in circles.
    """
    asks = PageRequest(words=page_request.words)
    if page_request != asks or not page_request.words:
        return None
    address = redirect_of(get_engine(), query)
    if not address or _is_sent_on(address):
        return None
    if address.startswith("/"):
        return redirect(address, 303)
    # A form may not be answered by sending it to another site, see form-action in web/middleware/response_headers.py.
    return no_store(make_response(render_template("redirect.html", address=address)))


def _is_sent_on(address: str) -> bool:
    """Return whether an address is a search of this shop that is itself sent on."""
    parts = urlsplit(address)
    words = parse_qs(parts.query).get("q", [""])[0].strip()
    if parts.netloc not in ("", request.host) or parts.path not in ("", "/") or not words:
        return False
    try:
        return bool(redirect_of(get_engine(), QueryBuilder().text(words).build()))
    except BadInput:
        return False
