"""The parts that suggestions are made of: mistakes, words without spaces, marks of what was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from indexer.suggestions.unspaced_words import UnspacedWords
from search.suggest.highlight import parts_of
from search.suggest.typing_mistakes import near_spellings


@given(word=st.text("abc", min_size=5, max_size=8), other=st.text("abc", min_size=4, max_size=9))
def test_near_spellings_are_those_with_one_mistake(word, other):
    assert (other in set(near_spellings(word, "abc"))) == (OSA.distance(word, other) == 1) or other == word


def test_short_words_and_scripts_without_spaces_have_no_near_spellings():
    assert (
        not [*near_spellings("mug", "abc")]
        and not [*near_spellings("马克杯子", "abc")]
        and not [*near_spellings("1234", "5")]
    )
    assert {spelling[0] for spelling in near_spellings("case", "abcv")} == {"c"}
    assert "кружка" in set(near_spellings("кржка", "abcдежзкруа"))
    assert not any("a" in spelling for spelling in near_spellings("кржка", "abcдежзкруа"))


def test_words_are_learnt_from_titles_without_spaces():
    kinds, colours = ("马克杯", "茶壶", "花瓶"), ("红色", "蓝色", "白色", "象牙白")
    titles = [f"{colour}{shape}{kind}" for colour in colours for shape in ("", "直筒", "圆形") for kind in kinds]
    words = UnspacedWords.learn([*titles, *(f"白色配{kind}" for kind in kinds)], ("花瓶",))

    def split(run):
        return [run[first:last] for first, last in words.find(run)[0]]

    assert split("象牙白直筒马克杯") == ["象牙白", "马克杯"]
    assert split("红色茶壶") == ["红色", "茶壶"] and split("马克") == []
    assert "白色配" not in split("白色配茶壶")
    thai = UnspacedWords.learn(["แก้วกาแฟสีแดง", "แก้วกาแฟสีดำ", "แก้วน้ำสีแดง", "จานสีแดง"], ())
    assert ["แก้วกาแฟสีแดง"[first:last] for first, last in thai.find("แก้วกาแฟสีแดง")[0]][-1].endswith("แดง")


@pytest.mark.parametrize(
    ("text", "typed", "parts"),
    [
        ("red mug", "red mu", ("", "red", " ", "mu", "g")),
        ("Łóżko dębowe", "loz", ("", "Łóż", "ko dębowe")),
        ("blue (Glazed) mug", "gla", ("blue (", "Gla", "zed) mug")),
        ("Straße", "strass", ("", "Straß", "e")),
        ("藍色马克杯", "蓝", ("", "藍", "色马克杯")),
        ("白色马克杯", "马克", ("白色", "马克", "杯")),
        ("teapot", "xy", ("teapot",)),
        ("", "a", ()),
        ("<b>bold</b>", "bo", ("<b>bold</b>",)),
        ("teapot", "", ("teapot",)),
    ],
)
def test_what_was_typed_is_marked(text, typed, parts):
    assert parts_of(text, typed) == parts


@given(text=st.text(max_size=40), typed=st.text(max_size=20))
def test_parts_add_up_to_the_text(text, typed):
    parts = parts_of(text, typed)
    assert "".join(parts) == text
    assert all(parts[1:])
