"""Pictures to squares: by eye, and as timm and open_clip do it."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from indexer.encoders.backends.preprocess import Preprocess
from tests.indexer.encoders.tiny import scene

SIZES = [(640, 480), (480, 641), (225, 225), (101, 77), (50, 400), (24, 24), (1, 1), (1, 300)]


def thirds(size=(90, 30)):
    """Red, green and blue side by side."""
    picture = Image.new("RGB", size, "red")
    width, height = size
    picture.paste((0, 255, 0), (width // 3, 0, 2 * width // 3, height))
    picture.paste((0, 0, 255), (2 * width // 3, 0, width, height))
    return picture


def test_squash_keeps_everything():
    square = Preprocess(30, "squash", interpolation="nearest")(thirds())
    assert square[15, 2].tolist() == [255, 0, 0]
    assert square[15, 15].tolist() == [0, 255, 0]
    assert square[15, 28].tolist() == [0, 0, 255]


def test_crop_keeps_the_middle():
    square = Preprocess(30, "crop", interpolation="nearest")(thirds())
    assert (square == [0, 255, 0]).all()
    tall = Preprocess(30, "crop", interpolation="nearest")(thirds((30, 90)))
    assert tall[0, 2].tolist() == [255, 0, 0] and tall[29, 28].tolist() == [0, 0, 255]


def test_crop_share_leaves_a_margin():
    """Resized to 40, the middle 30 remain: 5 of 40 on each side of a square are lost."""
    picture = Image.new("RGB", (40, 40), "blue")
    picture.paste((255, 0, 0), (5, 5, 35, 35))
    assert (Preprocess(30, "crop", 0.75, "nearest")(picture) == [255, 0, 0]).all()


def test_pad_keeps_the_shape_on_white():
    square = Preprocess(30, "pad", interpolation="nearest")(thirds())
    assert (square[:9] == 255).all() and (square[21:] == 255).all()
    assert square[15, 2].tolist() == [255, 0, 0] and square[15, 28].tolist() == [0, 0, 255]


@pytest.mark.parametrize("fit", ["squash", "crop", "pad"])
@pytest.mark.parametrize("size", [*SIZES, (3000, 10), (10, 3000), (12000, 1)], ids=str)
def test_every_shape_becomes_the_square(fit, size):
    for how in ("bicubic", "bilinear", "lanczos", "nearest", "box", "hamming"):
        square = Preprocess(24, fit, 0.9 if fit == "crop" else 1.0, how)(Image.new("RGB", size, (9, 99, 199)))
        assert square.shape == (24, 24, 3) and square.dtype == np.uint8
        assert [9, 99, 199] in square[11:13, 11:13].reshape(-1, 3).tolist()


@pytest.mark.promise("S3")
def test_a_strip_takes_no_memory_to_crop():
    """Resized whole before it is cropped, it would take 1.8 GB."""
    script = (
        "from pathlib import Path; from PIL import Image; from indexer.encoders.backends.preprocess import Preprocess\n"
        "Preprocess(224, 'crop')(Image.new('RGB', (12000, 1)))\n"
        "print([line.split()[1] for line in Path('/proc/self/status').open() if line.startswith('VmHWM')][0])"
    )
    peak = int(subprocess.check_output([sys.executable, "-c", script], text=True))
    assert peak < 200_000  # kB


@pytest.mark.torch
@pytest.mark.parametrize("share", [0.875, 0.9, 0.95, 1.0])
@pytest.mark.parametrize("size", SIZES[:6], ids=str)
def test_crop_is_timms(share, size):
    import timm

    transform = timm.data.create_transform((3, 24, 24), crop_pct=share, interpolation="bicubic", crop_mode="center")
    picture = scene("teal", size)
    theirs = np.asarray(transform.transforms[1](transform.transforms[0](picture)), dtype=int)
    ours = Preprocess(24, "crop", share)(picture).astype(int)
    assert theirs.shape == ours.shape and np.abs(theirs - ours).max() <= 1


@pytest.mark.torch
@pytest.mark.parametrize(("mode", "fit"), [("shortest", "crop"), ("squash", "squash")])
@pytest.mark.parametrize("size", SIZES[:6], ids=str)
def test_squares_are_open_clips(mode, fit, size):
    from open_clip.transform import image_transform

    transform = image_transform(24, is_train=False, mean=(0.0,) * 3, std=(1.0,) * 3, resize_mode=mode)
    picture = scene("teal", size)
    theirs = (transform(picture).numpy().transpose(1, 2, 0) * 255).round().astype(int)
    assert np.abs(theirs - Preprocess(24, fit)(picture).astype(int)).max() <= 1


def test_the_record_reads_back():
    preprocess = Preprocess(24, "crop", 0.9, "bilinear", (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert Preprocess.from_record(json.loads(json.dumps(preprocess.record()))) == preprocess
