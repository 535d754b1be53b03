"""Label heads: small classifiers that read a field (category, colour, pattern ...) off the rows of an index.

They run in numpy. Only safetensors and JSON are read, never a pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from catalog.errors import DamagedGeneration
from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from indexer.encoders.projection_heads import ProjectionHead
from indexer.layout import WORDS, RowLayout
from indexer.numeric import softmax
from indexer.types import Floats

HEADS_FORMAT = 1
MIN_PICTURES = 50  # fewest pictures from which a shop's heads are learnt: five of each of ten categories are enough
READY, MISSING, TOO_FEW = "ready", "missing", "too_few"  # states of a shop's heads
_FILE_KEYS = {"threshold": "cut", "holdout": "kept_aside"}  # attributes of FusionWeights with another name in files


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """How a head and the k-NN vote are fused into one confidence, fitted on holdout products.

    `share` is the weight of the head. The logarithm of the mixture is divided by `temperature`. The best label is an
    answer from `threshold` on; below it the shop abstains. On `holdout` products the best label had `accuracy`, and
    from the threshold on `answered_accuracy` at `coverage`.
    """

    share: float
    temperature: float
    threshold: float
    holdout: int = 0
    accuracy: float = 0.0
    coverage: float = 0.0
    answered_accuracy: float = 0.0

    def to_dict(self) -> dict[str, float]:
        """Return JSON values under the names that the files of a shop use."""
        return {_FILE_KEYS.get(name, name): value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FusionWeights:
        """Parse what `to_dict` wrote. Raises TypeError for anything else."""
        names = {key: name for name, key in _FILE_KEYS.items()}
        return cls(**{names.get(key, key): value for key, value in values.items()})


@dataclass(frozen=True, slots=True)
class LabelHead:
    """Predicts the labels of one field from rows: `names[i]` is the label of output i.

    `with_title` is set where titles are encoded.
    """

    field: str
    names: tuple[str, ...]
    head: ProjectionHead
    image_only: FusionWeights
    with_title: FusionWeights | None = None

    def shares(self, rows: Floats) -> Floats:
        """Return the head's softmax, (n, names), for rows (n, dim) whose words block is a title's or zeros."""
        return softmax(self.head(rows))

    def fusion(self, *, titled: bool) -> FusionWeights:
        """Return the weights for listings with or without a title."""
        return self.with_title if titled and self.with_title is not None else self.image_only


@dataclass(frozen=True, slots=True)
class LabelHeads:
    """All heads of a shop by field, for the encoder with this fingerprint; `card` holds their metadata."""

    fingerprint: str
    heads: Mapping[str, LabelHead]
    card: Mapping[str, Any] = field(default_factory=dict)

    def save(self, home: Path) -> None:
        """Write the heads to the shop's folder in one atomic step, as float16."""
        tensors: dict[str, np.ndarray[Any, Any]] = {}
        records = []
        for number, head in enumerate(self.heads.values()):
            with_title = None if head.with_title is None else head.with_title.to_dict()
            fusion = {"bare": head.image_only.to_dict(), "worded": with_title}
            records.append({"field": head.field, "names": head.names, **fusion})
            for part in fields(ProjectionHead):
                tensors[f"{number}.{part.name}"] = getattr(head.head, part.name).astype(np.float16)
        card = {"format": HEADS_FORMAT, "fingerprint": self.fingerprint, "heads": records, "card": dict(self.card)}
        data = save(tensors, metadata={"card": json.dumps(card)})
        write_atomically(ShopHome(home).label_heads, lambda path: path.write_bytes(data))

    @classmethod
    def load(cls, home: Path, fingerprint: str) -> LabelHeads | None:
        """Read the shop's heads; None when it has none for that encoder. Raises DamagedGeneration for a broken file."""
        path = ShopHome(home).label_heads
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="numpy") as opened:
                tensors = {name: opened.get_tensor(name).astype(np.float32) for name in opened.keys()}  # noqa: SIM118
                card = json.loads((opened.metadata() or {})["card"])
            if card["format"] != HEADS_FORMAT or card["fingerprint"] != fingerprint:
                return None
            heads = [_head(number, record, tensors) for number, record in enumerate(card["heads"])]
        except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
            raise DamagedGeneration(
                f"The shop's label heads {path} cannot be read: {error}.",
                "Remove the file and learn again: python -m search learn.",
            ) from error
        return cls(fingerprint, {head.field: head for head in heads}, card["card"])


def heads_state(home: Path, fingerprint: str, pictures: int) -> str:
    """Return whether a shop with so many pictures has heads for that encoder: READY, MISSING or TOO_FEW to learn from.

    Raises DamagedGeneration for a broken file.
    """
    if LabelHeads.load(home, fingerprint) is not None:
        return READY
    return MISSING if pictures >= MIN_PICTURES else TOO_FEW


def head_rows(layout: RowLayout, encoded: Floats, titles: Floats | None = None) -> Floats:
    """Return the input of heads, (n, layout.dim): encoded pictures (n, encoder_dim), and the words block or zeros."""
    rows = np.zeros((len(encoded), layout.dim), np.float32)
    rows[:, : layout.encoder_dim] = encoded
    if titles is not None and WORDS in layout.names:
        rows[:, layout.slice(WORDS)] = titles
    return rows


def _head(number: int, record: Mapping[str, Any], tensors: Mapping[str, Floats]) -> LabelHead:
    head = ProjectionHead(**{part.name: tensors[f"{number}.{part.name}"] for part in fields(ProjectionHead)})
    names = tuple(map(str, record["names"]))
    if head(np.zeros((1, len(head.mean)), np.float32)).shape != (1, len(names)):  # ValueError when shapes do not fit
        raise ValueError(f"the head for {record['field']!r} does not fit its names")
    with_title = None if record["worded"] is None else FusionWeights.from_dict(record["worded"])
    return LabelHead(str(record["field"]), names, head, FusionWeights.from_dict(record["bare"]), with_title)
