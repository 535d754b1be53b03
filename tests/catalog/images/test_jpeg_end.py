"""A JPEG without its end is used when hardly a pixel is missing; one that lacks a part of its picture is refused."""

import io
from functools import cache

import numpy as np
import pytest
from PIL import Image

from catalog.errors import BadPicture
from catalog.images import decode

SHAPES = {
    "baseline": {},
    "progressive": {"progressive": True},
    "every colour in full": {"subsampling": 0},
    "progressive, every colour in full": {"progressive": True, "subsampling": 0},
    "with restart marks": {"restart_marker_rows": 1},
}
SIZE = (400, 304)


@cache
def photo(size=SIZE, mode="RGB", **options):
    chance = np.random.default_rng(9)
    soft = np.asarray(Image.fromarray(chance.integers(0, 256, (6, 8, 3), np.uint8)).resize(size, 3), float)
    picture = Image.fromarray(np.clip(soft + chance.normal(0, 5, soft.shape), 0, 255).astype(np.uint8))
    out = io.BytesIO()
    picture.convert(mode).save(out, "JPEG", quality=85, **options)
    return out.getvalue()


@pytest.mark.parametrize("missing", [1, 2, 3, 5, 8, 13, 20])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_few_missing_bytes_cost_a_few_pixels_at_most(shape, missing):
    data = photo(**SHAPES[shape])
    whole, found = np.asarray(decode(data), int), np.asarray(decode(data[:-missing]), int)
    different = np.abs(whole - found).max(axis=2) > 0
    assert different.mean() <= 0.05 if missing > 2 else not different.any()


@pytest.mark.parametrize("missing", range(1, 21))
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("quality", [40, 80, 95])
def test_a_progressive_file_may_lack_its_last_bytes(mode, quality, missing):
    """A few bytes refine many plain blocks, or are a whole scan of an ink; what they add hardly shows."""
    data, whole = on_a_plain_ground(mode, quality)
    assert np.abs(whole - np.asarray(decode(data[:-missing]), int)).mean() < 1


@cache
def on_a_plain_ground(mode, quality):
    """A progressive file, and its pixels."""
    picture = Image.open(io.BytesIO(photo())).convert("L").convert(mode)
    picture.paste(picture.resize((1, 1)).getpixel((0, 0)), (0, 150, 400, 304))  # plain, as a background is
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, progressive=True)
    return out.getvalue(), np.asarray(decode(out.getvalue()), int)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_last_hundredth_of_a_file_may_be_missing(shape):
    data = photo(**SHAPES[shape])
    whole, found = np.asarray(decode(data), int), np.asarray(decode(data[: int(0.99 * len(data))]), int)
    assert (np.abs(whole - found).max(axis=2) > 16).mean() < 0.03


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_greys_and_inks_without_an_end_mark(mode):
    data = photo(mode=mode)
    assert decode(data[:-2]).tobytes() == decode(data).tobytes()


@pytest.mark.parametrize("at_least", [0, 64, 512])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_cut_short_stays_refused(shape, at_least):
    data = photo(**SHAPES[shape])
    # Of a progressive file all pixels are there when only a part of the last scan is missing.
    for share in (0.02, 0.1, 0.3, 0.5, 0.6) if "progressive" in shape else (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.96):
        with pytest.raises(BadPicture, match=r"image file is truncated|ends within its header"):
            decode(data[: int(share * len(data))], at_least=at_least)


@pytest.mark.parametrize("colour", [(180, 120, 90), (128, 128, 128), (0, 0, 0)])
def test_plain_pictures_are_whole_or_not_by_the_same_rule(colour):
    out = io.BytesIO()
    Image.new("RGB", SIZE, colour).save(out, "JPEG")
    data = out.getvalue()
    assert decode(data[:-2]).tobytes() == decode(data).tobytes()
    with pytest.raises(BadPicture):
        decode(data[: -len(data) // 4])


@pytest.mark.parametrize(
    "tail", [b"", b"\0" * 999, b"\r\n", b"\xff", b"\xff\xff\xd9", b"\xff\xd9", b"\xff\xd9\0\0", b"ftypmp42" * 9]
)
@pytest.mark.parametrize("shape", ["baseline", "progressive"])
def test_whatever_stands_behind_the_picture(shape, tail):
    data = photo(**SHAPES[shape])
    assert decode(data[:-2] + tail).tobytes() == decode(data).tobytes()
    if not tail.startswith(b"\xff"):
        with pytest.raises(BadPicture):
            decode(data[: len(data) // 2] + tail)


def test_a_large_photo_is_compared_at_a_fraction_of_its_size():
    from tests.catalog.images.tall import tall_jpeg, texture

    data = tall_jpeg(texture(8064), 378)
    assert decode(data[:-2], at_least=512).tobytes() == decode(data, at_least=512).tobytes()
    with pytest.raises(BadPicture):
        decode(data[: len(data) // 2], at_least=512)


def test_a_png_without_its_last_chunk_is_used_as_before():
    out = io.BytesIO()
    Image.open(io.BytesIO(photo())).save(out, "PNG")
    data = out.getvalue()
    assert decode(data[:-12]).tobytes() == decode(data).tobytes()
    with pytest.raises(BadPicture):
        decode(data[: len(data) // 2])
