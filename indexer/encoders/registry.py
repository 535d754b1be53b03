"""Which encoders there are: frozen records, importable without torch; adapters are imported on demand."""

from __future__ import annotations

from pathlib import Path

from catalog.errors import EncoderUnavailable, UnknownEncoder
from indexer.encoders.base import BaseEncoder
from indexer.types import EncoderSpec

DEFAULT_ENCODER = "starter"
STARTER_HEADS = Path(__file__).parent / "starter" / "heads.safetensors"

_CLIP_BLOCKS = ("meaning", "colour")
_TIMM_BLOCKS = ("look", "colour")
_HEADED_BLOCKS = ("look", "meaning", "colour")

ENCODERS: dict[str, EncoderSpec] = {
    spec.name: spec
    for spec in (
        EncoderSpec("starter", "headed", "tf_efficientnet_lite0 + MiniLM-L6", "package", _HEADED_BLOCKS, "Apache-2.0"),
        EncoderSpec("colour", "colour", "lab-histogram", "none", ("colour",), "Apache-2.0"),
        EncoderSpec("resnet50", "timm", "resnet50.a1_in1k", "hub", _TIMM_BLOCKS, "Apache-2.0"),
        EncoderSpec("dinov2-s", "timm", "vit_small_patch14_dinov2.lvd142m", "hub", _TIMM_BLOCKS, "Apache-2.0"),
        EncoderSpec("clip-b32", "clip", "ViT-B-32", "laion2b_s34b_b79k", _CLIP_BLOCKS, "MIT"),
        EncoderSpec("siglip-b16", "clip", "ViT-B-16-SigLIP", "webli", _CLIP_BLOCKS, "Apache-2.0"),
    )
}
FORMS = "timm:MODEL, timm:MODEL@CHECKPOINT, clip:MODEL@TAG, clip:DIRECTORY"


def get_spec(name: str, home: Path | None = None) -> EncoderSpec:
    """The record of an encoder: registered, fitted on the shop in `home`, or written out in one of FORMS."""
    if name in ENCODERS:
        return ENCODERS[name]
    family, _, rest = name.partition(":")
    model, _, source = rest.partition("@")
    if family == "timm" and model:
        return _timm_spec(model, source)
    if family == "clip" and model:
        return _clip_spec(rest, model, source)
    if home is not None and shop_heads(home, name).is_file():
        return EncoderSpec(
            name, "headed", f"heads fitted on {home.name}", str(shop_heads(home, name)), _HEADED_BLOCKS, "yours"
        )
    raise UnknownEncoder(
        f"There is no encoder named {name!r}.", f"Use one of {', '.join(ENCODERS)}, or write one out: {FORMS}."
    )


def _timm_spec(model: str, checkpoint: str) -> EncoderSpec:
    weights = _absolute(checkpoint) if checkpoint else "hub"
    name = f"timm:{model}@{weights}" if checkpoint else f"timm:{model}"
    return EncoderSpec(name, "timm", model, weights, _TIMM_BLOCKS, "see the model's card")


def _clip_spec(rest: str, model: str, tag: str) -> EncoderSpec:
    if tag and not Path(rest).expanduser().is_dir():  # a directory may have an @ in its name
        return EncoderSpec(f"clip:{rest}", "clip", model, tag, _CLIP_BLOCKS, "see the model's card")
    folder = _absolute(rest)
    return EncoderSpec(f"clip:{folder}", "clip", folder, "local", _CLIP_BLOCKS, "see the model's card")


def _absolute(path: str) -> str:
    """A manifest keeps the name, and whoever opens it may stand elsewhere."""
    return str(Path(path).expanduser().absolute())


def shop_heads(home: Path, name: str) -> Path:
    """Where heads fitted on a shop are kept. Raises UnknownEncoder for a name that is no plain word."""
    if not name.replace("-", "").replace("_", "").isalnum() or name in ENCODERS:
        raise UnknownEncoder(
            f"{name!r} cannot name a shop's own encoder.", "Use letters, digits, - and _, and no taken name."
        )
    return home / "encoders" / f"{name}.safetensors"


def open_encoder(name: str, *, runtime: str = "auto", home: Path | None = None) -> BaseEncoder:
    """Open an encoder by name, ready to encode. Raises UnknownEncoder, EncoderUnavailable, ParityError."""
    spec = get_spec(name, home)
    if spec.family == "colour":
        from indexer.encoders.colour_encoder import ColourEncoder

        return ColourEncoder(spec)
    if spec.family == "timm":
        from indexer.encoders.timm_encoder import TimmEncoder

        return TimmEncoder(spec, runtime)
    if spec.family == "clip":
        from indexer.encoders.clip_encoder import ClipEncoder

        return ClipEncoder(spec, runtime)
    return _open_headed(spec, runtime, home)


def _open_headed(spec: EncoderSpec, runtime: str, home: Path | None) -> BaseEncoder:
    from indexer.encoders.backends.starter_towers import PictureTower, TextTower
    from indexer.encoders.projection_encoder import ProjectionEncoder, towers_digest, towers_of
    from indexer.encoders.projection_heads import load_heads

    if spec.weights == "package":
        return ProjectionEncoder(spec, PictureTower(runtime), TextTower(runtime), load_heads(STARTER_HEADS))
    heads = load_heads(Path(spec.weights))
    base = str(heads.card.get("base", ""))
    tower, words = towers_of(open_encoder(base, runtime=runtime))
    if heads.card.get("towers") != towers_digest(tower, words):
        raise EncoderUnavailable(
            f"The heads {spec.name!r} were fitted on another version of {base!r} than the one that is here now.",
            "Fit them again: python -m indexer train.",
        )
    return ProjectionEncoder(spec, tower, words, heads)
