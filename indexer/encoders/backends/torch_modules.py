"""torch modules that wrap a model for export: uint8 pixels in, features out. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.preprocess import Preprocess
from indexer.encoders.backends.torch_runtime import TorchModel, torch_model
from indexer.encoders.graphs.parity import noise_pictures

Maps = Callable[[Tensor], Sequence[Tensor]]


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
        """Return the features of the batch."""
        features: Tensor = self.model(pixels.permute(0, 3, 1, 2).float() * self.scale - self.shift)
        return features


class Method(nn.Module):
    """One method of a model as a module of its own, so that an export holds only that half."""

    def __init__(self, model: nn.Module, method: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model
        self.method = method

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the method's output."""
        return self.method(inputs)


class Cells(nn.Module):
    """Two of a model's feature maps as one: (n, 3, side, side) to (n, rows, columns, channels of both).

    The deeper map is resized to the resolution of the finer one. Each map is divided by its own mean length, so that
    both count the same.
    """

    def __init__(self, model: nn.Module, maps: Maps) -> None:
        super().__init__()
        self.model = model
        self.maps = maps

    def forward(self, rgb: Tensor) -> Tensor:
        """Return the cells of the batch."""
        fine, deep = self.maps(rgb)
        deep = F.interpolate(deep, size=fine.shape[-2:], mode="bilinear", align_corners=False)
        scaled = [cells / (cells.norm(dim=1, keepdim=True).mean((2, 3), keepdim=True) + 1e-6) for cells in (fine, deep)]
        return torch.cat(scaled, dim=1).permute(0, 2, 3, 1)


def pixel_model(
    model: nn.Module, preprocess: Preprocess, meta: Mapping[str, Any] | None = None, weights: nn.Module | None = None
) -> TorchModel:
    """Wrap a model of normalised pictures for export; `weights` are the model's own by default."""
    example = {"pixels": noise_pictures(preprocess.side)}
    return torch_model(NormalisedPixels(model, preprocess), example, meta, weights=weights or model)


def picture_model(model: nn.Module, preprocess: Preprocess, weights: nn.Module | None = None) -> TorchModel:
    """Wrap a picture model for export; its metadata holds the preprocessing and the number of features, `dim`."""
    dim = _channels(model, preprocess.side)
    return pixel_model(model, preprocess, {"preprocess": preprocess.record(), "dim": dim}, weights)


def map_model(model: nn.Module, maps: Maps, preprocess: Preprocess, weights: nn.Module | None = None) -> TorchModel:
    """Wrap two feature maps of a model for export; its metadata holds the number of `fine` channels."""
    fine = _channels(lambda rgb: maps(rgb)[0], preprocess.side)
    meta = {"preprocess": preprocess.record(), "fine": fine}
    return pixel_model(Cells(model, maps), preprocess, meta, weights or model)


def _channels(model: Callable[[Tensor], Tensor], side: int) -> int:
    with torch.inference_mode():
        return model(torch.zeros(1, 3, side, side)).shape[1]


def last_maps(model: nn.Module, name: str) -> Maps:
    """Return a function from rgb to the last two feature maps (n, channels, rows, columns), the finer first.

    Takes timm and open_clip picture models. Raises EncoderUnavailable when the model gives no maps.
    """
    intermediates = getattr(model, "forward_intermediates", None)
    if intermediates is None:
        raise EncoderUnavailable(f"The model {name!r} gives no feature maps.", "Draw a box around the object yourself.")

    def maps(rgb: Tensor) -> Sequence[Tensor]:
        output = intermediates(rgb, indices=2, intermediates_only=True)
        pair: Sequence[Tensor] = output["image_intermediates"] if isinstance(output, dict) else output
        return pair

    return maps
