"""Reasons of recommendations: a text for every code in every language, with its facts and true plurals."""

import pytest

from catalog.product import Product
from web.i18n.languages import LANGUAGES
from web.i18n.messages import UnknownMessage
from web.i18n.reasons import reason_text

MUG = Product("mug-1a", "Red mug", (), attributes={"title_de": "Rote Tasse"})


def said(app, language, code, product=None, **facts):
    with app.test_request_context(f"/?lang={language}"):
        return reason_text(code, product, facts)


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ("You bought this once · last 1 day ago", "You bought this 5 times · last 12 days ago")),
        ("zh", ("您买过 1 次 · 上次是 1 天前", "您买过 5 次 · 上次是 12 天前")),
        ("de", ("Einmal von Ihnen gekauft · zuletzt vor 1 Tag", "5-mal von Ihnen gekauft · zuletzt vor 12 Tagen")),
        (
            "fr",
            (
                "Vous l’avez acheté une fois · la dernière fois il y a 1 jour",
                "Vous l’avez acheté 5 fois · la dernière fois il y a 12 jours",
            ),
        ),
        (
            "es",
            (
                "Lo ha comprado una vez · la última vez hace 1 día",
                "Lo ha comprado 5 veces · la última vez hace 12 días",
            ),
        ),
    ],
)
def test_what_was_bought_is_counted_as_the_language_does(app, language, texts):
    found = [said(app, language, "bought_before", times=n, days_ago=days) for n, days in ((1, 1), (5, 12))]
    assert tuple(found) == texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_states_its_facts(app, language):
    title = "Rote Tasse" if language == "de" else "Red mug"
    for code in ("bought_with", "viewed_with", "like_viewed", "like_bought", "like"):
        assert title in said(app, language, code, MUG), code
    assert "7" in said(app, language, "due_again", times=4, every_days=7, days_ago=9)
    assert "1" not in said(app, language, "due_again", times=4, every_days=1, days_ago=9)
    assert "3" in said(app, language, "popular", rank=3) and "90" not in said(app, language, "popular", rank=90)
    assert "Mugs" in said(app, language, "popular_in_category", rank=2, category="Kitchen > Mugs")
    assert "Mugs" in said(app, language, "popular_in_category", rank=99, category="Kitchen > Mugs")


def test_a_code_without_a_text_is_an_error(app):
    with pytest.raises(UnknownMessage):
        said(app, "en", "no_such_code")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Red mug", "Red mug"),
        ("Dune speckled straight mug, glazed stoneware, terracotta and ivory", "Dune speckled straight mug"),
        ("A very long title of a product that has no comma at all", "A very long title of a product that has…"),
        (
            "砂丘斑点直身马克杯，釉面炻器，赤陶色与象牙白，容量三百毫升，可放入洗碗机和微波炉，附赠木质杯垫一个",
            "砂丘斑点直身马克杯",
        ),
    ],
)
def test_a_long_title_is_short_inside_a_sentence(app, title, name):
    found = said(app, "en", "like_viewed", Product("x", title, ()))
    assert found == f"Similar to {name}, which you viewed"
