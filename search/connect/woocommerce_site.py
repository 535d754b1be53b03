"""Download all products of a WooCommerce shop over its REST interface, as a file that the reconciliation reads."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from catalog.errors import BadFeed
from catalog.feeds.platform_documents.woocommerce_documents import EXTENSION

PRODUCTS_PATH = "/wp-json/wc/v3/products"
PAGE_PRODUCTS = 100  # the most that WooCommerce gives
MAX_PAGES = 10_000
MAX_PAGE_BYTES = 64 * 2**20
TIMEOUT_S = 60.0
LOCAL = ("localhost", "127.0.0.1", "::1")


class WooCommerceSite:
    """A shop's REST interface, read with a key that may only read.

    The key is sent to the named host alone: redirects are not followed, and plain http is refused but on this machine.
    """

    def __init__(self, site: str, key: str, secret: str) -> None:
        parts = urlsplit(site)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadFeed(f"{site[:100]!r} is no web address.", "For example https://shop.example.")
        if parts.scheme == "http" and parts.hostname not in LOCAL:
            raise BadFeed(f"{site[:100]!r} is not encrypted, and the key would be readable on its way.", "Use https.")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        token = base64.b64encode(f"{key}:{secret}".encode()).decode("ascii")
        self._headers = {"Authorization": f"Basic {token}", "Accept": "application/json", "User-Agent": "Windowshop"}

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
                    raise BadFeed(f"{self._host} gave {len(seen):,} of {total:,} objects of {path}.", "Try again.")
                return

    def _page(self, target: str) -> tuple[list[dict[str, Any]], int, int]:
        """Return the objects of one page, and how many pages and objects there are. Raises BadFeed."""
        connection = self._connection()
        try:
            connection.request("GET", self._path + target, headers=self._headers)
            response = connection.getresponse()
            body = response.read(MAX_PAGE_BYTES)
            if response.status != 200:
                hint = "Check the address and the key, which needs the permission Read."
                raise BadFeed(f"{self._host} answered {response.status} to {target.partition('?')[0]}.", hint)
            items = json.loads(body)
            if not isinstance(items, list) or not all(isinstance(item, dict) and "id" in item for item in items):
                raise ValueError("no list of products")
            return items, _number(response, "X-WP-TotalPages"), _number(response, "X-WP-Total")
        except (OSError, HTTPException, ValueError) as error:
            raise BadFeed(f"{self._host} did not give its products: {error or type(error).__name__}.", "") from error
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            return HTTPSConnection(self._host, self._port, timeout=TIMEOUT_S, context=context)
        return HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)


def _number(response: HTTPResponse, header: str) -> int:
    return int(response.getheader(header, ""))
