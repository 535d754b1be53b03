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


def test_base_colours_have_chinese_names(client):
    app = client.application
    with app.test_request_context("/?lang=zh"):
        assert colour_label("Navy") == "藏青色" and colour_label("blue") == "蓝色"
        assert colour_label("pale ash") == "pale ash"
    with app.test_request_context("/?lang=en"):
        assert colour_label("Navy") == "Navy"
