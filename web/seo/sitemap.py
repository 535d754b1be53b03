"""The sitemap: an index, and parts of at most PART_SIZE products each, which are written while they are sent.

A part is a range of the catalogue's product keys, so a product stays in its part. The protocol allows 50,000 addresses
and 50 MiB a part. With at most 10,000 products, MAX_ADDRESS and MAX_PICTURES, a part stays below both.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic
from xml.sax.saxutils import escape

from flask import Blueprint, Flask, Response, abort, current_app, request

from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from catalog.storage.modification_times import KeyRange
from catalog.storage.opening import open_catalogue
from web.engine import get_engine
from web.requests.page_request import category_url
from web.seo.structured_data import IMAGE_SIZE, picture_hashes
from web.settings import Settings
from web.urls import absolute_url, picture_url, product_url

PART_SIZE = 10_000  # products
READ_PRODUCTS = 500  # at once
MAX_ADDRESS = 2_048  # characters: browsers and search engines read no longer ones
MAX_PICTURES = 5  # of a product
INDEX_SECONDS = 60.0  # how long the list of parts is used
ONE_HOUR = "public, max-age=3600"
EXTENSION = "windowshop.sitemap"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_INDEX = '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
_URLSET = (
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">\n'
)
bp = Blueprint("sitemap", __name__)


class PartList:
    """The parts that have products, read from the catalogue at most once a minute."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._parts: dict[int, KeyRange] = {}
        self._read_at = float("-inf")

    def catalogue(self) -> Catalogue:
        """Open the shop's catalogue; close it afterwards. Raises StoreError, NoGeneration."""
        return open_catalogue(self._home)

    def parts(self) -> dict[int, KeyRange]:
        """Return the parts by number. Raises StoreError, NoGeneration."""
        with self._lock:
            if monotonic() - self._read_at >= INDEX_SECONDS:
                with closing(self.catalogue()) as catalogue:
                    self._parts = {part.number: part for part in catalogue.key_ranges(PART_SIZE)}
                self._read_at = monotonic()
            return self._parts


def init_app(app: Flask, settings: Settings) -> None:
    """Register the sitemap of a shop."""
    app.extensions[EXTENSION] = PartList(settings.home)
    app.register_blueprint(bp)


@bp.get("/sitemap.xml")
def index() -> Response:
    """Return the index of the sitemap: the addresses of its parts, with the times of their last changes."""
    get_engine()
    entries = [_entry("sitemap", absolute_url("/sitemaps/pages.xml"))]
    for part in _part_list().parts().values():
        entries.append(_entry("sitemap", absolute_url(f"/sitemaps/{part.number}.xml"), part.changed))
    return _xml((_DECLARATION, _INDEX, *entries, "</sitemapindex>\n"), "".join(entries))


@bp.get("/sitemaps/pages.xml")
def pages() -> Response:
    """Return the front page; and the pages of categories, where search engines may list pages of results."""
    categories = get_engine().categories() if current_app.config["SEARCH_PAGES_INDEXED"] else {}
    paths = ["/", *(category_url(name) for name in sorted(categories) if name)]
    entries = [_entry("url", address) for path in paths[:PART_SIZE] if (address := _listed(path))]
    return _xml((_DECLARATION, _URLSET, *entries, "</urlset>\n"), "".join(entries))


@bp.get("/sitemaps/<int:number>.xml")
def part(number: int) -> Response:
    """Return a part of the sitemap: products with their pictures and the times of their last changes."""
    get_engine()
    known = _part_list().parts().get(number)
    if known is None:
        abort(404)
    base = absolute_url("")
    return _xml(_product_entries(_part_list(), number, base), f"{base} {known.products} {known.changed}")


def _product_entries(part_list: PartList, number: int, base: str) -> Iterator[str]:
    first = number * PART_SIZE + 1
    with closing(part_list.catalogue()) as catalogue:
        times = catalogue.times_between(first, first + PART_SIZE - 1)
        yield _DECLARATION + _URLSET
        for start in range(first, first + PART_SIZE, READ_PRODUCTS):
            found = catalogue.get_many(range(start, start + READ_PRODUCTS))
            yield "".join(_product_entry(product, base, times.get(product.id, "")) for product in found.values())
        yield "</urlset>\n"


def _product_entry(product: Product, base: str, changed: str) -> str:
    address = base + product_url(product.id)
    if len(address) > MAX_ADDRESS:
        return ""
    return _entry(
        "url", address, changed, [base + picture_url(sha256, IMAGE_SIZE) for sha256 in picture_hashes(product)]
    )


def _entry(tag: str, address: str, changed: str = "", pictures: Iterable[str] = ()) -> str:
    lines = [f"<{tag}><loc>{escape(address)}</loc>"]
    if changed:
        lines.append(f"<lastmod>{escape(changed)}</lastmod>")
    for picture in list(pictures)[:MAX_PICTURES]:
        lines.append(f"<image:image><image:loc>{escape(picture)}</image:loc></image:image>")
    return "".join((*lines, f"</{tag}>\n"))


def _listed(path: str) -> str:
    """Return the absolute address of a path; "" when it is too long to be listed."""
    address = absolute_url(path)
    return address if len(address) <= MAX_ADDRESS else ""


def _xml(content: Iterable[str], version: str) -> Response:
    """Return an XML document that caches may store; `version` changes with its content."""
    response = Response(content, content_type="application/xml; charset=utf-8")
    response.headers["Cache-Control"] = ONE_HOUR
    response.set_etag(hashlib.sha256(version.encode()).hexdigest()[:20])
    response.make_conditional(request)
    return response


def _part_list() -> PartList:
    part_list: PartList = current_app.extensions[EXTENSION]
    return part_list
