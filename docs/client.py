"""A small client of the Windowshop API: one file, nothing but the standard library. Copy it into your own project.

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
    """What the shop refused: the HTTP status, the error's code, and when to try again in seconds, if that helps."""

    def __init__(self, status: int, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.retry_after = retry_after


class Shop:
    """One shop; `key` is needed to change it, or to read it when it is not public. May be shared by threads."""

    def __init__(self, address: str, key: str = "", timeout: float = 30.0) -> None:
        if not address.startswith(("http://", "https://")):
            raise ValueError(f"{address!r} is no web address.")
        self._address = address.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout = timeout

    def search(self, image: str | Path | bytes | None = None, **asked: Any) -> dict[str, Any]:
        """A page of hits for a picture (a file or its bytes), `text`, `product_id`, `filter`, `k` and so on."""
        if image is not None:
            asked["image"] = _encoded(image)
        return self._ask("POST", "/api/v1/search", asked)

    def pages(self, limit: int = 100, **asked: Any) -> Iterator[dict[str, Any]]:
        """The hits of as many pages as it takes to reach `limit`, one by one."""
        size = min(asked.pop("k", 50), limit)
        page, given = self.search(**asked, k=size), 0
        while page["hits"]:
            for hit in page["hits"]:
                yield hit
                given += 1
                if given == limit:
                    return
            if len(page["hits"]) < size:
                return
            page = self.search(refine=page["refine"], k=size, offset=given)

    def product(self, product_id: str) -> dict[str, Any]:
        """A product, whole."""
        return self._ask("GET", f"/api/v1/products/{quote(product_id, safe='')}")

    def similar(self, product_id: str, k: int = 10) -> list[dict[str, Any]]:
        """The products most like it."""
        found: list[dict[str, Any]] = self._ask("GET", f"/api/v1/products/{quote(product_id, safe='')}/similar?k={k}")[
            "hits"
        ]
        return found

    def put(self, product_id: str, pictures: list[str | Path | bytes] | None = None, **fields: Any) -> dict[str, Any]:
        """Add or change a product; what is left out stays as it was."""
        if pictures is not None:
            fields["pictures"] = [_encoded(each) for each in pictures]
        return self._ask("PUT", f"/api/v1/products/{quote(product_id, safe='')}", fields)

    def remove(self, product_id: str) -> None:
        """Remove a product."""
        self._ask("DELETE", f"/api/v1/products/{quote(product_id, safe='')}")

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({"Content-Type": "application/json"} if data is not None else {})
        request = Request(self._address + path, data=data, headers=headers, method=method)  # noqa: S310
        try:
            with urlopen(request, timeout=self._timeout) as answer:  # noqa: S310 - the scheme was checked
                said: dict[str, Any] = json.loads(answer.read() or b"{}")
                return said
        except HTTPError as error:
            with error:
                raise _refusal(error) from None


def _encoded(picture: str | Path | bytes) -> str:
    data = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
    return base64.b64encode(data).decode("ascii")


def _refusal(error: HTTPError) -> ShopError:
    wait = error.headers.get("Retry-After")
    try:
        told = json.loads(error.read())["error"]
    except (ValueError, KeyError, TypeError):  # a proxy's own page
        told = {"code": "http", "message": str(error.reason)}
    text = " ".join(filter(None, (told["message"], told.get("hint", ""))))
    return ShopError(error.code, told["code"], text, float(wait) if wait and wait.isdigit() else None)
