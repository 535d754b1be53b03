"""Small heads that read labels (category, colour, pattern ...) off the rows of an index, kept with the shop.

Run in numpy. Only safetensors and JSON are read, never a pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import DamagedGeneration
from catalog.files.atomic import write_atomically
from indexer.encoders.projection_heads import ProjectionHead
from indexer.layout import WORDS, RowLayout
from indexer.types import Floats

FILE = "labels.safetensors"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """How a head's opinion and the neighbours' vote become one confidence, fitted on products kept aside.

    `share` is the head's part. The logarithm of the blend is divided by `temperature`; the best label is relied on
    from `cut` on. `kept_aside` products gave `accuracy`, and from the cut on `answered_accuracy` at `coverage`.
    """

    share: float
    temperature: float
    cut: float
    kept_aside: int = 0
    accuracy: float = 0.0
    coverage: float = 0.0
    answered_accuracy: float = 0.0


@dataclass(frozen=True, slots=True)
class LabelHead:
    """Reads one field off rows: `names[i]` is the label of output i; `worded` holds when there is a title too."""

    field: str
    names: tuple[str, ...]
    head: ProjectionHead
    bare: FusionWeights
    worded: FusionWeights | None = None

    def shares(self, rows: Floats) -> Floats:
        """What the head alone believes: rows (n, dim) of a picture, words as well or zeros, to (n, names), sums 1."""
        return softmax(self.head(rows))


@dataclass(frozen=True, slots=True)
class LabelHeads:
    """All heads of a shop by field, for the encoder with this fingerprint, and what else was learnt (`card`)."""

    fingerprint: str
    heads: Mapping[str, LabelHead]
    card: Mapping[str, Any] = field(default_factory=dict)

    def save(self, home: Path) -> None:
        """Keep them with the shop, float16, whole or not at all."""
        from safetensors.numpy import save

        tensors: dict[str, np.ndarray[Any, Any]] = {}
        told = []
        for number, one in enumerate(self.heads.values()):
            told.append({"field": one.field, "names": one.names, "bare": asdict(one.bare), "worded": _told(one.worded)})
            for part in fields(ProjectionHead):
                tensors[f"{number}.{part.name}"] = getattr(one.head, part.name).astype(np.float16)
        card = {"format": FORMAT, "fingerprint": self.fingerprint, "heads": told, "card": dict(self.card)}
        data = save(tensors, metadata={"card": json.dumps(card)})
        write_atomically(home / FILE, lambda path: path.write_bytes(data))

    @classmethod
    def load(cls, home: Path, fingerprint: str) -> LabelHeads | None:
        """The shop's heads; None when it has none for that encoder. Raises DamagedGeneration for a broken file."""
        from safetensors import SafetensorError, safe_open

        path = home / FILE
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="numpy") as opened:
                tensors = {name: opened.get_tensor(name).astype(np.float32) for name in opened.keys()}  # noqa: SIM118
                card = json.loads((opened.metadata() or {})["card"])
            if card["format"] != FORMAT or card["fingerprint"] != fingerprint:
                return None
            heads = [_head(number, told, tensors) for number, told in enumerate(card["heads"])]
        except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
            raise DamagedGeneration(
                f"The shop's label heads {path} cannot be read: {error}.",
                "Remove the file, and let them be learnt anew.",
            ) from error
        return cls(fingerprint, {one.field: one for one in heads}, card["card"])


def head_rows(layout: RowLayout, encoded: Floats, titles: Floats | None = None) -> Floats:
    """The input of heads, (n, layout.dim): encoded pictures (n, encoder_dim), and text blocks of titles or zeros."""
    rows = np.zeros((len(encoded), layout.dim), np.float32)
    rows[:, : layout.encoder_dim] = encoded
    if titles is not None and WORDS in layout.names:
        rows[:, layout.slice(WORDS)] = titles
    return rows


def softmax(values: Floats) -> Floats:
    """Shares along the last axis: positive, adding up to 1, e times larger for each 1 more."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float32)


def _told(blend: FusionWeights | None) -> dict[str, Any] | None:
    return None if blend is None else asdict(blend)


def _head(number: int, told: Mapping[str, Any], tensors: Mapping[str, Floats]) -> LabelHead:
    head = ProjectionHead(**{part.name: tensors[f"{number}.{part.name}"] for part in fields(ProjectionHead)})
    names = tuple(map(str, told["names"]))
    if head(np.zeros((1, len(head.mean)), np.float32)).shape != (1, len(names)):  # ValueError when shapes do not fit
        raise ValueError(f"the head for {told['field']!r} does not fit its names")
    worded = None if told["worded"] is None else FusionWeights(**told["worded"])
    return LabelHead(str(told["field"]), names, head, FusionWeights(**told["bare"]), worded)
