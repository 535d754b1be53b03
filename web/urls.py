"""Addresses of products: an id may hold slashes, spaces, percent signs, anything, and still has one address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from flask import Flask, Request
from werkzeug.routing import BaseConverter

THUMBNAIL_SIZES = (128, 320, 640)
_SLASH_OF_THE_ID = re.compile(r"%2f[^/]*$", re.IGNORECASE)


class ProductIdConverter(BaseConverter):
    """Any non-empty id; it is written fully quoted, so that it is a single segment of the address."""

    part_isolating = False
    regex = r"[\s\S]+?"
    weight = 200

    def to_url(self, value: str) -> str:
        """The id, quoted; a slash too."""
        return quote(value, safe="")


def init_app(app: Flask) -> None:
    """Teach the app's addresses about product ids; comes before any route."""
    app.url_map.converters["id"] = ProductIdConverter
    app.url_map.merge_slashes = False  # "a//b" is an id like any other


def ends_inside_id(request: Request) -> bool:
    """Whether the last slash of the address was quoted: "/products/a%2Fsimilar" is product "a/similar"."""
    path, _, _ = request.environ.get("RAW_URI", "").partition("?")
    return _SLASH_OF_THE_ID.search(path) is not None


def product_url(product_id: str, refine: str = "", shown: str = "") -> str:
    """Address of a product's page; with a refine token it tells why the product was found."""
    asked = urlencode({name: value for name, value in (("refine", refine), ("shown", shown)) if value})
    return "/products/" + quote(product_id, safe="") + (f"?{asked}" if asked else "")


def picture_url(sha256: str, size: int) -> str:
    """Address of a picture at one of the THUMBNAIL_SIZES; empty when the picture was never read."""
    return f"/pictures/{sha256}/{size}.jpg" if sha256 else ""


def try_photo_url(name: str) -> str:
    """Address of the picture of a photo that the shop offers to try."""
    return f"/try/{quote(name, safe='')}.jpg"


def address_of(words: str = "", like: str = "", photo: str = "") -> str:
    """Address of the results for words, a product to resemble, an offered photo, or all of them; it can be shared."""
    return address_with({"q": words, "like": like, "photo": photo})


def address_with(fields: Mapping[str, object]) -> str:
    """Address of the results for these fields of the page; empty ones are left out."""
    query = urlencode({name: value for name, value in fields.items() if value})
    return f"/?{query}" if query else "/"
