"""Small trained projection heads on frozen features, run in numpy without torch or an export."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from catalog.errors import EncoderUnavailable
from catalog.files.atomic import write_atomically
from indexer.types import Floats

CLIP_DEVIATIONS = 5.0  # standard deviations at which features are cut, so that one outlier does not decide


@dataclass(frozen=True, slots=True)
class ProjectionHead:
    """Standardise, then a linear map plus a GELU branch: float32 (n, features) to (n, dim).

    Shapes: mean, scale (features,); linear (dim, features); inner (hidden, features), inner_bias (hidden,);
    outer (dim, hidden), bias (dim,).
    """

    mean: Floats
    scale: Floats
    linear: Floats
    inner: Floats
    inner_bias: Floats
    outer: Floats
    bias: Floats

    def __call__(self, features: Floats) -> Floats:
        """Return rows before normalisation, float32 (n, dim)."""
        x = np.clip((features - self.mean) * self.scale, -CLIP_DEVIATIONS, CLIP_DEVIATIONS)
        hidden = x @ self.inner.T + self.inner_bias
        out: Floats = x @ self.linear.T + gelu(hidden) @ self.outer.T + self.bias
        return out


@dataclass(frozen=True, slots=True)
class Projection:
    """Standardise, then principal axes: float32 (n, features) to (n, dim).

    Shapes: mean, scale (features,); axes (dim, features).
    """

    mean: Floats
    scale: Floats
    axes: Floats

    def __call__(self, features: Floats) -> Floats:
        """Return rows before normalisation, float32 (n, dim)."""
        out: Floats = np.clip((features - self.mean) * self.scale, -CLIP_DEVIATIONS, CLIP_DEVIATIONS) @ self.axes.T
        return out


@dataclass(frozen=True, slots=True)
class ProjectionHeads:
    """Trained heads: picture features to `look` and `meaning`, text features to `meaning`; `card` says how they were
    trained.
    """

    look: Projection
    picture: ProjectionHead
    text: ProjectionHead
    card: Mapping[str, Any]
    digest: str = ""

    def picture_rows(self, features: Floats) -> Floats:
        """Return `look` and `meaning` of picture features, one after the other, float32 (n, dim of both)."""
        return np.concatenate([self.look(features), self.picture(features)], axis=1)

    @property
    def dim(self) -> int:
        """Length of the meaning block."""
        return len(self.picture.bias)


def gelu(x: Floats) -> Floats:
    """Return the tanh form of GELU (Hendrycks and Gimpel 2016, arXiv:1606.08415)."""
    out: Floats = 0.5 * x * (1 + np.tanh(np.float32(np.sqrt(2 / np.pi)) * (x + 0.044715 * x * x * x)))
    return out


def save_heads(heads: ProjectionHeads, file: Path) -> None:
    """Write the heads as safetensors, float16, with the card in the metadata."""
    tensors = {
        f"{part}.{field.name}": getattr(getattr(heads, part), field.name).astype(np.float16)
        for part, kind in _PARTS.items()
        for field in fields(kind)
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    data = save(tensors, metadata={"card": json.dumps(dict(heads.card), sort_keys=True)})
    write_atomically(file, lambda draft: draft.write_bytes(data))


def load_heads(file: Path) -> ProjectionHeads:
    """Read what `save_heads` wrote. Raises EncoderUnavailable when the file is missing or not readable as heads."""
    try:
        with safe_open(file, framework="numpy") as opened:
            tensors = {name: opened.get_tensor(name).astype(np.float32) for name in opened.keys()}  # noqa: SIM118
            card = dict(json.loads((opened.metadata() or {})["card"]))
        parts = {part: _part(kind, part, tensors) for part, kind in _PARTS.items()}
        if len(parts["picture"].bias) != len(parts["text"].bias):
            raise ValueError("the picture head and the text head differ in size")
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise EncoderUnavailable(
            f"The trained heads {file} cannot be read: {error}.",
            "Restore the file, or make it again: `make starter` or `python -m indexer train`.",
        ) from error
    return ProjectionHeads(**parts, card=card, digest=hashlib.sha256(file.read_bytes()).hexdigest())


_HeadType = type[ProjectionHead] | type[Projection]
_PARTS: dict[str, _HeadType] = {"look": Projection, "picture": ProjectionHead, "text": ProjectionHead}


def _part(kind: _HeadType, part: str, tensors: Mapping[str, Floats]) -> Any:
    head = kind(**{field.name: tensors[f"{part}.{field.name}"] for field in fields(kind)})
    head(np.zeros((1, len(head.mean)), np.float32))  # ValueError when the shapes do not fit each other
    return head
