"""What a picture model sees where: its feature maps, by a second export that is made when it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from PIL import Image

from indexer.encoders.backends.preprocess import Preprocess
from indexer.encoders.backends.runtime import ModelSource, Runner, open_runner
from indexer.types import FeatureMaps

BATCH = 8


class MapModel:
    """A model's feature maps of RGB pictures, squashed to its square.

    The recipe's facts must hold the `preprocess` record and how many channels are `fine`. Thread-safe; loads nothing
    until the first call.
    """

    def __init__(self, recipe: ModelSource, runtime: str) -> None:
        self._recipe = recipe
        self._runtime = runtime
        self._opening = threading.Lock()

    @cached_property
    def _run(self) -> Runner:
        return open_runner(self._recipe, self._runtime)

    def __call__(self, pictures: Sequence[Image.Image]) -> FeatureMaps:
        """The maps of the pictures, at least one. Raises EncoderUnavailable, ParityError when it cannot be opened."""
        with self._opening:
            run = self._run
        prepare = Preprocess.from_record(run.meta["preprocess"])
        pixels = np.stack([prepare(picture) for picture in pictures])
        cells = np.concatenate([run({"pixels": pixels[i : i + BATCH]}) for i in range(0, len(pixels), BATCH)])
        fine = run.meta["fine"]
        return FeatureMaps(cells[..., :fine], cells[..., fine:])
