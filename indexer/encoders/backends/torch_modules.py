"""torch modules that wrap a model for export: uint8 pixels in, features out. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.preprocess import Preprocess
from indexer.types import Pixels


class NormalisedPixels(nn.Module):
    """A picture model that takes uint8 (n, side, side, 3) and normalises by itself."""

    scale: Tensor
    shift: Tensor

    def __init__(self, model: nn.Module, preprocess: Preprocess) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("scale", 1 / (255 * torch.tensor(preprocess.std)).view(1, 3, 1, 1), persistent=False)
        shift = torch.tensor(preprocess.mean) / torch.tensor(preprocess.std)
        self.register_buffer("shift", shift.view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Features of the batch."""
        features: Tensor = self.model(pixels.permute(0, 3, 1, 2).float() * self.scale - self.shift)
        return features


class Method(nn.Module):
    """One method of a model as a module of its own, so that an export holds only that half."""

    def __init__(self, model: nn.Module, method: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model
        self.method = method

    def forward(self, inputs: Tensor) -> Tensor:
        """What the method gives."""
        return self.method(inputs)


class Cells(nn.Module):
    """Two of a model's feature maps as one: (n, 3, side, side) to (n, rows, columns, channels of both).

    The deeper one is brought to the resolution of the other; each is divided by its own mean length, so that both count
    the same.
    """

    def __init__(self, model: nn.Module, maps: Callable[[Tensor], Sequence[Tensor]]) -> None:
        super().__init__()
        self.model = model
        self.maps = maps

    def fine(self, side: int) -> int:
        """How many channels come from the finer map."""
        with torch.inference_mode():
            return self.maps(torch.zeros(1, 3, side, side))[0].shape[1]

    def forward(self, rgb: Tensor) -> Tensor:
        """The cells of the batch."""
        fine, deep = self.maps(rgb)
        deep = F.interpolate(deep, size=fine.shape[-2:], mode="bilinear", align_corners=False)
        return torch.cat([_of_one_length(fine), _of_one_length(deep)], dim=1).permute(0, 2, 3, 1)


def _of_one_length(cells: Tensor) -> Tensor:
    lengths: Tensor = cells.norm(dim=1, keepdim=True)
    return cells / (lengths.mean((2, 3), keepdim=True) + 1e-6)


def map_example(side: int) -> dict[str, Pixels]:
    """Two pictures of noise to export a map model with."""
    return {"pixels": np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)}


def last_maps(model: nn.Module, name: str) -> Callable[[Tensor], Sequence[Tensor]]:
    """The last two feature maps (n, channels, rows, columns) of a timm or open_clip picture model, the finer first.

    Raises EncoderUnavailable when the model gives none.
    """
    taken = getattr(model, "forward_intermediates", None)
    if taken is None:
        raise EncoderUnavailable(f"The model {name!r} gives no feature maps.", "Draw a box around the thing yourself.")

    def maps(rgb: Tensor) -> Sequence[Tensor]:
        found = taken(rgb, indices=2, intermediates_only=True)
        pair: Sequence[Tensor] = found["image_intermediates"] if isinstance(found, dict) else found
        return pair

    return maps
