"""Swatches of colours and their names in the page's language."""

import pytest

from web.facets.colours import colour_label, swatch


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("navy", ("#01153e",)),
        ("Navy Blue", ("#001146",)),
        ("藏青色", ("#01153e",)),
        ("pale ash", ("#dcc9a8",)),
        ("black-stained wood", ("#2e2a28",)),
        ("glacier blue", ("#0343df",)),
        ("Dunkelblau", ("#00035b",)),
        ("bleu foncé", ("#00035b",)),
        ("morado", ("#7e1e9c",)),
        ("terre cuite", ("#ca6641",)),
        ("ivory and navy", ("#ffffcb", "#01153e")),
        ("papayawhip", ("#ffefd5",)),
        ("clear", ("clear",)),
        ("NA", ()),
    ],
)
def test_a_colour_has_a_swatch(name, values):
    assert swatch(name) == swatch(name) == values


def test_several_colours_have_a_swatch_of_their_own():
    assert len(swatch("Multi")) == 4 == len(swatch("assorted"))


def test_base_colours_have_names_in_every_language(client):
    app = client.application
    with app.test_request_context("/?lang=zh"):
        assert colour_label("Navy") == "藏青色" and colour_label("blue") == "蓝色"
        assert colour_label("pale ash") == "pale ash"
    for language, names in (("de", "Marineblau"), ("fr", "Bleu marine"), ("es", "Azul marino")):
        with app.test_request_context(f"/?lang={language}"):
            assert colour_label("Navy") == names and colour_label("navy") == names[0].lower() + names[1:]
            assert colour_label("pale ash") == "pale ash"
    with app.test_request_context("/?lang=en"):
        assert colour_label("Navy") == "Navy"


def test_german_nouns_for_colours_keep_their_capital(client):
    with client.application.test_request_context("/?lang=de"):
        assert (colour_label("oak"), colour_label("dark blue"), colour_label("maroon")) == (
            "Eiche",
            "dunkelblau",
            "bordeauxrot",
        )
    assert swatch("eiche") == swatch("Eiche") == swatch("oak")
