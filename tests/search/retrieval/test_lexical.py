"""Products are found by the words of their own texts, and how much of the question they say is their score."""

from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from catalog.text.glossary import GlossaryEntry
from search.query.glossary import Glossary
from search.retrieval.lexical import Lexicon
from search.retrieval.text_reading import Correction

GLOSSARY = Glossary(
    [
        GlossaryEntry("红色", "zh", ("red",)),
        GlossaryEntry("茶壶", "zh", ("teapot",)),
        GlossaryEntry("jug", "en", ("pitcher",)),
    ]
)
SHOP = [
    ("mug-1", "Red mug", {"brand": "Kettlewick"}),
    ("mug-2", "Blue mug", {"brand": "Kettlewick", "description": "Goes well with red teapots."}),
    ("pot-1", "Red teapot", {"brand": "Adidas", "attributes": {"mpn": "WH-1000XM4"}}),
    ("pot-2", "Black teapots", {"category": "Tableware > Teapots"}),
    ("jug-1", "Green pitcher", {"attributes": {"colour_zh": "绿色"}}),
    ("998877", "Lamp X200-b, 500ml", {}),
]


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory):
    with closing(Catalogue.open(tmp_path_factory.mktemp("lexical") / "catalog.sqlite")) as catalogue:
        catalogue.put([Product(id_, title, (Picture("/a.jpg"),), **facts) for id_, title, facts in SHOP])
        yield Lexicon(catalogue, GLOSSARY)


def found(lexicon, words, **options):
    hits = lexicon.search(lexicon.read(words), **options)
    return [SHOP[key - 1][0] for key in hits.keys.tolist()]


def test_whoever_says_all_of_it_comes_first(lexicon):
    hits = lexicon.search(lexicon.read("red teapot"))
    assert found(lexicon, "red teapot")[0] == "pot-1"
    assert hits.scores[0] == 1.0
    assert set(found(lexicon, "red teapot")) == {"pot-1", "pot-2", "mug-1", "mug-2"}
    assert np.all(np.diff(hits.scores) <= 0)
    assert np.all((hits.scores > 0) & (hits.scores <= 1))
    assert not hits.exact.any()


def test_a_title_counts_more_than_a_description(lexicon):
    hits = lexicon.search(lexicon.read("red"))
    assert found(lexicon, "red") == ["mug-1", "pot-1", "mug-2"]
    assert hits.scores[1] > hits.scores[2]


def test_a_rare_word_says_more_than_a_frequent_one(lexicon):
    assert found(lexicon, "red lamp")[0] == "998877"


def test_singular_and_plural_are_one(lexicon):
    assert found(lexicon, "teapot") == found(lexicon, "teapots")
    assert found(lexicon, "mugs") == ["mug-1", "mug-2"]


@pytest.mark.parametrize("words", ["红色茶壶", "紅色茶壺"])
def test_chinese_finds_english_texts(lexicon, words):
    assert found(lexicon, words)[0] == "pot-1"


@pytest.mark.parametrize("words", ["绿色", "绿", "綠色"])
def test_chinese_texts_are_found_by_words_of_one_and_two_characters(lexicon, words):
    assert found(lexicon, words) == ["jug-1"]


def test_a_synonym_finds_but_for_less(lexicon):
    hits = lexicon.search(lexicon.read("jug"))
    assert found(lexicon, "jug") == ["jug-1"]
    assert hits.scores[0] == pytest.approx(0.8)


def test_a_word_nobody_has_lowers_the_score(lexicon):
    (score,) = lexicon.search(lexicon.read("pitcher zyzzyva")).scores
    assert 0.3 < score < 0.9


@pytest.mark.parametrize(("typed", "used"), [("tepot", "teapot"), ("tepots", "teapots"), ("ketlewik", "kettlewick")])
def test_typing_mistakes_are_mended_and_told(lexicon, typed, used):
    reading = lexicon.read(f"Red {typed}!")
    assert reading.corrections == (Correction(typed, used),)
    assert reading.encoder_words == f"red {used}!"
    assert found(lexicon, typed) == found(lexicon, used)


@pytest.mark.parametrize("words", ["red teapot", "红色", "jug", "the x", "500ml", "adidas", "kettlewick's"])
def test_what_the_shop_or_the_glossary_knows_is_not_corrected(lexicon, words):
    assert lexicon.read(words).corrections == ()
    assert lexicon.read(words).text == words


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("pot-2", ["pot-2"]),
        ("POT 2", ["pot-2"]),
        ("red mug 998877", ["998877"]),
        ("wh-1000xm4", ["pot-1"]),
        ("WH 1000 XM4", ["pot-1"]),
        ("mug WH1000XM4", ["pot-1"]),
        ("a mug like x200-b", ["998877"]),
        ("Kettlewick", ["mug-1", "mug-2"]),
        ("kettlewick mug", []),
        ("lamp 500ml", []),
        ("red", []),
        ("12345", []),
    ],
)
def test_ids_article_numbers_models_and_brands_are_exact_and_first(lexicon, words, ids):
    hits = lexicon.search(lexicon.read(words))
    assert [SHOP[key - 1][0] for key in hits.keys[hits.exact].tolist()] == ids
    assert hits.exact.tolist() == [True] * len(ids) + [False] * (len(hits.keys) - len(ids))
    assert np.all(hits.scores[hits.exact] == 1.0)


def test_only_allowed_products_and_no_more_than_wanted(lexicon):
    assert found(lexicon, "red teapot", allowed_keys=np.array([1, 3])) == ["pot-1", "mug-1"]
    assert found(lexicon, "red teapot", allowed_keys=np.array([], np.int64)) == []
    assert found(lexicon, "red teapot", limit=2) == found(lexicon, "red teapot")[:2]
    assert found(lexicon, "kettlewick", limit=1) == ["mug-1"]


def test_every_score_can_be_asked_for(lexicon):
    hits = lexicon.search(lexicon.read("red teapot"), limit=1)
    scores = hits.scores_of(np.array([6, 3, 99, 4]))
    assert scores.dtype == np.float32
    assert scores[1] == 1.0
    assert scores[0] == scores[2] == 0.0
    assert 0.0 < scores[3] < 1.0
    assert lexicon.search(lexicon.read("zyzzyva")).scores_of(np.array([1, 2])).tolist() == [0.0, 0.0]


def test_a_change_is_found_at_once(tmp_path):
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        lexicon = Lexicon(catalogue, GLOSSARY)
        assert len(lexicon.search(lexicon.read("samovar")).keys) == 0
        catalogue.put([Product("1", "Brass samovar", (Picture("/a.jpg"),))])
        assert lexicon.search(lexicon.read("samovar")).keys.tolist() == [1]
        catalogue.put([Product("1", "Brass kettle", (Picture("/a.jpg"),))])
        assert len(lexicon.search(lexicon.read("samovar")).keys) == 0
        catalogue.remove(["1"])
        assert len(lexicon.search(lexicon.read("kettle")).keys) == 0


def test_ties_come_by_key_whatever_the_limit(tmp_path):
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([Product(f"{i}", f"mug {'red' if i % 3 else ''}", (Picture("/a.jpg"),)) for i in range(50)])
        lexicon = Lexicon(catalogue, GLOSSARY)
        reading = lexicon.read("red mug")
        everything = lexicon.search(reading).keys.tolist()
        assert everything == [i + 1 for i in range(50) if i % 3] + [i + 1 for i in range(50) if not i % 3]
        for limit in (1, 10, 40, 50):
            assert lexicon.search(reading, limit).keys.tolist() == everything[:limit]


WORDS = "AND OR NOT NEAR( \" ' * ^ : ( ) - + % _ -- ; \\ = name: {name} 👗 🇸🇪 红色 שמלה فستان 1.5 t-shirt".split()  # noqa: SIM905
OPERATORS = st.sampled_from([*WORDS, "\0", "\u202e", "\u200f", "\ud800", "name : x", "x" * 50])


@pytest.mark.promise("S12")
@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=24), st.lists(OPERATORS, max_size=9).map(" ".join), st.lists(OPERATORS).map("".join)))
def test_no_words_are_an_error(lexicon, words):
    hits = lexicon.search(lexicon.read(words))
    assert len(hits.keys) == len(hits.scores) == len(hits.exact) <= len(SHOP)
    assert np.all((hits.scores > 0) & (hits.scores <= 1))


@pytest.mark.promise("S12")
def test_a_long_question_is_bounded(lexicon):
    words = " ".join(f"{chr(97 + i % 26)}{i}" for i in range(300)) + " red"
    assert found(lexicon, words) == []  # beyond the concepts that count
    assert found(lexicon, "red " + words)[:2] == ["mug-1", "pot-1"]


FOREIGN = [
    ("co1", "Kochtopf Edelstahl"),
    ("co2", "Milchtopf"),
    ("co3", "Stehlampe schwarz"),
    ("co4", "Lampe weiß"),
    ("co5", "Cotton tops"),
    ("co6", "Weinglas"),
    ("co7", "Glass jar"),
    ("co8", "Tasse für Kaffee"),
    ("co9", "Teapot red"),
    ("ru1", "Красный чайник"),
    ("pl1", "Stół dębowy"),
    ("en1", "Red bull poster"),
    ("en2", "Potato"),
    ("en3", "Comfort sandals"),
    ("en4", "Comfortsoft sandals"),
    ("nl1", "Bloempan"),
]


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    with closing(Catalogue.open(tmp_path_factory.mktemp("foreign") / "catalog.sqlite")) as catalogue:
        catalogue.put([Product(id_, title, (Picture("/a.jpg"),)) for id_, title in FOREIGN])
        yield Lexicon(catalogue, GLOSSARY)


@pytest.mark.parametrize(
    ("words", "ids", "corrections"),
    [
        ("topf", ["co1", "co2"], ()),
        ("Töpf", ["co1", "co2"], ()),
        ("lampe", ["co4", "co3"], ()),  # the whole word first
        ("glas", ["co6"], ()),
        ("edel", ["co1"], ()),
        ("чайнык", ["ru1"], (Correction("чайнык", "чайник"),)),
        ("stol", ["pl1"], ()),
        ("kaffeetasse", ["co8"], (Correction("kaffeetasse", "kaffee tasse"),)),
        ("redbull", ["en1", "co9"], (Correction("redbull", "red bull"),)),
        ("tea pot", ["co9"], ()),
        ("pot", ["co9"], ()),
        ("teapott", ["co9"], (Correction("teapott", "teapot"),)),
        ("comfor", ["en3"], (Correction("comfor", "comfort"),)),  # a letter less, and no part of "comfortsoft"
        ("bloem", ["nl1"], ()),
        ("stehlampee", ["co3"], (Correction("stehlampee", "stehlampe"),)),
    ],
)
def test_compounds_and_mistakes_in_any_language(foreign, words, ids, corrections):
    def knows(word):
        return word in ("tea", "pot", "red", "bull", "glass", "tops", "potato", "jar")

    reading = foreign.read(words, knows)
    assert reading.corrections == corrections
    assert [FOREIGN[key - 1][0] for key in foreign.search(reading).keys.tolist()] == ids


NUMBERED = [
    "PS5 stand",
    "PS 4 stand",
    "iPhone 15 Pro case",
    "iPhone15 case",
    "WH-1000 XM5",
    "Sunscreen SPF 50",
    "SPF30",
]
NUMBERED += ["EU 42.5", "EU42", "Jeans W32 L34", "Jeans W34 L30"]


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("ps5", "PS5 stand"),
        ("ps 5", "PS5 stand"),
        ("ps4", "PS 4 stand"),
        ("ps-4 stand", "PS 4 stand"),
        ("iphone15pro", "iPhone 15 Pro case"),
        ("iphone 15pro", "iPhone 15 Pro case"),
        ("wh1000xm5", "WH-1000 XM5"),
        ("wh 1000 xm5", "WH-1000 XM5"),
        ("spf50 sunscreen", "Sunscreen SPF 50"),
        ("spf 30", "SPF30"),
        ("eu42.5", "EU 42.5"),
        ("eu 42", "EU42"),
        ("jeans w32l34", "Jeans W32 L34"),
        ("jeans w34 l30", "Jeans W34 L30"),
    ],
)
def test_letters_and_numbers_are_found_with_a_space_between_and_without(tmp_path, words, title):
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([Product(f"n{at}", text, (Picture("/a.jpg"),)) for at, text in enumerate(NUMBERED)])
        lexicon = Lexicon(catalogue, GLOSSARY)
        hits = lexicon.search(lexicon.read(words))
        assert NUMBERED[hits.keys[0] - 1] == title
        assert len(hits.keys) == 1 or hits.scores[0] > hits.scores[1]
