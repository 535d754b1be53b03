"""Typing mistakes in German, French and Spanish words are mended, though the shop's own words are English."""

import pytest

from search.language.stems import STEMMED
from search.language.vocabulary import LanguageVocabulary, terms_meant
from search.query.builder import build_query
from tests.search.shop_fixtures import BLUE, GREEN, RED, YELLOW, Item, make_shop

SOLD = dict.fromkeys(("cushion", "rug", "mirror", "vase", "brown", "red", "feather"), 3)
SHOP = (
    Item("cushion", "Wool cushion", (RED,), "Textiles > Cushions"),
    Item("rug", "Red runner rug", (GREEN,), "Textiles > Rugs"),
    Item("mirror", "Round mirror", (BLUE,), "Decoration > Mirrors"),
    Item("feather", "Feather duster", (YELLOW,), "Household"),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with make_shop(tmp_path_factory.mktemp("mistakes") / "shop", SHOP) as engine:
        yield engine


@pytest.mark.parametrize(
    ("typed", "term", "language"),
    [
        ("kisen", "kissen", "de"),
        ("tepich", "teppich", "de"),
        ("spigel", "spiegel", "de"),
        ("speigel", "spiegel", "de"),  # exchanged
        ("ispiegel", "spiegel", "de"),
        ("coussain", "coussin", "fr"),
        ("alfonbra", "alfombra", "es"),
        ("alfonbrra", None, None),  # two mistakes
        ("stuuhl", None, None),  # no chair is sold
        ("iissen", None, None),  # of six letters the first must be right
        ("kisn", None, None),
        ("qwrtzplm", None, None),
        ("asdfasdf", None, None),
        ("spiegeln", None, None),  # a form of a term is no mistake
        ("jarrones", None, None),
    ],
)
def test_a_word_alone(typed, term, language):
    vocabularies = {language: LanguageVocabulary(language, SOLD) for language in STEMMED}
    found = terms_meant(typed, [typed], {}, vocabularies)
    assert found == (({typed: term}, language) if term else ({}, None))


@pytest.mark.parametrize(
    ("typed", "language", "term"),
    [
        ("kisen", "de", "kissen"),
        ("weder", "de", None),  # "neither" is no feather
        ("jarrones", "fr", None),  # Spanish vases are no chestnuts
        ("coussain", "fr", "coussin"),
    ],
)
def test_a_word_of_a_text_in_a_language(typed, language, term):
    assert LanguageVocabulary(language, SOLD).nearest(typed) == term


@pytest.mark.parametrize(
    ("text", "first", "corrections"),
    [
        ("Kisen", "cushion", {"kisen": "kissen"}),
        ("rote Tepich", "rug", {"tepich": "teppich"}),
        ("Spigel", "mirror", {"spigel": "spiegel"}),
        ("alfonbra roja", "rug", {"alfonbra": "alfombra"}),
    ],
)
def test_the_shop_answers_and_says_what_it_read(engine, text, first, corrections):
    page = engine.search(build_query(text=text, blocks={"lexical": 1.0}))
    assert (page.hits[0].product.id, page.corrections) == (first, corrections)
    assert all(f"{word!r} was read as {used!r}" in page.notes for word, used in corrections.items())


@pytest.mark.parametrize("text", ["the kisen by Tepich and Co for your home", "hammer", "Fila", "blue lorem xqzzy"])
def test_english_texts_keep_their_words(engine, text):
    assert engine.search(build_query(text=text)).corrections == {}
