"""XML is read in the encoding that its bytes are in, whatever stands in front of it and behind it."""

import codecs

import pytest

from catalog.errors import BadFeed
from tests.catalog.feed_writer import item, read, rss, write

DECLARATION = "<?xml version='1.0' encoding='{}'?>"
TITLES = ("Crème brûlée dish", "Größe für Käse", "Théière en émail")


def feed(declared, titles=TITLES):
    start = DECLARATION.format(declared) if declared else ""
    return rss(*(item(str(number), title) for number, title in enumerate(titles)), start=start)


def titles_of(shop, content):
    products, rejected = read(write(shop, content, "feed.xml"))
    assert rejected == []
    return tuple(product.title for product in products)


@pytest.mark.parametrize(
    "before", ["\n", "  \r\n\t", "\n\n\n", "\ufeff", "\ufeff\ufeff", "\ufeff \n", "\n<!-- shop -->\n"]
)
@pytest.mark.parametrize("declared", ["UTF-8", ""])
@pytest.mark.parametrize("after", ["", "\x1a", "\n\x1a\n", "\x1a\x1a", "\x1a\0\0\0"])
def test_what_stands_around_the_xml_is_nothing(shop, before, declared, after):
    assert titles_of(shop, before + feed(declared) + after) == TITLES


def test_lines_are_counted_from_the_beginning_of_the_file(shop):
    content = "\n\n" + feed("UTF-8") + "\n"
    broken = content.replace(item("1", TITLES[1]), item("1", ""))
    _, (rejected,) = read(write(shop, broken, "feed.xml"))
    assert rejected.line == broken[: broken.index("<g:id>1<")].count("\n") + 1


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("windows-1252", "cp1252"),
        ("ISO-8859-1", "cp1252"),
        ("iso-8859-15", "iso8859-15"),
        ("macintosh", "mac-roman"),
        ("IBM850", "cp850"),
        ("UTF-16", "utf-16"),
        ("UTF-16", "utf-16-le"),
        ("UTF-16", "utf-16-be"),
        ("UTF-32", "utf-32"),
        ("", "utf-16"),
        ("", "utf-32-be"),
    ],
)
def test_the_declared_encoding(shop, declared, codec):
    assert titles_of(shop, feed(declared).encode(codec)) == TITLES


@pytest.mark.parametrize(
    ("declared", "codec", "titles"),
    [
        ("GBK", "gbk", ("红色马克杯", "陶瓷茶壶")),
        ("GB2312", "gbk", ("红色马克杯", "陶瓷茶壶")),
        ("Big5", "big5", ("紅色馬克杯", "陶瓷茶壺")),
        ("Shift_JIS", "cp932", ("赤いマグカップ", "急須")),
        ("EUC-JP", "euc_jp", ("赤いマグカップ", "急須")),
        ("ISO-2022-JP", "iso2022_jp", ("赤いマグカップ", "急須")),
        ("EUC-KR", "euc_kr", ("빨간 머그컵", "주전자")),
        ("KOI8-R", "koi8_r", ("Красная кружка", "Чайник")),
        ("windows-1251", "cp1251", ("Красная кружка", "Чайник")),
    ],
)
def test_encodings_that_expat_does_not_know(shop, declared, codec, titles):
    assert titles_of(shop, feed(declared, titles).encode(codec)) == titles


@pytest.mark.parametrize("declared", ["ISO-8859-1", "windows-1251", "UTF-16", "us-ascii", "GBK"])
def test_a_declaration_that_the_bytes_contradict_does_not_count(shop, declared):
    """UTF-8 under another name, as exports are that were converted, or written by a program that thinks in UTF-16."""
    assert titles_of(shop, feed(declared).encode()) == TITLES


@pytest.mark.parametrize("declared", ["UTF-8", "", "us-ascii", "UTF-16"])
@pytest.mark.parametrize("codec", ["cp1252", "mac-roman"])
def test_another_encoding_that_says_utf_8(shop, declared, codec):
    assert titles_of(shop, feed(declared).encode(codec)) == TITLES


def test_the_merchant_s_word_counts_more_than_the_declaration(shop):
    from catalog.feeds.google_xml import read_xml

    path = write(shop, feed("ISO-8859-1", ("Красная кружка",)).encode("koi8_r"), "feed.xml")
    (row,) = read_xml(path, "koi8_r")
    assert row.cells["title"] == ["Красная кружка"]


def test_bytes_that_are_not_in_the_declared_encoding_end_the_feed(shop):
    path = write(shop, feed("Shift_JIS", ("赤いマグカップ",)).encode("cp932") + b"\x81", "feed.xml")
    assert titles_of(shop, path.read_bytes()[:-1]) == ("赤いマグカップ",)
    path = write(shop, codecs.BOM_UTF16_LE + feed("").encode("utf-16-le").replace(b"o\0", b"\0\xd8"), "feed.xml")
    with pytest.raises(BadFeed, match="not well-formed XML"):
        read(path)
