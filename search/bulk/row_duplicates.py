"""Find the earlier row of a job that a row repeats: one with the same first picture file, or with it altered.

As among listings, vectors propose and pixels decide, and titles with different numbers make two rows variants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from PIL import Image

from catalog import images
from catalog.errors import BadPicture
from indexer.ann.exact_rerank import top_rows
from indexer.labels.knn import Ints
from indexer.layout import WORDS, RowLayout
from indexer.types import Floats
from search.bulk.job_rows import RowPicture
from search.dedup.duplicate_kinds import SAME_FILE, SAME_PICTURE
from search.dedup.image_alignment import AlignmentImage, align_images
from search.dedup.listing_duplicates import MIN_DECODED_SIDE, SAME_PICTURE_THRESHOLD
from search.listings.feedback_suggester import rows_from_bytes
from search.retrieval.collapse import other_numbers

# Earlier rows whose pictures are aligned; docs/decisions/listing-suggestions.md has how often the altered one is one.
MAX_CANDIDATES = 4
MIN_COSINE = 0.7  # lowest mean cosine over the encoder's blocks of a candidate
INITIAL_ROWS = 1_024  # first capacity of the vectors' array, which doubles when it is full
MAX_SKETCHES = 500  # sketches in memory, 48 KiB each


class RowDuplicateFinder:
    """The rows of a job so far that repeat no other.

    `read` returns the bytes of a picture by its name, or raises BadPicture: then it is not aligned.
    """

    def __init__(self, layout: RowLayout, read: Callable[[str], bytes], known: Iterable[RowPicture]) -> None:
        self._layout = layout
        self._blocks = sum(name != WORDS for name in layout.names)
        self._read = read
        self._known: list[RowPicture] = []
        self._by_file: dict[str, list[RowPicture]] = defaultdict(list)
        self._vectors = np.zeros((INITIAL_ROWS, layout.encoder_dim), np.float32)
        self._sketch = lru_cache(MAX_SKETCHES)(self._sketch_of)
        for row in known:
            self._add(row)

    def repeated(
        self, rows: Sequence[RowPicture], pictures: Sequence[Image.Image], sides: Sequence[Floats]
    ) -> list[tuple[int, str]]:
        """Return the first row that each row repeats and the kind; (0, "") for a new row, which is added.

        `pictures` are RGB; `sides` are rows of the layout, (2, dim), of each picture as it is and mirrored.
        """
        vectors = np.stack([views[:, : self._layout.encoder_dim] for views in sides])
        before = len(self._known)
        near = self._nearest(vectors)
        found = []
        for row, picture, own, places in zip(rows, pictures, vectors, near, strict=True):
            added = np.arange(before, len(self._known))  # earlier rows of this call
            same = self._same_file(row) or self._same_picture(row, picture, own, np.concatenate([places, added]))
            if same is None:
                self._add(row)
            found.append(same or (0, ""))
        return found

    def _add(self, row: RowPicture) -> None:
        place = len(self._known)
        if place == len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
        vectors = rows_from_bytes(row.vectors, self._layout.dim)
        if len(vectors):  # a row of another encoder has none, and matches nothing
            self._vectors[place] = vectors[0, : self._layout.encoder_dim]
        known = replace(row, vectors=b"")
        self._known.append(known)
        self._by_file[row.content].append(known)

    def _same_file(self, row: RowPicture) -> tuple[int, str] | None:
        same = (known.number for known in self._by_file[row.content] if not other_numbers(row.title, known.title))
        first = next(same, None)
        return None if first is None else (first, SAME_FILE)

    def _same_picture(
        self, row: RowPicture, picture: Image.Image, sides: Floats, places: Ints
    ) -> tuple[int, str] | None:
        cosines = (self._vectors[places] @ sides.T).max(axis=1, initial=-1.0) / self._blocks
        order = np.argsort(-cosines, kind="stable")[:MAX_CANDIDATES]
        near = [self._known[place] for place in places[order[cosines[order] >= MIN_COSINE]].tolist()]
        near = [known for known in near if not other_numbers(row.title, known.title)]
        candidates = [(known, sketch) for known in near if (sketch := self._sketch(known.name)) is not None]
        aligned = align_images(AlignmentImage.of(picture), [sketch for _, sketch in candidates])
        same = [
            known.number
            for (known, _), alignment in zip(candidates, aligned, strict=True)
            if alignment.confidence >= SAME_PICTURE_THRESHOLD
        ]
        return (min(same), SAME_PICTURE) if same else None

    def _nearest(self, vectors: Floats) -> list[Ints]:
        """Return the positions of the rows nearest to either side of each query; one pass over all rows."""
        rows = self._vectors[: len(self._known)]
        if not len(rows):
            return [np.zeros(0, np.int64) for _ in vectors]
        found = top_rows(rows, vectors.reshape(-1, vectors.shape[2]), MAX_CANDIDATES)
        return [np.unique(positions) for positions in found.reshape(len(vectors), -1)]

    def _sketch_of(self, name: str) -> AlignmentImage | None:
        """Return the alignment image of a picture; None when it cannot be read any more."""
        try:
            return AlignmentImage.of(images.decode(self._read(name), at_least=MIN_DECODED_SIDE))
        except BadPicture:
            return None
