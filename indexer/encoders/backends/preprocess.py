"""Preprocessing: an RGB picture to a model's square input, as the weights' own record says. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from indexer.types import Pixels


@dataclass(frozen=True, slots=True)
class Preprocess:
    """How pictures become a model's input; `mean` and `std` (of 0..1 RGB) are applied inside the model.

    `fit`: "squash" the whole picture into the square; "crop" the centre after resizing the short side to
    side / crop_share; "pad" with white to a square.
    """

    side: int
    fit: str = "squash"
    crop_share: float = 1.0
    interpolation: str = "bicubic"
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)

    def __call__(self, picture: Image.Image) -> Pixels:
        """Resize one RGB picture to uint8 (side, side, 3)."""
        resample = Image.Resampling[self.interpolation.upper()]
        square = (self.side, self.side)
        if self.fit == "crop":
            return np.asarray(picture.resize(square, resample, box=self._centre(*picture.size)))
        if self.fit == "pad":
            ratio = self.side / max(picture.size)
            width, height = (max(1, round(edge * ratio)) for edge in picture.size)
            padded = Image.new("RGB", square, "white")
            place = ((self.side - width) // 2, (self.side - height) // 2)
            padded.paste(picture.resize((width, height), resample), place)
            return np.asarray(padded)
        return np.asarray(picture.resize(square, resample))

    def _centre(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return the box of a picture that fills the square, with timm's and open_clip's rounding.

        Only that box is resized: a strip of 12,000 x 1 would otherwise become 2,688,000 x 224 first.
        """
        short = int(self.side / self.crop_share)
        edges = []
        for edge in (width, height):
            resized = max(short, short * edge // min(width, height))
            start = round((resized - self.side) / 2)
            edges.append((start * edge / resized, min(edge, (start + self.side) * edge / resized)))
        (left, right), (top, bottom) = edges
        return left, top, right, bottom

    def record(self) -> dict[str, Any]:
        """Return the fields as plain data, for a manifest or an export's card."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Preprocess:
        """Read back what `record` returned."""
        return cls(**{**record, "mean": tuple(record["mean"]), "std": tuple(record["std"])})
