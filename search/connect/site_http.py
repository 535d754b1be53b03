"""Requests to a shop's own site, with a key that is sent to that host alone."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from catalog.errors import BadFeed

MAX_ANSWER_BYTES = 64 * 2**20
TIMEOUT_S = 60.0
LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Site:
    """A web address in parts; `path` begins with a slash, or is empty."""

    is_secure: bool
    host: str
    port: int | None
    path: str

    @classmethod
    def read(cls, address: str) -> Site:
        """Return the site of an address. Raises BadFeed for one without https, but for one on this machine."""
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadFeed(f"{address[:100]!r} is no web address.", "For example https://shop.example.")
        if parts.scheme == "http" and parts.hostname not in LOCAL:
            raise BadFeed(f"{address[:100]!r} is not encrypted: the key would be readable on its way.", "Use https.")
        query = f"?{parts.query}" if parts.query else ""
        return cls(parts.scheme == "https", parts.hostname, parts.port, parts.path.rstrip("/") + query)

    @contextmanager
    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[HTTPResponse]:
        """Give the block the answer to a request. Redirects are not followed. Raises BadFeed unless it is 200."""
        connection = self._connection()
        try:
            connection.request(method, self.path + target, body, {"User-Agent": "Windowshop", **headers})
            with connection.getresponse() as response:
                if response.status != 200:
                    hint = "Check the address and the key, and what the key may read."
                    raise BadFeed(f"{self.host} answered {response.status} to {target.partition('?')[0]}.", hint)
                yield response
        except (OSError, HTTPException, ValueError) as error:
            raise BadFeed(f"{self.host} did not give its products: {error or type(error).__name__}.", "") from error
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        if self.is_secure:
            context = ssl.create_default_context()
            return HTTPSConnection(self.host, self.port, timeout=TIMEOUT_S, context=context)
        return HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)


def download(address: str, path: Path) -> None:
    """Write what an address gives to a file. Raises BadFeed."""
    with Site.read(address).answer("GET", "", {}) as response, path.open("wb") as file:
        shutil.copyfileobj(response, file)
