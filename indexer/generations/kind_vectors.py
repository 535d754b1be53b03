"""Sentence vectors of a shop's kinds of things, and of kinds that shops sell anywhere, to place a question among them.

A question such as "something to sit on" names no kind. Its sentence vector is compared with those of the shop's kinds,
with those of 1,300 kinds of all shops, and with what people use these for. What is nearer to a kind that this shop
lacks is probably not sold here; and what soup is eaten from is a bowl in every shop.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from catalog.errors import DamagedGeneration
from catalog.product import CATEGORY_SEPARATOR
from indexer.generations.manifest import damaged
from indexer.generations.phrase_vectors import quantised, unquantised
from indexer.numeric import unit
from indexer.types import Floats, Ids

KINDS_FILE = "kinds.safetensors"
NAME_SHARE, PATH_SHARE = 0.5, 1.0  # in a kind's vector, where the mean of its products' texts has 1


@dataclass(frozen=True, slots=True)
class KindVectors:
    """Unit vectors of the deepest categories `labels`, float32 (n, dim), and of phrases about kinds of all shops.

    `phrases` (p, dim) begin with the names of those kinds; `owners` (p,) has the number of the kind of each phrase, -1
    for what people ask that is nothing to buy.
    """

    labels: tuple[str, ...]
    kinds: Floats
    phrases: Floats
    owners: Ids

    @property
    def names(self) -> Floats:
        """The vectors of the names of the kinds of all shops (m, dim)."""
        return self.phrases[: int(self.owners.max(initial=-1)) + 1]

    @property
    def uses(self) -> Floats:
        """The mean of the vectors of what each kind of all shops is used for (m, dim), 0 where nothing is said."""
        count = len(self.names)
        total = np.zeros((count + 1, self.phrases.shape[1]), np.float32)
        np.add.at(total, self.owners[count:], self.phrases[count:])
        return unit(total[:count])

    def save(self, folder: Path) -> None:
        """Write the vectors as int8 into a generation's folder."""
        tensors = {"kinds": quantised(self.kinds), "phrases": quantised(self.phrases)}
        tensors["owners"] = self.owners.astype(np.int32)
        save_file(tensors, folder / KINDS_FILE, metadata={"labels": json.dumps(self.labels)})

    @classmethod
    def load(cls, folder: Path) -> KindVectors | None:
        """Read the vectors of a generation; None where it has none. Raises DamagedGeneration."""
        path = folder / KINDS_FILE
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="numpy") as file:
                labels = tuple(json.loads((file.metadata() or {})["labels"]))
                kinds, phrases = (unquantised(file.get_tensor(name)) for name in ("kinds", "phrases"))
                owners = file.get_tensor("owners").astype(np.int64)
        except (SafetensorError, ValueError, KeyError) as error:
            raise _damaged(path, error) from error
        if len(labels) != len(kinds) or len(owners) != len(phrases):
            raise _damaged(path, f"{len(labels)} labels of {len(kinds)} vectors, {len(owners)} of {len(phrases)}")
        return cls(labels, kinds, phrases, owners)


def kind_names(label: str) -> tuple[str, str]:
    """Return a category's own name, and its whole path, as texts to encode."""
    return label.rpartition(CATEGORY_SEPARATOR)[2], label.replace(CATEGORY_SEPARATOR, ", ")


def combine(name: Floats, path: Floats, products: Floats | None) -> Floats:
    """Return a kind's unit vector from the vectors of its name, its path and the mean of its products' texts."""
    total = NAME_SHARE * name + PATH_SHARE * path
    if products is not None:
        total = total + unit(products)
    return unit(total)


def kind_vectors(
    texts_by_kind: Mapping[str, Sequence[str]], vectors: Mapping[str, Floats]
) -> tuple[tuple[str, ...], Floats]:
    """Return the kinds and their vectors (n, dim), from the texts of each kind's products and all texts' vectors."""
    labels = tuple(sorted(texts_by_kind))
    rows = []
    for label in labels:
        name, path = kind_names(label)
        own = [vectors[text] for text in texts_by_kind[label]]
        rows.append(combine(vectors[name], vectors[path], np.mean(own, axis=0) if own else None))
    return labels, np.stack(rows) if rows else np.zeros((0, 0), np.float32)


def _damaged(path: Path, reason: object) -> DamagedGeneration:
    return damaged(str(path), f"it cannot be read ({reason})")
