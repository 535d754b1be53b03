"""No feed does harm: whatever it holds, reading gives products, reasons and at worst one error, in little memory.

The hostile paths are in test_picture_paths.py, damaged gzip files in test_feed_files.py.
"""

import codecs
import gzip
import itertools
import json
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from catalog.errors import BadFeed
from tests.catalog.feed_writer import GOOGLE, item, read, read_until_broken, rss, write

MEGABYTE = 2**20
HEADER = "id,title,image,price\n"
GOOD_ROW = "good,Hat,images/1.png,5\n"
GOOD_LINE = '{"id": "good", "title": "Hat", "image": "images/1.png"}\n'
EXPORT = "Handle,Title,Body (HTML),Image Src,Variant Price,Option1 Name,Option1 Value\n"
GOOD_EXPORT = "good,Hat,,images/1.png,5,,\n"


def dtd(subset, body="&a;"):
    return f"<?xml version='1.0'?><!DOCTYPE rss {subset}>" + rss(item(title=body))


LAUGHS = "".join(f"<!ENTITY {new} '{f'&{old};' * 10}'>" for old, new in itertools.pairwise("zyxwvutsrqpa"))
DOCTYPES = {
    "billion laughs": dtd(f"[<!ENTITY z 'ha'>{LAUGHS}]"),
    "quadratic blowup": dtd(f"[<!ENTITY a '{'x' * 50_000}'>]", "&a;" * 2_000),
    "entity that holds itself": dtd("[<!ENTITY a '&b;'><!ENTITY b '&a;'>]"),
    "external entity of a file": dtd("[<!ENTITY a SYSTEM 'file:///etc/hostname'>]"),
    "external entity beside the feed": dtd("[<!ENTITY a SYSTEM '../secret.png'>]"),
    "external entity of the web": dtd("[<!ENTITY a SYSTEM 'http://127.0.0.1:9/'>]"),
    "external parameter entity": dtd("[<!ENTITY % a SYSTEM 'file:///etc/hostname'> %a;]", ""),
    "parameter entity": dtd("[<!ENTITY % a '<!ENTITY b \"x\">'> %a;]", "&b;"),
    "external DTD": dtd("SYSTEM 'http://127.0.0.1:9/feed.dtd'", ""),
    "public DTD": dtd("PUBLIC '-//W3C//DTD XHTML 1.0//EN' 'http://127.0.0.1:9/'", ""),
    "attribute defaults": dtd("[<!ATTLIST item href CDATA 'x'>]", ""),
    "notation and unparsed entity": dtd("[<!NOTATION n SYSTEM 'n'><!ENTITY a SYSTEM 'x' NDATA n>]", ""),
    "nothing but a name": dtd("", ""),
    "UTF-16": codecs.BOM_UTF16_LE + dtd("[<!ENTITY a 'x'>]")[21:].encode("utf-16-le"),
    "UTF-16 without a mark": ("<?xml version='1.0' encoding='UTF-16'?>" + dtd("", "")[21:]).encode("utf-16-be"),
}


@pytest.mark.promise("S9")
@pytest.mark.parametrize("name", DOCTYPES)
def test_a_doctype_ends_the_feed(shop, name):
    products, rejected, error = read_until_broken(write(shop, DOCTYPES[name], "feed.xml"))
    assert (products, rejected) == ([], [])
    assert "a DOCTYPE" in error.message and error.hint


UNREADABLE = {
    "entity without a DTD": ("feed.xml", rss(item(), item("b", "&a;")), "undefined entity", True),
    "NUL": ("feed.xml", rss(item(), item("b", "a\0b")), "invalid token", True),
    "NUL by number": ("feed.xml", rss(item(), item("b", "&#0;")), "invalid character number", True),
    "control character": ("feed.xml", rss(item(), item("b", "a\x1bb")), "invalid token", True),
    "surrogate by number": ("feed.xml", rss(item(), item("b", "&#xD800;")), "invalid character number", True),
    "surrogate in UTF-8": ("feed.xml", rss(item(), "<i>\udc80</i>").encode(errors="surrogatepass"), "invalid", True),
    "half a surrogate in UTF-16": (
        "feed.xml",
        codecs.BOM_UTF16_LE
        + rss(item()).replace("</channel>", "\ud800</channel>").encode("utf-16-le", "surrogatepass"),
        "not well-formed XML",
        True,
    ),
    "an encoding that runs code": ("feed.xml", rss(start="<?xml version='1.0' encoding='rot13'?>"), "encoding", False),
    "an encoding nobody has": (
        "feed.xml",
        rss(start="<?xml version='1.0' encoding='iso-8859-99'?>"),
        "encoding",
        False,
    ),
    "UTF-7": ("feed.xml", rss(start="<?xml version='1.0' encoding='UTF-7'?>"), "encoding", False),
    "cut short": ("feed.xml", rss(item(), item("b"))[:-60], "not well-formed XML", True),
    "tags that cross": ("feed.xml", rss(item(), "<a><b></a></b>"), "mismatched tag", True),
    "two roots": ("feed.xml", rss(item()) + rss(item("b")), "junk after document", True),
    "an attribute twice": ("feed.xml", rss(item(), "<a b='1' b='2'/>"), "duplicate attribute", True),
    "binary junk": ("feed.xml", bytes(range(256)) * 100, "no encoding fits", False),
    "empty XML": ("feed.xml", "", "is empty", False),
    "nested too deep in an item": ("feed.xml", rss(item(), item("b", more="<a>" * 40 + "</a>" * 40)), "32 deep", True),
    "binary table": ("feed.csv", bytes(range(255, -1, -1)) * 100, "no id column|not valid|cannot be read", False),
    "empty table": ("feed.csv", "", "is empty", False),
    "header of NULs": ("feed.csv", "\0" * 1_000, "UTF-16|cannot be read", False),
    "header with a quote": ("feed.csv", f'"{HEADER}{GOOD_ROW}', "cannot be read", False),
    "more columns than a table has": ("feed.csv", "id,title,image" + ",x" * 3_000 + "\n", "3,003 columns", False),
    "a column twice": ("feed.csv", "id,title,image,ID\n", "more than once", False),
    "an export without pictures": ("feed.csv", "Handle,Title\n", "no id column", False),
}


@pytest.mark.promise("S9")
@pytest.mark.parametrize("name", UNREADABLE)
def test_a_feed_that_breaks_says_where_and_keeps_what_came_before(shop, name):
    file, content, reason, has_good = UNREADABLE[name]
    content = content.encode() if isinstance(content, str) else content
    path = write(shop, content, file)
    products, _, error = read_until_broken(path)
    assert [product.id for product in products] == ["good"] * has_good
    with pytest.raises(BadFeed, match=reason) as caught:
        read(path)
    assert str(caught.value) == str(error) and error.hint and file in error.message


ROWS = {
    "NaN": ("feed.csv", HEADER + "b,Hat,images/1.png,NaN\n" + GOOD_ROW, "bad price 'NaN'"),
    "infinity": ("feed.csv", HEADER + "b,Hat,images/1.png,inf\n" + GOOD_ROW, "bad price 'inf'"),
    "negative": ("feed.csv", HEADER + "b,Hat,images/1.png,-5\n" + GOOD_ROW, "it is negative"),
    "huge price": ("feed.csv", HEADER + f"b,Hat,images/1.png,{'9' * 400}\n" + GOOD_ROW, "bad price"),
    "exponent": ("feed.csv", HEADER + "b,Hat,images/1.png,1e999\n" + GOOD_ROW, "bad price '1e999'"),
    # Arabic and other decimal digits are digits; circled ones and fractions are not.
    "price in circled digits": ("feed.csv", HEADER + "b,Hat,images/1.png,①②\n" + GOOD_ROW, "bad price"),
    "price with a fraction": ("feed.csv", HEADER + "b,Hat,images/1.png,12½\n" + GOOD_ROW, "bad price"),
    "NUL in a cell": ("feed.csv", HEADER + "b,Ha\0t,images/1.png,5\n" + GOOD_ROW, "NUL"),
    "unclosed quote": ("feed.csv", HEADER + 'b,"Hat,images/1.png,5\n' + GOOD_ROW, "a quote is opened and not closed"),
    "unclosed quote at the end": ("feed.csv", HEADER + GOOD_ROW + 'b,"Hat,images/1.png,5', "a quote is opened"),
    "broken UTF-8": (
        "feed.csv",
        "id,title,image,größe,länge\n".encode() + b"b,H\xe5t,images/1.png,5\n" + GOOD_ROW.encode(),
        "not text",
    ),
    "surrogates in UTF-8": (
        "feed.csv",
        HEADER.encode() + b"b,\xed\xa0\x80,images/1.png,5\n" + GOOD_ROW.encode(),
        "not text",
    ),
    "half a surrogate in UTF-16": (
        "feed.csv",
        codecs.BOM_UTF16_LE + f"{HEADER}b,\ud800,images/1.png,5\n{GOOD_ROW}".encode("utf-16-le", "surrogatepass"),
        "not text",
    ),
    "terminal codes in an id": ("feed.csv", HEADER + "b\x1b[2J,Hat,images/1.png,5\n" + GOOD_ROW, "control characters"),
    "keys twice": ("feed.jsonl", '{"id": "b", "id": "c"}\n' + GOOD_LINE, "a key is given more than once"),
    "keys alike": ("feed.jsonl", '{"id": "b", "ID": "c"}\n' + GOOD_LINE, "id is given more than once"),
    "keys twice within": ("feed.jsonl", '{"id": "b", "x": {"a": 1, "a": 2}}\n' + GOOD_LINE, "a key is given more"),
    "huge int": ("feed.jsonl", '{"id": ' + "9" * 100_000 + "}\n" + GOOD_LINE, "the id is longer"),
    "huge int as price": (
        "feed.jsonl",
        '{"id": 7, "title": "Hat", "image": "images/1.png", "price": ' + "9" * 100_000 + "}\n" + GOOD_LINE,
        "bad price",
    ),
    "NaN in JSON": (
        "feed.jsonl",
        '{"id": "b", "title": "Hat", "image": "images/1.png", "price": NaN}\n' + GOOD_LINE,
        "bad price 'NaN'",
    ),
    "-Infinity in JSON": (
        "feed.jsonl",
        '{"id": "b", "title": "Hat", "image": "images/1.png", "price": -Infinity}\n' + GOOD_LINE,
        "bad price '-Infinity'",
    ),
    "half a surrogate in JSON": ("feed.jsonl", '{"id": "b", "title": "\\udc00"}\n' + GOOD_LINE, "not text"),
    "NUL in JSON": ("feed.jsonl", '{"id": "b", "title": "a\\u0000"}\n' + GOOD_LINE, "NUL"),
    "JSON 100,000 deep": ("feed.jsonl", "[" * 100_000 + "\n" + GOOD_LINE, "nested too deeply"),
    "JSON 1,000,000 deep": ("feed.jsonl", '{"a":' * 1_000_000 + "\n" + GOOD_LINE, "more than 100,000 values|longer"),
    "no JSON": ("feed.jsonl", "\x00\x01\x02\n" + GOOD_LINE, "not valid JSON"),
    "price twice in XML": ("feed.xml", rss(item("b", more="<g:price>1</g:price>" * 2), item()), "given 2 times"),
    "items within an item": ("feed.xml", rss(f"<item>{item('b')}</item>", item()), "no id"),
    "NaN in XML": ("feed.xml", rss(item("b", more="<g:price>NaN EUR</g:price>"), item()), "bad price"),
    "infinite price in an export": ("feed.csv", EXPORT + "b,Hat,,images/1.png,1e9999,,\n" + GOOD_EXPORT, "bad price"),
    "NUL in an export": ("feed.csv", EXPORT + "b,Ha\0t,,images/1.png,5,,\n" + GOOD_EXPORT, "NUL"),
}


@pytest.mark.promise("S9")
@pytest.mark.parametrize("name", ROWS)
def test_a_hostile_row_says_why_and_the_next_is_read(shop, name):
    file, content, reason = ROWS[name]
    products, rejected = read(write(shop, content, file))
    assert [product.id for product in products] == ["good"]
    assert len(rejected) == 1
    assert any(part in rejected[0].reason for part in reason.split("|"))
    assert len(rejected[0].reason) < 500


FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-1+1", '@SUM(1,1)*HYPERLINK("http://x")', "\t=1+1"]


@pytest.mark.promise("S9")
@pytest.mark.parametrize("title", FORMULAS)
def test_formulas_are_text_like_any_other(shop, title):
    cells = '"' + title.replace('"', '""') + '"'
    as_json = json.dumps({"id": "good", "title": title, "image": "images/1.png"})
    as_xml = rss(item(title=f"<![CDATA[{title}]]>"))
    feeds = {
        "a.csv": f"id,title,image\ngood,{cells},images/1.png\n",
        "b.jsonl": as_json,
        "c.xml": as_xml,
        "d.csv": f"Handle,Title,Image Src\ngood,{cells},images/1.png\n",
    }
    for name, content in feeds.items():
        (product,), rejected = read(write(shop, content, name))
        assert (product.title, rejected) == (title.strip(), [])


@pytest.mark.promise("S9")
def test_what_xml_may_hold_and_a_feed_does_not_heed(shop):
    start = '<?xml version="1.0"?><?xml-stylesheet href="file:///etc/hostname"?><?php system("x") ?>'
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="../secret.png" parse="text"/>'
    located = 'xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:schemaLocation="x http://127.0.0.1:9/x.xsd"'
    feed = rss(item(more=f"<!-- note -->{include}<g:x {located}>y</g:x>"), include, start=start)
    (product,), rejected = read(write(shop, feed, "feed.xml"))
    assert (dict(product.attributes), rejected) == ({"x": "y"}, [])


@pytest.fixture(scope="module")
def child():
    """A process that reads feeds and tells how much memory that took."""
    command = [sys.executable, "-m", "tests.catalog.reading_child"]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as process:

        def tell(path):
            process.stdin.write(f"{path}\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield tell
        process.stdin.close()


def repeated(start, piece, times, end=""):
    """The bytes of a big feed, made a piece at a time."""
    yield start.encode()
    yield from itertools.repeat(piece.encode(), times)
    yield end.encode()


def packed(pieces):
    packer = zlib.compressobj(9, wbits=31)
    yield from map(packer.compress, pieces)
    yield packer.flush()


X = "x" * MEGABYTE
END = "</channel></rss>"
RSS = f"<rss {GOOGLE}><channel>\n{item()}\n"
JUNK_ITEM = "<item><g:id>b</g:id><g:title>"
NAMES = "".join(f"<n{number:06}x{'y' * 90}/>" for number in range(10_000))

# What it is: (file, its bytes, whether the good product is read, what the error or the reasons say)
BIG = {
    "100 MB cell": ("a.csv", lambda: repeated(HEADER + GOOD_ROW + 'b,"', X, 100, "\n"), True, "3: the row is longer"),
    "100 MB header": ("a.csv", lambda: repeated("id,title,image", X, 100), False, "longer than any header"),
    "a header of a million columns": ("a.csv", lambda: repeated(HEADER[:-1], ",x", 10**6), False, "longer than any"),
    "a row of a million cells": (
        "a.csv",
        lambda: repeated(HEADER + GOOD_ROW, "語,", 10**6, "\n"),
        True,
        "100,000 cells",
    ),
    "rows of 90,000 cells": ("a.csv", lambda: repeated(HEADER + GOOD_ROW, "語," * 90_000 + "\n", 9), True, "too many"),
    "30,000 lines in a quote": ("a.csv", lambda: repeated(HEADER + GOOD_ROW + 'b,"', "x\n", 30_000), True, "3: "),
    "100 MB JSON line": ("a.jsonl", lambda: repeated(GOOD_LINE + '{"id": "', X, 100, '"}\n'), True, "2: the row is"),
    "JSON of a million lists": ("a.jsonl", lambda: repeated(GOOD_LINE, "[],", 1_300_000), True, "100,000 values"),
    "100 MB element": (
        "a.xml",
        lambda: repeated(RSS + JUNK_ITEM, X, 100, "</g:title></item>" + END),
        True,
        "3: the item is longer than",
    ),
    "100 MB CDATA": (
        "a.xml",
        lambda: repeated(RSS + JUNK_ITEM + "<![CDATA[", X, 100, "]]></g:title></item>" + END),
        True,
        "3: the item is longer than",
    ),
    "100 MB attribute": ("a.xml", lambda: repeated(RSS + '<item x="', X, 100, f'"/>{END}'), True, "a tag or a comment"),
    "100 MB tag name": ("a.xml", lambda: repeated(RSS + "<", X, 100, f"/>{END}"), True, "a tag or a comment"),
    "100 MB comment": ("a.xml", lambda: repeated(RSS + "<!--", X, 100, f"-->{END}"), True, "a tag or a comment"),
    "100 MB text between items": ("a.xml", lambda: repeated(RSS, X, 100, END), True, None),
    "a million deep": ("a.xml", lambda: repeated(RSS, "<a>", 10**6), True, "nested more than 32 deep"),
    "100,000 elements in an item": (
        "a.xml",
        lambda: repeated(RSS + "<item>", "<g:color>x</g:color>", 100_000, f"</item>{END}"),
        True,
        "3: the item has more than 5,000 elements",
    ),
    "ten thousand names": ("a.xml", lambda: repeated(RSS, NAMES, 1, END), True, "characters of different names"),
    "20,000 rows of one Handle": (
        "a.csv",
        lambda: repeated(EXPORT + GOOD_EXPORT, f"b,Hat,,1.png,5,Size,{'x' * 1_000}\n", 20_000),
        True,
        "3: the Handle 'b' has more than 5,000 rows",
    ),
    "100 MB body of an export": (
        "a.csv",
        lambda: repeated(EXPORT + GOOD_EXPORT + 'b,Hat,"', "<a " * (MEGABYTE // 3), 100, '",1.png,5,,\n'),
        True,
        "3: the row is longer",
    ),
    "bomb: one line": ("a.csv.gz", lambda: packed(repeated(HEADER + GOOD_ROW, X, 64)), True, "a gzip bomb"),
    "bomb: empty lines": (
        "a.csv.gz",
        lambda: packed(repeated(HEADER + GOOD_ROW, f"{' ' * 15}\n" * 65_536, 8)),
        True,
        "bomb",
    ),
    "bomb: header": ("a.csv.gz", lambda: packed(repeated("id", X, 64)), False, "longer than any header|bomb"),
    "bomb: JSON": ("a.jsonl.gz", lambda: packed(repeated(GOOD_LINE + '{"', X, 64)), True, "a gzip bomb"),
    "bomb: element": ("a.xml.gz", lambda: packed(repeated(RSS + JUNK_ITEM, X, 64)), True, "a gzip bomb"),
    "bomb: spaces": ("a.xml.gz", lambda: packed(repeated(RSS, " " * MEGABYTE, 64)), True, "a gzip bomb"),
    "bomb: elements": ("a.xml.gz", lambda: packed(repeated(RSS, "<a/>" * MEGABYTE, 3)), True, "a gzip bomb"),
    "bomb: export": (
        "a.csv.gz",
        lambda: packed(repeated(EXPORT + GOOD_EXPORT + "b,,,,,,\n", X, 64)),
        True,
        "a gzip bomb",
    ),
}


@pytest.mark.promise("S9")
@pytest.mark.parametrize("name", BIG)
def test_what_is_big_takes_little_memory_and_time(shop, child, name):
    file, pieces, has_good, reason = BIG[name]
    path = shop / file
    with path.open("wb") as feed:
        feed.writelines(pieces())
    outcome = child(path)
    path.unlink()
    assert outcome["products"] == ["good"] * has_good
    if reason is None:
        assert (outcome["error"], outcome["reasons"]) == (None, [])
    else:
        messages = "\n".join([outcome["error"] or "", *outcome["reasons"]])
        assert any(part in messages for part in reason.split("|")), messages[:500]
    assert outcome["grown"] <= 100_000, outcome
    assert outcome["seconds"] < 30, outcome


@pytest.mark.promise("S9")
def test_a_long_feed_takes_no_more_memory_than_a_short_one(shop, child):
    grown = {}
    for count in (1_000, 15_000):
        path = write(
            shop, gzip.compress(rss(*(item(f"p{n}", image="gone.png") for n in range(count))).encode(), 1), "l.xml.gz"
        )
        outcome = child(path)
        assert outcome["rejected"] == count
        grown[count] = outcome["grown"]
    assert grown[15_000] < grown[1_000] + 5_000
