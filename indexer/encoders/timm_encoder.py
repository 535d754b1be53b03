"""Any timm model as an encoder of pictures: weights from the hub or from a local checkpoint."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.feature_maps import MapModel
from indexer.encoders.backends.preprocess import Preprocess
from indexer.encoders.backends.runtime import ModelSource, TorchModel, file_digest, open_runner, weights_digest
from indexer.encoders.base import BaseEncoder
from indexer.encoders.colour_encoder import VERSION as COLOUR_VERSION
from indexer.encoders.colour_encoder import colour_dim, colour_rows
from indexer.encoders.hub import hub_refused, single_attempt
from indexer.types import Block, EncoderSpec, FeatureMaps, Floats, Pixels


class TimmEncoder(BaseEncoder):
    """Blocks `look` (the model's pooled features) and `colour`; reads no words."""

    def __init__(self, spec: EncoderSpec, runtime: str = "auto") -> None:
        self.spec = spec
        source = spec.weights if spec.weights == "hub" else file_digest(Path(spec.weights))
        recipe = ModelSource("timm", f"timm {spec.model} {source}", lambda: _load(spec))
        self._run = open_runner(recipe, runtime)
        map_recipe = ModelSource("timm-maps", f"timm maps {spec.model} {source}", lambda: _load_maps(spec))
        self._maps = MapModel(map_recipe, runtime)
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
        """The model's last two maps, of whole pictures."""
        return self._maps(pictures)

    def _image_rows(self, pixels: Pixels) -> Floats:
        return np.concatenate([self._run({"pixels": pixels}), colour_rows(pixels)], axis=1)


def _load(spec: EncoderSpec) -> TorchModel:
    import torch

    from indexer.encoders.backends.torch_modules import NormalisedPixels

    model, preprocess = _model(spec)
    module = NormalisedPixels(model, preprocess).eval()
    shape = (2, preprocess.side, preprocess.side, 3)
    example = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with torch.inference_mode():
        dim = module(torch.from_numpy(example)).shape[1]
    meta = {"weights_sha256": weights_digest(model), "preprocess": preprocess.record(), "dim": dim}
    return TorchModel(module, {"pixels": example}, meta)


def _load_maps(spec: EncoderSpec) -> TorchModel:
    from indexer.encoders.backends.torch_modules import Cells, NormalisedPixels, last_maps, map_example

    model, preprocess = _model(spec)
    whole = replace(preprocess, fit="squash", crop_share=1.0)
    cells = Cells(model, last_maps(model, spec.model)).eval()
    meta = {"weights_sha256": weights_digest(model), "preprocess": whole.record(), "fine": cells.fine(whole.side)}
    return TorchModel(NormalisedPixels(cells, whole), map_example(whole.side), meta)


def _model(spec: EncoderSpec) -> tuple[Any, Preprocess]:
    import timm

    model = (_from_hub(spec) if spec.weights == "hub" else _from_file(spec)).eval()
    config = timm.data.resolve_model_data_config(model)
    preprocess = Preprocess(
        side=config["input_size"][1],
        fit="squash" if config["crop_mode"] == "squash" else "crop",
        crop_share=config["crop_pct"],
        interpolation=config["interpolation"] if config["interpolation"] != "random" else "bicubic",
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )
    return model, preprocess


def _from_hub(spec: EncoderSpec) -> Any:
    import timm

    try:
        with single_attempt():
            return timm.create_model(spec.model, pretrained=True, num_classes=0)
    except Exception as error:
        if hub_refused(error):
            raise EncoderUnavailable(
                f"The weights of timm's {spec.model} cannot be fetched from the hub: {type(error).__name__}.",
                f"Download them elsewhere and use --encoder timm:{spec.model}@/path/to/model.safetensors, "
                "or use --encoder starter, which needs no download.",
            ) from error
        if isinstance(error, RuntimeError):
            raise _unknown(spec, error) from error
        raise


def _from_file(spec: EncoderSpec) -> Any:
    import timm

    try:
        model = timm.create_model(spec.model, pretrained=False, num_classes=0)
    except RuntimeError as error:
        raise _unknown(spec, error) from error
    try:
        _put_weights(model, _read_weights(Path(spec.weights)))
    except Exception as error:  # torch, safetensors and the models' own converters each raise what they like
        reason = " ".join(str(error).split())
        raise EncoderUnavailable(
            f"The checkpoint {spec.weights} does not fit timm's {spec.model}: {type(error).__name__}: {reason[:300]}",
            "Name the model that the checkpoint was saved from; it must be a safetensors file or a torch file of plain"
            " tensors.",
        ) from error
    return model


def _unknown(spec: EncoderSpec, error: Exception) -> EncoderUnavailable:
    return EncoderUnavailable(
        f"timm cannot make the model {spec.model!r}: {error}",
        "List the names with timm.list_models(pretrained=True), or use --encoder starter.",
    )


def _read_weights(file: Path) -> dict[str, Any]:
    import timm
    import torch
    from safetensors.torch import load_file

    if file.suffix == ".safetensors":
        weights: dict[str, Any] = load_file(file)
        return weights
    found = torch.load(file, map_location="cpu", weights_only=True)
    inner = (found[key] for key in ("state_dict_ema", "model_ema", "state_dict", "model") if found.get(key))
    cleaned: dict[str, Any] = timm.models.clean_state_dict(next(inner, found))
    return cleaned


def _put_weights(model: Any, weights: dict[str, Any]) -> None:
    """Every weight of the model must come from the checkpoint; only the classifier, which is not built, may be over."""
    names = model.pretrained_cfg.get("classifier") or ()
    heads = {name.split(".")[0] for name in ([names] if isinstance(names, str) else names)}

    def fitting(weights: dict[str, Any]) -> dict[str, Any]:
        own = model.state_dict()
        return {key: value for key, value in weights.items() if key in own or key.split(".")[0] not in heads}

    try:
        model.load_state_dict(fitting(weights))
    except RuntimeError:
        # Some models are published in another layout, with a converter beside timm's own code for them.
        convert = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
        if convert is None:
            raise
        model.load_state_dict(fitting(convert(weights, model)))
