"""The refine token: a query as a short signed text, so page 2, a shared link and "more like this" need no session.

A picture travels as its vector, a byte a number. The first page is asked with the same rounded vector: all pages agree.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
import os
import secrets
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import BadQuery
from catalog.home import ShopHome
from indexer.encoders.base import Encoder
from indexer.types import Block, Floats
from search.query.filters import parse_filter
from search.query.terms import PictureTerm, ProductTerm, Query, Term, TextTerm, VectorTerm

MAX_TOKEN = 32_768
VERSION = 1
STEPS = 127
_MAC, _PRINT = 16, 8  # bytes
_INFLATED = 1 << 18

log = logging.getLogger(__name__)


class RefineTokens:
    """Makes and reads the tokens of one shop and one encoder; what another key has signed is refused."""

    def __init__(self, key: bytes, encoder: Encoder) -> None:
        self._key = key
        self._blocks = tuple(encoder.blocks)
        self._print = hashlib.sha256(encoder.fingerprint.encode()).digest()[:_PRINT]

    def make(self, query: Query) -> str:
        """The token of a query whose pictures are vectors already; cut, facets and time limit are not part of it.

        Empty for a query that is too large to be carried.
        """
        vectors: list[Floats] = []
        told: dict[str, Any] = {"t": [_told(term, vectors) for term in query.terms]}
        if query.filter is not None:
            told["f"] = query.filter.to_json()
        if query.blocks:
            told["b"] = dict(query.blocks)
        told |= {"s": query.sort, "c": query.collapse}
        head = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
        body = len(head).to_bytes(4, "big") + head + b"".join(_packed(vector, self._blocks) for vector in vectors)
        if len(body) > _INFLATED:
            return ""
        signed = bytes([VERSION]) + self._print + zlib.compress(body, 9)
        token = base64.urlsafe_b64encode(signed + self._mac(signed)).decode().rstrip("=")
        return token if len(token) <= MAX_TOKEN else ""

    def read(self, token: str) -> Query:
        """The query of a token, its first ten hits. Raises BadQuery when it is not ours, damaged, or out of date."""
        if len(token) > MAX_TOKEN:
            raise BadQuery(f"The refine token has {len(token):,} characters; the limit is {MAX_TOKEN:,}.", _AGAIN)
        try:
            data = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise _not_ours() from None
        signed, mac = data[:-_MAC], data[-_MAC:]
        if len(signed) <= 1 + _PRINT or not hmac.compare_digest(mac, self._mac(signed)):
            raise _not_ours()
        if signed[0] != VERSION or signed[1 : 1 + _PRINT] != self._print:
            raise BadQuery("The refine token was made before the shop changed the way it reads pictures.", _AGAIN)
        try:
            body = zlib.decompressobj().decompress(signed[1 + _PRINT :], _INFLATED)
            size = int.from_bytes(body[:4], "big")
            return self._query(json.loads(body[4 : 4 + size]), body[4 + size :])
        except (BadQuery, ValueError, KeyError, TypeError, zlib.error):  # limits may have changed since it was made
            raise BadQuery("The question in this refine token cannot be asked any more.", _AGAIN) from None

    def _query(self, told: dict[str, Any], packed: bytes) -> Query:
        terms: list[Term] = []
        width = sum(block.dim + 4 for block in self._blocks)
        for kind, what, weight in told["t"]:
            if kind == "v":
                terms.append(VectorTerm(_unpacked(packed[what * width : (what + 1) * width], self._blocks), weight))
            elif kind == "w":
                terms.append(TextTerm(what, weight))
            else:
                terms.append(ProductTerm(what, weight))
        narrowed = parse_filter(told["f"]) if "f" in told else None
        return Query(tuple(terms), blocks=told.get("b"), filter=narrowed, sort=told["s"], collapse=told["c"])

    def _mac(self, signed: bytes) -> bytes:
        return hmac.digest(self._key, signed, "sha256")[:_MAC]


def with_vectors(query: Query, pictures: Sequence[Floats]) -> Query:
    """The query with the vectors of its pictures in their places, in order."""
    remaining = iter(pictures)
    terms = tuple(
        VectorTerm(next(remaining), term.weight) if isinstance(term, PictureTerm) else term for term in query.terms
    )
    return replace(query, terms=terms)


def quantised(vectors: Floats, blocks: Sequence[Block]) -> Floats:
    """Vectors (n, encoder dim) as a token would bring them back."""
    return np.stack([_unpacked(_packed(each, blocks), blocks) for each in vectors]) if len(vectors) else vectors


def signing_key(home: Path) -> bytes:
    """The shop's key, 32 bytes, made when absent; of this process alone where the folder cannot be written."""
    path = ShopHome(home).refine_key
    with suppress(FileNotFoundError):
        found = path.read_bytes()
        if len(found) == 32:
            return found
    key = secrets.token_bytes(32)
    partial = home / f".{path.name}.{secrets.token_hex(8)}.tmp"
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():  # and is no key
            path.unlink()
        with suppress(FileExistsError):
            os.link(partial, path)  # of several processes that start at once, the first one's key is everybody's
        found = path.read_bytes()
        return found if len(found) == 32 else key
    except OSError as error:
        log.warning("The key for shared links cannot be kept in %s (%s): they end with this process", path, error)
        return key
    finally:
        with suppress(OSError):
            partial.unlink()


_AGAIN = "Ask the question again to get a new one."


def _not_ours() -> BadQuery:
    return BadQuery("The refine token is not one that this shop gave, or it was cut short.", _AGAIN)


def _told(term: Term, vectors: list[Floats]) -> list[Any]:
    """A term as JSON values; the vector of a picture goes to the others, and its number stands for it."""
    if isinstance(term, TextTerm):
        return ["w", term.words, term.weight]
    if isinstance(term, ProductTerm):
        return ["p", term.product_id, term.weight]
    if isinstance(term, PictureTerm):
        raise TypeError("a token carries the vectors of pictures, see `with_vectors`")
    vectors.append(term.vector)
    return ["v", len(vectors) - 1, term.weight]


def _packed(vector: Floats, blocks: Sequence[Block]) -> bytes:
    """Each block as its scale, float32, and a signed byte a number."""
    parts = []
    start = 0
    for block in blocks:
        part = vector[start : start + block.dim]
        scale = np.float32(np.abs(part).max() / STEPS or 1.0)
        parts.append(scale.tobytes() + np.rint(part / scale).astype(np.int8).tobytes())
        start += block.dim
    return b"".join(parts)


def _unpacked(packed: bytes, blocks: Sequence[Block]) -> Floats:
    parts = []
    start = 0
    for block in blocks:
        scale = np.frombuffer(packed, np.float32, 1, start)[0]
        parts.append(np.frombuffer(packed, np.int8, block.dim, start + 4).astype(np.float32) * scale)
        start += block.dim + 4
    return np.concatenate(parts)
