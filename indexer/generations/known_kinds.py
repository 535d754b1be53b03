"""Kinds of things that the starter knows: how much of a photo resembles kinds that a shop does not sell.

Owners' photos of the same shirt reach other cosines than shoppers' photos of the same jug, and no catalogue shows
which photos it will be compared with. So the starter's training pictures give a mean vector for each kind, which a
catalogue and a photo are both compared with. A second record is a linear head that recognises pictures without any
product: text, screens, charts, faces, landscapes, rooms. `python -m indexer kinds` fits both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from catalog.errors import EncoderUnavailable
from catalog.files.atomic import write_atomically
from indexer.ann.mmap_arrays import release_pages
from indexer.encoders.registry import STARTER_HEADS
from indexer.generations.store import Generation
from indexer.layout import WORDS
from indexer.numeric import chunks, softmax
from indexer.types import Floats

MEANING = "meaning"  # the block of an encoder that pictures share with text
KINDS_FILE = STARTER_HEADS.with_name("kinds.safetensors")
TEMPERATURE = 0.05  # of the softmax over the kinds' cosines
MIN_COSINE = 0.6  # a kind further from a photo than this counts less than "something else"
USUAL_COSINE = 0.63  # of photos of sold things that no kind is known for
MAX_NO_PRODUCT = 4.0  # log odds beyond which a picture is no more certainly without a product
UNSOLD, SOLD = 0.6, 0.75  # shares of the training products' cosine to a kind
SCAN_ROWS = 16_384


@dataclass(frozen=True, slots=True)
class Resemblance:
    """The share in [0, 1] of what a photo resembles that is not sold, and two more facts about the photo.

    `usual` is the cosine that such photos reach where the kind is sold, and `no_product` the log odds, from 0 to 4,
    that the photo shows no product.
    """

    unsold: float
    usual: float
    no_product: float


@dataclass(frozen=True)
class KnownKinds:
    """Mean vectors of `names` in the block "meaning", and a linear head on the block "look".

    Shapes: means (n, dim) of unit length; home (n, 2): the highest cosine to a picture and to a title among the
    training products; head (look dim + 1,), the constant last. `fingerprint` is of the encoder that they are valid for,
    whose blocks begin with "look" and "meaning".
    """

    names: tuple[str, ...]
    means: Floats
    home: Floats
    head: Floats
    fingerprint: str
    digest: str = ""  # of the file

    def sold(self, generation: Generation) -> tuple[float, ...]:
        """Return how probable it is that a generation sells each kind, (n,) in [0, 1].

        It is 1 where a row comes to 0.75 of the cosine that the training products reach, and 0 below 0.6.
        """
        layout, weights = generation.layout, generation.manifest.weights["picture"]
        picture, title = (weights.get(name, 0.0) for name in (MEANING, WORDS))
        pair = np.array([picture, title], np.float32) / max(picture + title, 1e-6)
        best = np.full(len(self.names), -1.0, np.float32)
        for part in chunks(len(generation.rows), SCAN_ROWS):
            rows = np.asarray(generation.rows[part], dtype=np.float32)
            cosines = [rows[:, layout.slice(name)] @ self.means.T for name in (MEANING, WORDS)]
            best = np.maximum(best, (pair[0] * cosines[0] + pair[1] * cosines[1]).max(axis=0))
            release_pages(generation.rows, part)
        share = best / (self.home @ pair)
        return tuple(np.clip((share - UNSOLD) / (SOLD - UNSOLD), 0, 1).round(3).tolist())

    def resemblance(self, photo: Floats, unsold: Floats, hits: Sequence[float]) -> Resemblance:
        """Return what a photo resembles, when `unsold` says of each kind how probable it is that the shop lacks it.

        `photo` is what the encoder returns (encoder dim,), `hits` are the cosines of its block "meaning" to the first
        hits, which are sold.
        """
        look, dim = len(self.head) - 1, self.means.shape[1]
        near = self.means @ photo[look : look + dim]
        count = len(self.names)
        with_hits = _shares(near, [*hits, MIN_COSINE])[:count]
        alone = _shares(near, [MIN_COSINE])
        return Resemblance(float(with_hits @ unsold), float(alone @ self._usual), self._no_product(photo))

    @cached_property
    def _usual(self) -> Floats:
        """The cosine that photos of each kind reach where it is sold, and that of things no kind is known for."""
        return np.append(self.home.mean(axis=1), USUAL_COSINE)

    def _no_product(self, photo: Floats) -> float:
        return float(np.clip(self.head[:-1] @ photo[: len(self.head) - 1] + self.head[-1], 0, MAX_NO_PRODUCT))


def save_kinds(kinds: KnownKinds, file: Path, card: Mapping[str, object]) -> None:
    """Write the kinds as safetensors, float16, with names and card in the metadata."""
    tensors = {name: getattr(kinds, name).astype(np.float16) for name in _TENSORS}
    facts = {**card, "names": kinds.names, "fingerprint": kinds.fingerprint}
    data = save(tensors, metadata={"card": json.dumps(facts, sort_keys=True)})
    write_atomically(file, lambda draft: draft.write_bytes(data))


def _shares(kinds: Floats, others: Sequence[float]) -> Floats:
    """Return the softmax over the cosines to kinds and to others, (n + len(others),)."""
    cosines = np.concatenate([kinds, np.asarray(others, np.float32)])
    return softmax(np.asarray(cosines / TEMPERATURE, np.float32))


@lru_cache(maxsize=1)
def known_kinds(file: Path = KINDS_FILE) -> KnownKinds:
    """Read what `save_kinds` wrote. Raises EncoderUnavailable when the file is missing or not readable."""
    try:
        with safe_open(file, framework="numpy") as opened:
            tensors = {name: opened.get_tensor(name).astype(np.float32) for name in _TENSORS}
            card = json.loads((opened.metadata() or {})["card"])
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        return KnownKinds(tuple(card["names"]), fingerprint=card["fingerprint"], digest=digest, **tensors)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise EncoderUnavailable(
            f"The known kinds {file} cannot be read: {error}.",
            "Restore the file, or make it again: python -m indexer kinds --data ../shared/data.",
        ) from error


_TENSORS = ("means", "home", "head")
