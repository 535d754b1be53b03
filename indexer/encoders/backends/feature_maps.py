"""Feature maps of a picture model: a second export, made when maps are first needed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from PIL import Image

from indexer.encoders.backends.preprocess import Preprocess
from indexer.encoders.backends.runtime import ModelSource, Runner, open_runner
from indexer.numeric import chunks
from indexer.types import FeatureMaps

BATCH_SIZE = 8


class MapModel:
    """A model's feature maps of RGB pictures, squashed to its square.

    The source's metadata must hold the `preprocess` record and the number of `fine` channels. Thread-safe; loads
    nothing until the first call.
    """

    def __init__(self, source: ModelSource, runtime: str) -> None:
        self._source = source
        self._runtime = runtime
        self._opening = threading.Lock()

    @cached_property
    def _run(self) -> Runner:
        return open_runner(self._source, self._runtime)

    def __call__(self, pictures: Sequence[Image.Image]) -> FeatureMaps:
        """Return the maps of at least one picture. Raises EncoderUnavailable, ParityError when it cannot be opened."""
        with self._opening:
            run = self._run
        prepare = Preprocess.from_record(run.meta["preprocess"])
        pixels = np.stack([prepare(picture) for picture in pictures])
        cells = np.concatenate([run({"pixels": pixels[part]}) for part in chunks(len(pixels), BATCH_SIZE)])
        fine = run.meta["fine"]
        return FeatureMaps(cells[..., :fine], cells[..., fine:])
