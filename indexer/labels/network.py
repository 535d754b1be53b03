"""Label network: a network fine-tuned on a shop's own pictures that predicts labels, mixed with the label heads.

Optional: `python -m search learn --fine-tune` makes it. Only safetensors and JSON are read, never a pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from safetensors import SafetensorError, safe_open

from catalog.errors import DamagedGeneration
from catalog.home import ShopHome
from indexer.encoders.backends.runtime import RUNTIMES, ModelSource, Runner, file_digest, graph_module, open_runner
from indexer.encoders.backends.starter_towers import EARLY_KEY, PREPROCESS
from indexer.labels.heads import FusionWeights
from indexer.numeric import chunks, softmax
from indexer.types import Floats

if TYPE_CHECKING:
    from indexer.encoders.backends.torch_runtime import TorchModel
    from indexer.encoders.graphs.starter import BuiltModel

NETWORK_FORMAT = 1
VIEWS_PER_PICTURE = 2  # each picture is read as it is and mirrored
BATCH_VIEWS = 32


@dataclass(frozen=True, slots=True)
class NetworkWeight:
    """How the network is mixed in: `weight` against the head's 1 - weight, and the fusion with the k-NN vote."""

    weight: float
    fusion: FusionWeights

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"weight": self.weight, "blend": self.fusion.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkWeight:
        """Parse what `to_dict` wrote."""
        return cls(float(values["weight"]), FusionWeights.from_dict(values["blend"]))


@dataclass(frozen=True, slots=True)
class NetworkField:
    """One field that the network predicts: its labels, and its weights without and with a title."""

    names: tuple[str, ...]
    image_only: NetworkWeight
    with_title: NetworkWeight | None = None

    def part(self, *, titled: bool) -> NetworkWeight:
        """Return the weights for listings with or without a title."""
        return self.with_title if titled and self.with_title is not None else self.image_only

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        with_title = None if self.with_title is None else self.with_title.to_dict()
        return {"names": self.names, "bare": self.image_only.to_dict(), "worded": with_title}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkField:
        """Parse what `to_dict` wrote."""
        with_title = None if values["worded"] is None else NetworkWeight.from_dict(values["worded"])
        return cls(tuple(map(str, values["names"])), NetworkWeight.from_dict(values["bare"]), with_title)


class LabelNetwork:
    """Predicts the shop's fields from pictures; `fields` are those in which it is mixed in. Threads may share it."""

    def __init__(self, run: Runner, fields: Mapping[str, NetworkField], places: Mapping[str, slice]) -> None:
        self._run = run
        self.fields = fields
        self._places = places

    def shares(self, pictures: Sequence[Image.Image]) -> dict[str, Floats]:
        """Return the softmax of RGB pictures by field, (n, names): the mean over each picture and its mirror image."""
        views = [view for picture in pictures for view in (picture, ImageOps.mirror(picture))]
        pixels = np.stack([PREPROCESS(view) for view in views])
        logits = np.concatenate([self._run({"pixels": pixels[part]}) for part in chunks(len(pixels), BATCH_VIEWS)])
        return {
            field: softmax(logits[:, self._places[field]]).reshape(len(pictures), VIEWS_PER_PICTURE, -1).mean(axis=1)
            for field in self.fields
        }

    @classmethod
    def load(cls, home: Path, fingerprint: str, runtime: str = "auto") -> LabelNetwork | None:
        """Open the shop's network; None when it has none for that encoder.

        Raises DamagedGeneration for a broken file, EncoderUnavailable, ParityError.
        """
        path, runtime = ShopHome(home).label_network, runtime if runtime in RUNTIMES else "auto"
        if not path.is_file():
            return None
        own, fields, places = _read_card(path)
        if own != fingerprint:
            return None
        return cls(open_runner(_source(path), runtime), fields, places)


def read_network(path: Path, runtime: str = "auto") -> LabelNetwork:
    """Open the network in a file; its graph is then ready on this machine.

    Raises DamagedGeneration, EncoderUnavailable, ParityError.
    """
    _, fields, places = _read_card(path)
    return LabelNetwork(open_runner(_source(path), runtime if runtime in RUNTIMES else "auto"), fields, places)


def _source(path: Path) -> ModelSource:
    key = f"label-network-1 {EARLY_KEY} {file_digest(path)}"
    return ModelSource("label-network", key, partial(_load, path), partial(_build, path))


def _read_card(path: Path) -> tuple[str, dict[str, NetworkField], dict[str, slice]]:
    """Read the fingerprint of the encoder, the fields in which the network is mixed in, and each field's outputs."""
    try:
        with safe_open(path, framework="numpy") as opened:
            card = json.loads((opened.metadata() or {})["card"])
        if card["format"] != NETWORK_FORMAT:
            raise ValueError(f"it has format {card['format']!r}, this version reads {NETWORK_FORMAT}")
        fields = {name: NetworkField.from_dict(values) for name, values in card["fields"].items()}
        places, start = {}, 0
        for name, count in card["outputs"]:
            places[str(name)] = slice(start, start + int(count))
            start += int(count)
        if any(places[name].stop - places[name].start != len(field.names) for name, field in fields.items()):
            raise ValueError("its labels do not fit its outputs")
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise DamagedGeneration(
            f"The shop's label network {path} cannot be read: {error}.",
            "Remove the file, or make it again: python -m search learn --fine-tune.",
        ) from error
    return str(card["fingerprint"]), fields, places


def network_metadata(fingerprint: str, fields: Mapping[str, NetworkField], outputs: Mapping[str, Sequence[str]]) -> str:
    """Return the metadata stored with the weights: the outputs of each field, and how each field is mixed in."""
    counts = [(name, len(names)) for name, names in outputs.items()]
    records = {name: field.to_dict() for name, field in fields.items()}
    return json.dumps({"format": NETWORK_FORMAT, "fingerprint": fingerprint, "outputs": counts, "fields": records})


def mix_network(head: Floats, network: Floats, weight: float, known: NDArray[np.bool_]) -> Floats:
    """Mix the shares of head and network, both (n, labels), among the labels that the network knows (`known`).

    The network counts `weight`, and gets as much of the sum as the head gives these labels. Where there is no head,
    the network counts alone.
    """
    has_head = head.sum(axis=1, keepdims=True) > 0
    mass = np.where(has_head, head[:, known].sum(axis=1, keepdims=True), 1.0)
    share = np.where(has_head, weight, 1.0)
    mixed = head.copy()
    mixed[:, known] = (1 - share) * head[:, known] + share * mass * network[:, known]
    return np.asarray(mixed, np.float32)


def _load(file: Path) -> TorchModel:
    # It needs torch, which only --runtime torch loads.
    from indexer.encoders.backends.label_backbone import load_label_backbone

    return load_label_backbone(file)


def _build(file: Path) -> BuiltModel:
    built: BuiltModel = graph_module("label_network").build_label_network(file)
    return built
