"""Names of encoders: what they mean, and the error when an encoder cannot be opened."""

import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from catalog.errors import EncoderUnavailable, UnknownEncoder
from indexer.encoders import projection_encoder, registry
from indexer.encoders.projection_heads import ProjectionHeads, save_heads
from indexer.encoders.registry import (
    DEFAULT_ENCODER,
    ENCODER_FORMS,
    ENCODERS,
    get_spec,
    open_encoder,
    register_encoder,
    shop_heads,
)
from tests.indexer.encoders.tiny import (
    BRIGHTNESS,
    BrightnessEncoder,
    clip_folder,
    keep_registrations_out,
    random_heads,
    shop_home,
    starter_heads,
    timm_checkpoint,
)

HERE = str(Path.cwd())


def test_every_record_is_whole():
    assert {"starter", "colour"} <= set(ENCODERS) and ENCODERS[DEFAULT_ENCODER].family == "headed"
    for name, spec in ENCODERS.items():
        assert spec.name == name and spec.licence and spec.blocks and spec.model and spec.weights
        assert spec.family in ("colour", "timm", "clip", "headed")
        assert get_spec(name) is spec


@pytest.mark.parametrize(
    ("name", "family", "model", "weights"),
    [
        ("timm:resnet18.a1_in1k", "timm", "resnet18.a1_in1k", "hub"),
        ("timm:resnet18@/a/b.safetensors", "timm", "resnet18", "/a/b.safetensors"),
        ("timm:resnet18@/a@b/c.safetensors", "timm", "resnet18", "/a@b/c.safetensors"),
        ("clip:ViT-B-32@openai", "clip", "ViT-B-32", "openai"),
        ("clip:/a/b", "clip", "/a/b", "local"),
    ],
)
def test_a_name_can_be_written_out(name, family, model, weights):
    spec = get_spec(name)
    assert (spec.name, spec.family, spec.model, spec.weights) == (name, family, model, weights)


def test_a_manifest_keeps_the_whole_path(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", "/home/someone")
    assert get_spec("timm:resnet18@here.safetensors").name == f"timm:resnet18@{HERE}/here.safetensors"
    assert get_spec("timm:resnet18@~/x.bin").weights == "/home/someone/x.bin"
    assert get_spec("clip:models/b32").name == f"clip:{HERE}/models/b32"
    assert get_spec("clip:models/b32").model == f"{HERE}/models/b32"
    odd = tmp_path / "a@b"
    odd.mkdir()
    assert get_spec(f"clip:{odd}").model == str(odd) and get_spec(f"clip:{odd}").weights == "local"


def test_an_unknown_name_is_answered_with_those_that_exist(tmp_path):
    for name in ("starterr", "", "timm:", "clip:", ":", "../../etc/passwd", "a/b"):
        for home in (None, tmp_path):
            with pytest.raises(UnknownEncoder) as refused:
                open_encoder(name, home=home)
            assert refused.value.hint
    with pytest.raises(UnknownEncoder, match="'nobody'") as refused:
        open_encoder("nobody", home=tmp_path)
    assert all(known in refused.value.hint for known in ENCODERS) and ENCODER_FORMS in refused.value.hint


def test_a_shops_own_encoder_is_found_in_its_home_only(tmp_path):
    save_heads(random_heads(4, 3), shop_heads(tmp_path, "spring-2"))
    spec = get_spec("spring-2", tmp_path)
    assert spec.family == "headed" and spec.weights == str(tmp_path / "encoders" / "spring-2.safetensors")
    with pytest.raises(UnknownEncoder):
        get_spec("spring-2")


@pytest.mark.parametrize("name", ["starter", "a b", "../up", "", "a/b", ".hidden"])
def test_names_that_a_shop_cannot_use(tmp_path, name):
    with pytest.raises(UnknownEncoder, match="cannot name"):
        shop_heads(tmp_path, name)


def test_heads_that_name_no_base_or_themselves(tmp_path):
    heads = random_heads(4, 3)
    for card in ({}, {"base": 7}, {"base": "shop"}, {"base": "nobody"}):
        save_heads(ProjectionHeads(heads.look, heads.picture, heads.text, card), shop_heads(tmp_path, "shop"))
        with pytest.raises(UnknownEncoder):
            open_encoder("shop", home=tmp_path)


@pytest.fixture
def registrations(monkeypatch):
    keep_registrations_out(monkeypatch)


@pytest.mark.weights
@pytest.mark.timeout(1500)
def test_heads_are_refused_on_top_of_other_weights_than_they_were_fitted_on(tmp_path, registrations, monkeypatch):
    register_encoder(BRIGHTNESS, lambda spec, runtime: BrightnessEncoder(spec))
    monkeypatch.setattr(projection_encoder, "TextTower", cache(projection_encoder.TextTower))  # opened once, not thrice
    home = shop_home(tmp_path / "home", "brightness")
    open_encoder("shop", runtime="onnx", home=home)
    other = BrightnessEncoder(BRIGHTNESS)
    other.fingerprint = "b2" * 32
    monkeypatch.setitem(registry._FACTORIES, BRIGHTNESS.family, lambda spec, runtime: other)
    with pytest.raises(EncoderUnavailable, match="another version") as refused:
        open_encoder("shop", runtime="onnx", home=home)
    assert "indexer train" in refused.value.hint


@pytest.mark.weights
@pytest.mark.timeout(1500)
def test_the_starter_without_its_heads_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setattr("indexer.encoders.registry.STARTER_HEADS", tmp_path / "none.safetensors")
    with pytest.raises(EncoderUnavailable, match=r"none\.safetensors") as refused:
        open_encoder("starter", runtime="onnx")
    assert "make starter" in refused.value.hint
    monkeypatch.setattr("indexer.encoders.registry.STARTER_HEADS", starter_heads(tmp_path / "some.safetensors"))
    assert [block.name for block in open_encoder("starter", runtime="onnx").blocks] == ["look", "meaning", "colour"]


def test_a_registered_encoder_opens_by_name_on_its_runtime(registrations):
    opened = []
    register_encoder(BRIGHTNESS, lambda spec, runtime: opened.append(runtime) or BrightnessEncoder(spec))
    encoder = open_encoder("brightness", runtime="torch")
    assert encoder.spec is get_spec("brightness") is BRIGHTNESS and opened == ["torch"]
    with pytest.raises(UnknownEncoder, match="cannot name"):
        shop_heads(Path("home"), "brightness")


@pytest.mark.parametrize(("name", "family"), [("starter", "mine"), ("timm:mine", "mine"), ("mine", "timm")])
def test_a_registration_cannot_take_over_a_name_or_a_family(registrations, name, family):
    with pytest.raises(ValueError, match="choose another"):
        register_encoder(replace(BRIGHTNESS, name=name, family=family), BrightnessEncoder)
    with pytest.raises(UnknownEncoder):
        open_encoder("mine")


def test_two_registered_encoders_may_share_a_family(registrations):
    for name in ("one", "two"):
        register_encoder(replace(BRIGHTNESS, name=name), BrightnessEncoder)
    assert [open_encoder(name).spec.name for name in ("one", "two")] == ["one", "two"]


def test_colour_needs_no_runtime_to_be_there():
    assert open_encoder("colour", runtime="torch").spec.name == "colour"


@pytest.mark.parametrize(
    "module",
    [
        "registry",
        "base",
        "projection_encoder",
        "backends.runtime",
        "backends.starter_towers",
        "timm_encoder",
        "clip_encoder",
    ],
)
def test_importing_imports_no_torch(module):
    heavy = "torch", "timm", "open_clip", "transformers", "onnxruntime", "huggingface_hub", "onnx"
    script = f"import sys, indexer.encoders.{module}; print([m for m in {heavy!r} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


@pytest.mark.torch
@pytest.mark.timeout(1500)
def test_an_exported_encoder_needs_no_torch(tmp_path):
    """Pictures and words of timm and the starter; open_clip's tokenizer is open_clip's own, so its pictures only."""
    names = [f"timm:test_vit@{timm_checkpoint(tmp_path)}", f"clip:{clip_folder(tmp_path / 'clip')}"]
    for name in names:
        open_encoder(name, runtime="onnx")
    script = (
        "import sys; from PIL import Image; from indexer.encoders.registry import open_encoder\n"
        f"for name in {names!r}: open_encoder(name).encode_images([Image.new('RGB', (9, 9))])\n"
        "print([m for m in ('torch', 'timm', 'open_clip', 'transformers') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"
