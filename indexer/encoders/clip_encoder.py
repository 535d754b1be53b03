"""Any open_clip model as an encoder of pictures and text: from the hub or a local directory. Needs no torch itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.runtime import ModelSource, file_digest, open_runner, torch_module
from indexer.encoders.colour_encoder import colour_dim
from indexer.encoders.exported_encoder import ExportedEncoder
from indexer.types import EncoderSpec, Floats

CONFIG_FILE = "open_clip_config.json"
WEIGHT_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin")
TOKENIZER_FILES = ("*token*.json", "vocab.*", "merges.txt", "*.model")

_clip_model = partial(torch_module, "clip_model")


class ClipEncoder(ExportedEncoder):
    """Blocks `meaning` (the space that pictures and text share) and `colour`.

    The tokenizer is open_clip's own, so encoding text imports torch even on ONNX Runtime.
    """

    reads_text = True

    def __init__(self, spec: EncoderSpec, runtime: str = "auto") -> None:
        key = f"clip {_weights_digest(spec)}"
        model = cache(lambda: _clip_model().create(spec))  # both halves from one copy
        pictures = ModelSource("clip-pictures", key, lambda: _clip_model().picture_half(model()))
        texts = ModelSource("clip-words", key, lambda: _clip_model().text_half(model(), spec))
        maps = ModelSource("clip-maps", f"{key} maps", lambda: _clip_model().load_maps(spec))
        super().__init__(spec, runtime, pictures, maps, identity=key)
        self._texts = open_runner(texts, runtime)

    @cached_property
    def _tokenizer(self) -> Any:
        return _clip_model().open_tokenizer(self.spec)

    def knows_word(self, word: str) -> bool | None:
        """Return whether the tokenizer has a word as one piece."""
        return bool(_clip_model().has_word(self._tokenizer, word))

    def _text_rows(self, texts: Sequence[str]) -> Floats:
        meaning = self._texts({"tokens": self._tokenizer(list(texts)).numpy()})
        return np.concatenate([meaning, np.zeros((len(texts), colour_dim()), np.float32)], axis=1)


def _weights_digest(spec: EncoderSpec) -> str:
    """Return what identifies the weights: for a local model the content of every file that matters, not its path."""
    if spec.weights != "local":
        file = Path(spec.weights)
        return f"{spec.model} {file_digest(file) if file.is_file() else spec.weights}"
    folder = Path(spec.model)
    if not (folder / CONFIG_FILE).is_file() or not any((folder / name).is_file() for name in WEIGHT_FILES):
        raise EncoderUnavailable(
            f"{folder} is not an open_clip directory: it needs {CONFIG_FILE} and {WEIGHT_FILES[0]}.",
            "Save the model with open_clip's push_to_hf_hub tools or save_pretrained, then name that directory.",
        )
    files = {
        file
        for pattern in (CONFIG_FILE, *WEIGHT_FILES, *TOKENIZER_FILES)
        for file in folder.glob(pattern)
        if file.is_file()
    }
    return " ".join(f"{file.name} {file_digest(file)}" for file in sorted(files))
