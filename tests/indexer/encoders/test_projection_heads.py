"""Heads: arithmetic that is worked out by hand, and files that are what they say."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from catalog.errors import EncoderUnavailable
from indexer.encoders.projection_heads import (
    CLIP_DEVIATIONS,
    Projection,
    ProjectionHead,
    ProjectionHeads,
    gelu,
    load_heads,
    save_heads,
)
from tests.indexer.encoders.tiny import random_heads


def array(*numbers):
    return np.array(numbers, dtype=np.float32)


def test_a_head_by_hand():
    head = ProjectionHead(
        mean=array(1, 0),
        scale=array(2, 1),
        linear=array([1, 0], [0, 1], [1, 1]),
        inner=array([0, 1]),
        inner_bias=array(1),
        outer=array([1], [0], [0]),
        bias=array(0, 0.5, 0),
    )
    # (3, 0) is (4, 0) when standardised; the GELU branch sees 0 * 4 + 1 * 0 + 1 = 1 and gelu(1) is 0.8412.
    assert np.allclose(head(array([3, 0])), [[4 + 0.8412, 0.5, 4]], atol=1e-4)


def test_one_odd_feature_does_not_decide():
    projection = Projection(mean=array(0, 0), scale=array(1, 1), axes=np.eye(2, dtype=np.float32))
    assert projection(array([1e9, -1e9])).tolist() == [[CLIP_DEVIATIONS, -CLIP_DEVIATIONS]]
    assert projection(array([0.25, 1])).tolist() == [[0.25, 1]]


def test_gelu_is_the_tanh_form():
    assert np.allclose(gelu(array(-3, -1, 0, 1, 3)), [-0.003637, -0.158808, 0, 0.841192, 2.996363], atol=1e-5)
    assert gelu(array(1)).dtype == np.float32


def test_what_is_saved_is_what_is_loaded(tmp_path):
    heads = random_heads(6, 4)
    save_heads(heads, tmp_path / "deep" / "heads.safetensors")
    loaded = load_heads(tmp_path / "deep" / "heads.safetensors")
    assert loaded.card == {"name": "random", "seed": 0} and loaded.dim == heads.dim == 16
    pictures, words = np.random.default_rng(0).normal(size=(5, 6)), np.random.default_rng(0).normal(size=(5, 4))
    for rows, again in (
        (heads.look(pictures), loaded.look(pictures)),
        (heads.picture(pictures), loaded.picture(pictures)),
        (heads.text(words), loaded.text(words)),
    ):
        assert np.allclose(rows, again, atol=1e-5)
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["heads.safetensors"]


def test_users_who_may_read_the_home_may_read_the_heads(tmp_path):
    (tmp_path / "other").write_text("any file")
    save_heads(random_heads(6, 4), tmp_path / "heads.safetensors")
    assert (tmp_path / "heads.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_float32_in_float32_out(tmp_path):
    save_heads(random_heads(6, 4), tmp_path / "heads.safetensors")
    loaded = load_heads(tmp_path / "heads.safetensors")
    features = np.ones((2, 6), np.float32)
    assert loaded.picture(features).dtype == loaded.look(features).dtype == np.float32


def test_the_digest_is_that_of_the_file(tmp_path):
    digests = []
    for seed in (0, 0, 1):
        save_heads(random_heads(6, 4, seed=seed), tmp_path / "heads.safetensors")
        digests.append(load_heads(tmp_path / "heads.safetensors").digest)
    assert digests[0] == digests[1] != digests[2]


def test_a_save_that_fails_leaves_the_old_heads(tmp_path):
    file = tmp_path / "heads.safetensors"
    save_heads(random_heads(6, 4), file)
    before = file.read_bytes()
    heads = random_heads(6, 4, seed=1)
    with pytest.raises(TypeError):
        save_heads(ProjectionHeads(heads.look, heads.picture, heads.text, {"not JSON": object()}), file)
    assert file.read_bytes() == before


def test_a_file_that_is_not_there(tmp_path):
    for missing in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(EncoderUnavailable, match="cannot be read") as refused:
            load_heads(missing)
        assert "make starter" in refused.value.hint and "indexer train" in refused.value.hint


@pytest.mark.promise("S11")
@pytest.mark.parametrize(
    "content",
    [b"", b"hello", (2**63).to_bytes(8, "little") + b"{}", b"\x80\x04N.", bytes(64)],
    ids=["empty", "text", "long header", "pickle", "zeros"],
)
def test_a_file_that_is_no_safetensors(tmp_path, content):
    (tmp_path / "heads.safetensors").write_bytes(content)
    with pytest.raises(EncoderUnavailable, match="cannot be read"):
        load_heads(tmp_path / "heads.safetensors")


@pytest.mark.parametrize("cut", [10, 100, 1000])
def test_a_file_cut_short(tmp_path, cut):
    save_heads(random_heads(6, 4), tmp_path / "heads.safetensors")
    whole = (tmp_path / "heads.safetensors").read_bytes()
    (tmp_path / "heads.safetensors").write_bytes(whole[:-cut])
    with pytest.raises(EncoderUnavailable):
        load_heads(tmp_path / "heads.safetensors")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda tensors: tensors.pop("look.axes"),
        lambda tensors: tensors.update({"picture.linear": np.zeros((16, 7), np.float16)}),
        lambda tensors: tensors.update({"picture.outer": np.zeros((3, 8), np.float16)}),
        lambda tensors: (
            tensors.update({"text.linear": np.zeros((5, 4)), "text.outer": np.zeros((5, 8))})
            or tensors.update({"text.bias": np.zeros(5)})
        ),
        lambda tensors: tensors.update({"look.mean": np.array(1, np.float16)}),
    ],
    ids=["missing", "other features", "other rows", "two sizes", "no vector"],
)
def test_tensors_that_are_no_heads(tmp_path, spoil):
    file = tmp_path / "heads.safetensors"
    save_heads(random_heads(6, 4), file)
    tensors = load_file(file)
    spoil(tensors)
    save_file(tensors, file, metadata={"card": "{}"})
    with pytest.raises(EncoderUnavailable):
        load_heads(file)


@pytest.mark.parametrize("metadata", [None, {}, {"card": "{"}, {"card": "7"}, {"other": "{}"}], ids=str)
def test_heads_without_a_card(tmp_path, metadata):
    file = tmp_path / "heads.safetensors"
    save_heads(random_heads(6, 4), file)
    save_file(load_file(file), file, metadata=metadata)
    with pytest.raises(EncoderUnavailable):
        load_heads(file)


def test_the_card_is_plain_json(tmp_path):
    from safetensors import safe_open

    save_heads(random_heads(6, 4), tmp_path / "heads.safetensors")
    with safe_open(tmp_path / "heads.safetensors", framework="numpy") as opened:
        assert json.loads(opened.metadata()["card"]) == {"name": "random", "seed": 0}
        assert {opened.get_tensor(name).dtype for name in opened.keys()} == {np.dtype(np.float16)}  # noqa: SIM118
