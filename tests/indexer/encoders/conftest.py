"""Every kind of encoder, opened once for all tests of the session.

An export takes torch ten seconds, so the shop's heads stand on the checkpoint that is exported for timm anyway.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from indexer.encoders import projection_encoder, registry
from indexer.encoders.backends.texts.towers import TextTower
from indexer.encoders.registry import open_encoder
from tests.fake_encoder import FakeEncoder
from tests.indexer.encoders import tiny

text_tower = cache(TextTower)  # of the shop's encoder, in each runtime: that of the starter is opened again


@dataclass
class Kind:
    """One kind of encoder: how to open it, also with other weights; `weights` says whether it has any."""

    name: str
    folder: Path
    weights: bool = True
    seen: dict = field(default_factory=dict)

    def open(self, runtime="onnx", seed=0):
        """Open the encoder; a second call returns the same object."""
        if (runtime, seed) not in self.seen:
            self.seen[runtime, seed] = self.again(runtime, seed)
        return self.seen[runtime, seed]

    def maps(self):
        """The feature maps of the five pictures, computed once."""
        if "maps" not in self.seen:
            self.seen["maps"] = self.open().feature_maps(tiny.scenes())
        return self.seen["maps"]

    def again(self, runtime="onnx", seed=0):
        """Open the encoder again."""
        name, home = self._named(seed)
        if name == "fake":
            return FakeEncoder()
        with pytest.MonkeyPatch.context() as patch:
            if name == "starter" and seed:  # other heads on the same models
                first = self.open(runtime)
                patch.setattr(registry, "PictureTower", lambda runtime: first.tower)
                patch.setattr(registry, "TextTower", lambda runtime: first.words)
            if name == "shop":
                for module in (projection_encoder, registry):
                    patch.setattr(module, "TextTower", text_tower)
            if name == "registered":
                tiny.keep_registrations_out(patch)
                registry.register_encoder(tiny.BRIGHTNESS, tiny.BrightnessEncoder)
                name = tiny.BRIGHTNESS.name
            if name == "starter" and (seed or not tiny.real_starter()):
                patch.setattr(registry, "STARTER_HEADS", self.folder / f"starter-{seed}.safetensors")
                if not registry.STARTER_HEADS.is_file():
                    tiny.starter_heads(registry.STARTER_HEADS, seed)
            return open_encoder(name, runtime=runtime, home=home)

    def _named(self, seed):
        """The name to open it by, and in which home."""
        if self.name == "timm":
            return timm_name(self.folder, seed), None
        if self.name in ("clip", "clip-own-tokenizer"):
            folder = self.folder / f"clip-{seed}"
            if not folder.is_dir():
                own_tokenizer = self.name != "clip"
                tiny.clip_folder(folder, seed, own_tokenizer, layers=2 - own_tokenizer)
            return f"clip:{folder}", None
        if self.name == "shop":
            home = self.folder / f"home-{seed}"
            if not home.is_dir():
                tiny.shop_home(home, timm_name(self.folder, 0), seed=seed)
            return "shop", home
        return self.name, None


def timm_name(folder, seed):
    model = tiny.short_vit()
    file = folder / f"{model}-{seed}.safetensors"
    return f"timm:{model}@{file if file.is_file() else tiny.timm_checkpoint(folder, model, seed)}"


KINDS = ("fake", "registered", "colour", "timm", "clip", "clip-own-tokenizer", "starter", "shop")
MARKS = {"starter": (pytest.mark.weights,), "shop": (pytest.mark.weights,)}


@pytest.fixture(scope="session", params=[pytest.param(name, marks=MARKS.get(name, ())) for name in KINDS])
def kind(request, tmp_path_factory, shared_models):
    name = request.param
    yield Kind(name, tmp_path_factory.mktemp(name), name not in ("fake", "registered", "colour"))
    text_tower.cache_clear()  # torch's E5 alone takes half a gigabyte
