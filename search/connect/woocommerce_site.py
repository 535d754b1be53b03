"""Download all products of a WooCommerce shop over its REST interface, as a file that the reconciliation reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from catalog.errors import BadFeed
from catalog.feeds.platform_documents.woocommerce_documents import EXTENSION
from search.connect.site_http import MAX_ANSWER_BYTES, Site

PRODUCTS_PATH = "/wp-json/wc/v3/products"
PAGE_PRODUCTS = 100  # the most that WooCommerce gives
MAX_PAGES = 10_000


class WooCommerceSite:
    """A shop's REST interface, read with a key that may only read.

    The key is sent to the named host alone: redirects are not followed, and plain http is refused but on this machine.
    """

    def __init__(self, site: str, key: str, secret: str) -> None:
        self._site = Site.read(site)
        token = base64.b64encode(f"{key}:{secret}".encode()).decode("ascii")
        self._headers = {"Authorization": f"Basic {token}", "Accept": "application/json"}

    def write_products(self, path: Path) -> int:
        """Write published products, and variations that no plug-in adds, an object a line; return how many products.

        Raises BadFeed when the shop does not give them all.
        """
        count = 0
        with path.open("w", encoding="utf-8") as file:
            for product in self._all(PRODUCTS_PATH, {"status": "publish"}):
                count += 1
                file.write(json.dumps(product, ensure_ascii=False) + "\n")
                if product.get("type") != "variable" or EXTENSION in product:
                    continue
                for variation in self._all(f"{PRODUCTS_PATH}/{int(product['id'])}/variations", {"status": "publish"}):
                    known = {"type": "variation", "parent_id": product["id"]}
                    file.write(json.dumps(variation | known, ensure_ascii=False) + "\n")
        return count

    def _all(self, path: str, fields: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Yield the objects of all pages of a list, in the order of their ids, so that none slips between pages."""
        seen: set[int] = set()
        for page in range(1, MAX_PAGES + 1):
            query = {**fields, "per_page": str(PAGE_PRODUCTS), "page": str(page), "orderby": "id", "order": "asc"}
            items, pages, total = self._page(f"{path}?{urlencode(query)}")
            fresh = [item for item in items if item["id"] not in seen]
            seen.update(item["id"] for item in fresh)
            yield from fresh
            if page >= pages:
                if len(seen) < total:
                    raise BadFeed(f"{self._site.host} gave {len(seen):,} of {total:,} objects of {path}.", "Try again.")
                return

    def _page(self, target: str) -> tuple[list[dict[str, Any]], int, int]:
        """Return the objects of one page, and how many pages and objects there are. Raises BadFeed."""
        with self._site.answer("GET", target, self._headers) as response:
            items = json.loads(response.read(MAX_ANSWER_BYTES))
            if not isinstance(items, list) or not all(isinstance(item, dict) and "id" in item for item in items):
                raise ValueError("no list of products")
            return items, _number(response, "X-WP-TotalPages"), _number(response, "X-WP-Total")


def _number(response: HTTPResponse, header: str) -> int:
    return int(response.getheader(header, ""))
