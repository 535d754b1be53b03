"""URLs of products, pictures and searches; a product id may hold any characters, slashes included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlencode

from flask import Flask, Request, current_app, g, request
from werkzeug.routing import BaseConverter

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
THUMBNAIL_SIZES = (128, 320, 640, 1280)
_SIZES = tuple(map(str, THUMBNAIL_SIZES))
_SLASH_INSIDE_ID = re.compile(r"%2f[^/]*$", re.IGNORECASE)


class ProductIdConverter(BaseConverter):
    """Match any non-empty id; in URLs it is fully percent-encoded, so that it is a single segment."""

    part_isolating = False
    regex = r"[\s\S]+?"
    weight = 200

    def to_url(self, value: str) -> str:
        """Return the id percent-encoded, slashes included."""
        return quote(value, safe="")


def init_app(app: Flask) -> None:
    """Register the converter for product ids; call it before routes are added."""
    app.url_map.converters["id"] = ProductIdConverter
    app.url_map.merge_slashes = False  # "a//b" is an id like any other


def ends_inside_id(request: Request) -> bool:
    """Return whether the last slash of the path belongs to an id: "/products/a%2Fsimilar" is product "a/similar"."""
    path, _, _ = request.environ.get("RAW_URI", "").partition("?")
    return _SLASH_INSIDE_ID.search(path) is not None


def absolute_url(path: str) -> str:
    """Return the URL of a path of this server for other sites: below the setting public_url, else the request's host.

    The host of a request is what its client names, so a server that caches answers sets public_url or trusted_hosts.
    """
    return _base() + path


def api_url(path: str) -> str:
    """Return the URL of a path for an answer of the API: absolute where the server knows its address, else the path.

    It knows it from the settings public_url and trusted_hosts. Without them any client may name any host, so only the
    machine's own is believed.
    """
    return api_base() + path if path else path


def api_base() -> str:
    """Return what `api_url` begins with, for answers of many addresses: to find it takes longer than all the rest."""
    if "api_base" not in g:
        config = current_app.config
        known = config["PUBLIC_URL"] or config.get("TRUSTED_HOSTS") or _names_this_machine(request.host)
        g.api_base = _base() if known else ""
    base: str = g.api_base
    return base


def _base() -> str:
    base: str = current_app.config["PUBLIC_URL"] or request.host_url
    return base.rstrip("/")


def _names_this_machine(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return name in LOOPBACK_HOSTS


def product_url(product_id: str, **fields: object) -> str:
    """Return the URL of a product's page: `back` names the results that led to it, `picture` the one to show large."""
    return _with_query("/products/" + quote(product_id, safe=""), fields)


def reviews_url(product_id: str, **fields: object) -> str:
    """Return the URL of the reviews of a product, those that a filter (rating, aspect, ...) leaves."""
    return _with_query(f"/products/{quote(product_id, safe='')}/reviews", fields)


def picture_url(sha256: str, size: int) -> str:
    """Return the URL of a picture at one of the THUMBNAIL_SIZES, or "" when the picture was never read."""
    return f"/pictures/{sha256}/{size}.jpg" if sha256 else ""


def picture_urls(sha256: str, base: str | None = None) -> dict[str, str]:
    """Return the URLs of a picture for an answer of the API, by size in pixels; none of a picture never read.

    `base` is what `api_base` returns.
    """
    if not sha256:
        return {}
    base = api_base() if base is None else base
    return {size: f"{base}/pictures/{sha256}/{size}.jpg" for size in _SIZES}


def try_photo_url(name: str) -> str:
    """Return the URL of a photo to try."""
    return f"/try/{quote(name, safe='')}.jpg"


def search_url(**fields: object) -> str:
    """Return the URL of the results for fields of the page (q, like, photo, filter, ...), without the empty ones."""
    return _with_query("/", fields)


def price_alerts_url(token: str = "") -> str:
    """Return the URL of the page of a visitor's price alerts; without a token, of the page that asks who visits."""
    return _with_query("/price-alerts", {"token": token})


def price_feed_url(token: str, **fields: object) -> str:
    """Return the URL of the feed of a visitor's price alerts that fired."""
    return _with_query("/price-alerts.atom", {"token": token, **fields})


def assistant_url(**fields: object) -> str:
    """Return the URL of the assistant's page: `message` stands in its form, `product_id` is what it is about."""
    return _with_query("/assistant", fields)


def compare_url(ids: Iterable[str]) -> str:
    """Return the URL of a comparison of products."""
    return "/compare?" + urlencode([("ids", product_id) for product_id in ids])


def card_id(product_id: str) -> str:
    """Return the id of a product's card on a page; it holds no white space, whatever the product's id holds."""
    return "at-" + quote(product_id, safe="")


def _with_query(path: str, fields: Mapping[str, object]) -> str:
    query = urlencode({name: value for name, value in fields.items() if value}) if fields else ""
    return f"{path}?{query}" if query else path


def review_photo_url(sha256: str, size: int) -> str:
    """Return the address of a photo in an approved review; `size` is one of those that are served, in pixels."""
    return f"/reviews/photos/{sha256}/{size}.jpg"
