"""Any timm model as an encoder of pictures: weights from the hub or from a local checkpoint. Needs no torch itself."""

from __future__ import annotations

from pathlib import Path

from indexer.encoders.backends.runtime import ModelSource, file_digest, torch_module
from indexer.encoders.exported_encoder import ExportedEncoder
from indexer.types import EncoderSpec


class TimmEncoder(ExportedEncoder):
    """Blocks `look` (the model's pooled features) and `colour`; reads no text."""

    def __init__(self, spec: EncoderSpec, runtime: str = "auto") -> None:
        key = f"{spec.model} {spec.weights if spec.weights == 'hub' else file_digest(Path(spec.weights))}"
        pictures = ModelSource("timm", f"timm {key}", lambda: torch_module("timm_model").load_pictures(spec))
        maps = ModelSource("timm-maps", f"timm maps {key}", lambda: torch_module("timm_model").load_maps(spec))
        super().__init__(spec, runtime, pictures, maps, identity=f"timm {spec.model}")
