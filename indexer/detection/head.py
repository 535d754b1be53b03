"""The detection head: a small convolutional network on frozen feature maps, run in numpy without torch.

For each cell of a picture it estimates whether the centre of an object is there, and where the sides of that object are
(Zhou et al. 2019, arXiv:1904.07850; Tian et al. 2019, arXiv:1904.01355).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from catalog.errors import EncoderUnavailable
from catalog.files.atomic import write_atomically
from indexer.types import FeatureMaps, Floats

WEIGHTS = Path(__file__).with_name("detector.safetensors")
DILATIONS = (1, 2, 4, 6)  # of the convolutions: together they see the whole picture
CLIP_DEVIATIONS = 5.0  # standard deviations at which features are cut, so that one outlier does not decide
SIDE_LIMITS = (-3.0, 4.0)  # of the logarithm of a side's distance in cells
MAX_LOGIT = 30.0
OUTPUTS = 5  # centre, four sides


@dataclass(frozen=True, slots=True)
class Detections:
    """What the head sees in one picture.

    `centres` float32 (rows, columns), 0 to 1; `sides` float32 (rows, columns, 4), the distance from the middle of each
    cell to the left, top, right and bottom of its object, in cells.
    """

    centres: Floats
    sides: Floats


@dataclass(frozen=True, slots=True)
class DetectionHead:
    """The weights: standardise, a linear map, the picture's mean, dilated 3 x 3 convolutions, a linear map.

    Shapes: mean, scale (channels,); inner (width, channels), inner_bias (width,); context (width, width),
    context_bias (width,); kernels (convolutions, 9, width, width), kernel_biases (convolutions, width); outer
    (OUTPUTS, width), outer_bias (OUTPUTS,). `card` says how they were trained.
    """

    mean: Floats
    scale: Floats
    inner: Floats
    inner_bias: Floats
    context: Floats
    context_bias: Floats
    kernels: Floats
    kernel_biases: Floats
    outer: Floats
    outer_bias: Floats
    card: Mapping[str, Any]

    def fits(self, maps: FeatureMaps) -> bool:
        """Return whether these maps have as many channels as those that the head was trained on."""
        return int(maps.fine.shape[3] + maps.deep.shape[3]) == len(self.mean)

    def __call__(self, maps: FeatureMaps) -> Detections:
        """Return what the first picture of the maps shows."""
        cells = np.concatenate([maps.fine[0], maps.deep[0]], axis=2)
        rows, columns, channels = cells.shape
        flat = np.clip((cells.reshape(-1, channels) - self.mean) * self.scale, -CLIP_DEVIATIONS, CLIP_DEVIATIONS)
        hidden = np.maximum(flat @ self.inner.T + self.inner_bias, 0.0)
        hidden = hidden + np.maximum(hidden.mean(axis=0) @ self.context.T + self.context_bias, 0.0)
        grid = hidden.reshape(rows, columns, -1)
        for dilation, kernel, bias in zip(DILATIONS, self.kernels, self.kernel_biases, strict=True):
            grid = grid + np.maximum(_convolved(grid, kernel, dilation) + bias, 0.0)
        out = grid @ self.outer.T + self.outer_bias
        centres = 1.0 / (1.0 + np.exp(-np.clip(out[..., 0], -MAX_LOGIT, MAX_LOGIT)))
        return Detections(np.asarray(centres, np.float32), np.exp(np.clip(out[..., 1:], *SIDE_LIMITS)))


@cache
def shipped_head() -> DetectionHead:
    """Return the head that the package ships. Raises EncoderUnavailable."""
    return load_detector(WEIGHTS)


def save_detector(head: DetectionHead, file: Path) -> None:
    """Write the head as safetensors, float16, with the card in the metadata."""
    # safetensors writes the memory as it lies, so it must lie row by row
    tensors = {name: np.ascontiguousarray(getattr(head, name), np.float16) for name in _TENSORS}
    file.parent.mkdir(parents=True, exist_ok=True)
    data = save(tensors, metadata={"card": json.dumps(dict(head.card), sort_keys=True)})
    write_atomically(file, lambda draft: draft.write_bytes(data))


def load_detector(file: Path) -> DetectionHead:
    """Read what `save_detector` wrote. Raises EncoderUnavailable when the file is missing or no detection head."""
    try:
        with safe_open(file, framework="numpy") as opened:
            tensors = {name: opened.get_tensor(name).astype(np.float32) for name in _TENSORS}
            card = dict(json.loads((opened.metadata() or {})["card"]))
        head = DetectionHead(**tensors, card=card)
        channels = len(head.mean)
        head(FeatureMaps(np.zeros((1, 2, 2, 1), np.float32), np.zeros((1, 2, 2, channels - 1), np.float32)))
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise EncoderUnavailable(
            f"The detection head {file} cannot be read: {error}.",
            "Restore the file, or make it again: `make detector`.",
        ) from error
    return head


_TENSORS = ("mean", "scale", "inner", "inner_bias", "context", "context_bias", "kernels", "kernel_biases", "outer",
            "outer_bias")  # fmt: skip


def _convolved(grid: Floats, kernel: Floats, dilation: int) -> Floats:
    """Return a 3 x 3 convolution of (rows, columns, width) with zeros beyond the edges; kernel (9, out, in)."""
    rows, columns, _ = grid.shape
    padded = np.pad(grid, ((dilation, dilation), (dilation, dilation), (0, 0)))
    total = np.zeros((rows, columns, kernel.shape[1]), np.float32)
    for place, weights in enumerate(kernel):
        down, across = (step * dilation for step in divmod(place, 3))
        total += padded[down : down + rows, across : across + columns] @ weights.T
    return total
