"""Captions in other languages: agreement, order of words, a word for everything the sample shop sells, and shares."""

import csv
import re
from collections import Counter

import pytest

from catalog.sample import SAMPLE_FOLDER
from indexer.training.captions.compose import DRAWS, Parts, captions, drawn, item_captions, shared, translations
from indexer.training.captions.words import LANGUAGES, Adjective, Noun, alternatives, caption_words, german, spanish


@pytest.mark.parametrize(
    ("parts", "language", "expected"),
    [
        (Parts("shirts", "red", gender="men"), "de", {"rotes Hemd für Herren", "Hemd in Rot", "Herren Hemd rot"}),
        (Parts("shirts", "red", gender="men"), "fr", {"chemise rouge pour homme", "photo d'une chemise rouge"}),
        (Parts("shirts", "red", gender="men"), "es", {"camisa roja de hombre", "camisa de color rojo"}),
        (Parts("shirts", "red", gender="men"), "ja", {"赤いシャツの写真", "メンズの赤いシャツ"}),
        (Parts("shirts", "red", gender="men"), "zh", {"男士红色衬衫", "红色的衬衫"}),
        (Parts("skirt", "green"), "fr", {"jupe verte", "jupe de couleur verte"}),
        (Parts("skirt", "orange"), "fr", {"jupe orange"}),
        (Parts("socks", "black"), "es", {"calcetines negros", "foto de calcetines negros"}),
        (Parts("shoes", "white"), "fr", {"chaussures blanches", "photo de chaussures blanches"}),
        (Parts("shoes", "white"), "de", {"weiße Schuhe", "Foto von weißen Schuhen"}),
        (Parts("backpacks", "pink"), "de", {"rosa Rucksack", "Foto von einem rosa Rucksack"}),
        (
            Parts("vases", "mustard yellow", "striped", "glazed stoneware"),
            "de",
            {"senfgelbe Vase", "senfgelbe Keramikvase, gestreift"},
        ),
        (Parts("shelves", "oak", "plain", "solid oak"), "fr", {"étagère en chêne"}),
        (Parts("vases", "coral and white", "dotted"), "zh", {"珊瑚色配白色花瓶"}),
    ],
)
def test_words_agree_and_stand_in_their_order(parts, language, expected):
    assert expected <= set(captions(parts, language))


@pytest.mark.parametrize(
    ("cell", "gender", "expected"),
    [
        ("marrón|marrón", "mp", "marrones"),
        ("azul|azul", "fp", "azules"),
        ("rosa", "mp", "rosa"),
        ("gris|gris", "f", "gris"),
    ],
)
def test_spanish_adjectives(cell, gender, expected):
    assert spanish(Adjective.read(cell), Noun.read(f"palabra:{gender}")) == expected


@pytest.mark.parametrize(("gender", "expected"), [("m", "roter"), ("f", "rote"), ("n", "rotes"), ("p", "rote")])
def test_german_adjectives(gender, expected):
    assert german(Adjective.read("rot|rot"), Noun.read(f"Wort:{gender}")) == expected


def test_a_colour_that_is_the_material_is_left_out():
    texts = captions(Parts("shelves", "oak", material="solid oak"), "de")
    assert "Regal aus massiver Eiche" in texts and not any("eichefarben" in text for text in texts)
    assert not any("cristal de vidrio" in text for text in captions(Parts("carafes", "clear", "plain", "glass"), "es"))


def test_words_that_the_table_lacks_are_left_out():
    assert captions(Parts("flying carpets", "red"), "de") == ()
    assert not any("zorn" in text for text in captions(Parts("vases", "zornish and red"), "de"))
    assert item_captions("Bravo Apple Juice", "BRAVO", "de")[0] == "Bravo Apfelsaft"
    assert item_captions("Unknown Juice", "", "fr") == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_sample_shop(language):
    with (SAMPLE_FOLDER / "products.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        kind = row["category"].split(" > ")[-1]
        for role in ("pattern", "material"):
            assert alternatives(row[role], language, role), row[role]
        for colour in row["colour"].split(" and "):
            assert alternatives(colour, language, "colour", "adjective"), colour
        texts = captions(Parts(kind, row["colour"], row["pattern"], row["material"]), language)
        assert len(texts) >= 2 and not any(re.search(rf"\b({kind}|and|with)\b", text, re.I) for text in texts), texts
        if language in ("zh", "ja"):
            assert not any(re.search("[A-Za-z]", text) for text in texts), texts


def test_every_cell_is_complete():
    for (role, english), words in caption_words().items():
        for language, cells in words.items():
            assert all(cells), (english, language)
            if role == "kind" and language in ("de", "fr", "es"):
                assert all(re.search(r":([mfn]|p|[mf]p)0?$", cell) for cell in cells), (english, cells)


def test_shares_of_the_draws():
    counts = Counter(drawn([(0.6, ["a", "b"]), *shared(0.4, {"de": ["c"], "fr": []})]))
    assert counts == {"a": 38, "b": 37, "c": 25} and counts.total() == DRAWS
    with pytest.raises(ValueError, match="at least one group"):
        drawn([(1.0, [])])
    assert Counter(translations({"de": ["c"], "fr": ["d"], "es": []}, ["a"])) == {"c": 50, "d": 50}
    assert set(translations({"de": [], "fr": []}, ["a", "b"])) == {"a", "b"}
