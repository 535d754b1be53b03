"""A small client of the Windowshop API. It is one file and needs only the standard library: copy it into your project.

>>> shop = Shop("http://127.0.0.1:8000", key="wsk_...")
>>> [hit["title"] for hit in shop.search(text="red mug", k=3)["hits"]]
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen


class ShopError(Exception):
    """A refused request: the HTTP status, the error's code, and the seconds to wait before a retry, if one can help."""

    def __init__(self, status: int, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.retry_after = retry_after


class Shop:
    """A shop. Changing it needs a `key`, and so does reading it when it is not public. Threads may share one object."""

    def __init__(self, address: str, key: str = "", timeout: float = 30.0) -> None:
        if not address.startswith(("http://", "https://")):
            raise ValueError(f"{address!r} is not a web address; for example http://127.0.0.1:8000.")
        self._address = address.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout = timeout

    def search(self, image: str | Path | bytes | None = None, **fields: Any) -> dict[str, Any]:
        """Return a page of hits for a picture (a file or its bytes), `text`, `product_id`, `filter`, `k` and so on."""
        if image is not None:
            fields["image"] = _base64(image)
        return self._send("POST", "/api/v1/search", fields)

    def pages(self, limit: int = 100, **fields: Any) -> Iterator[dict[str, Any]]:
        """Yield up to `limit` hits, from as many pages as that needs."""
        size = min(fields.pop("k", 50), limit)
        page, count = self.search(**fields, k=size), 0
        while page["hits"]:
            for hit in page["hits"]:
                yield hit
                count += 1
                if count == limit:
                    return
            if len(page["hits"]) < size:
                return
            page = self.search(refine=page["refine"], k=size, offset=count)

    def product(self, product_id: str) -> dict[str, Any]:
        """Return all fields of a product."""
        return self._send("GET", f"/api/v1/products/{quote(product_id, safe='')}")

    def similar(self, product_id: str, k: int = 10) -> list[dict[str, Any]]:
        """Return the products most similar to a product."""
        page = self._send("GET", f"/api/v1/products/{quote(product_id, safe='')}/similar?k={k}")
        return list(page["hits"])

    def suggest(self, typed: str, limit: int = 6) -> dict[str, Any]:
        """Return words, kinds, brands and products for a text that is being typed."""
        return self._send("GET", f"/api/v1/suggest?q={quote(typed, safe='')}&limit={limit}")

    def put(self, product_id: str, pictures: list[str | Path | bytes] | None = None, **fields: Any) -> dict[str, Any]:
        """Add or change a product by title, price, list_price, link and so on; fields left out keep their values."""
        if pictures is not None:
            fields["pictures"] = [_base64(picture) for picture in pictures]
        return self._send("PUT", f"/api/v1/products/{quote(product_id, safe='')}", fields)

    def remove(self, product_id: str) -> None:
        """Delete a product."""
        self._send("DELETE", f"/api/v1/products/{quote(product_id, safe='')}")

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({"Content-Type": "application/json"} if data is not None else {})
        request = Request(self._address + path, data=data, headers=headers, method=method)  # noqa: S310
        try:
            with urlopen(request, timeout=self._timeout) as response:  # noqa: S310 - the scheme was checked
                payload: dict[str, Any] = json.loads(response.read() or b"{}")
                return payload
        except HTTPError as error:
            with error:
                raise _shop_error(error) from None


def _base64(picture: str | Path | bytes) -> str:
    data = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
    return base64.b64encode(data).decode("ascii")


def _shop_error(error: HTTPError) -> ShopError:
    wait = error.headers.get("Retry-After")
    try:
        body = json.loads(error.read())["error"]
    except (ValueError, KeyError, TypeError):  # a proxy's own page
        body = {"code": "http", "message": str(error.reason)}
    text = " ".join(filter(None, (body["message"], body.get("hint", ""))))
    return ShopError(error.code, body["code"], text, float(wait) if wait and wait.isdigit() else None)
