"""A map of the catalogue: products whose pictures are alike lie near each other in the plane.

Drawn by a process of its own, which gives way to shoppers, and kept once a generation in home/maps. The sample is laid
out by t-SNE (van der Maaten and Hinton, 2008) from 32 principal components; docs/decisions.md has the measurements.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import WindowshopError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from indexer.generations.store import Generation
    from indexer.types import Floats

FOLDER, LOCK = "maps", ".lock"
FORMAT = 1
MOST_POINTS = 1_000  # so that the answer stays below 100 kB and the layout, whose work is their square, a few seconds
COMPONENTS = 32
PERPLEXITY = 25.0  # neighbours that each point tries to keep
STEPS, GATHERING = 350, 100  # of gradient descent; in the first ones what belongs together is pulled together harder
EXAGGERATION = 12.0
SIDE = 1_000  # coordinates are whole numbers from 0 to this
READY, MAKING, FAILED = "ready", "making", "failed"
NICE = 15
AGAIN = 60.0  # seconds until a map that failed is tried anew

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Point:
    """A product and its place, 0 to SIDE both ways."""

    id: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class CatalogueMap:
    """The map of a generation: a sample of its `products`, and the seconds that it took."""

    generation: int
    products: int
    seconds: float
    points: tuple[Point, ...]


class Mapper:
    """The maps of a serving shop: reads them, and has the one that is missing drawn."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._drawing: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._failed: tuple[int, float] | None = None  # the generation whose map could not be drawn, and when

    def get(self, generation: int) -> tuple[str, CatalogueMap | None]:
        """READY and the map; or MAKING, which begins when it is first asked for; or FAILED, as the log tells."""
        made = read_map(self._home, generation)
        if made is not None:
            return READY, made
        with self._lock:
            if self._drawing is None or not self._drawing.is_alive():
                failed, when = self._failed or (-1, 0.0)
                if failed == generation and time.monotonic() - when < AGAIN:
                    return FAILED, None
                self._drawing = threading.Thread(target=self._draw, args=(generation,), name="map", daemon=True)
                self._drawing.start()
        return MAKING, None

    def close(self) -> None:
        """Stop drawing."""
        if self._process is not None:
            self._process.terminate()
        if self._drawing is not None:
            self._drawing.join()

    def _draw(self, generation: int) -> None:
        root = Path(__file__).resolve().parents[2]
        command = [sys.executable, "-m", "search.ops.catalogue_map", str(self._home), str(generation)]
        surroundings = os.environ | {"PYTHONPATH": str(root)}
        try:
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, env=surroundings) as self._process:
                failed = self._process.wait() != 0
        except OSError as error:
            log.error("The map of generation %d cannot be drawn: %s", generation, error)
            failed = True
        self._failed = (generation, time.monotonic()) if failed else None


def read_map(home: Path, generation: int) -> CatalogueMap | None:
    """The map of that generation; None when it was not drawn yet, or cannot be read."""
    try:
        body = json.loads(_path(home, generation).read_text(encoding="utf-8"))
        if body.pop("format") != FORMAT or body["generation"] != generation:
            return None
        return CatalogueMap(**body | {"points": tuple(Point(**each) for each in body["points"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def draw_map(home: Path, number: int, seed: int = 0) -> CatalogueMap:
    """Draw the map of a generation and keep it; those of generations that are gone are removed.

    Two processes draw one after the other, and the second finds it done. Raises GenerationError, StoreError; OSError
    when it cannot be written.
    """
    (home / FOLDER).mkdir(exist_ok=True)
    with (home / FOLDER / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return read_map(home, number) or _drawn(home, number, seed)


def _drawn(home: Path, number: int, seed: int) -> CatalogueMap:
    from catalog.files.atomic import write_atomically
    from catalog.storage.catalogue import Catalogue
    from indexer.generations.publishing import catalogue_of
    from indexer.generations.store import numbers, open_generation

    began = time.monotonic()
    generation = open_generation(home, number, mapped=True)
    keys, vectors = sampled(generation, seed)
    with closing(Catalogue.open(catalogue_of(home))) as catalogue:
        known = catalogue.get_many(keys)
    places = spread(vectors, seed)
    points = [
        Point(known[key].id, int(x), int(y)) for key, (x, y) in zip(keys, places.tolist(), strict=True) if key in known
    ]
    made = CatalogueMap(number, generation.manifest.products, round(time.monotonic() - began, 2), tuple(points))
    text = json.dumps(asdict(made) | {"format": FORMAT}, separators=(",", ":"))
    write_atomically(_path(home, number), lambda path: path.write_text(text, encoding="utf-8"))
    kept = {_path(home, each) for each in numbers(home)}
    for old in set((home / FOLDER).glob("*.json")) - kept:
        old.unlink(missing_ok=True)
    return made


def sampled(generation: Generation, seed: int = 0, most: int = MOST_POINTS) -> tuple[list[int], Floats]:
    """Keys of at most so many products and the row (dim,) of each one's first picture, as two pictures are compared.

    Blocks are weighed as for a photo; "words", which come from the title, count nothing.
    """
    import numpy as np

    from indexer.layout import WORDS

    keys, rows = np.unique(generation.product_keys, return_index=True)
    count = min(most, len(keys))
    drawn = np.sort(np.random.default_rng(seed).choice(len(keys), count, replace=False))
    weights: Mapping[str, float] = generation.manifest.weights["picture"]
    scale = {name: abs(weight) ** 0.5 for name, weight in weights.items() if name != WORDS}
    vectors = generation.layout.weigh(np.asarray(generation.rows[rows[drawn]], np.float32), scale)
    generation.let_go()
    return keys[drawn].tolist(), vectors


def spread(vectors: Floats, seed: int = 0) -> NDArray[Any]:
    """Places (n, 2), whole numbers from 0 to SIDE, at which rows (n, dim) that are near each other stay so."""
    import numpy as np

    count = len(vectors)
    reduced = principal(vectors, COMPONENTS)
    flat = reduced[:, :2] if reduced.shape[1] >= 2 else np.pad(reduced, ((0, 0), (0, 2 - reduced.shape[1])))
    if count > 3:
        noise = np.random.default_rng(seed).normal(size=flat.shape) * 1e-3  # equal pictures must come apart
        start = flat / max(float(np.abs(flat).max()), 1e-9) + noise
        flat = _descend(_affinities(reduced), start.astype(np.float32) * 1e-2)
    if not count:
        return flat.astype(np.int64)
    low, high = flat.min(axis=0), flat.max(axis=0)
    middle, extent = (low + high) / 2, max(float((high - low).max()), 1e-9)
    places: NDArray[np.int64] = np.clip(np.rint(((flat - middle) / extent + 0.5) * SIDE), 0, SIDE).astype(np.int64)
    return places


def principal(vectors: Floats, most: int) -> Floats:
    """Rows (n, dim) by their first principal components, at most so many, each with a sign that does not vary."""
    import numpy as np

    centred = vectors - vectors.mean(axis=0) if len(vectors) else vectors
    values, axes = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
    chosen = axes[:, ::-1][:, : min(most, int(np.count_nonzero(values > 1e-9)) or 1)]
    chosen = chosen * np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(chosen.shape[1])])
    return np.asarray(centred @ chosen, np.float32)


def _affinities(rows: Floats) -> Floats:
    """How much each pair of rows wants to be near (n, n), which adds up to 1: Gaussian, PERPLEXITY neighbours each."""
    import numpy as np

    count = len(rows)
    wanted = np.log(min(PERPLEXITY, (count - 1) / 3))
    squares = np.einsum("ij,ij->i", rows, rows)
    distances = np.maximum(squares[:, None] + squares[None] - 2 * rows @ rows.T, 0)
    np.fill_diagonal(distances, np.inf)
    near = np.argsort(distances, axis=1, kind="stable")[:, : min(count - 1, int(3 * PERPLEXITY))]
    gaps = np.take_along_axis(distances, near, axis=1).astype(np.float64)
    gaps -= gaps[:, :1]
    low, high = np.zeros((count, 1)), np.full((count, 1), np.inf)
    sharp = 1.0 / np.maximum(gaps.mean(axis=1, keepdims=True), 1e-9)
    for _ in range(40):  # halving, until the entropy of each row is the one wanted
        shares = np.exp(-gaps * sharp)
        shares /= shares.sum(axis=1, keepdims=True)
        entropy = -(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=1, keepdims=True)
        low, high = np.where(entropy > wanted, sharp, low), np.where(entropy > wanted, high, sharp)
        sharp = np.where(np.isinf(high), np.minimum(2 * sharp, 1e9), (low + np.where(np.isinf(high), 0, high)) / 2)
    wants = np.zeros((count, count), np.float32)
    np.put_along_axis(wants, near, shares.astype(np.float32), axis=1)
    return np.asarray((wants + wants.T) / (2 * count), np.float32)


def _descend(wants: Floats, places: Floats) -> Floats:
    """The places (n, 2) at which nearness is as wanted, by gradient descent with momentum and a gain for each."""
    import numpy as np

    rate = max(len(places) / EXAGGERATION, 50.0)
    speed, gains = np.zeros_like(places), np.ones_like(places)
    for step in range(STEPS):
        squares = np.einsum("ij,ij->i", places, places)
        near = squares[:, None] + squares[None] - 2 * places @ places.T
        near = 1 / (1 + np.maximum(near, 0, out=near))
        np.fill_diagonal(near, 0)
        pull = wants * np.float32(EXAGGERATION if step < GATHERING else 1.0)
        pull -= near * np.float32(1 / max(float(near.sum()), 1e-12))
        pull *= near
        slope = 4 * (pull.sum(axis=1, keepdims=True) * places - pull @ places)
        gains = np.where((slope > 0) == (speed > 0), np.maximum(0.8 * gains, 0.01), gains + 0.2)
        speed = (0.5 if step < GATHERING else 0.8) * speed - rate * gains * slope
        places = places + speed
    return np.asarray(places - places.mean(axis=0), np.float32)


def _path(home: Path, generation: int) -> Path:
    return home / FOLDER / f"{generation:06d}.json"


if __name__ == "__main__":
    os.nice(NICE)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        draw_map(Path(sys.argv[1]), int(sys.argv[2]))
    except (WindowshopError, OSError) as failure:
        log.error("The map of the catalogue cannot be drawn: %s", failure)
        sys.exit(1)
