"""Load a timm model, from the hub or from a local checkpoint, for export. Imports torch and timm."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import load_file

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.hub import hub_refused, single_attempt
from indexer.encoders.backends.preprocess import Preprocess
from indexer.encoders.backends.torch_modules import last_maps, map_model, picture_model
from indexer.encoders.backends.torch_runtime import TorchModel
from indexer.types import EncoderSpec


def load_pictures(spec: EncoderSpec) -> TorchModel:
    """Load the model's pooled features. Raises EncoderUnavailable."""
    return picture_model(*_load(spec))


def load_maps(spec: EncoderSpec) -> TorchModel:
    """Load the model's last two feature maps, of whole pictures. Raises EncoderUnavailable."""
    model, preprocess = _load(spec)
    return map_model(model, last_maps(model, spec.model), replace(preprocess, fit="squash", crop_share=1.0))


def _load(spec: EncoderSpec) -> tuple[Any, Preprocess]:
    model = _create(spec).eval()
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


def _create(spec: EncoderSpec) -> Any:
    from_hub = spec.weights == "hub"
    try:
        with single_attempt() if from_hub else nullcontext():
            model = timm.create_model(spec.model, pretrained=from_hub, num_classes=0)
    except Exception as error:
        if from_hub and hub_refused(error):
            raise EncoderUnavailable(
                f"The weights of timm's {spec.model} cannot be fetched from the hub: {type(error).__name__}.",
                f"Download them elsewhere and use --encoder timm:{spec.model}@/path/to/model.safetensors, "
                "or use --encoder starter, which needs no download.",
            ) from error
        if isinstance(error, RuntimeError):
            raise EncoderUnavailable(
                f"timm cannot make the model {spec.model!r}: {error}",
                "List the names with timm.list_models(pretrained=True), or use --encoder starter.",
            ) from error
        raise
    if not from_hub:
        _load_checkpoint(model, spec)
    return model


def _load_checkpoint(model: Any, spec: EncoderSpec) -> None:
    try:
        _load_weights(model, _read_weights(Path(spec.weights)))
    except Exception as error:  # torch, safetensors and the models' own converters raise errors of many types
        reason = " ".join(str(error).split())
        raise EncoderUnavailable(
            f"The checkpoint {spec.weights} does not fit timm's {spec.model}: {type(error).__name__}: {reason[:300]}",
            "Name the model that the checkpoint was saved from; it must be a safetensors file or a torch file of plain"
            " tensors.",
        ) from error


def _read_weights(file: Path) -> dict[str, Any]:
    if file.suffix == ".safetensors":
        weights: dict[str, Any] = load_file(file)
        return weights
    checkpoint = torch.load(file, map_location="cpu", weights_only=True)
    names = ("state_dict_ema", "model_ema", "state_dict", "model")
    inner = (checkpoint[name] for name in names if checkpoint.get(name))
    cleaned: dict[str, Any] = timm.models.clean_state_dict(next(inner, checkpoint))
    return cleaned


def _load_weights(model: Any, weights: dict[str, Any]) -> None:
    """Load every weight of the model from the checkpoint; only the classifier, which is not built, may be left over."""
    names = model.pretrained_cfg.get("classifier") or ()
    heads = {name.split(".")[0] for name in ([names] if isinstance(names, str) else names)}

    def without_heads(weights: dict[str, Any]) -> dict[str, Any]:
        own = model.state_dict()
        return {key: value for key, value in weights.items() if key in own or key.split(".")[0] not in heads}

    try:
        model.load_state_dict(without_heads(weights))
    except RuntimeError:
        # Some models are published in another layout, with a converter in timm's module of that model.
        convert = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
        if convert is None:
            raise
        model.load_state_dict(without_heads(convert(weights, model)))
