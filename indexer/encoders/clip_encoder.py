"""Any open_clip model as an encoder of pictures and words: from the hub or from a local directory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
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

CONFIG = "open_clip_config.json"
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin")
TOKENIZER = ("*token*.json", "vocab.*", "merges.txt", "*.model")


class ClipEncoder(BaseEncoder):
    """Blocks `meaning` (the space that pictures and words share) and `colour`.

    Its tokenizer is open_clip's own, so words need torch's import even on ONNX Runtime.
    """

    def __init__(self, spec: EncoderSpec, runtime: str = "auto") -> None:
        self.spec = spec
        source = _source(spec)
        model = cache(lambda: _create(spec))  # both halves from one copy
        key = f"clip {source}"
        self._pictures = open_runner(ModelSource("clip-pictures", key, lambda: _picture_half(model())), runtime)
        self._words = open_runner(ModelSource("clip-words", key, lambda: _word_half(model(), spec)), runtime)
        self._maps = MapModel(
            ModelSource("clip-maps", f"{key} maps", lambda: _picture_maps(_create(spec), spec)), runtime
        )
        self._tokenizer: Any = None
        meta = self._pictures.meta
        self.preprocess = Preprocess.from_record(meta["preprocess"])
        self.preprocessing = self.preprocess.record()
        self.runtime = self._pictures.kind
        self.blocks = (Block("meaning", meta["dim"], texts=True), Block("colour", colour_dim()))
        facts = f"clip {source} {meta['weights_sha256']} {self.preprocess} {COLOUR_VERSION}"
        self.fingerprint = hashlib.sha256(facts.encode()).hexdigest()

    def prepare(self, picture: Image.Image) -> Pixels:
        """Resize as the weights' own record says."""
        return self.preprocess(picture)

    def feature_maps(self, pictures: Sequence[Image.Image]) -> FeatureMaps:
        """The picture half's last two maps, of whole pictures."""
        return self._maps(pictures)

    def _image_rows(self, pixels: Pixels) -> Floats:
        return np.concatenate([self._pictures({"pixels": pixels}), colour_rows(pixels)], axis=1)

    def _text_rows(self, words: Sequence[str]) -> Floats:
        if self._tokenizer is None:
            self._tokenizer = _open_tokenizer(self.spec)
        meaning = self._words({"tokens": self._tokenizer(list(words)).numpy()})
        return np.concatenate([meaning, np.zeros((len(words), colour_dim()), np.float32)], axis=1)


def _source(spec: EncoderSpec) -> str:
    """Names what the vectors come from: for a local model the content of every file that matters, not its path."""
    if spec.weights != "local":
        file = Path(spec.weights)
        return f"{spec.model} {file_digest(file) if file.is_file() else spec.weights}"
    folder = Path(spec.model)
    if not (folder / CONFIG).is_file() or not any((folder / name).is_file() for name in WEIGHTS):
        raise EncoderUnavailable(
            f"{folder} is not an open_clip directory: it needs {CONFIG} and {WEIGHTS[0]}.",
            "Save the model with open_clip's push_to_hf_hub tools or save_pretrained, then name that directory.",
        )
    files = {file for pattern in (CONFIG, *WEIGHTS, *TOKENIZER) for file in folder.glob(pattern) if file.is_file()}
    return " ".join(f"{file.name} {file_digest(file)}" for file in sorted(files))


def _open_clip_name(spec: EncoderSpec) -> str:
    return f"local-dir:{spec.model}" if spec.weights == "local" else spec.model


def _create(spec: EncoderSpec) -> Any:
    import open_clip

    pretrained = None if spec.weights == "local" else spec.weights
    with _typed_errors(spec), single_attempt():
        return open_clip.create_model(_open_clip_name(spec), pretrained=pretrained, require_pretrained=True).eval()


def _open_tokenizer(spec: EncoderSpec) -> Any:
    import open_clip

    with _typed_errors(spec), single_attempt():
        return open_clip.get_tokenizer(_open_clip_name(spec))


@contextmanager
def _typed_errors(spec: EncoderSpec) -> Iterator[None]:
    """open_clip, torch, safetensors and transformers each raise what they like; to a shop they say one of three."""
    try:
        yield
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        if spec.weights == "local":
            raise EncoderUnavailable(
                f"{spec.model} cannot be opened as an open_clip directory: {reason}",
                "Save the model again with open_clip, with its tokenizer beside it, or use --encoder starter.",
            ) from error
        if hub_refused(error):
            raise EncoderUnavailable(
                f"The weights of open_clip's {spec.model} ({spec.weights}) cannot be fetched: {type(error).__name__}.",
                "Download the model's directory elsewhere and use --encoder clip:/path/to/directory, "
                "or use --encoder starter, which needs no download.",
            ) from error
        if isinstance(error, RuntimeError):
            raise EncoderUnavailable(
                f"open_clip has no model {spec.model!r} with weights {spec.weights!r}.",
                "List the pairs with open_clip.list_pretrained(), or use --encoder starter.",
            ) from error
        raise


def _picture_half(model: Any) -> TorchModel:
    import torch

    from indexer.encoders.backends.torch_modules import Method, NormalisedPixels

    preprocess = _preprocess(model)
    shape = (2, preprocess.side, preprocess.side, 3)
    example = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    module = NormalisedPixels(Method(model, model.encode_image), preprocess)
    with torch.inference_mode():
        dim = module(torch.from_numpy(example)).shape[1]
    meta = {"weights_sha256": weights_digest(model), "preprocess": preprocess.record(), "dim": dim}
    return TorchModel(module, {"pixels": example}, meta)


def _picture_maps(model: Any, spec: EncoderSpec) -> TorchModel:
    from indexer.encoders.backends.torch_modules import Cells, NormalisedPixels, last_maps, map_example

    whole = replace(_preprocess(model), fit="squash")
    cells = Cells(model.visual, last_maps(model.visual, spec.model))
    meta = {"weights_sha256": weights_digest(model), "preprocess": whole.record(), "fine": cells.fine(whole.side)}
    return TorchModel(NormalisedPixels(cells, whole), map_example(whole.side), meta)


def _preprocess(model: Any) -> Preprocess:
    import open_clip

    config = open_clip.get_model_preprocess_cfg(model)
    size = config["size"]
    return Preprocess(
        side=size if isinstance(size, int) else size[0],
        fit={"shortest": "crop", "longest": "pad"}.get(config.get("resize_mode", "shortest"), "squash"),
        interpolation=config.get("interpolation", "bicubic"),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )


def _word_half(model: Any, spec: EncoderSpec) -> TorchModel:
    from indexer.encoders.backends.torch_modules import Method

    tokens = _open_tokenizer(spec)(["red shoes", "a blue cotton shirt"]).numpy()
    return TorchModel(Method(model, model.encode_text), {"tokens": tokens}, {"weights_sha256": weights_digest(model)})
