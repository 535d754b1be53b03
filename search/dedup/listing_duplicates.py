"""Find the listings that a new one repeats: the same file, an altered copy of a picture, another view of one product.

Listings whose titles differ in their numbers are variants that share a picture. Vectors propose candidates and pixels
decide: at 60 x 80 pixels the vectors of copies and of mere look-alikes are equally near.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from catalog import images
from catalog.errors import BadPicture
from catalog.product import Picture, Product
from indexer.layout import WORDS
from indexer.types import Floats
from search.dedup.duplicate_kinds import DUPLICATE_KINDS, SAME_FILE, SAME_PICTURE, SAME_PRODUCT, SHARED_PICTURE
from search.dedup.image_alignment import AlignmentImage, align_images
from search.engine import SearchEngine
from search.hits import SearchHit
from search.query.terms import PictureTerm, Query, VectorTerm
from search.retrieval.collapse import other_numbers, title_key

MAX_CANDIDATES, MAX_VECTOR_CANDIDATES = 30, 12
SAME_PICTURE_THRESHOLD = 0.5  # threshold of `Alignment.confidence`; chosen in docs/decisions/listing-suggestions.md
VIEW_COSINE = 0.8  # cosine of look and of meaning from which pictures with equal titles are views of one product
MIN_DECODED_SIDE = 128  # pixels, of a candidate's picture


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A listing that the new one repeats: the kind, the score (0 to 1) and the pictures.

    The kind `shared_picture` is no repetition: the titles' numbers differ, so one picture shows two variants. `picture`
    is the number of the new listing's picture, `other` the content hash of the existing one's.
    """

    product_id: str
    kind: str
    score: float
    picture: int
    other: str

    def to_dict(self) -> dict[str, Any]:
        """Return the duplicate as JSON values."""
        values = asdict(self)
        return {"id": values.pop("product_id"), **values, "score": round(self.score, 4)}


def find_duplicates(
    engine: SearchEngine,
    pictures: Sequence[Image.Image],
    title: str = "",
    *,
    hashes: Sequence[str] = (),
    encoded: Floats | None = None,
    own_id: str = "",
) -> tuple[Duplicate, ...]:
    """Return the listings that one with these pictures (RGB) would repeat, one entry each, by kind and falling score.

    `hashes` are the content hashes of the pictures' files, if there are files; `own_id` is a product to leave out.
    `encoded` are the encoder's rows, (2n, dim), of each picture as it is and mirrored: with them fewer candidates are
    compared, and of each only the nearest picture. Other views need a title that says the same, variants one with
    other numbers. Raises BadQuery.
    """
    found: list[Duplicate] = []
    products: dict[str, Product] = {}
    for number, picture in enumerate(pictures):
        sha256 = hashes[number] if number < len(hashes) else ""
        showing = {product.id: product for product in _showing_file(engine, sha256)}
        found += [Duplicate(product_id, SAME_FILE, 1.0, number, sha256) for product_id in showing]
        if encoded is None:
            sides = [PictureTerm(picture), PictureTerm(ImageOps.mirror(picture))]
            hits = _candidates(engine, sides, MAX_CANDIDATES)
            pairs = [(hit, shown) for hit in hits for shown in hit.product.pictures]
        else:
            hits = _candidates(engine, [VectorTerm(row) for row in encoded[2 * number :][:2]], MAX_VECTOR_CANDIDATES)
            pairs = [(hit, hit.picture) for hit in hits]
        products |= showing | {hit.product.id: hit.product for hit in hits}
        found += _same_pictures(picture, sha256, number, pairs)
        found += _other_views(engine, title, number, hits)
    shared = {product.id for product in products.values() if other_numbers(title, product.title)}
    kinds = [replace(item, kind=SHARED_PICTURE) if item.product_id in shared else item for item in found]
    best: dict[str, Duplicate] = {}
    for duplicate in sorted(kinds, key=_order):
        best.setdefault(duplicate.product_id, duplicate)
    best.pop(own_id, None)
    return tuple(best.values())


def _order(duplicate: Duplicate) -> tuple[int, float, str]:
    return DUPLICATE_KINDS.index(duplicate.kind), -duplicate.score, duplicate.product_id


def _showing_file(engine: SearchEngine, sha256: str) -> list[Product]:
    """Return the indexed products that show this file; later changes are found by their vectors."""
    if not sha256:
        return []
    generation = engine.generation
    keys = np.unique(generation.product_keys[generation.picture_hashes == sha256.encode()])
    products = engine.present(keys.tolist()).values()
    return [product for product in products if any(picture.sha256 == sha256 for picture in product.pictures)]


def _candidates(engine: SearchEngine, sides: Sequence[PictureTerm | VectorTerm], limit: int) -> list[SearchHit]:
    """Retrieve the listings most similar to either side of a picture, ignoring titles."""
    blocks = {WORDS: 0.0} if WORDS in engine.generation.layout.names else {}
    queries = [Query((side,), k=limit, blocks=blocks, collapse=False) for side in sides]
    hits = [hit for page in engine.search_many(queries) for hit in page.hits]
    best: dict[str, SearchHit] = {}
    for hit in sorted(hits, key=lambda hit: -hit.score):
        best.setdefault(hit.product.id, hit)
    return list(best.values())


def _same_pictures(
    picture: Image.Image, sha256: str, number: int, pairs: Sequence[tuple[SearchHit, Picture]]
) -> Iterator[Duplicate]:
    """Yield the hits that show this picture, by file or by alignment."""
    candidates: list[tuple[str, str, AlignmentImage]] = []
    for hit, shown in pairs:
        if sha256 and shown.sha256 == sha256:
            yield Duplicate(hit.product.id, SAME_FILE, 1.0, number, sha256)
        elif (image := load_alignment_image(shown.path)) is not None:
            candidates.append((hit.product.id, shown.sha256, image))
    alignments = align_images(AlignmentImage.of(picture), [image for _, _, image in candidates])
    for (product_id, other, _), alignment in zip(candidates, alignments, strict=True):
        if alignment.confidence >= SAME_PICTURE_THRESHOLD:
            yield Duplicate(product_id, SAME_PICTURE, alignment.confidence, number, other)


def load_alignment_image(path: str) -> AlignmentImage | None:
    """Load a picture's file for alignment; None when it cannot be read any more."""
    try:
        return AlignmentImage.of(images.decode(images.read_file(Path(path)), at_least=MIN_DECODED_SIDE))
    except BadPicture:
        return None


def _other_views(engine: SearchEngine, title: str, number: int, hits: Sequence[SearchHit]) -> Iterator[Duplicate]:
    """Yield the hits whose title says the same and whose picture looks like another view of one product."""
    key = title_key(title)
    if not key:
        return
    weights = engine.generation.manifest.weights["picture"]
    total = sum(weight for name, weight in weights.items() if name != WORDS)
    compared = {name: weights[name] for name in ("look", "meaning") if weights.get(name)}
    for hit in hits:
        if title_key(hit.product.title) != key:
            continue
        cosines = [hit.parts[name] * total / weight for name, weight in compared.items() if name in hit.parts]
        cosine = min(cosines, default=0.0)
        if cosine >= VIEW_COSINE:
            yield Duplicate(hit.product.id, SAME_PRODUCT, min(cosine, 1.0), number, hit.picture.sha256)
