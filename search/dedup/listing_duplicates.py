"""Which listings a new one repeats: the same file, the same picture saved anew or altered, the same product again;
and which others, by their titles' numbers, are variants that show its picture.

Vectors propose, pixels decide: at 60 x 80 pixels the vectors of copies and of plain look-alikes are equally near.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from catalog import images
from catalog.errors import BadPicture
from catalog.product import Picture, Product
from indexer.types import Floats
from search.dedup.duplicate_kinds import KINDS, SAME_FILE, SAME_PICTURE, SAME_PRODUCT, SHARED_PICTURE
from search.dedup.image_alignment import AlignmentImage, overlays
from search.engine import SearchEngine
from search.hits import SearchHit
from search.query.terms import PictureTerm, Query, VectorTerm
from search.retrieval.collapse import other_numbers, title_key

CANDIDATES, FEW_CANDIDATES = 30, 12
SURE = 0.5  # of `Overlay.sure`, from which two pictures are one; chosen in docs/decisions.md
VIEW = 0.8  # cosine of both the look and the meaning, from which equal words make two pictures views of one product
LEAST_SIDE = 128  # that a candidate's picture is decoded at


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A listing that the new one repeats: how (`kind`), how sure (0 to 1), and by which pictures.

    The kind `shared_picture` repeats nothing: the titles' numbers differ, so one picture shows two variants. `picture`
    is the number of the new listing's picture, `other` the content hash of the existing one's.
    """

    product_id: str
    kind: str
    score: float
    picture: int
    other: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "id": self.product_id,
            "kind": self.kind,
            "score": round(self.score, 4),
            "picture": self.picture,
            "other": self.other,
        }


def find_duplicates(
    engine: SearchEngine,
    pictures: Sequence[Image.Image],
    title: str = "",
    *,
    hashes: Sequence[str] = (),
    encoded: Floats | None = None,
    own_id: str = "",
) -> tuple[Duplicate, ...]:
    """The listings that one with these pictures (RGB) would repeat, one entry each, surest first within their kinds.

    `hashes` are the content hashes of the pictures' files, where there are any; `own_id` is a product that is not
    looked at. `encoded` are the encoder's rows, of each picture as it is and mirrored, (2n, dim), where they are known,
    as they are of many rows: then fewer listings are compared, and of each the nearest picture. Another view is named
    only when there is a title that says the same, a variant only when there is one that tells other numbers.
    Raises BadQuery.
    """
    found: dict[str, Duplicate] = {}

    def note(one: Duplicate, product: Product) -> None:
        if other_numbers(title, product.title):
            one = replace(one, kind=SHARED_PICTURE)
        kept = found.get(one.product_id)
        if kept is None or _order(one) < _order(kept):
            found[one.product_id] = one

    for number, picture in enumerate(pictures):
        sha256 = hashes[number] if number < len(hashes) else ""
        for product in _of_file(engine, sha256):
            note(Duplicate(product.id, SAME_FILE, 1.0, number, sha256), product)
        if encoded is None:
            hits = _candidates(engine, [PictureTerm(side) for side in (picture, ImageOps.mirror(picture))], CANDIDATES)
            pairs = [(hit, shown) for hit in hits for shown in hit.product.pictures]
        else:
            hits = _candidates(engine, [VectorTerm(row) for row in encoded[2 * number :][:2]], FEW_CANDIDATES)
            pairs = [(hit, hit.picture) for hit in hits]
        named = {hit.product.id: hit.product for hit in hits}
        for one in (*_same_pictures(picture, sha256, number, pairs), *_other_views(engine, title, number, hits)):
            note(one, named[one.product_id])
    found.pop(own_id, None)
    return tuple(sorted(found.values(), key=_order))


def _order(one: Duplicate) -> tuple[int, float, str]:
    return KINDS.index(one.kind), -one.score, one.product_id


def _of_file(engine: SearchEngine, sha256: str) -> list[Product]:
    """The products that show this very file; what changed since the index was made is found by its vector."""
    if not sha256:
        return []
    generation = engine.generation
    keys = np.unique(generation.product_keys[generation.picture_hashes == sha256.encode()])
    products = engine.present(keys.tolist()).values()
    return [product for product in products if any(picture.sha256 == sha256 for picture in product.pictures)]


def _candidates(engine: SearchEngine, sides: Sequence[PictureTerm | VectorTerm], most: int) -> list[SearchHit]:
    """The most similar listings by picture alone, to any of the sides of a picture."""
    blind = {name: 0.0 for name in ("words",) if name in engine.generation.layout.names}
    asked = [Query((side,), k=most, blocks=blind, collapse=False) for side in sides]
    hits: dict[str, SearchHit] = {}
    for page in engine.search_many(asked):
        for hit in page.hits:
            if hit.product.id not in hits or hits[hit.product.id].score < hit.score:
                hits[hit.product.id] = hit
    return list(hits.values())


def _same_pictures(
    picture: Image.Image, sha256: str, number: int, pairs: Sequence[tuple[SearchHit, Picture]]
) -> Iterator[Duplicate]:
    """The hits one of whose pictures is this one."""
    seen: list[tuple[str, str, AlignmentImage]] = []
    for hit, shown in pairs:
        if sha256 and shown.sha256 == sha256:
            yield Duplicate(hit.product.id, SAME_FILE, 1.0, number, sha256)
        elif (sketch := sketch_of(shown.path)) is not None:
            seen.append((hit.product.id, shown.sha256, sketch))
    laid_over = overlays(AlignmentImage.of(picture), [sketch for _, _, sketch in seen])
    for (product_id, other, _), laid in zip(seen, laid_over, strict=True):
        if laid.sure >= SURE:
            yield Duplicate(product_id, SAME_PICTURE, laid.sure, number, other)


def sketch_of(path: str) -> AlignmentImage | None:
    """The sketch of a picture's file; None when it cannot be read any more."""
    try:
        return AlignmentImage.of(images.decode(images.read_file(Path(path)), at_least=LEAST_SIDE))
    except BadPicture:
        return None


def _other_views(engine: SearchEngine, title: str, number: int, hits: Sequence[SearchHit]) -> Iterator[Duplicate]:
    """The hits that are called the same and look alike in every respect but the view."""
    words = title_key(title)
    if not words:
        return
    weights = engine.generation.manifest.weights["picture"]
    for hit in hits:
        if title_key(hit.product.title) != words:
            continue
        cosines = _cosines(hit, weights)
        alike = min((cosines[name] for name in ("look", "meaning") if name in cosines), default=0.0)
        if alike >= VIEW:
            yield Duplicate(hit.product.id, SAME_PRODUCT, min(alike, 1.0), number, hit.picture.sha256)


def _cosines(hit: SearchHit, weights: Mapping[str, float]) -> dict[str, float]:
    """The cosine of each block, from its share of the score."""
    total = sum(weight for name, weight in weights.items() if name != "words")
    return {
        name: hit.parts[name] * total / weights[name] for name in hit.parts if weights.get(name) and name != "words"
    }
