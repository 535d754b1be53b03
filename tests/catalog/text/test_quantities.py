"""Numbers, sizes and amounts with units are equal when their values are, however a shop or a shopper writes them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.text.quantities import quantity_of
from catalog.text.tokenizer import indexed, normalise, tokenise

SAME = [
    ("120x170", "120 x 170", "120×170", "120 X 170", "120*170", "120х170", "120 by 170"),
    (
        "120x170cm",
        "120 x 170 cm",
        "120×170cm",
        "120cm x 170cm",
        "1200 x 1700 mm",
        "1,2 x 1,7 m",
        "120 x 170 Zentimeter",
    ),
    ("120x60x75 cm", "W120 x H60 x D75 cm", "120W x 60D x 75H cm", "120 × 60 × 75 cm", "1200x600x750mm"),
    ("60W", "60 W", "60-W", "60 Watt", "60 watts", "0.06 kW", "60瓦", "60 Вт"),
    ("750ml", "750 ml", "75cl", "75 cl", "0.75 l", "0,75 L", "750毫升", "750 мл", "750 Milliliter", "7.5 dl", "750cc"),
    ("2,5 l", "2.5 L", "2½ l", "2 1/2 l", "2500 ml", "2.50 litres", "2,5 Liter", "250cl", "2.5升"),
    ("1,000 m", "1000 m", "1000m", "1 000 m", "1\u202f000 m", "1'000 m", "1’000 m", "1 km", "1000米"),
    (
        "1½ inch",
        "1 1/2 inch",
        "1-1/2 inch",
        '1½"',
        "1.5 in",
        "1 1/2″",
        "1,5 Zoll",
        "1.5-inch",
        "1.50 inches",
    ),
    ("½", "1/2", "0.5", "0,5", ".5", "1⁄2"),
    ("42½", "42 1/2", "42.5", "42,5"),
    ("M8x60", "M8 x 60", "m8×60", "M8 X 60"),
    ("16gb", "16 GB", "16-GB"),
    ("1 kg", "1kg", "1000 g", "1.0 kg", "1,0 kg", "1000 Gramm", "1公斤", "1 кг", "1 Kilo"),
    ("12 fl oz", "12 fl. oz", "12fl.oz", "12 floz"),
    ("5 ft", "60 in", "60 inch", "5 feet"),
    ("180 g/m²", "180 gsm", "180g/m2", "180 г/м²"),
    ("6 m²", "6m2", "6 sqm", "6 平方米", "6 qm"),
    ("4 x 250 g", "4x250g", "4 × 250 g", "4 x 0.25 kg"),
    ("Ø20 cm", "20 cm", "Ø 20cm", "⌀20 cm", "200 mm"),
    ("10厘米", "10 cm", "10公分", "10センチ", "10 см", "100 mm", "１０ｃｍ", "10 ㎝"),
    ("2000 mAh", "2 Ah", "2,000mAh", "2000 毫安时"),
    ("100 %", "100%", "100 percent"),
    ("5 x 7 ft", "5' x 7'", "5'x7'", "5′ × 7′", "5’ x 7’", "60 x 84 in", "5ft x 7ft"),
    ("2'6\" x 8'", "2.5 x 8 ft", "2½' x 8'", "30 x 96 in", "2 ft 6 in x 8 ft", "2'6 x 8'", "2′6″ × 8′"),
    ("5 ft 6 in", "5'6\"", "5′ 6″", "66 in", "5 feet 6 inches", "5' 6"),
    ("1m50", "1 m 50 cm", "1,5 m", "150 cm", "1m50cm", "一百五十厘米"),
    ("1米85", "1.85 m", "185cm", "185 厘米"),
    ("2 lb 4 oz", "36 oz", "2.25 lbs"),
    ("90 min", "1.5 h", "1 h 30 min", "1½ hours", "1,5 часа", "90 minutes"),
    ("50x70", "50 mal 70", "50 par 70", "50 на 70", "50乘70", "50 por 70"),
    ("W32 L34", "w32l34", "W32/L34", "W32 x L34"),
    ("20寸", "二十寸", '20"', "20 inch"),
    ("4件套", "四件套", "4 pcs"),
    ("120 см", "120 ס״מ", '120 ס"מ', "120 سانتی‌متر", "120 εκ", "120 सेमी", "120cm"),
    ("1 л", "1 літр", "1 λίτρο", "1 लीटर", "1 ליטר", "1 لیتر", "1 litr", "1 lít", "1000 ml"),
    ("2 sq m", "2 m²", "2 square metres", "2 sq. m"),
    ("2700K", "2700 K", "2700 Kelvin"),
    ('3/8"', "⅜ in", "3⁄8 Zoll", "0.375 inch"),
]
DIFFERENT = [
    ("60W", "40 W"),
    ("10x15", "13 x 18"),
    ("10x15", "11x15"),
    ("10 x 15", "10.15"),
    ("500ml", "750ml"),
    ("500 ml", "500 l"),
    ("120x170 cm", "120x170 mm"),
    ("M8x60", "M8x40"),
    ("M8x60", "8x60"),
    ("1½ inch", "11 x 2 inch"),
    ("1 1/2", "1"),
    ("1/2", "12"),
    ("1,000 m", "100 m"),
    ("1,000 m", "1 m"),
    ("2,5 l", "25 l"),
    ("42½", "42"),
    ("0,125 l", "125 l"),
    ("10 in", "10 cm"),
    ("24 V", "24 W"),
    ("5' x 7'", "5 x 7 in"),
    ("5 ft 6 in", "5 ft"),
    ("1m50", "1m60"),
    ("W32 L34", "W34 L36"),
    ("四件套", "六件套"),
]


def matches(title: str, words: str) -> float:
    """Return the confidence with which a title has every quantity of a query's words, 0 when it lacks one."""
    has = set(indexed(title))
    confidences = []
    for _, _, piece in tokenise(normalise(words)):
        if quantity := quantity_of(piece):
            confidences.append(max((sure for word, sure in quantity.alternatives if word in has), default=0.0))
    assert confidences, words
    return min(confidences)


@pytest.mark.parametrize("spellings", SAME, ids=lambda spellings: spellings[0])
def test_equal_values_are_found_however_they_are_written(spellings):
    for title in spellings:
        for words in spellings:
            assert matches(title, words) == 1.0, (title, words)


@pytest.mark.parametrize("pair", DIFFERENT, ids=" / ".join)
def test_other_values_are_not_found(pair):
    first, second = pair
    assert matches(first, second) < 0.9
    assert matches(second, first) < 0.9


def test_a_missing_unit_is_found_behind_the_right_one():
    assert matches("Bulb 60 W", "60") == 1.0
    assert 0 < matches("Bulb 60", "60 W") < matches("Bulb 60W", "60 W")
    assert matches("Carpet 120x170", "120 x 170 cm") == 1.0
    assert matches("Carpet 120x170 cm", "120x170") == 1.0
    assert matches("Bulb 60 V", "60 W") == 0.0
    assert 0 < matches("Frame 15x10", "10x15") < 1.0


def test_a_square_is_looked_for_once():
    quantity = quantity_of("1x1m")
    assert quantity is not None
    assert quantity.alternatives == (("1000x1000mm", 1.0), ("1x1=", 1.0), ("100x100=", 0.9))


def test_a_size_without_unit_is_in_centimetres_behind_the_right_one():
    assert 0 < matches("Box 200 x 300 x 400 mm", "20x30x40") < 1.0
    assert 0 < matches("Rug 160x230", "1.6 x 2.3 m") < 1.0
    assert matches("Rug 16x23", "1.6 x 2.3 m") == 0.0


def test_a_unit_directly_behind_a_script_without_spaces_is_read():
    assert matches("Rug 2 x 3 m", "地毯2米x3米") == 1.0
    assert matches("水杯0.5升", "500 ml") == 1.0


def test_a_point_before_three_digits_is_read_both_ways():
    assert matches("Heater 1.500 W", "1500 W") == matches("Rod 1.125 in", "1 1/8 in") == 1.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("WH-1000XM4", ["wh", "1000xm4", "wh1000xm4"]),
        ("501-0001", ["501", "0001", "5010001"]),
        ("007", ["007"]),
        ("1.2.3", ["1.2.3"]),
        ("500s", ["500s"]),
        ("3D", ["3d"]),
    ],
)
def test_codes_stay_words(text, words):
    assert list(indexed(text)) == words


@pytest.mark.parametrize(
    "text",
    [
        "3米色沙发",
        "2 in 1",
        "10克拉",
        "24/7",
        "3rd gen",
        "A4",
        "2-tier shelf",
        "7up",
        "2 в 1",
        "the 90's",
        "12 в упаковке",
    ],
)
def test_what_looks_like_a_unit_is_none(text):
    assert not any((quantity := quantity_of(piece)) and quantity.measured for *_, piece in tokenise(normalise(text)))


def test_every_word_and_number_of_a_quantity_is_found_alone():
    assert {"piece", "12", "12pcs"} <= set(indexed("12 piece set"))
    assert {"120", "170", "cm", "1200mm", "1700mm"} <= set(indexed("Rug 120 x 170 cm"))
    assert {"m8", "60"} <= set(indexed("Screw M8x60"))
    assert {"4", "250g", "250"} <= set(indexed("4 x 250 g"))
    assert "10x15" in set(indexed("Box 10x15x20"))


VALUES = st.decimals(Decimal("0.01"), Decimal("99999"), places=2)
WAYS = [
    lambda value: f"{value}",
    lambda value: f"{value}".replace(".", ","),
    lambda value: f"{value:,}",
    lambda value: f"{value:,}".replace(",", "\u202f").replace(".", ","),
    lambda value: f"{value:,}".replace(",", "'"),
    lambda value: f"{value:,}".translate(str.maketrans(",.", ".,")),
    lambda value: f"{value}".translate({ord("0") + i: 0xFF10 + i for i in range(10)}),
]


@given(VALUES, st.sampled_from(WAYS), st.sampled_from(WAYS), st.sampled_from(["ml", " ml", " W", "kg", "厘米", ""]))
def test_a_value_equals_itself_in_every_style(value, one_way, other_way, unit):
    assert matches(f"Thing {one_way(value)}{unit}", f"{other_way(value)}{unit}") == 1.0


@given(st.text(alphabet=st.sampled_from("0123456789.,/'x×* -½¼mMclgW\"′″″升米in'kbyØ°%")))
def test_every_quantity_of_a_text_finds_the_text(text):
    has = set(indexed(text))
    for *_, piece in tokenise(normalise(text)):
        if quantity := quantity_of(piece):
            assert quantity.alternatives
            assert quantity.alternatives[0][0] in has
            assert all(sure <= 1.0 for _, sure in quantity.alternatives)
