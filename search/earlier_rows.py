"""Which earlier row of its own table a row repeats: one that begins with its file, or with its picture altered.

As among listings, vectors propose and pixels decide, and titles that tell other numbers make variants of two rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from catalog import images
from catalog.errors import BadPicture
from indexer.encoders.base import Floats
from indexer.row_search import best_rows
from indexer.vectors import WORDS, Layout
from search.duplicates import other_numbers
from search.jobs import Shown
from search.picture_match import Sketch, overlays
from search.repeats import SAME_FILE, SAME_PICTURE
from search.same_listing import LEAST_SIDE, SURE
from search.taught import rows_of

NEAREST = (
    4  # earlier rows that a row's picture is laid over; docs/decisions.md tells how often the altered one is there
)
LEAST_LIKE = 0.7  # mean cosine of the encoder's blocks, below which none is
ROOM = 1_024  # rows that memory is asked for at once


class EarlierRows:
    """The rows of a job that repeat no other; `read` gives the bytes of a picture by its name. Raises BadPicture."""

    def __init__(self, layout: Layout, read: Callable[[str], bytes], known: Iterable[Shown]) -> None:
        self._layout = layout
        self._blocks = sum(name != WORDS for name in layout.names)
        self._read = read
        self._known: list[Shown] = []
        self._by_file: dict[str, list[Shown]] = defaultdict(list)
        self._vectors = np.zeros((ROOM, layout.encoder_dim), np.float16)
        for row in known:
            self._add(row)

    def repeated(self, row: Shown, picture: Image.Image, sides: Floats) -> tuple[int, str]:
        """The number of the first row that this one repeats, and how; 0 and nothing for a new one, which is kept.

        `picture` is RGB; `sides` are rows of the layout, (2, dim), of it as it is and mirrored.
        """
        found = self._same_file(row) or self._same_picture(row, picture, sides[:, : self._layout.encoder_dim])
        if found is None:
            self._add(row)
            return 0, ""
        return found

    def _add(self, row: Shown) -> None:
        place = len(self._known)
        if place == len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors[:ROOM])])
        vectors = rows_of(row.vectors, self._layout.dim)
        if len(vectors):  # another encoder's are none, and like nothing
            self._vectors[place] = vectors[0, : self._layout.encoder_dim]
        kept = replace(row, vectors=b"")
        self._known.append(kept)
        self._by_file[row.content].append(kept)

    def _same_file(self, row: Shown) -> tuple[int, str] | None:
        same = (one.number for one in self._by_file[row.content] if not other_numbers(row.title, one.title))
        first = next(same, None)
        return None if first is None else (first, SAME_FILE)

    def _same_picture(self, row: Shown, picture: Image.Image, sides: Floats) -> tuple[int, str] | None:
        near = [one for one in self._near(sides) if not other_numbers(row.title, one.title)]
        sketched = [(one, sketch) for one in near if (sketch := self._sketch(one.name)) is not None]
        laid_over = overlays(Sketch.of(picture), [sketch for _, sketch in sketched])
        same = [one.number for (one, _), laid in zip(sketched, laid_over, strict=True) if laid.sure >= SURE]
        return (min(same), SAME_PICTURE) if same else None

    def _near(self, sides: Floats) -> Sequence[Shown]:
        """The rows most like either side, the most alike first."""
        rows = self._vectors[: len(self._known)]
        if not len(rows):
            return ()
        places = np.unique(best_rows(rows, sides, NEAREST))
        like = (rows[places].astype(np.float32) @ sides.T).max(axis=1) / self._blocks
        order = np.argsort(-like, kind="stable")[:NEAREST]
        return [self._known[place] for place in places[order[like[order] >= LEAST_LIKE]].tolist()]

    def _sketch(self, name: str) -> Sketch | None:
        """None when the picture cannot be read any more."""
        try:
            return Sketch.of(images.decode(self._read(name), at_least=LEAST_SIDE))
        except BadPicture:
            return None
