"""The results that led to a product's page: the way back to them, their words, and the query that found the product."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from flask import Request
from werkzeug.datastructures import MultiDict

from catalog.errors import BadInput
from web.requests.page_request import PageRequest, page_request_of
from web.urls import card_id

# What the address of results consists of, see ResultsView.address; anything else is left out of the way back.
FIELDS = ("q", "like", "photo", "refine", "shown", "filter", "sort", "offset")


@dataclass(frozen=True, slots=True)
class Origin:
    """Results as a product's page names them: `back` is the query string of their URL."""

    back: str
    page_request: PageRequest

    @property
    def words(self) -> str:
        """Return the words in the search box of these results; "" where a token carries them."""
        return "" if self.page_request.refine else self.page_request.words

    def address(self, product_id: str) -> str:
        """Return the URL of these results, at the card of a product."""
        return f"/?{self.back}#{card_id(product_id)}"


def read_origin(request: Request) -> Origin | None:
    """Return the results that the URL of a product's page names; None when it names none that can be shown."""
    fields = MultiDict(_fields(request.args.get("back", "")) or _older_fields(request))
    try:
        page_request = page_request_of(fields)
    except BadInput:
        return None
    return Origin(urlencode(list(fields.items())), page_request) if page_request else None


def _fields(query: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in parse_qsl(query) if name in FIELDS]


def _older_fields(request: Request) -> list[tuple[str, str]]:
    """Return the fields of links that were made before `back` was: a token alone."""
    refine, shown = request.args.get("refine", ""), request.args.get("shown", "")
    return [("refine", refine), ("shown", shown)] if refine else []
