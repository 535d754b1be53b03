"""Encoder registry: specs by name and a factory for each family. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from catalog.errors import EncoderUnavailable, UnknownEncoder
from catalog.home import ShopHome
from indexer.encoders.backends.starter_towers import PictureTower
from indexer.encoders.backends.texts.towers import TextTower
from indexer.encoders.base import BaseEncoder
from indexer.encoders.clip_encoder import ClipEncoder
from indexer.encoders.colour_encoder import ColourEncoder
from indexer.encoders.projection_encoder import ProjectionEncoder, towers_digest, towers_of
from indexer.encoders.projection_heads import load_heads
from indexer.encoders.timm_encoder import TimmEncoder
from indexer.types import EncoderSpec

DEFAULT_ENCODER = "starter"
STARTER_HEADS = Path(__file__).parent / "starter" / "heads.safetensors"
ENCODER_FORMS = "timm:MODEL, timm:MODEL@CHECKPOINT, clip:MODEL@TAG, clip:DIRECTORY"

Factory = Callable[[EncoderSpec, str], BaseEncoder]  # of a spec and a runtime: "auto", "onnx" or "torch"

_CLIP_BLOCKS = ("meaning", "colour")
_TIMM_BLOCKS = ("look", "colour")
_FITTED_BLOCKS = ("look", "meaning", "colour")

ENCODERS: dict[str, EncoderSpec] = {
    spec.name: spec
    for spec in (
        EncoderSpec("starter", "headed", "tf_efficientnet_lite0 + MiniLM-L6", "package", _FITTED_BLOCKS, "Apache-2.0"),
        EncoderSpec("colour", "colour", "lab-histogram", "none", ("colour",), "Apache-2.0"),
        EncoderSpec("resnet50", "timm", "resnet50.a1_in1k", "hub", _TIMM_BLOCKS, "Apache-2.0"),
        EncoderSpec("dinov2-s", "timm", "vit_small_patch14_dinov2.lvd142m", "hub", _TIMM_BLOCKS, "Apache-2.0"),
        EncoderSpec("clip-b32", "clip", "ViT-B-32", "laion2b_s34b_b79k", _CLIP_BLOCKS, "MIT"),
        EncoderSpec("siglip-b16", "clip", "ViT-B-16-SigLIP", "webli", _CLIP_BLOCKS, "Apache-2.0"),
    )
}


def register_encoder(spec: EncoderSpec, factory: Factory) -> None:
    """Make an encoder of your own available under `spec.name`; `factory` opens it for its family.

    Every process that opens the shop must register it first. Raises ValueError when the name is taken, or when
    another factory opens that family.
    """
    if spec.name in ENCODERS or ":" in spec.name:
        raise ValueError(f"the encoder name {spec.name!r} is taken or contains a colon; choose another")
    if _FACTORIES.setdefault(spec.family, factory) is not factory:
        raise ValueError(f"the encoder family {spec.family!r} has another factory; choose another family")
    ENCODERS[spec.name] = spec


def open_encoder(name: str, *, runtime: str = "auto", home: Path | None = None) -> BaseEncoder:
    """Open an encoder by name, ready to encode. Raises UnknownEncoder, EncoderUnavailable, ParityError."""
    spec = get_spec(name, home)
    return _FACTORIES[spec.family](spec, runtime)


def get_spec(name: str, home: Path | None = None) -> EncoderSpec:
    """Return the spec of an encoder: registered, fitted on the shop in `home`, or written in one of FORMS.

    Raises UnknownEncoder.
    """
    if name in ENCODERS:
        return ENCODERS[name]
    family, _, rest = name.partition(":")
    model, _, source = rest.partition("@")
    if family == "timm" and model:
        return _timm_spec(model, source)
    if family == "clip" and model:
        return _clip_spec(rest, model, source)
    if home is not None and (heads := shop_heads(home, name)).is_file():
        return EncoderSpec(name, "headed", f"heads fitted on {home.name}", str(heads), _FITTED_BLOCKS, "yours")
    raise UnknownEncoder(
        f"There is no encoder named {name!r}.", f"Use one of {', '.join(ENCODERS)}, or write one out: {ENCODER_FORMS}."
    )


def shop_heads(home: Path, name: str) -> Path:
    """Return the file of heads fitted on a shop. Raises UnknownEncoder when the name cannot be a file name."""
    if not name.replace("-", "").replace("_", "").isalnum() or name in ENCODERS:
        raise UnknownEncoder(
            f"{name!r} cannot name a shop's own encoder.", "Use letters, digits, - and _, and no taken name."
        )
    return ShopHome(home).encoders / f"{name}.safetensors"


def _timm_spec(model: str, checkpoint: str) -> EncoderSpec:
    weights = _absolute(checkpoint) if checkpoint else "hub"
    name = f"timm:{model}@{weights}" if checkpoint else f"timm:{model}"
    return EncoderSpec(name, "timm", model, weights, _TIMM_BLOCKS, "see the model's card")


def _clip_spec(rest: str, model: str, tag: str) -> EncoderSpec:
    if not tag or Path(rest).expanduser().is_dir():  # a directory may have an @ in its name
        rest = model = _absolute(rest)
        tag = "local"
    return EncoderSpec(f"clip:{rest}", "clip", model, tag, _CLIP_BLOCKS, "see the model's card")


def _absolute(path: str) -> str:
    """Return the absolute path: the manifest stores it, and the process that reads it may run elsewhere."""
    return str(Path(path).expanduser().absolute())


def _open_projection(spec: EncoderSpec, runtime: str) -> BaseEncoder:
    if spec.weights == "package":
        heads = load_heads(STARTER_HEADS)  # before the models, which take seconds
        return ProjectionEncoder(spec, PictureTower(runtime), TextTower(runtime), heads)
    heads = load_heads(Path(spec.weights))
    base = str(heads.card.get("base", ""))
    tower, texts = towers_of(open_encoder(base, runtime=runtime))
    if heads.card.get("towers") != towers_digest(tower, texts):
        raise EncoderUnavailable(
            f"The heads {spec.name!r} were fitted on another version of {base!r} than the installed one.",
            "Fit them again: python -m indexer train.",
        )
    return ProjectionEncoder(spec, tower, texts, heads)


_FACTORIES: dict[str, Factory] = {
    "colour": lambda spec, runtime: ColourEncoder(spec),
    "timm": TimmEncoder,
    "clip": ClipEncoder,
    "headed": _open_projection,
}
