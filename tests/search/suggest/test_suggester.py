"""Suggestions: beginnings in every script, mended mistakes, kinds, brands, products, logged searches; true counts."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.product import Product
from catalog.text.tokenizer import normalise, tokenise
from search.query.glossary import Glossary
from search.retrieval.lexical import Lexicon
from search.suggest.suggestions import MIN_OCCASIONS

MUGS = (
    Product("m1", "Dune red mug, glazed stoneware", (), "Tableware > Mugs", brand="Kettlewick"),
    Product("m2", "Dune blue mug with lid", (), "Tableware > Mugs", brand="Kettlewick", in_stock=False),
    Product("m3", "Yrsa red mug", (), "Tableware > Mugs", brand="Mirucasa"),
    Product("t1", "Pina red teapot", (), "Tableware > Teapots", brand="Mirucasa", attributes={"gtin": "4006381333931"}),
    Product("l1", "Marlo table lamp, steel", (), "Lighting > Table lamps", attributes={"colour": "mustard yellow"}),
)
SCRIPTS = (
    ("蓝色马克杯", "马", "蓝色马克杯", {"category": "Cups", "category_zh": "马克杯", "colour_zh": "蓝色"}),
    ("青いマグカップ", "マグ", "マグカップ", {"kind_ja": "マグカップ"}),
    ("แก้วกาแฟสีแดง", "แก้ว", "แก้วกาแฟ", {"kind_th": "แก้วกาแฟ"}),
    ("빨간 머그컵", "머그", "머그컵", {}),
    ("Красная кружка", "круж", "кружка", {}),
    ("كوب أحمر", "كو", "كوب", {}),
    ("ספל אדום", "ספ", "ספל", {}),
    ("नीला कम्बल", "कम्ब", "कम्बल", {}),
    ("Κόκκινη κούπα", "κουπ", "κούπα", {}),
    ("Łóżko dębowe", "loz", "łóżko", {}),
    ("Müller Öfen", "ofe", "öfen", {}),
    ("500ml Flasche", "500", "500ml", {}),
    ("Sony WH-1000XM4", "wh-10", "wh-1000xm4", {}),
)


@pytest.fixture
def mugs(open_shop):
    return open_shop(*MUGS)


def test_words_of_most_products_come_first_with_true_counts(mugs):
    found = mugs.suggest("m")
    counted = [(word.text, word.products) for word in found.words]
    assert counted[0] == ("mug", 3) and ("mirucasa", 2) in counted
    assert [(kind.category, kind.products) for kind in found.kinds] == [("Tableware > Mugs", 3)]
    assert [(brand.brand, brand.products) for brand in found.brands] == [("Mirucasa", 2)]
    assert found.products[0].in_stock and not found.degraded and not found.spelling


def test_words_of_titles_come_before_values_that_most_products_share(open_shop):
    season = {"season": "summer"}
    shop = open_shop(*(Product(f"s{n}", f"suit {n}", (), attributes=season) for n in range(3)), *["sun hat"] * 2)
    assert [(word.text, word.products) for word in shop.suggest("su").words] == [("suit", 3), ("sun", 2), ("summer", 3)]
    assert shop.texts("summer")[0] == "summer"


def test_a_category_named_as_the_one_above_it_is_one_kind(open_shop):
    shop = open_shop(Product("a", "a", (), "Watches > Watches"), Product("b", "b", (), "Men > Watches"))
    assert [kind.category for kind in shop.suggest("wat").kinds] == ["Men > Watches", "Watches"]


def test_several_words_are_completed_by_what_products_have_together(mugs):
    assert mugs.texts("red mu") == ["red mug"] and mugs.suggest("red mu").words[0].products == 2
    assert {product.id for product in mugs.suggest("red mu").products} == {"m1", "m3"}
    assert mugs.texts("blue te") == [] and mugs.suggest("blue te").products == ()
    assert [kind.category for kind in mugs.suggest("blue te").kinds] == ["Tableware > Teapots"]
    assert mugs.texts("mug re") == ["mug red"]  # in the order in which they are typed
    assert mugs.texts("MUGS  Re") == ["mugs red"]


def test_a_complete_word_is_followed_by_kinds_and_by_what_follows_it_in_titles(mugs):
    assert mugs.texts("red ") == ["red mug", "red teapot"]
    assert mugs.texts("red")[:1] == ["red"]
    assert "mug with lid" in mugs.texts("mug ")
    assert mugs.texts("with") == []  # no search finds a preposition


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("teapto", "teapot"),
        ("tepot", "teapot"),
        ("teeapot", "teapot"),
        ("teaxot", "teapot"),
        ("ketlew", "kettlewick"),
        ("red teapt", "red teapot"),
        ("stel lamp", "steel lamp"),
    ],
)
def test_one_mistake_is_mended(mugs, typed, text):
    found = mugs.suggest(typed)
    assert found.spelling == text == found.words[0].text and found.words[0].corrected
    assert found.products or found.brands


def test_exact_beginnings_keep_mistakes_away_and_short_words_have_none(mugs):
    assert not any(word.corrected for word in mugs.suggest("teap").words)
    assert mugs.texts("mgu") == [] and mugs.texts("zzzzzz") == []


@pytest.mark.parametrize(("title", "typed", "text", "labels"), SCRIPTS, ids=[typed for _, typed, _, _ in SCRIPTS])
def test_every_script_is_completed(open_shop, title, typed, text, labels):
    category = labels.get("category", "")
    attributes = {name: label for name, label in labels.items() if name != "category"}
    shop = open_shop(
        Product("a", title, (), category, attributes=attributes), *(f"other thing {number}" for number in range(3))
    )
    found = shop.suggest(typed)
    assert any(text.endswith(word.text) or word.text == text for word in found.words), found
    assert [product.id for product in found.products][:1] == ["a"]


def test_chinese_words_without_spaces_are_completed_and_joined(open_shop):
    kinds = {"马克杯": "Mugs", "茶壶": "Teapots"}
    shop = open_shop(
        *(
            Product(f"{colour}{kind}", f"{colour}{kind}", (), kinds[kind], attributes={"category_zh": kind})
            for colour in ("红色", "蓝色", "白色")
            for kind in kinds
        )
    )
    assert shop.texts("马") == ["马克杯"] and shop.suggest("马").words[0].products == 3
    assert shop.texts("红色马") == ["红色马克杯"] and shop.texts("红色 马") == ["红色 马克杯"]
    assert set(shop.texts("红色")) >= {"红色"} and shop.texts("红")[0] == "红色"
    assert [(kind.category, kind.products) for kind in shop.suggest("马克").kinds] == [("Mugs", 3)]
    assert [(kind.category, kind.products) for kind in shop.suggest("红色马").kinds] == [("Mugs", 3)]


def test_traditional_characters_and_accents_are_shown_as_the_shop_writes_them(open_shop):
    shop = open_shop("藍色 馬克杯", "Café crème", "cafe noir", "CAFÉ au lait")
    assert shop.texts("马") == shop.texts("馬") == ["馬克杯"]
    assert shop.texts("caf") == ["café"] and shop.suggest("caf").words[0].products == 3


def test_ids_and_article_numbers_find_products(mugs):
    assert {product.id for product in mugs.suggest("m1").products} == {"m1"}
    assert {product.id for product in mugs.suggest("4006381333931").products} == {"t1"}
    assert mugs.texts("400638") == []


def test_without_a_text_the_largest_kinds_and_frequent_searches_come(mugs):
    found = mugs.suggest("  ", logged={"red mug": MIN_OCCASIONS, "blue lamp": 90})
    assert [word.text for word in found.words] == ["red mug"] and found.products == found.brands == ()
    assert found.kinds[0].category == "Tableware > Mugs"


def test_logged_searches_count_only_when_frequent_and_only_while_products_hold_their_words(mugs):
    logged = {"red mug": MIN_OCCASIONS, "red teapot": MIN_OCCASIONS - 1, "red sofa": 99, "red … 12": 99, "mug red": 50}
    found = mugs.suggest("red", logged=logged).words
    assert [word.text for word in found][:2] == ["red", "red mug"] and found[1].occasions == MIN_OCCASIONS
    assert "red sofa" not in [word.text for word in found]
    assert mugs.texts("mug r", logged=logged) == ["mug red"]
    assert mugs.suggest("mug r", logged=logged).words[0].occasions == 50


def test_limits_hold_for_each_sort(open_shop):
    shop = open_shop(*(Product(f"a{n}", f"ab{n}x thing", (), f"Abc{n}", brand=f"Abd{n}") for n in range(30)))
    found = shop.suggest("ab", limit=4)
    assert [len(part) for part in (found.words, found.kinds, found.brands, found.products)] == [4] * 4


def test_an_empty_shop_suggests_nothing(open_shop):
    shop = open_shop()
    for text in ("", "a", "红", "red mug "):
        found = shop.suggest(text)
        assert not (found.words or found.kinds or found.brands or found.products or found.degraded)


WORDS = (
    "red",
    "blue",
    "mug",
    "teapot",
    "Größe",
    "кружка",
    "杯子",
    "红色",
    "t-shirt",
    "750ml",
    "l'eau",
    "für",
    "มก",
    "x",
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    titles=st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), min_size=1, max_size=6),
    length=st.integers(1, 12),
)
def test_the_beginning_of_a_title_finds_its_word_and_what_is_suggested_finds_products(
    open_shop, tmp_path, titles, length
):
    shop = open_shop(*titles)
    lexicon = Lexicon(shop.catalogue, Glossary.of(tmp_path))
    for title in titles:
        typed = title[:length]
        found = shop.suggest(typed, limit=20)
        assert found.products, (typed, titles)
        first = title.split()[0]
        if len(first) > 1 and len(typed) <= len(first) and first != "für":
            assert any(word.text.startswith(normalise(first)) or word.text == first.lower() for word in found.words)
        for word in found.words:
            hits = lexicon.search(lexicon.read(word.text))
            assert (hits.all_scores >= 0.79).sum() >= word.products > 0, (word, titles)  # synonyms find others too


@pytest.fixture
def hostile_shop(open_shop):
    return open_shop(*MUGS, *(Product(title, title, ()) for title, *_ in SCRIPTS))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(max_size=60) | st.text(alphabet="aAmu g\u0301\u200d\u0000'\"<>%_*\\-–，。红杯แก้ว👗½٣", max_size=300)
)
def test_no_text_breaks_it(hostile_shop, text):
    shop = hostile_shop
    found = shop.suggest(text)
    assert len(found.words) <= 6
    for word in found.words:  # nothing that was typed comes back: all words are the shop's
        for _, _, piece in tokenise(normalise(word.text)):
            assert shop.suggest(piece, limit=20).words or piece in {"with", "in", "of", "for"}
