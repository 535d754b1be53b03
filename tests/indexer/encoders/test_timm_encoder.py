"""timm from a checkpoint: the files it can be, and those it must not be."""

import argparse
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from catalog.errors import EncoderUnavailable
from indexer.encoders.registry import open_encoder
from tests.indexer.encoders.tiny import cosines, scene, scenes, timm_checkpoint

pytestmark = [pytest.mark.torch, pytest.mark.timeout(600)]


class Hostile:
    """What a pickle may ask its reader to do."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return (open, (str(self.canary), "w"))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return timm_checkpoint(tmp_path_factory.mktemp("timm"))


@pytest.fixture(scope="module")
def weights(checkpoint):
    return load_file(checkpoint)


@pytest.fixture(scope="module")
def rows(checkpoint):
    return open_vit(checkpoint).encode_images(scenes())


def open_vit(file, model="test_vit"):
    return open_encoder(f"timm:{model}@{file}", runtime="torch")


def test_rows_are_the_models_own_pooled_features(checkpoint, weights, rows):
    import timm  # for two seconds, which only the worker that has these tests need spend

    model = timm.create_model("test_vit")
    model.load_state_dict(weights)
    config = timm.data.resolve_model_data_config(model)
    transform = timm.data.create_transform(**config, is_training=False)
    batch = torch.stack([transform(picture) for picture in scenes()])
    with torch.inference_mode():
        features = model.eval().forward_head(model.forward_features(batch), pre_logits=True).numpy()
    assert features.shape[1] == open_vit(checkpoint).blocks[0].dim == 64
    assert cosines(rows[:, :64], features).min() >= 0.9999


def test_words_are_refused_by_name(checkpoint):
    assert [block.name for block in open_vit(checkpoint).blocks] == ["look", "colour"]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda weights: weights,
        lambda weights: {"state_dict": weights, "epoch": 3},
        lambda weights: {"model": weights},
        lambda weights: {"state_dict": {}, "state_dict_ema": weights},
        lambda weights: {f"module.{name}": tensor for name, tensor in weights.items()},
        lambda weights: {name: tensor for name, tensor in weights.items() if not name.startswith("head.")},
    ],
    ids=["plain", "training", "model", "averaged", "distributed", "no classifier"],
)
def test_torch_files_of_plain_tensors(weights, rows, wrap, tmp_path):
    torch.save(wrap(weights), tmp_path / "model.pth")
    assert np.allclose(open_vit(tmp_path / "model.pth").encode_images(scenes()), rows, atol=1e-5)


def test_the_classifier_may_have_any_number_of_classes(weights, rows, tmp_path):
    save_file(weights | {"head.weight": torch.zeros(7, 64), "head.bias": torch.zeros(7)}, tmp_path / "7.safetensors")
    assert np.allclose(open_vit(tmp_path / "7.safetensors").encode_images(scenes()), rows, atol=1e-5)


def test_another_layout_goes_through_timms_own_converter(tmp_path):
    """Position embeddings of another picture size are resized, as timm does for its own weights."""
    file = timm_checkpoint(tmp_path, "test_vit", img_size=96)
    assert np.isfinite(open_vit(file).encode_images([scene("red")])).all()


@pytest.mark.parametrize("model", ["test_vit", "test_efficientnet", "test_resnet", "test_convnext", "test_nfnet"])
def test_checkpoints_of_every_make(tmp_path, model):
    encoder = open_vit(timm_checkpoint(tmp_path, model), model)
    assert encoder.encode_images([Image.new("RGB", (30, 20), "red")]).shape == (1, encoder.dim)


def all_cells(encoder, pictures):
    maps = encoder.feature_maps(pictures)
    assert maps.fine.shape[:3] == maps.deep.shape[:3]
    return np.concatenate([maps.fine, maps.deep], axis=3).reshape(-1, maps.fine.shape[3] + maps.deep.shape[3])


def test_a_network_of_convolutions_has_maps_too(tmp_path):
    encoder = open_vit(timm_checkpoint(tmp_path, "test_efficientnet"), "test_efficientnet")
    together = all_cells(encoder, scenes())
    alone = np.concatenate([all_cells(encoder, [picture]) for picture in scenes()])
    assert cosines(alone, together).min() >= 0.9999


@pytest.mark.torture
@pytest.mark.promise("R19")
def test_both_runtimes_agree_on_a_network_of_convolutions(tmp_path):
    name = f"timm:test_efficientnet@{timm_checkpoint(tmp_path, 'test_efficientnet')}"
    onnx, torch = (open_encoder(name, runtime=runtime) for runtime in ("onnx", "torch"))
    assert cosines(onnx.encode_images(scenes()), torch.encode_images(scenes())).min() >= 0.9999
    assert cosines(all_cells(onnx, scenes()), all_cells(torch, scenes())).min() >= 0.9999


@pytest.mark.promise("S11")
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"state_dict": x}, lambda x: {"a": torch.zeros(1), "b": x}])
@pytest.mark.parametrize("save", [torch.save, lambda made, file: file.write_bytes(pickle.dumps(made))])
@pytest.mark.parametrize("name", ["model.pth", "model.bin", "model.pt", "model.safetensors", "model.npz", "model"])
def test_a_hostile_pickle_runs_nothing(tmp_path, wrap, save, name):
    save(wrap(Hostile(tmp_path / "canary")), tmp_path / name)
    with pytest.raises(EncoderUnavailable, match="does not fit timm's test_vit"):
        open_vit(tmp_path / name)
    assert not (tmp_path / "canary").exists()


def test_objects_other_than_tensors_are_refused(weights, tmp_path):
    torch.save({"state_dict": weights, "args": argparse.Namespace(lr=1)}, tmp_path / "train.pth")
    with pytest.raises(EncoderUnavailable) as refused:
        open_vit(tmp_path / "train.pth")
    assert "safetensors" in refused.value.hint


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\x80\x04", b"PK\x03\x04" + bytes(40), (2**63).to_bytes(8, "little") + b"{}", bytes(100)],
    ids=["empty", "text", "pickle", "zip", "long header", "zeros"],
)
@pytest.mark.parametrize("name", ["model.safetensors", "model.pth"])
def test_a_file_that_is_no_checkpoint(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EncoderUnavailable, match="does not fit timm's test_vit") as refused:
        open_vit(tmp_path / name)
    assert str(tmp_path / name) in refused.value.message and refused.value.hint


@pytest.mark.parametrize("content", [[1, 2], {"state_dict": 7}, {}, {"model": {}}, torch.zeros(3), {"x": [1]}], ids=str)
def test_a_torch_file_that_holds_something_else(tmp_path, content):
    torch.save(content, tmp_path / "model.pth")
    with pytest.raises(EncoderUnavailable, match="does not fit"):
        open_vit(tmp_path / "model.pth")


def test_the_checkpoint_of_another_model(checkpoint):
    for model in ("test_efficientnet", "test_vit2"):
        with pytest.raises(EncoderUnavailable, match=f"does not fit timm's {model}") as refused:
            open_vit(checkpoint, model)
        assert "saved from" in refused.value.hint and len(refused.value.message) < 600


def test_half_a_checkpoint_is_not_filled_with_chance(weights, tmp_path):
    less = {name: tensor for name, tensor in weights.items() if "blocks.1" not in name}
    save_file(less, tmp_path / "less.safetensors")
    with pytest.raises(EncoderUnavailable, match="Missing key"):
        open_vit(tmp_path / "less.safetensors")
    save_file(weights | {"other.weight": torch.zeros(1)}, tmp_path / "more.safetensors")
    with pytest.raises(EncoderUnavailable, match="Unexpected key"):
        open_vit(tmp_path / "more.safetensors")


def test_a_file_that_is_not_there(tmp_path):
    for missing in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(EncoderUnavailable, match="There is no checkpoint"):
            open_vit(missing)


def test_an_unknown_model_name(checkpoint):
    with pytest.raises(EncoderUnavailable, match="'test_nothing'") as refused:
        open_vit(checkpoint, "test_nothing")
    assert "timm.list_models" in refused.value.hint
