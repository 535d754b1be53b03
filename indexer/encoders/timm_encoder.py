"""Any timm model as an encoder of pictures: weights from the hub or from a local checkpoint."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.errors import EncoderUnavailable
from indexer.encoders.base import BaseEncoder, Block, EncoderSpec, Floats, Pixels
from indexer.encoders.colour_encoder import VERSION as COLOUR_VERSION
from indexer.encoders.colour_encoder import colour_dim, colour_rows
from indexer.encoders.preprocess import Preprocess
from indexer.encoders.runtime import Loaded, Recipe, file_digest, hub_refused, open_runner, weights_digest


class TimmEncoder(BaseEncoder):
    """Blocks `look` (the model's pooled features) and `colour`; reads no words."""

    def __init__(self, spec: EncoderSpec, runtime: str = "auto") -> None:
        self.spec = spec
        source = spec.weights if spec.weights == "hub" else file_digest(Path(spec.weights))
        recipe = Recipe("timm", f"timm {spec.model} {source}", lambda: _load(spec))
        self._run = open_runner(recipe, runtime)
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

    def _image_rows(self, pixels: Pixels) -> Floats:
        return np.concatenate([self._run({"pixels": pixels}), colour_rows(pixels)], axis=1)


def _load(spec: EncoderSpec) -> Loaded:
    import timm
    import torch

    from indexer.encoders.modules import NormalisedPixels

    local = {} if spec.weights == "hub" else {"checkpoint_path": spec.weights}
    try:
        model = timm.create_model(spec.model, pretrained=not local, num_classes=0, **local).eval()
    except RuntimeError as error:
        if "Unknown model" in str(error):
            raise EncoderUnavailable(
                f"timm has no model {spec.model!r}.",
                "List the names with timm.list_models(), or use --encoder starter.",
            ) from error
        if local:
            raise EncoderUnavailable(
                f"The checkpoint {spec.weights} does not fit timm's {spec.model}: {str(error)[:300]}",
                "Name the model that the checkpoint was saved from.",
            ) from error
        raise
    except Exception as error:
        if hub_refused(error):
            raise EncoderUnavailable(
                f"The weights of timm's {spec.model} cannot be fetched from the hub: {type(error).__name__}.",
                f"Download them elsewhere and use --encoder timm:{spec.model}@/path/to/model.safetensors, "
                "or use --encoder starter, which needs no download.",
            ) from error
        raise
    config = timm.data.resolve_model_data_config(model)
    preprocess = Preprocess(
        side=config["input_size"][1],
        fit="squash" if config["crop_mode"] == "squash" else "crop",
        crop_share=config["crop_pct"],
        interpolation=config["interpolation"] if config["interpolation"] != "random" else "bicubic",
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )
    module = NormalisedPixels(model, preprocess).eval()
    shape = (2, preprocess.side, preprocess.side, 3)
    example = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with torch.inference_mode():
        dim = module(torch.from_numpy(example)).shape[1]
    meta = {"weights_sha256": weights_digest(model), "preprocess": preprocess.record(), "dim": dim}
    return Loaded(module, {"pixels": example}, meta)
