"""torch modules that wrap a model for export: uint8 pixels in, features out. Imports torch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from indexer.encoders.preprocess import Preprocess


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
