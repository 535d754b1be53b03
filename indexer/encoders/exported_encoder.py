"""Base of the encoders whose picture model is exported from torch. Needs no torch itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from indexer.encoders.backends.feature_maps import MapModel
from indexer.encoders.backends.preprocess import Preprocess
from indexer.encoders.backends.runtime import ModelSource, open_runner
from indexer.encoders.base import BaseEncoder
from indexer.encoders.colour_encoder import COLOUR_VERSION, colour_dim, colour_rows
from indexer.types import Block, EncoderSpec, FeatureMaps, Floats, Pixels


class ExportedEncoder(BaseEncoder):
    """Two blocks: the picture model's features, named as in the spec, and `colour`.

    The digest of the weights, their preprocessing and `identity` make up the fingerprint.
    """

    reads_text = False

    def __init__(
        self, spec: EncoderSpec, runtime: str, pictures: ModelSource, maps: ModelSource, identity: str
    ) -> None:
        self.spec = spec
        self._pictures, self._maps = open_runner(pictures, runtime), MapModel(maps, runtime)
        meta = self._pictures.meta
        self.preprocess = Preprocess.from_record(meta["preprocess"])
        self.preprocessing = self.preprocess.record()
        self.runtime = self._pictures.kind
        self.blocks = (Block(spec.blocks[0], meta["dim"], self.reads_text), Block("colour", colour_dim()))
        facts = f"{identity} {meta['weights_sha256']} {self.preprocess} {COLOUR_VERSION}"
        self.fingerprint = hashlib.sha256(facts.encode()).hexdigest()

    def prepare(self, picture: Image.Image) -> Pixels:
        """Resize and crop as the weights' own record says."""
        return self.preprocess(picture)

    def feature_maps(self, pictures: Sequence[Image.Image]) -> FeatureMaps:
        """Return the picture model's last two feature maps, of whole pictures."""
        return self._maps(pictures)

    def _image_rows(self, pixels: Pixels) -> Floats:
        return np.concatenate([self._pictures({"pixels": pixels}), colour_rows(pixels)], axis=1)
