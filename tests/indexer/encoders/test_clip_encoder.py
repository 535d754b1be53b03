"""open_clip from a directory: what it must hold, and the error when it does not."""

import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from catalog.errors import EncoderUnavailable
from indexer.encoders.registry import open_encoder
from indexer.types import Block
from tests.indexer.encoders.test_timm_encoder import Hostile
from tests.indexer.encoders.tiny import clip_folder, cosines, scenes

pytestmark = [pytest.mark.torch, pytest.mark.timeout(600)]

TEXTS = ["red shoes", "a long green coat with a hood and deep pockets for all weathers and all the year round"]
WEIGHTS = "open_clip_model.safetensors"
CONFIG = "open_clip_config.json"


@pytest.fixture
def open_clip():
    import open_clip  # for three seconds, which only the worker that has these tests need spend

    return open_clip


@pytest.fixture
def folder(tmp_path):
    return clip_folder(tmp_path / "clip")


def open_clip_folder(folder):
    return open_encoder(f"clip:{folder}", runtime="torch")


def edit_config(folder, change):
    config = json.loads((folder / CONFIG).read_text())
    change(config)
    (folder / CONFIG).write_text(json.dumps(config))


@pytest.mark.parametrize("hf_tokenizer", [False, True], ids=["open_clip's tokenizer", "its own tokenizer"])
def test_rows_are_what_open_clip_gives(tmp_path, hf_tokenizer, open_clip):
    folder = clip_folder(tmp_path / "clip", hf_tokenizer=hf_tokenizer)
    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(TEXTS)
    with torch.inference_mode():
        pictures = model.eval().encode_image(torch.stack([transform(picture) for picture in scenes()])).numpy()
        words = model.encode_text(tokens).numpy()
    encoder = open_clip_folder(folder)
    assert encoder.blocks[0] == Block("meaning", 24, texts=True)
    assert cosines(encoder.encode_images(scenes())[:, :24], pictures).min() >= 0.9999
    assert cosines(encoder.encode_texts(TEXTS)[:, :24], words).min() >= 0.9999


def test_preprocessing_is_the_directorys_own(folder):
    assert dict(open_clip_folder(folder).preprocessing)["fit"] == "squash"
    edit_config(folder, lambda config: config.update(preprocess_cfg={"mean": [0, 0, 0], "resize_mode": "shortest"}))
    record = dict(open_clip_folder(folder).preprocessing)
    assert record["fit"] == "crop" and record["side"] == 32 and record["mean"] == (0, 0, 0)
    assert record["interpolation"] == "bicubic"


def test_both_halves_share_one_model(folder, monkeypatch, open_clip):
    made = []
    create = open_clip.create_model
    monkeypatch.setattr(open_clip, "create_model", lambda *a, **k: made.append(create(*a, **k)) or made[-1])
    open_clip_folder(folder)
    assert len(made) == 1


def test_the_fingerprint_is_that_of_the_content_not_of_the_place(folder, tmp_path):
    first = open_clip_folder(folder).fingerprint
    moved = folder.rename(tmp_path / "elsewhere")
    (moved / "README.md").write_text("notes")
    assert open_clip_folder(moved).fingerprint == first
    edit_config(moved, lambda config: config["model_cfg"].update(quick_gelu=True))
    assert open_clip_folder(moved).fingerprint != first


def test_another_tokenizer_is_another_fingerprint(tmp_path):
    folder = clip_folder(tmp_path / "clip", hf_tokenizer=True)
    first = open_clip_folder(folder).fingerprint
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["normalizer"]["lowercase"] = False
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert open_clip_folder(folder).fingerprint != first


def test_a_torch_file_of_plain_tensors_will_do(folder):
    rows = open_clip_folder(folder).encode_images(scenes())
    torch.save(load_file(folder / WEIGHTS), folder / "open_clip_pytorch_model.bin")
    (folder / WEIGHTS).unlink()
    assert np.allclose(open_clip_folder(folder).encode_images(scenes()), rows, atol=1e-5)


@pytest.mark.promise("S11")
@pytest.mark.parametrize("save", [torch.save, lambda made, file: file.write_bytes(pickle.dumps(made))])
@pytest.mark.parametrize("name", ["open_clip_pytorch_model.bin", WEIGHTS])
def test_a_hostile_pickle_runs_nothing(folder, tmp_path, save, name):
    (folder / WEIGHTS).unlink()
    save({"state_dict": Hostile(tmp_path / "canary")}, folder / name)
    with pytest.raises(EncoderUnavailable, match="cannot be opened"):
        open_clip_folder(folder)
    assert not (tmp_path / "canary").exists()


def test_directories_that_are_none_of_open_clips(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    lacking = clip_folder(tmp_path / "lacking")
    (lacking / CONFIG).unlink()
    (folder / WEIGHTS).unlink()
    (folder / "open_clip_notes.txt").write_text("no weights")
    for wrong in (tmp_path / "empty", tmp_path / "file", tmp_path / "none", lacking, folder):
        with pytest.raises(EncoderUnavailable, match="not an open_clip directory") as refused:
            open_clip_folder(wrong)
        assert CONFIG in refused.value.message and WEIGHTS in refused.value.message and refused.value.hint


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / WEIGHTS).write_bytes(b"hello"),
        lambda folder: (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-8]),
        lambda folder: save_file({"x": torch.zeros(1)}, folder / WEIGHTS),
        lambda folder: (folder / CONFIG).write_text("{"),
        lambda folder: (folder / CONFIG).write_text("{}"),
        lambda folder: (folder / CONFIG).write_text('{"model_cfg": {}}'),
        lambda folder: edit_config(folder, lambda config: config["model_cfg"].update(embed_dim=25)),
        lambda folder: edit_config(folder, lambda config: config["model_cfg"].update(new_option=1)),
        lambda folder: edit_config(
            folder, lambda config: config["model_cfg"]["text_cfg"].update(hf_tokenizer_name="x")
        ),
    ],
    ids=[
        "text",
        "short",
        "other weights",
        "half json",
        "no model",
        "empty model",
        "other size",
        "newer",
        "no tokenizer",
    ],
)
def test_directories_that_are_spoilt(folder, spoil):
    spoil(folder)
    with pytest.raises(EncoderUnavailable, match="cannot be opened as an open_clip directory") as refused:
        open_encoder(f"clip:{folder}", runtime="torch").encode_texts(["red"])
    assert str(folder) in refused.value.message and "open_clip" in refused.value.hint
