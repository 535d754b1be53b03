"""Faults planted in pictures of the sample shop are noted, and the pictures as they are have none."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from catalog.sample import SAMPLE_FOLDER
from search.listings.picture_quality import MAX_BLUR, blur, picture_notes, shrunk

PICTURES = sorted((SAMPLE_FOLDER / "images").glob("*.jpg"))[::33]


def opened(path):
    with Image.open(path) as picture:
        return picture.convert("RGB")


def kinds(picture):
    return {note.kind for note in picture_notes(picture)}


def share(pictures, kind):
    return np.mean([kind in kinds(picture) for picture in pictures])


@pytest.fixture(scope="module")
def clean():
    return [opened(path) for path in PICTURES]


def test_good_pictures_have_no_notes(clean):
    assert np.mean([not kinds(picture) for picture in clean]) >= 0.9


def test_the_more_blurred_the_higher_the_measure(clean):
    for picture in clean:
        measures = [blur(shrunk(picture.filter(ImageFilter.GaussianBlur(r)))) for r in (0, 1, 2)]
        assert measures == sorted(measures)
    assert share([picture.filter(ImageFilter.GaussianBlur(3)) for picture in clean], "blurred") >= 0.9


def test_a_picture_blown_up_is_blurred(clean):
    assert share([picture.resize((60, 60)).resize((320, 320)) for picture in clean], "blurred") >= 0.9


def test_small_pictures_are_noted_with_their_size():
    (note,) = [n for n in picture_notes(opened(PICTURES[0]).resize((60, 80)), 2) if n.kind == "too_small"]
    assert (note.picture, note.measure, note.limit) == (2, 60, 100) and "60 pixels" in note.message


@pytest.mark.parametrize("place", [0.5, 0.92])
def test_words_laid_over_a_picture_are_noted(clean, place):
    marked = []
    for picture in clean:
        layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
        font = ImageFont.load_default(22)
        at = (40, int(picture.height * place) - 12)
        ImageDraw.Draw(layer).text(at, "SHOPNAME.COM", fill=(70, 70, 70, 180), font=font)
        marked.append(Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB"))
    assert share(marked, "text") >= 0.8


def test_a_busy_background_is_noted(clean):
    noise = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    ground = Image.fromarray(noise).resize((420, 420), Image.Resampling.NEAREST)
    ground.paste(clean[0], (50, 50))
    assert "busy_background" in kinds(ground)


@pytest.mark.parametrize("size", [(300, 300), (1, 1), (3, 900)])
def test_an_empty_picture_is_blank(size):
    found = kinds(Image.new("RGB", size, (200, 200, 200)))
    assert "blank" in found and "blurred" not in found


@pytest.mark.parametrize("size", [(1, 40), (40, 1), (7, 7)])
def test_the_smallest_pictures_can_be_measured(size):
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    assert "too_small" in kinds(Image.fromarray(pixels))


def test_the_limit_is_told():
    note = next(
        n for n in picture_notes(opened(PICTURES[0]).filter(ImageFilter.GaussianBlur(4))) if n.kind == "blurred"
    )
    assert note.limit == MAX_BLUR < note.measure
