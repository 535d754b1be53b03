"""Whether a request's visitor may be recorded, and served by what is recorded.

Browsers refuse with the headers `DNT: 1` and `Sec-GPC: 1`, pages and programs with `personalise=false`, and the shop
with its settings. Anyone who knows a visitor's id is that visitor, so only ids that cannot be guessed do without a key.
"""

from __future__ import annotations

import re
import secrets

from flask import Flask, Response, current_app, g, request

from catalog.errors import BadQuery
from web.middleware.auth import current_key
from web.middleware.policies import SEARCH
from web.settings import Settings

HEADERS = ("DNT", "Sec-GPC")  # Tracking Preference Expression; Global Privacy Control
PARAMETER, SHOP = "personalise", "shop"
# Pages make ids of 96 random bits. Of others only the form can be seen: an address or a number is nothing random.
UNGUESSABLE = re.compile(r"(?!\d+$)[A-Za-z0-9._~-]{16,}")
DIFFERENT = 8  # characters of such an id, at least
VISITOR_BYTES = 16  # of an id for a browser that sent none, as without scripts


def init_app(app: Flask, settings: Settings) -> None:
    """Set what the shop allows, and name the headers that an answer depended on to caches."""
    app.config["RECORD_EVENTS"] = settings.record_events
    app.config["PERSONALISE"] = settings.personalise
    app.config["LEAST_VISITORS"] = settings.least_visitors
    app.after_request(_vary)


def recording_refused_by(personalise: bool = True) -> str:
    """Return what forbids to store events: a header's name, PARAMETER, SHOP, or "" where nothing does."""
    return _refused_by(personalise, "RECORD_EVENTS")


def personalising_refused_by(personalise: bool = True) -> str:
    """Return what forbids to serve by what is stored: a header's name, PARAMETER, SHOP, or "" where nothing does."""
    return _refused_by(personalise, "PERSONALISE")


def served_visitor(visitor: str, personalise: bool = True) -> str:
    """Return the visitor whose history may shape the answer, "" for none. Raises BadQuery; see `check_visitor`."""
    if not visitor or personalising_refused_by(personalise):
        return ""
    check_visitor(visitor)
    return visitor


def check_visitor(visitor: str) -> None:
    """Raise BadQuery for an id that can be guessed, unless the request has a key of the scope read or a later one."""
    key = current_key()
    if key is not None and key.scope != SEARCH:
        return
    if not UNGUESSABLE.fullmatch(visitor) or len(set(visitor)) < DIFFERENT:
        raise BadQuery(
            "The visitor's id can be guessed, so anybody could ask for that visitor.",
            "Use 16 random characters or more, of letters, digits and ._~-; or send a key with the scope read.",
        )


def random_visitor(sent: str) -> str:
    """Return the id that a browser sent, else a new one: an id that can be guessed would be somebody else's."""
    try:
        check_visitor(sent)
    except BadQuery:
        return f"v-{secrets.token_hex(VISITOR_BYTES)}"
    return sent


def _refused_by(personalise: bool, setting: str) -> str:
    g.consent_read = True
    header = next((name for name in HEADERS if request.headers.get(name, "").strip() == "1"), "")
    if header or not personalise:
        return header or PARAMETER
    return "" if current_app.config[setting] else SHOP


def _vary(response: Response) -> Response:
    if g.get("consent_read"):
        response.vary.update(HEADERS)
    return response
