"""Which encoders there are: frozen records, importable without torch; adapters are imported on demand."""

from __future__ import annotations

from pathlib import Path

from catalog.errors import UnknownEncoder
from indexer.encoders.base import BaseEncoder, EncoderSpec

DEFAULT_ENCODER = "starter"

ENCODERS: dict[str, EncoderSpec] = {
    spec.name: spec
    for spec in (
        EncoderSpec("starter", "starter", "tf_efficientnet_lite0 + MiniLM-L6", "package", ("look", "meaning", "colour"), "Apache-2.0"),
        EncoderSpec("colour", "colour", "lab-histogram", "none", ("colour",), "Apache-2.0"),
    )
}


def get_spec(name: str) -> EncoderSpec:
    """The record of a registered encoder."""
    if name in ENCODERS:
        return ENCODERS[name]
    raise UnknownEncoder(f"There is no encoder named {name!r}.", f"Use one of: {', '.join(ENCODERS)}.")


def open_encoder(name: str, *, runtime: str = "auto", home: Path | None = None) -> BaseEncoder:
    """Open an encoder by name, ready to encode."""
    spec = get_spec(name)
    if spec.family == "colour":
        from indexer.encoders.colour_encoder import ColourEncoder

        return ColourEncoder(spec)
    raise UnknownEncoder(f"The family {spec.family!r} is not built yet.", "Use --encoder colour.")
