"""Any timm model as an encoder of pictures: weights from the hub or from a local checkpoint. Needs no torch itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from indexer.encoders.backends.feature_maps import MapModel
from indexer.encoders.backends.preprocess import Preprocess
from indexer.encoders.backends.runtime import ModelSource, file_digest, open_runner
from indexer.encoders.base import BaseEncoder
from indexer.encoders.colour_encoder import VERSION as COLOUR_VERSION
from indexer.encoders.colour_encoder import colour_dim, colour_rows
from indexer.types import Block, EncoderSpec, FeatureMaps, Floats, Pixels


class TimmEncoder(BaseEncoder):
    """Blocks `look` (the model's pooled features) and `colour`; reads no text."""

    def __init__(self, spec: EncoderSpec, runtime: str = "auto") -> None:
        self.spec = spec
        weights = spec.weights if spec.weights == "hub" else file_digest(Path(spec.weights))
        source = ModelSource("timm", f"timm {spec.model} {weights}", lambda: _timm_model().load_pictures(spec))
        self._run = open_runner(source, runtime)
        maps = ModelSource("timm-maps", f"timm maps {spec.model} {weights}", lambda: _timm_model().load_maps(spec))
        self._maps = MapModel(maps, runtime)
        meta = self._run.meta
        self.preprocess = Preprocess.from_record(meta["preprocess"])
        self.preprocessing = self.preprocess.record()
        self.runtime = self._run.kind
        self.blocks = (Block("look", meta["dim"]), Block("colour", colour_dim()))
        facts = f"timm {spec.model} {meta['weights_sha256']} {self.preprocess} {COLOUR_VERSION}"
        self.fingerprint = hashlib.sha256(facts.encode()).hexdigest()

    def prepare(self, picture: Image.Image) -> Pixels:
        """Resize and crop as the weights' own record says."""
        return self.preprocess(picture)

    def feature_maps(self, pictures: Sequence[Image.Image]) -> FeatureMaps:
        """Return the model's last two feature maps, of whole pictures."""
        return self._maps(pictures)

    def _image_rows(self, pixels: Pixels) -> Floats:
        return np.concatenate([self._run({"pixels": pixels}), colour_rows(pixels)], axis=1)


def _timm_model() -> ModuleType:
    from indexer.encoders.backends import timm_model  # imports torch; an exported model never needs it

    return timm_model
