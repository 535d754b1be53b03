"""Any open_clip model as an encoder of pictures and text: from the hub or a local directory. Needs no torch itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.feature_maps import MapModel
from indexer.encoders.backends.preprocess import Preprocess
from indexer.encoders.backends.runtime import ModelSource, file_digest, open_runner
from indexer.encoders.base import BaseEncoder
from indexer.encoders.colour_encoder import VERSION as COLOUR_VERSION
from indexer.encoders.colour_encoder import colour_dim, colour_rows
from indexer.types import Block, EncoderSpec, FeatureMaps, Floats, Pixels

CONFIG = "open_clip_config.json"
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin")
TOKENIZER = ("*token*.json", "vocab.*", "merges.txt", "*.model")


class ClipEncoder(BaseEncoder):
    """Blocks `meaning` (the space that pictures and text share) and `colour`.

    The tokenizer is open_clip's own, so encoding text imports torch even on ONNX Runtime.
    """

    def __init__(self, spec: EncoderSpec, runtime: str = "auto") -> None:
        self.spec = spec
        weights = _weights_digest(spec)
        model = cache(lambda: _clip_model().create(spec))  # both halves from one copy
        key = f"clip {weights}"
        pictures = ModelSource("clip-pictures", key, lambda: _clip_model().picture_half(model()))
        texts = ModelSource("clip-words", key, lambda: _clip_model().text_half(model(), spec))
        maps = ModelSource("clip-maps", f"{key} maps", lambda: _clip_model().load_maps(spec))
        self._pictures, self._texts = open_runner(pictures, runtime), open_runner(texts, runtime)
        self._maps = MapModel(maps, runtime)
        self._tokenizer: Any = None
        meta = self._pictures.meta
        self.preprocess = Preprocess.from_record(meta["preprocess"])
        self.preprocessing = self.preprocess.record()
        self.runtime = self._pictures.kind
        self.blocks = (Block("meaning", meta["dim"], texts=True), Block("colour", colour_dim()))
        facts = f"clip {weights} {meta['weights_sha256']} {self.preprocess} {COLOUR_VERSION}"
        self.fingerprint = hashlib.sha256(facts.encode()).hexdigest()

    def prepare(self, picture: Image.Image) -> Pixels:
        """Resize as the weights' own record says."""
        return self.preprocess(picture)

    def feature_maps(self, pictures: Sequence[Image.Image]) -> FeatureMaps:
        """Return the image tower's last two feature maps, of whole pictures."""
        return self._maps(pictures)

    def _image_rows(self, pixels: Pixels) -> Floats:
        return np.concatenate([self._pictures({"pixels": pixels}), colour_rows(pixels)], axis=1)

    def _text_rows(self, texts: Sequence[str]) -> Floats:
        if self._tokenizer is None:
            self._tokenizer = _clip_model().open_tokenizer(self.spec)
        meaning = self._texts({"tokens": self._tokenizer(list(texts)).numpy()})
        return np.concatenate([meaning, np.zeros((len(texts), colour_dim()), np.float32)], axis=1)


def _clip_model() -> ModuleType:
    from indexer.encoders.backends import clip_model  # imports torch; pictures on an exported model never need it

    return clip_model


def _weights_digest(spec: EncoderSpec) -> str:
    """Return what identifies the weights: for a local model the content of every file that matters, not its path."""
    if spec.weights != "local":
        file = Path(spec.weights)
        return f"{spec.model} {file_digest(file) if file.is_file() else spec.weights}"
    folder = Path(spec.model)
    if not (folder / CONFIG).is_file() or not any((folder / name).is_file() for name in WEIGHTS):
        raise EncoderUnavailable(
            f"{folder} is not an open_clip directory: it needs {CONFIG} and {WEIGHTS[0]}.",
            "Save the model with open_clip's push_to_hf_hub tools or save_pretrained, then name that directory.",
        )
    files = {file for pattern in (CONFIG, *WEIGHTS, *TOKENIZER) for file in folder.glob(pattern) if file.is_file()}
    return " ".join(f"{file.name} {file_digest(file)}" for file in sorted(files))
