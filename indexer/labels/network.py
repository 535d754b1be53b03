"""A shop's own network that reads labels off pictures: fine-tuned on what the shop sells, beside the heads on its rows.

Optional: `python -m search learn --fine-tune` makes it. Only safetensors and JSON are read, never a pickle.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from catalog.errors import DamagedGeneration
from indexer.encoders.backends.runtime import (
    RUNTIMES,
    ModelSource,
    Runner,
    TorchModel,
    file_digest,
    open_runner,
    ready_runner,
)
from indexer.encoders.backends.starter_packages import PREPROCESS
from indexer.encoders.backends.starter_towers import EARLY_KEY
from indexer.labels.heads import FusionWeights, softmax
from indexer.types import Floats

FILE = "label-network.safetensors"
FORMAT = 1
VIEWS = 2  # each picture is read as it is and mirrored
AT_ONCE = 32
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NetworkWeight:
    """The network's part in what is believed of a field: `weight` beside the head, and the blend that fits both."""

    weight: float
    blend: FusionWeights


@dataclass(frozen=True, slots=True)
class NetworkField:
    """One field that the network reads: its labels, and its part without a title and with one."""

    names: tuple[str, ...]
    bare: NetworkWeight
    worded: NetworkWeight | None = None

    def part(self, *, titled: bool) -> NetworkWeight:
        """Its part for a listing with or without a title."""
        return self.worded if titled and self.worded is not None else self.bare


class LabelNetwork:
    """Reads all of the shop's fields off pictures; `fields` are those in which it has a part. For threads."""

    def __init__(self, run: Runner, fields: Mapping[str, NetworkField], places: Mapping[str, slice]) -> None:
        self._run = run
        self.fields = fields
        self._places = places

    def shares(self, pictures: Sequence[Image.Image]) -> dict[str, Floats]:
        """What it believes of RGB pictures, by field (n, names), sums 1: the mean over each and its mirror image."""
        sides = [side for picture in pictures for side in (picture, ImageOps.mirror(picture))]
        pixels = np.stack([PREPROCESS(side) for side in sides])
        logits = np.concatenate(
            [self._run({"pixels": pixels[start : start + AT_ONCE]}) for start in range(0, len(pixels), AT_ONCE)]
        )
        return {
            field: softmax(logits[:, self._places[field]]).reshape(len(pictures), VIEWS, -1).mean(axis=1)
            for field in self.fields
        }

    @classmethod
    def load(cls, home: Path, fingerprint: str, runtime: str = "auto") -> LabelNetwork | None:
        """The shop's network; None when it has none for the encoder with that fingerprint, or it is not ready here.

        It is made ready where it is learnt, and by `read_network`. Raises DamagedGeneration for a broken file.
        """
        path, runtime = home / FILE, runtime if runtime in RUNTIMES else "auto"
        if not path.is_file():
            return None
        told, fields, places = _card(path)
        if told != fingerprint:
            return None
        run = ready_runner(_recipe(path), runtime)
        if run is None:
            log.warning(
                "The label network %s is not ready on this machine and has no part; see docs/operations.md.", path
            )
            return None
        return cls(run, fields, places)


def read_network(path: Path, runtime: str = "auto") -> LabelNetwork:
    """The network in a file, made ready on this machine if it is not: that takes torch, and seconds.

    Raises DamagedGeneration, EncoderUnavailable, ParityError.
    """
    _, fields, places = _card(path)
    return LabelNetwork(open_runner(_recipe(path), runtime if runtime in RUNTIMES else "auto"), fields, places)


def _recipe(path: Path) -> ModelSource:
    key = f"label-network-1 {EARLY_KEY} {file_digest(path)}"
    return ModelSource("label-network", key, partial(_load, path))


def _card(path: Path) -> tuple[str, dict[str, NetworkField], dict[str, slice]]:
    """The encoder that it is for, the fields in which it has a part, and which outputs are whose."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as opened:
            card = json.loads((opened.metadata() or {})["card"])
        if card["format"] != FORMAT:
            raise ValueError(f"it has format {card['format']!r}, this version reads {FORMAT}")
        fields = {name: _field(told) for name, told in card["fields"].items()}
        places, start = {}, 0
        for name, count in card["outputs"]:
            places[str(name)] = slice(start, start + int(count))
            start += int(count)
        if any(places[name].stop - places[name].start != len(of.names) for name, of in fields.items()):
            raise ValueError("its labels do not fit its outputs")
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise DamagedGeneration(
            f"The shop's label network {path} cannot be read: {error}.",
            "Remove the file, or make it anew: python -m search learn --fine-tune.",
        ) from error
    return str(card["fingerprint"]), fields, places


def network_metadata(fingerprint: str, fields: Mapping[str, NetworkField], outputs: Mapping[str, Sequence[str]]) -> str:
    """What is kept beside the weights: which outputs are whose, and the part of each field."""
    told = {name: asdict(field) for name, field in fields.items()}
    counts = [(name, len(names)) for name, names in outputs.items()]
    return json.dumps({"format": FORMAT, "fingerprint": fingerprint, "outputs": counts, "fields": told})


def mix_network(head: Floats, network: Floats, weight: float, known: NDArray[np.bool_]) -> Floats:
    """The head's shares and the network's, both (n, labels), as one: the network's count `weight` among the labels that
    it knows (`known` (labels,)), together as much as the head gives them. Where there is no head, the network alone.
    """
    has_head = head.sum(axis=1, keepdims=True) > 0
    mass = np.where(has_head, head[:, known].sum(axis=1, keepdims=True), 1.0)
    part = np.where(has_head, weight, 1.0)
    made = head.copy()
    made[:, known] = (1 - part) * head[:, known] + part * mass * network[:, known]
    return np.asarray(made, np.float32)


def _load(file: Path) -> TorchModel:
    from indexer.encoders.backends.label_backbone import load_label_trunk

    return load_label_trunk(file)


def _field(told: Mapping[str, Any]) -> NetworkField:
    worded = None if told["worded"] is None else _part(told["worded"])
    return NetworkField(tuple(map(str, told["names"])), _part(told["bare"]), worded)


def _part(told: Mapping[str, Any]) -> NetworkWeight:
    return NetworkWeight(float(told["weight"]), FusionWeights(**told["blend"]))
