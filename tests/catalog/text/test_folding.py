"""Spellings of a word that differ in case, width, accents, strokes or invisible characters are one."""

import re
import sys
import unicodedata
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.text.folding import normalise
from catalog.text.scripts import MARKS, bigrams, clusters, unspaced
from catalog.text.tokenizer import code, forms, indexed, other_spellings, tokenise

LATIN_WITH = re.compile(r"LATIN (?:SMALL|CAPITAL) LETTER (?:DOTLESS |OPEN )?([A-Z]|AE|OE) WITH (?!SMALL LETTER).+")
INVISIBLE = [
    "\u00ad",
    "\u034f",
    "\u061c",
    "\u180e",
    "\ufeff",
    *map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A))),
    *map(chr, (*range(0xFE00, 0xFE10), *range(0x180B, 0x180E), 0xE0100, 0xE01EF)),
]
WORD = st.text(st.sampled_from("abcłøđışñéüжйёяκώאבךكةیकीडधาน้มื่杯茶カガ머그"), min_size=1, max_size=12)


@cache
def characters(category):
    """All characters of a category of Unicode, or of all that begin with a letter."""
    return [
        letter for letter in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(letter).startswith(category)
    ]


def test_a_latin_letter_with_a_stroke_a_hook_or_a_tail_is_the_letter():
    named = {letter: LATIN_WITH.fullmatch(unicodedata.name(letter, "")) for letter in characters("L")}
    variants = {letter: match[1].lower() for letter, match in named.items() if match}
    assert len(variants) > 600
    others = {letter: normalise(letter) for letter, plain in variants.items() if normalise(letter) != plain}
    assert others == {"Ŀ": "l-", "ŀ": "l-", "ẚ": "a'"}


@pytest.mark.parametrize(
    ("letters", "plain"),
    [
        ("łŁøØđĐðÐþÞ", "llooddddthth"),
        ("æÆœŒßẞıIİi", "aeaeoeoessssiiii"),
        ("ŋŊħĦŧŦƒɓɗƙƴ", "nnhhttfbdky"),
        ("əƏɛɔǝʒ", "eeeoez"),
        ("ñçšžőűășțģķļņ", "ncszouastgkln"),
        ("ґҐқҚғңҳӣ", "ггккгнхи"),
        ("ЙйЇїЎў", "ййїїўў"),
        ("Ёё", "ее"),
        ("ΆΈΉΊΌΎΏς", "αεηιουωσ"),
        ("ﬁĳǆ", "fiijdz"),
        ("Ｆｕｌｌ", "full"),
        ("أإآٱةىیکۀ", "ااااهييكه"),
        ("٠١٢٣۴۵۶७८๙", "0123456789"),
    ],
)
def test_letters_and_digits_become_plain_ones(letters, plain):
    assert normalise(letters) == plain


def test_every_decimal_digit_is_an_ascii_digit():
    assert all(normalise(digit) == str(unicodedata.decimal(digit)) for digit in characters("Nd"))


def test_no_mark_cuts_a_word():
    spaced = [mark for mark in characters("M") if not unspaced(mark)]
    assert len(spaced) > 1500
    cut = [mark for mark in spaced if len(list(tokenise(normalise(f"x{mark}y")))) != 1]
    assert cut == []


def test_only_marks_that_make_another_word_are_left():
    assert all(
        unicodedata.category(mark)[0] == "M" for mark in normalise("".join(characters("M"))) if not mark.isspace()
    )
    assert normalise("दीपक ਜੁੱਤੀ சேலை ช้าง") == "दीपक ਜੁੱਤੀ சேலை ช้าง"
    assert normalise("مُصْحَف כִּסֵּא ܟܽܘܪܣܝܳܐ y̶o̶") == "مصحف כסא ܟܘܪܣܝܐ yo"
    assert normalise("\u0958") == normalise("\u0915\u093c") == "\u0915"
    assert "\u0301" not in MARKS


def test_every_letter_is_of_a_word_or_is_nothing():
    lost = [letter for letter in characters("L") if not list(indexed(letter)) and normalise(letter) not in ("", "'")]
    assert lost == []


@pytest.mark.parametrize("character", INVISIBLE, ids=ascii)
def test_characters_nobody_sees_are_nothing(character):
    assert list(indexed(f"te{character}a{character}pot{character}")) == ["teapot"]
    assert normalise(f"{character}杯{character}子") == "杯子"


def test_the_joint_of_a_persian_compound_makes_parts_and_a_whole():
    for compound in ("کتاب\u200cخانه", "کتاب-خانه"):
        assert list(indexed(compound)) == [*indexed("کتاب خانه"), *indexed("کتابخانه")]
    assert list(indexed("tea\u200cpot क\u200dष")) == ["teapot", "कष"]


@pytest.mark.parametrize("hyphen", "-\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d\u05be\u00b7", ids=ascii)
def test_every_hyphen_joins(hyphen):
    assert list(indexed(f"ultra{hyphen}marin")) == ["ultra", "marin", "ultramarin"]
    assert list(indexed(f"ultra {hyphen} marin")) == ["ultra", "marin"]


@pytest.mark.parametrize("apostrophe", "'\u2018\u2019\u02bc\u02bb\uff07\u00b4", ids=ascii)
def test_every_apostrophe_joins(apostrophe):
    assert list(indexed(f"o{apostrophe}neill")) == ["o", "neill", "oneill"]
    assert list(indexed(f"men{apostrophe}s")) == ["men"]


@pytest.mark.parametrize(
    ("text", "also"),
    [
        ("Brødkurv", {"brodkurv": ["broedkurv"]}),
        ("KÖLN", {"koln": ["koeln"]}),
        ("Ko\u0308ln", {"koln": ["koeln"]}),
        ("Öl öl", {"ol": ["oel"]}),
        ("blåbærgrød", {"blabaergrod": ["blaabaergrod", "blaabaergroed", "blabaergroed"]}),
        ("blått bord, grønn stol", {"blatt": ["blaatt"], "gronn": ["groenn"]}),
        ("Kinder-Wäsche", {"wasche": ["waesche"], "kinderwasche": ["kinderwaesche"]}),
        ("Grüße, straße", {"grusse": ["gruesse"]}),
        ("Đak", {"dak": ["djak"]}),
        ("shoes poet", {}),
        ("Crème чайник 杯 Ø20 cm", {}),
    ],
)
def test_letters_of_two_spellings_give_words_in_both(text, also):
    assert {word: sorted(others) for word, others in other_spellings(text).items()} == also
    others = [word for words in also.values() for word in words]
    assert sorted(others) == sorted(list(indexed(text))[len(list(indexed(text))) - len(others) :])


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("马克杯", "马 克 杯"),
        ("จาน", "จา น"),
        ("แจกัน", "แจ กั น"),
        ("เสื้อ", "เสื้ อ"),
        ("ຈານ", "ຈາ ນ"),
        ("ខ្នើយ", "ខ្នើ យ"),
        ("ကုလားထိုင်", "ကု လား ထို င်"),
        ("တက္ကသိုလ်", "တ က္က သို လ်"),
        ("ꦏꦸꦂꦱꦶ", "ꦏꦸꦂ ꦱꦶ"),
        ("컵", "컵"),
    ],
)
def test_a_run_without_spaces_is_clusters_and_their_pairs(text, units):
    units = units.split()
    assert list(clusters(text)) == units
    assert bigrams(text) == [units[at] + units[at + 1] for at in range(len(units) - 1)]
    assert list(indexed(text)) == [*units, *bigrams(text)]


def test_spaces_are_boundaries_in_runs():
    assert list(indexed("ก ข")) == ["ก", "ข"]
    assert "นใ" not in set(indexed("จาน ใหญ่"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mug❤️mug", ["mug", "❤", "mug"]),
        ("👗👗", ["👗", "👗"]),
        ("👩🏽‍🍳 🏃‍♀️ 👨‍👩‍👧", ["👩", "🍳", "🏃", "👨", "👩", "👧"]),
        ("🇸🇪🇳🇴", ["🇸🇪", "🇳🇴"]),
        ("LEGO™ Duplo® ©", ["lego", "duplo"]),
        ("• mug → cup ■", ["mug", "cup"]),
        ("1️⃣", ["1", "1="]),
    ],
)
def test_a_pictograph_is_a_word(text, words):
    assert list(indexed(text)) == words


def test_an_arabic_word_is_looked_for_with_and_without_its_article():
    assert {"كرسي", "الكرسي", "والكرسي", "بالكرسي", "للكرسي"} <= set(forms("كرسي")) & set(forms("الكرسي"))
    assert set(forms("يد")) == set(forms("اليد")) == {"يد", "اليد"}
    assert "م" not in forms("الم")
    assert "ده" not in forms("والده")
    assert "ون" not in forms("بالون")


def test_a_code_keeps_vowel_signs():
    assert code("दीपक") != code("दपक")
    assert code("Götz & Söhne") == code("GOTZ SOHNE")


@given(st.text())
@example("\u0345")
@example("ਖ਼\u0e4d\u0e48\u0e40\u0e40\u0e40")
def test_folding_is_final_and_the_same_for_every_normal_form(text):
    folded = normalise(text)
    assert normalise(folded) == folded
    for form in ("NFC", "NFD"):
        assert normalise(unicodedata.normalize(form, text)) == folded


@given(WORD)
def test_case_does_not_matter(word):
    assert normalise(word.upper()) == normalise(word.lower()) == normalise(word.title()) == normalise(word)


@given(st.text())
def test_places_are_those_of_the_folded_text(text):
    folded = normalise(text)
    end = 0
    for start, stop, piece in tokenise(folded):
        assert end <= start < stop
        assert folded[start:stop] == piece
        end = stop


@given(st.one_of(st.text(), st.lists(WORD).map(" ".join)))
def test_no_word_is_empty_or_has_white_space(text):
    for word in indexed(text):
        assert word
        assert not any(map(str.isspace, word))


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("無線滑鼠", "无线滑鼠"),
        ("結婚禮物", "结婚礼物"),
        ("軟墊", "软垫"),
        ("愛心鑰匙圈", "爱心钥匙圈"),
        ("醫藥箱", "医药箱"),
    ],
)
def test_traditional_characters_are_simplified_ones(traditional, simplified):
    assert normalise(traditional) == normalise(simplified)
