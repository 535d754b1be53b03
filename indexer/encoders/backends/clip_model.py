"""Load an open_clip model and its tokenizer, from the hub or a local directory. Imports torch and open_clip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import open_clip

from catalog.errors import EncoderUnavailable
from catalog.text.tokenizer import unspaced
from indexer.encoders.backends.hub import hub_refused, single_attempt
from indexer.encoders.backends.preprocess import Preprocess
from indexer.encoders.backends.torch_modules import Method, last_maps, map_model, picture_model
from indexer.encoders.backends.torch_runtime import TorchModel, torch_model
from indexer.types import EncoderSpec

_WORD_START, _WORD_END = "\u2581\u0120", "</w>"  # how tokenizers mark them
_OR_STARTER = "or use --encoder starter"


def create(spec: EncoderSpec) -> Any:
    """Create the model with its weights. Raises EncoderUnavailable."""
    pretrained = None if spec.weights == "local" else spec.weights
    with _typed_errors(spec):
        return open_clip.create_model(_open_clip_name(spec), pretrained=pretrained, require_pretrained=True).eval()


def open_tokenizer(spec: EncoderSpec) -> Any:
    """Open the model's own tokenizer. Raises EncoderUnavailable."""
    with _typed_errors(spec):
        return open_clip.get_tokenizer(_open_clip_name(spec))


def has_word(tokenizer: Any, word: str) -> bool:
    """Return whether a tokenizer has a word as one piece; of a run without spaces, at least two letters of it."""
    if isinstance(tokenizer, open_clip.SimpleTokenizer):
        return f"{word}{_WORD_END}" in tokenizer.encoder
    pieces = [piece.strip(_WORD_START) for piece in tokenizer.tokenizer.tokenize(word)]
    pieces = [piece for piece in pieces if piece]
    if unspaced(word):
        return any(len(piece) > 1 and piece in word for piece in pieces)
    return pieces == [word]


def picture_half(model: Any) -> TorchModel:
    """Return the image tower for export."""
    return picture_model(Method(model, model.encode_image), _preprocess(model), model)


def text_half(model: Any, spec: EncoderSpec) -> TorchModel:
    """Return the text tower for export."""
    tokens = open_tokenizer(spec)(["red shoes", "a blue cotton shirt"]).numpy()
    return torch_model(Method(model, model.encode_text), {"tokens": tokens}, weights=model)


def load_maps(spec: EncoderSpec) -> TorchModel:
    """Load the image tower's last two feature maps, of whole pictures. Raises EncoderUnavailable."""
    model = create(spec)
    whole = replace(_preprocess(model), fit="squash")
    return map_model(model.visual, last_maps(model.visual, spec.model), whole, weights=model)


def _open_clip_name(spec: EncoderSpec) -> str:
    return f"local-dir:{spec.model}" if spec.weights == "local" else spec.model


@contextmanager
def _typed_errors(spec: EncoderSpec) -> Iterator[None]:
    """Turn errors of open_clip, torch, safetensors and transformers into EncoderUnavailable."""
    try:
        with single_attempt():
            yield
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        if spec.weights == "local":
            message = f"{spec.model} cannot be opened as an open_clip directory: {reason}"
            hint = f"Save the model again with open_clip, with its tokenizer in the same directory, {_OR_STARTER}."
        elif hub_refused(error):
            weights = f"The weights of open_clip's {spec.model} ({spec.weights})"
            message = f"{weights} cannot be fetched: {type(error).__name__}."
            hint = (
                "Download the model's directory elsewhere and use --encoder clip:/path/to/directory, "
                f"{_OR_STARTER}, which needs no download."
            )
        elif isinstance(error, RuntimeError):
            message = f"open_clip has no model {spec.model!r} with weights {spec.weights!r}."
            hint = f"List the pairs with open_clip.list_pretrained(), {_OR_STARTER}."
        else:
            raise
        raise EncoderUnavailable(message, hint) from error


def _preprocess(model: Any) -> Preprocess:
    config = open_clip.get_model_preprocess_cfg(model)
    size = config["size"]
    return Preprocess(
        side=size if isinstance(size, int) else size[0],
        fit={"shortest": "crop", "longest": "pad"}.get(config.get("resize_mode", "shortest"), "squash"),
        interpolation=config.get("interpolation", "bicubic"),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )
