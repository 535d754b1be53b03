"""The catalogue map: a plane in which products whose pictures are similar lie near each other.

The map of each generation is drawn once, in a child process of low priority, and stored in home/maps. This module reads
maps and starts that process, and imports no numpy; `search.ops.map_drawing` computes the layout.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from catalog.files.child_environment import child_environment
from catalog.home import ShopHome

MAP_FORMAT = 1
MAP_SIZE = 1_000  # coordinates are whole numbers from 0 to this
READY, MAKING, FAILED = "ready", "making", "failed"
RETRY_SECONDS = 60.0  # pause after a failure, until the map is drawn again

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MapPoint:
    """A product and its coordinates, 0 to MAP_SIZE."""

    id: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class CatalogueMap:
    """The map of a generation of `products` products: points of a sample of them, and how long drawing took."""

    generation: int
    products: int
    seconds: float
    points: tuple[MapPoint, ...]


class CatalogueMapper:
    """Reads the maps of a served shop, and starts drawing the one that is missing."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._drawing: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._failed: tuple[int, float] | None = None  # the generation whose map could not be drawn, and when

    def get(self, generation: int) -> tuple[str, CatalogueMap | None]:
        """Return READY and the map; or MAKING, which the first call starts; or FAILED, whose reason is in the log."""
        if catalogue_map := read_map(self._home, generation):
            return READY, catalogue_map
        with self._lock:
            if self._drawing is None or not self._drawing.is_alive():
                failed, failed_at = self._failed or (-1, 0.0)
                if failed == generation and time.monotonic() - failed_at < RETRY_SECONDS:
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
        command = [sys.executable, "-m", "search.ops.map_drawing", str(self._home), str(generation)]
        try:
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, env=child_environment()) as self._process:
                failed = self._process.wait() != 0
        except OSError as error:
            log.error("The map of generation %d cannot be drawn: %s", generation, error)
            failed = True
        self._failed = (generation, time.monotonic()) if failed else None


def map_path(home: Path, generation: int) -> Path:
    """Return where the map of a generation is stored."""
    return ShopHome(home).maps / f"{generation:06d}.json"


def read_map(home: Path, generation: int) -> CatalogueMap | None:
    """Return the stored map of a generation; None when it has not been drawn, or its file cannot be read."""
    try:
        content = json.loads(map_path(home, generation).read_text(encoding="utf-8"))
        if content.pop("format") != MAP_FORMAT or content["generation"] != generation:
            return None
        return CatalogueMap(**content | {"points": tuple(MapPoint(**point) for point in content["points"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
