"""Categorising photos: prompts worked out by hand, and what counts as right."""

import math

import pytest

from catalog.errors import UnsupportedQuery
from search.evaluation.categorise import (
    LABEL_SHARPNESS,
    NO_GUESS,
    Guess,
    Result,
    by_products,
    categorise_photos,
)
from tests.fake_encoder import FakeEncoder
from tests.search.shop_fixtures import BLUE, GREEN, RED, Item, make_shop, picture


@pytest.mark.parametrize(
    ("truth", "right"),
    [
        ("Apparel > Scarves", True),
        ("apparel>scarves", True),
        ("SCARVES", True),
        ("Apparel", False),
        ("Scarves > Apparel", False),
        ("", False),
    ],
)
def test_the_full_path_or_its_last_part_is_right(truth, right):
    assert Result("p", truth, Guess("Apparel > Scarves", 1.0, True)).right is right
    assert not Result("p", "", NO_GUESS).right


@pytest.fixture
def photos(tmp_path):
    for name, colour in (("red", RED), ("green", GREEN), ("blue", BLUE), ("grey", (90, 90, 90))):
        picture(colour, 30).save(tmp_path / f"{name}.png")
    (tmp_path / "bad.png").write_bytes(b"")
    return tmp_path


def write(folder, *lines):
    path = folder / "photos.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_shops_products_vote(home, photos):
    items = [
        Item("1", "red", (RED,), "Things > Warm"),
        Item("2", "red", ((250, 5, 0),), "Things > Warm"),
        Item("3", "blue", (BLUE,), "Things>Cold"),
        Item("4", "green", (GREEN,), "Things > Green"),
    ]
    path = write(photos, "photo,category", "red.png,warm", "blue.png,Things > Cold", "green.png,cold", "bad.png,warm")
    with make_shop(home, items) as engine:
        found = categorise_photos(engine, path, ()).to_dict()
    assert [r["category"] for r in found["results"]] == ["Things > Warm", "Things > Cold", "Things > Green", None]
    assert [r["answered"] for r in found["results"]] == [True, True, True, False]
    assert found["photos"] == 4 and found["accuracy"] == 0.5
    assert found["coverage"] == 0.75 and found["accuracy_when_answered"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["rejected"][0]["line"] == 5


def test_labels_are_chosen_by_words_even_where_products_have_categories(engine, photos):
    path = write(photos, "photo,category", "red.png,RED", "blue.png,blue", "grey.png,green", "gone.png,red")
    found = categorise_photos(engine, path, ("red", "green", "blue")).to_dict()
    assert [r["category"] for r in found["results"]] == ["red", "blue", "red", None]
    sure = 1 / (1 + 2 * math.exp(-LABEL_SHARPNESS))
    assert [r["confidence"] for r in found["results"]] == pytest.approx([sure, sure, 1 / 3, 0], abs=1e-4)
    assert found["accuracy"] == 0.5 and found["coverage"] == 0.75


def test_without_known_categories_there_are_no_figures(engine, photos):
    found = categorise_photos(engine, write(photos, "photo", "red.png", "red.png"), ()).to_dict()
    assert found.keys() == {"photos", "results", "rejected"}
    assert found["results"][0] == found["results"][1]
    assert found["results"][0]["photo"] == "red.png"


def test_nothing_answered_has_no_accuracy_when_answered(engine, photos):
    figures = categorise_photos(engine, write(photos, "photo,category", "bad.png,x"), ()).figures()
    assert figures == {"accuracy": 0.0, "coverage": 0.0, "accuracy_when_answered": None}


def test_labels_need_an_encoder_that_reads(home, photos):
    with make_shop(home, encoder=FakeEncoder(texts=False)) as engine:
        with pytest.raises(UnsupportedQuery, match="cannot read words"):
            categorise_photos(engine, write(photos, "photo", "red.png"), ("red",))
        assert categorise_photos(engine, write(photos, "photo", "red.png"), ()).results[0].guess.category


def test_a_shop_without_categories_has_no_guess(home):
    with make_shop(home, [Item("1"), Item("2", "thing", (BLUE,))]) as engine:
        assert by_products(engine)([picture(RED)]) == [NO_GUESS]
