"""The refine token: a query as a short signed text, so page 2, a shared link and "more like this" need no session.

A picture is carried as its vector, a byte a number. The first page searches with the same rounded vector, so that all
pages agree.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from catalog.errors import BadQuery
from catalog.files.atomic import draft
from catalog.home import ShopHome
from indexer.encoders.base import Encoder
from indexer.types import Block, Floats
from search.query.filters import parse_filter
from search.query.terms import PictureTerm, ProductTerm, Query, Term, TextTerm, VectorTerm

MAX_TOKEN = 32_768  # characters
TOKEN_VERSION = 1
INT8_MAX = 127
_KEY_BYTES, _FINGERPRINT_BYTES = 32, 8
_MAX_BODY = 1 << 18  # bytes, inflated
_HINT = "Run the search again to get a new one."

log = logging.getLogger(__name__)


class RefineTokens:
    """Makes and reads the tokens of one shop and one encoder; refuses what another key has signed."""

    def __init__(self, key: bytes, encoder: Encoder) -> None:
        self._signer = Signer(key, salt=b"refine", digest_method=hashlib.sha256)
        self._blocks = tuple(encoder.blocks)
        fingerprint = hashlib.sha256(encoder.fingerprint.encode()).digest()[:_FINGERPRINT_BYTES]
        self._header = bytes([TOKEN_VERSION]) + fingerprint

    def make(self, query: Query) -> str:
        """Return the token of a query, whose pictures are vectors, without its page; "" when it is too large."""
        vectors: list[Floats] = []
        fields: dict[str, Any] = {"t": [_term_json(term, vectors) for term in query.terms]}
        if query.filter is not None:
            fields["f"] = query.filter.to_json()
        if query.blocks:
            fields["b"] = dict(query.blocks)
        fields |= {"s": query.sort, "c": query.collapse, "g": query.group_variants}
        head = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
        body = len(head).to_bytes(4, "big") + head + b"".join(_pack(vector, self._blocks) for vector in vectors)
        if len(body) > _MAX_BODY:
            return ""
        token = self._signer.sign(base64_encode(self._header + zlib.compress(body, 9))).decode()
        return token if len(token) <= MAX_TOKEN else ""

    def read(self, token: str) -> Query:
        """Return the query of a token, first page. Raises BadQuery when it is not ours, damaged, or out of date."""
        if len(token) > MAX_TOKEN:
            raise BadQuery(f"The refine token has {len(token):,} characters; the limit is {MAX_TOKEN:,}.", _HINT)
        try:
            data = base64_decode(self._signer.unsign(token.encode("ascii")))
        except (BadData, UnicodeEncodeError):
            raise BadQuery("The refine token is not one that this shop gave, or it was cut short.", _HINT) from None
        if not data.startswith(self._header):
            raise BadQuery("The refine token was made before the shop changed the way it reads pictures.", _HINT)
        try:
            body = zlib.decompressobj().decompress(data[len(self._header) :], _MAX_BODY)
            size = int.from_bytes(body[:4], "big")
            return self._query(json.loads(body[4 : 4 + size]), body[4 + size :])
        except (BadQuery, ValueError, KeyError, TypeError, zlib.error):  # limits may have changed since it was made
            raise BadQuery("The query in this refine token cannot be run any more.", _HINT) from None

    def _query(self, fields: dict[str, Any], packed: bytes) -> Query:
        terms: list[Term] = []
        width = _packed_type(self._blocks).itemsize
        for kind, content, weight in fields["t"]:
            if kind == "v":
                vector = _unpack(packed[content * width : (content + 1) * width], self._blocks)
                terms.append(VectorTerm(vector, weight))
            else:
                terms.append((TextTerm if kind == "w" else ProductTerm)(content, weight))
        narrowed = parse_filter(fields["f"]) if "f" in fields else None
        options = {"sort": fields["s"], "collapse": fields["c"], "group_variants": fields.get("g", False)}
        return Query(tuple(terms), blocks=fields.get("b"), filter=narrowed, **options)


def with_vectors(query: Query, vectors: Iterable[Floats]) -> Query:
    """Replace the pictures of a query by their vectors, in order."""
    rest = iter(vectors)
    terms = (VectorTerm(next(rest), term.weight) if isinstance(term, PictureTerm) else term for term in query.terms)
    return replace(query, terms=tuple(terms))


def quantised(vectors: Floats, blocks: tuple[Block, ...]) -> Floats:
    """Return vectors (n, encoder dim) as a token gives them back."""
    return np.stack([_unpack(_pack(vector, blocks), blocks) for vector in vectors]) if len(vectors) else vectors


def signing_key(home: Path) -> bytes:
    """Return the shop's key, 32 bytes; make it when absent. It ends with this process where it cannot be written."""
    path = ShopHome(home).refine_key
    with suppress(FileNotFoundError):
        stored = path.read_bytes()
        if len(stored) == _KEY_BYTES:
            return stored
    key = secrets.token_bytes(_KEY_BYTES)
    try:
        with draft(path, key) as temporary:
            if path.exists():  # and holds no key
                path.unlink()
            with suppress(FileExistsError):
                os.link(temporary, path)  # of several processes that start at once, all use the first one's key
        stored = path.read_bytes()
        return stored if len(stored) == _KEY_BYTES else key
    except OSError as error:
        log.warning(
            "The key for shared links cannot be written to %s (%s); shared links stop working when this process ends.",
            path,
            error,
        )
        return key


def _term_json(term: Term, vectors: list[Floats]) -> list[Any]:
    """Return a term as JSON values; a vector is appended to `vectors`, and its number stands for it."""
    if isinstance(term, TextTerm):
        return ["w", term.words, term.weight]
    if isinstance(term, ProductTerm):
        return ["p", term.product_id, term.weight]
    if isinstance(term, PictureTerm):
        raise TypeError("a token carries the vectors of pictures, see `with_vectors`")
    vectors.append(term.vector)
    return ["v", len(vectors) - 1, term.weight]


@cache
def _packed_type(blocks: tuple[Block, ...]) -> np.dtype[np.void]:
    """Return the type of a packed vector: each block as its scale, float32, and a signed byte a number."""
    return np.dtype([(block.name, [("scale", "<f4"), ("values", np.int8, block.dim)]) for block in blocks])


def _pack(vector: Floats, blocks: tuple[Block, ...]) -> bytes:
    parts, start = [], 0
    for block in blocks:
        part = vector[start : start + block.dim]
        scale = np.float32(np.abs(part).max() / INT8_MAX or 1.0)
        parts += [scale.astype("<f4").tobytes(), np.rint(part / scale).astype(np.int8).tobytes()]
        start += block.dim
    return b"".join(parts)


def _unpack(packed: bytes, blocks: tuple[Block, ...]) -> Floats:
    record = np.frombuffer(packed, _packed_type(blocks))[0]
    parts = [record[block.name] for block in blocks]
    return np.concatenate([part["values"].astype(np.float32) * part["scale"] for part in parts])
