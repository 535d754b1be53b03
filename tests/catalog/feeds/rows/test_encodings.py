"""A feed in another encoding is read right or refused as a whole; short feeds of many languages show both."""

import codecs
import csv
import gzip
import json
import logging
from pathlib import Path

import pytest

from catalog.errors import BadFeed
from catalog.feeds.reader import read_feed
from catalog.feeds.rows.encodings import detect, known_encoding
from catalog.product import Product, RowNote
from tests.catalog.feed_writer import read, write

HEADER = "id,title,image\n"
PLAIN_ROW = "plain,Plain teapot,images/1.png\n"

with (Path(__file__).parent / "titles.csv").open(encoding="utf-8", newline="") as file:
    SHOPS = [
        (row["language"], encoding, row["titles"].split("|"))
        for row in csv.DictReader(file)
        for encoding in row["encodings"].split()
    ]


def feed_of(titles):
    return HEADER + "".join(f"{number},{title},images/1.png\n" for number, title in enumerate(titles)) + PLAIN_ROW


def outcome(path, encoding, text):
    """How a feed's encoding was decided: "right", "refused" or "wrong"."""
    try:
        codec = detect(path)
    except BadFeed as error:
        assert "--encoding" in error.hint
        return "refused"
    return "right" if text.encode(encoding).decode(codec, "replace") == text else "wrong"


def outcomes(shop, size):
    for language, encoding, titles in SHOPS:
        for start in range(0, len(titles), size):
            text = feed_of(titles[start : start + size])
            try:
                content = text.encode(encoding)
            except UnicodeEncodeError:
                continue  # a letter that the encoding lacks
            path = write(shop, content, f"{language}-{encoding}-{start}.csv")
            yield path.name, outcome(path, encoding, text)


def test_nine_titles_are_enough(shop):
    assert [name for name, how in outcomes(shop, 9) if how != "right"] == []


def test_three_titles_are_read_right_or_refused(shop):
    found = dict(outcomes(shop, 3))
    assert [name for name, how in found.items() if how == "wrong"] == []
    assert sum(how == "right" for how in found.values()) >= 0.94 * len(found)


@pytest.mark.parametrize(
    ("encoding", "titles"),
    [
        ("cp1250", ["Ręcznik kąpielowy", "Łóżko dębowe 160x200", "Nóż kuchenny"]),
        ("iso8859-2", ["Dřevěný stůl", "Nůž na chléb", "Skříňka koupelnová"]),
        ("koi8-r", ["чашка белая", "стол", "лампа"]),
        ("koi8-r", ["красная кружка", "лампа настольная", "ковёр"]),
    ],
)
def test_one_letter_or_case_that_no_language_has_tells(shop, encoding, titles):
    """Read otherwise: kšpielowy, Nůľ, ήΑΫΛΑ."""
    text = feed_of(titles)
    assert outcome(write(shop, text.encode(encoding)), encoding, text) == "right"


def test_two_titles_are_read_right_or_refused(shop):
    """Titles that were not looked at while the rules were made; capitals, half-width kana and brands among them."""
    with (Path(__file__).parent / "pairs.csv").open(encoding="utf-8", newline="") as file:
        pairs = [(row["encoding"], feed_of(row["titles"].split("|"))) for row in csv.DictReader(file)]
    found = [
        outcome(write(shop, text.encode(encoding), f"{number}.csv"), encoding, text)
        for number, (encoding, text) in enumerate(pairs)
    ]
    assert "wrong" not in found
    assert found.count("right") >= 0.9 * len(found)


@pytest.mark.parametrize(
    "titles",
    [
        ["Women’s mug", "Children’s books"],
        ["Café tray"],
        ["Café “Roma” – 20 ml"],
        ["Thermometer 100 °C"],
        ["12,90 €"],
        ["£12.90"],
        ["Rug 60 × 120 cm"],
        ["Valve ½ inch"],
        ["Acme® pot", "Fresh™ mug"],
        ["Nestlé mug", "L’Oréal soap", "Häagen-Dazs"],
        ["Entrée dish — large"],
    ],
)
def test_signs_and_single_letters_of_an_english_shop(shop, titles):
    text = feed_of(titles).replace("12,90", '"12,90')
    text = text.replace("€,", '€",')
    assert outcome(write(shop, text.encode("cp1252")), "cp1252", text) == "right"


@pytest.mark.parametrize(
    ("encoding", "titles"),
    [
        ("cp1250", ["Czerwony kubek", "Zażółć gęślą jaźń"]),
        ("cp1251", ["Красная кружка", "Чайник"]),
        ("cp1252", ["Crème brûlée dish", "Größe für Käse"]),
        ("gbk", ["红色马克杯", "陶瓷茶壶"]),
        ("big5", ["紅色馬克杯", "陶瓷茶壺"]),
        ("shift_jis", ["赤いマグカップ", "急須"]),
        ("euc_kr", ["빨간 머그컵", "주전자"]),
        ("cp437", ["Crème brûlée dish", "Größe für Käse"]),
        ("mac_roman", ["Crème brûlée dish", "Größe für Käse"]),
    ],
)
@pytest.mark.parametrize("name", ["feed.csv", "feed.tsv", "feed.jsonl", "feed.csv.gz"])
def test_products_of_a_feed_in_another_encoding(shop, encoding, titles, name):
    text = feed_of(titles)
    if name == "feed.jsonl":
        rows = list(csv.DictReader(text.splitlines()))
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    elif name == "feed.tsv":
        text = text.replace(",", "\t")
    content = text.encode(encoding)
    path = write(shop, gzip.compress(content) if name.endswith(".gz") else content, name)
    items = list(read_feed(path))
    assert [item.title for item in items if isinstance(item, Product)] == [*titles, "Plain teapot"]
    assert [item.message[:26] for item in items if isinstance(item, RowNote)] == ["the feed is not UTF-8: it "]


def test_a_header_in_another_encoding(shop):
    content = "id,title,image,größe,länge,überzug\n7,Hut,images/1.png,groß,3,für Käse\n".encode("cp1252")
    (product,), rejected = read(write(shop, content))
    assert rejected == []
    assert dict(product.attributes) == {"größe": "groß", "länge": "3", "überzug": "für Käse"}


def test_the_first_letter_beyond_ascii_may_come_late(shop):
    rows = "".join(f"{number},Plain teapot {'x' * 200},images/1.png\n" for number in range(12_000))
    late = "l1,Größe für Käse,images/1.png\nl2,Crème brûlée,images/1.png\n"
    path = write(shop, (HEADER + rows + late).encode("cp1252"))
    assert path.stat().st_size > 2 * 2**20
    assert detect(path) == "cp1252"
    assert detect(write(shop, HEADER + rows + late, "utf8.csv")) == "utf-8"


@pytest.mark.parametrize("at", range(2**20 - 3, 2**20 + 2))
def test_a_letter_between_two_pieces_of_the_file(shop, at):
    content = (HEADER + "7," + "x" * (at - len(HEADER) - 2)).encode() + "é,images/1.png\n".encode()
    assert detect(write(shop, content)) == "utf-8"


def test_a_feed_that_can_be_in_several_encodings_is_refused_with_their_names(shop):
    path = write(shop, feed_of(["Crème bowl", "Jalapeño sauce"]).encode("cp1252"))
    with pytest.raises(BadFeed) as caught:
        list(read_feed(path))
    assert "cp1252 (Windows Western European)" in caught.value.message and " or " in caught.value.message
    assert "--encoding" in caught.value.hint
    (first, *_), rejected = [list(part) for part in (read_named(path, "cp1252"), [])]
    assert (first.title, rejected) == ("Crème bowl", [])


def read_named(path, encoding):
    return [item for item in read_feed(path, encoding=encoding) if isinstance(item, Product)]


def test_the_merchant_names_the_encoding(shop):
    titles = ["Красная кружка", "Чайник"]
    path = write(shop, feed_of(titles).encode("koi8_r"))
    assert [product.title for product in read_named(path, "koi8_r")][:2] == titles
    marked = write(shop, codecs.BOM_UTF8 + feed_of(titles).encode(), "marked.csv")
    assert [product.title for product in read_named(marked, "koi8_r")][:2] == titles, "a mark is certain"


def test_rows_that_are_not_in_the_named_encoding_are_rejected_alone(shop):
    path = write(shop, feed_of(["Größe"]).encode("cp1252"))
    items = list(read_feed(path, encoding="utf-8"))
    assert [item.id for item in items if isinstance(item, Product)] == ["plain"]


def test_utf_8_that_is_cut_within_letters_is_still_utf_8(shop):
    cut = "Wärmflasche für außen, groß".encode()[:-1]
    content = HEADER.encode() + b'7,"' + cut + b'",images/1.png\n' + PLAIN_ROW.encode()
    (product,), (rejected,) = read(write(shop, content))
    assert product.id == "plain"
    assert "not text" in rejected.reason and rejected.product_id == "7"


def test_a_cut_letter_of_another_encoding_costs_its_row_alone(shop):
    titles = ["红色马克杯", "陶瓷茶壶", "黄铜烛台", "白色床单", "橡木扶手椅"] * 20
    rows = feed_of(f"{title} {number}" for number, title in enumerate(titles)).encode("gbk")
    rows += b"cut,\xba\xec\xc9,images/1.png\n"
    products, rejected = read(write(shop, rows))
    assert len(products) == len(titles) + 1
    assert [entry.line for entry in rejected] == [len(titles) + 3]


def test_two_encodings_in_one_feed_are_refused(shop):
    rows = feed_of(["Größe für Käse", "Crème brûlée"]).encode() + "9,Öllampe größer,images/1.png\n".encode("cp1252") * 1
    rows += "10,Überzüge für Käseglocken,images/1.png\n".encode("cp1252") * 2
    with pytest.raises(BadFeed, match="partly UTF-8 and partly in another encoding"):
        detect(write(shop, rows))


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("Windows-1250", "cp1250"),
        ("latin1", "cp1252"),
        ("ISO-8859-1", "cp1252"),
        ("GB2312", "gb18030"),
        ("Shift_JIS", "cp932"),
        ("x-sjis", "cp932"),
        ("big5", "big5hkscs"),
        ("UTF-8", "utf-8"),
        ("macintosh", "mac-roman"),
        ("auto", ""),
        ("", ""),
    ],
)
def test_names_of_encodings(name, codec):
    assert known_encoding(name) == codec


@pytest.mark.parametrize("name", ["klingon", "rot13", "base64", "idna", "unicode_escape", "utf-7", "undefined", "a\0b"])
def test_names_of_no_encoding_of_text(name):
    with pytest.raises(BadFeed, match="is not an encoding that can be read"):
        known_encoding(name)


def test_the_log_names_the_encoding_once(shop, caplog):
    caplog.set_level(logging.INFO)
    path = write(shop, feed_of(["Красная кружка", "Чайник"]).encode("cp1251"))
    read(path)
    assert [record.message for record in caplog.records if "cp1251" in record.message] == [
        "The feed products.csv is not UTF-8; it is read as cp1251 (Windows Cyrillic). --encoding NAME chooses another."
    ]
