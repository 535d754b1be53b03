"""Alignment of pictures: copies of one picture are recognised, look-alikes are not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from search.dedup.image_alignment import AlignmentImage, align_images


def drawn(seed, colour=(40, 90, 160)):
    """Draw strokes and blots on white, 120 x 150; a seed always gives the same drawing, in any colour."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (120, 150), "white")
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((25, 25, 95, 125), 15, fill=colour)
    for _ in range(14):
        x, y = rng.uniform(20, 90), rng.uniform(20, 120)
        width, height = rng.uniform(4, 22, 2)
        shade = int(rng.integers(0, 256))
        pen.ellipse((x, y, x + width, y + height), fill=(shade, shade, shade))
    return picture


def saved(picture, quality=60):
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


def framed(picture):
    copy = picture.copy()
    ImageDraw.Draw(copy).rectangle((0, 0, *(side - 1 for side in copy.size)), outline=(200, 30, 30), width=7)
    return copy


def confidence(picture, other):
    return align_images(AlignmentImage.of(picture), [AlignmentImage.of(other)])[0].confidence


ALTERED = {
    "saved again": saved,
    "smaller": lambda picture: picture.resize((60, 75), Image.Resampling.LANCZOS),
    "larger": lambda picture: picture.resize((300, 375), Image.Resampling.BICUBIC),
    "cropped": lambda picture: picture.crop((10, 4, 114, 140)),
    "mirrored": ImageOps.mirror,
    "another border": framed,
}


@pytest.mark.parametrize("how", ALTERED)
@pytest.mark.parametrize("seed", range(4))
def test_an_altered_copy_is_the_same_picture(how, seed):
    picture = drawn(seed)
    assert confidence(ALTERED[how](picture), picture) > 0.5


@pytest.mark.parametrize("seed", range(6))
def test_a_different_thing_is_not(seed):
    assert confidence(drawn(seed), drawn(seed + 100)) < 0.2


@pytest.mark.parametrize("seed", range(4))
def test_the_same_thing_in_another_colour_is_not(seed):
    assert confidence(drawn(seed), drawn(seed, (170, 60, 40))) < 0.2


def test_an_alignment_has_the_scale_and_the_mirroring():
    picture = drawn(1)
    (alignment,) = align_images(
        AlignmentImage.of(ImageOps.mirror(picture.crop((6, 8, 114, 143)))), [AlignmentImage.of(picture)]
    )
    assert alignment.mirrored
    assert alignment.scale == pytest.approx((0.9, 0.9), abs=0.02)


def test_an_alignment_does_not_depend_on_the_other_pictures():
    image, others = AlignmentImage.of(drawn(1)), [AlignmentImage.of(drawn(seed)) for seed in (1, 2, 3)]
    alone = [align_images(image, [other])[0].confidence for other in others]
    assert [alignment.confidence for alignment in align_images(image, others)] == pytest.approx(alone, abs=1e-5)
    assert align_images(image, []) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_print_survives_saving_and_scaling(seed):
    picture = drawn(seed)
    original = AlignmentImage.of(picture).print(12)
    for again in (saved(picture, 40), picture.resize((60, 75), Image.Resampling.LANCZOS)):
        assert float((AlignmentImage.of(again).print(12) * original).sum()) > 0.99
    assert float((AlignmentImage.of(ImageOps.mirror(picture)).print(12)[:, ::-1] * original).sum()) > 0.99
    assert float((AlignmentImage.of(drawn(seed + 100)).print(12) * original).sum()) < 0.99


def test_plain_pictures_are_compared_by_colour():
    white, black = Image.new("RGB", (50, 50), "white"), Image.new("RGB", (50, 50), "black")
    assert confidence(white, white) > 0.5
    assert confidence(white, black) < 0.2
