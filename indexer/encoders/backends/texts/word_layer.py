"""The first layer of MiniLM in numpy: a table look-up and a normalisation, for which no model must be opened."""

from __future__ import annotations

import json
import mmap
from dataclasses import dataclass

import numpy as np

from indexer.encoders.graphs.checkpoint import MINILM_MODULE, MINILM_SHA256, package_folder, read_checked
from indexer.types import Floats, Ids

NORM_EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class WordLayer:
    """Embeddings of tokens, mapped from the package's file (n, 384), and of places (512, 384); gain, offset (384,)."""

    words: Floats
    places: Floats
    gain: Floats
    offset: Floats

    @classmethod
    def open(cls) -> WordLayer:
        """Map the package's file. Raises EncoderUnavailable."""
        file = package_folder(MINILM_MODULE) / "model" / "model.safetensors"
        read_checked(file, MINILM_SHA256)
        with file.open("rb") as opened:
            data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        start = 8 + int.from_bytes(data[:8], "little")  # safetensors: a length, a header in JSON, the tensors
        header = json.loads(data[8:start])

        def tensor(name: str) -> Floats:
            place = header[f"embeddings.{name}"]
            size = int(np.prod(place["shape"]))
            return np.frombuffer(data, np.float32, size, start + place["data_offsets"][0]).reshape(place["shape"])

        places = tensor("position_embeddings.weight") + tensor("token_type_embeddings.weight")[0]
        gain, offset = tensor("LayerNorm.weight"), tensor("LayerNorm.bias")
        return cls(tensor("word_embeddings.weight"), places, gain, offset)

    def __call__(self, ids: Ids) -> Floats:
        """Return the layer's vectors of tokens, int64 (n, length), as float32 (n, length, 384)."""
        x = self.words[ids] + self.places[: ids.shape[1]]
        x -= x.mean(axis=-1, keepdims=True)
        x /= np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + np.float32(NORM_EPSILON))
        out: Floats = x * self.gain + self.offset
        return out
