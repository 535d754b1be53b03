"""Which earlier row of its own table a row repeats: one that begins with its file, or with its picture altered.

As among listings, vectors propose and pixels decide, and titles that tell other numbers make variants of two rows.
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
from indexer.ann.exact_rerank import best_rows
from indexer.labels.knn import Ints
from indexer.layout import WORDS, RowLayout
from indexer.types import Floats
from search.bulk.job_store import RowPicture
from search.dedup.duplicate_kinds import SAME_FILE, SAME_PICTURE
from search.dedup.image_alignment import AlignmentImage, align_images
from search.dedup.listing_duplicates import MIN_DECODED_SIDE, SAME_PICTURE_THRESHOLD
from search.listings.feedback_suggester import rows_of
from search.retrieval.collapse import other_numbers

# Earlier rows that a row's picture is laid over; docs/decisions.md tells how often the altered one is among them.
NEAREST = 4
LEAST_LIKE = 0.7  # mean cosine of the encoder's blocks, below which none is
ROOM = 1_024  # rows that memory is asked for at once
SKETCHES = 500  # kept in memory, 48 KiB each


class RowDuplicateFinder:
    """The rows of a job that repeat no other, as they are met.

    `read` gives the bytes of a picture by its name, or raises BadPicture: then nothing is laid over it.
    """

    def __init__(self, layout: RowLayout, read: Callable[[str], bytes], known: Iterable[RowPicture]) -> None:
        self._layout = layout
        self._blocks = sum(name != WORDS for name in layout.names)
        self._read = read
        self._known: list[RowPicture] = []
        self._by_file: dict[str, list[RowPicture]] = defaultdict(list)
        self._vectors = np.zeros((ROOM, layout.encoder_dim), np.float32)
        self._sketch = lru_cache(SKETCHES)(self._sketch_of)
        for row in known:
            self._add(row)

    def repeated(
        self, rows: Sequence[RowPicture], pictures: Sequence[Image.Image], sides: Sequence[Floats]
    ) -> list[tuple[int, str]]:
        """The number of the first row that each of these repeats, and how; 0 and nothing for a new one, which is kept.

        `pictures` are RGB; `sides` are rows of the layout, (2, dim), of each as it is and mirrored.
        """
        asked = np.stack([each[:, : self._layout.encoder_dim] for each in sides])
        before = len(self._known)
        near = self._nearest(asked)
        found = []
        for row, picture, own, places in zip(rows, pictures, asked, near, strict=True):
            since = np.arange(before, len(self._known))  # of the rows asked with it
            same = self._same_file(row) or self._same_picture(row, picture, own, np.concatenate([places, since]))
            if same is None:
                self._add(row)
            found.append(same or (0, ""))
        return found

    def _add(self, row: RowPicture) -> None:
        place = len(self._known)
        if place == len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
        vectors = rows_of(row.vectors, self._layout.dim)
        if len(vectors):  # a row that another encoder looked at has none, and is like nothing
            self._vectors[place] = vectors[0, : self._layout.encoder_dim]
        kept = replace(row, vectors=b"")
        self._known.append(kept)
        self._by_file[row.content].append(kept)

    def _same_file(self, row: RowPicture) -> tuple[int, str] | None:
        same = (one.number for one in self._by_file[row.content] if not other_numbers(row.title, one.title))
        first = next(same, None)
        return None if first is None else (first, SAME_FILE)

    def _same_picture(
        self, row: RowPicture, picture: Image.Image, sides: Floats, places: Ints
    ) -> tuple[int, str] | None:
        like = (self._vectors[places] @ sides.T).max(axis=1, initial=-1.0) / self._blocks
        order = np.argsort(-like, kind="stable")[:NEAREST]
        near = [self._known[place] for place in places[order[like[order] >= LEAST_LIKE]].tolist()]
        near = [one for one in near if not other_numbers(row.title, one.title)]
        sketched = [(one, sketch) for one in near if (sketch := self._sketch(one.name)) is not None]
        laid_over = align_images(AlignmentImage.of(picture), [sketch for _, sketch in sketched])
        same = [
            one.number
            for (one, _), laid in zip(sketched, laid_over, strict=True)
            if laid.confidence >= SAME_PICTURE_THRESHOLD
        ]
        return (min(same), SAME_PICTURE) if same else None

    def _nearest(self, asked: Floats) -> list[Ints]:
        """The places of the rows most like either side of each, asked all at once: every row is read only once."""
        rows = self._vectors[: len(self._known)]
        if not len(rows):
            return [np.zeros(0, np.int64) for _ in asked]
        found = best_rows(rows, asked.reshape(-1, asked.shape[2]), NEAREST)
        return [np.unique(each) for each in found.reshape(len(asked), -1)]

    def _sketch_of(self, name: str) -> AlignmentImage | None:
        """None when the picture cannot be read any more."""
        try:
            return AlignmentImage.of(images.decode(self._read(name), at_least=MIN_DECODED_SIDE))
        except BadPicture:
            return None
