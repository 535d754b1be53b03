"""Words are cut and brought to one form, the same for products and questions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.text.tokenizer import code, forms, indexed, normalise, singularise


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Red TEAPOT, glazed!", ["red", "teapot", "glazed"]),
        ("Crème brûlée", ["creme", "brulee"]),
        ("Ｔｅａ", ["tea"]),
        ("t-shirts", ["t", "shirts", "tshirts"]),
        ("men's", ["men"]),
        ("O'Neill", ["o", "neill", "oneill"]),
        ("1.5l 500 ml", ["1500ml", "1.5", "500ml", "500", "ml"]),
        ("WH-1000XM4", ["wh", "1000xm4", "wh1000xm4"]),
        ("红色", ["红", "色", "红色"]),
        ("紅色杯", ["红", "色", "杯", "红色", "色杯"]),
        ("T恤 red杯", ["t", "恤", "red", "杯"]),
        ("", []),
        ("?! \0 '", []),
    ],
)
def test_words_of_a_text(text, words):
    assert list(indexed(text)) == words


SINGULARS = """
    glasses=glass glass=glass sunglasses=sunglass shelves=shelf knives=knife leaves=leaf scarves=scarf gloves=glove
    dresses=dress boxes=box dishes=dish watches=watch benches=bench berries=berry accessories=accessory ties=tie
    shirts=shirt shoes=shoe toes=toe vases=vase blouses=blouse sizes=size socks=sock mugs=mug women=woman
    bus=bus buses=bus gas=gas lens=lens lenses=lens cactus=cactus cactuses=cactus canvases=canvas series=series mens=man
    jeans=jeans jean=jeans scissors=scissors trousers=trousers trouser=trousers shorts=shorts tie=tie xs=xs 500s=500s
"""


@pytest.mark.parametrize("pair", SINGULARS.split())
def test_the_singular_of_english_words(pair):
    word, singular = pair.split("=")
    assert singularise(word) == singular


def test_a_word_is_looked_for_in_both_numbers():
    assert set(forms("shirt")) == set(forms("shirts")) == {"shirt", "shirts"}
    assert {"berry", "berries"} <= set(forms("berry"))
    assert {"dress", "dresses"} <= set(forms("dresses"))
    assert set(forms("woman")) == set(forms("women")) == {"woman", "women", "womens"}
    assert "adidas" in forms("adidas")
    assert forms("红色") == ("红色",)
    assert forms("xl") == ("xl",)


def test_a_code_is_one_word_however_it_is_written():
    assert code("WH-1000 XM4") == code("wh 1000xm4") == "wh1000xm4"
    assert code(" / ") == ""


@given(st.text())
def test_words_are_letters_and_digits_only_and_folding_is_final(text):
    assert normalise(normalise(text)) == normalise(text) or not text.isascii()
    for word in indexed(text):
        assert word
        assert not set(word) & set(" \t\n\"'*^:()+-\0")
