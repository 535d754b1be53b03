"""Feeds packed with gzip read as their content does; what is damaged or a bomb ends in an error that says so."""

import gzip
import json
import random
import zlib

import pytest

from catalog.errors import BadFeed
from catalog.feeds.rows import line_reader
from tests.catalog.feed_writer import item, read, read_until_broken, rss, write

TABLE = "id,title,image\n" + "".join(f"p{n},Hat {n},images/1.png\n" for n in range(3000))
FEEDS = {
    "feed.csv": TABLE,
    "feed.tsv": TABLE.replace(",", "\t"),
    "feed.jsonl": "".join(
        json.dumps({"id": f"p{n}", "title": f"Hat {n}", "image": "images/1.png"}) + "\n" for n in range(3000)
    ),
    "feed.xml": rss(*(item(f"p{n}", f"Hat {n}") for n in range(3000))),
}


def packed(content):
    """Pack without the time, so that a test has one name whenever it is collected."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize("name", FEEDS)
def test_a_packed_feed_reads_as_its_content(shop, name):
    unpacked = read(write(shop, FEEDS[name], name))
    packed = read(write(shop, gzip.compress(FEEDS[name].encode()), name + ".gz"))
    assert packed == unpacked
    assert [product.id for product in packed[0]] == [f"p{n}" for n in range(3000)]
    assert packed[0][7].origin.startswith(f"{name}.gz:")


def test_endings_in_capitals_other_encodings_and_several_members(shop):
    content = gzip.compress(TABLE.encode("utf-16")) + gzip.compress("new,Cap,images/1.png\n".encode("utf-16-le"))
    products, rejected = read(write(shop, content, "FEED.CSV.GZ"))
    assert (len(products), products[-1].title, rejected) == (3001, "Cap", [])


@pytest.mark.promise("S9")
@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize("share", [0.9, 0.5, 0.1])
def test_a_feed_cut_short_gives_its_whole_rows_and_then_an_error(shop, name, share):
    content = noisy(FEEDS[name])
    packed = gzip.compress(content.encode())
    whole = zlib.decompressobj(31).decompress(packed[: int(len(packed) * share)]).decode(errors="ignore")
    products, rejected, error = read_until_broken(write(shop, packed[: int(len(packed) * share)], name + ".gz"))
    assert "it was cut short" in error.message and error.hint
    ids = [product.id for product in products]
    assert ids == [f"p{n}" for n in range(len(ids))]
    assert len(ids) >= whole.count("p2" if "<" not in whole else "</item>") - 200 and len(ids) > 100
    assert not rejected


def noisy(text):
    """Make a feed pack less well, so that a part of its bytes is a part of its rows."""
    chance = random.Random(5)
    return (
        "".join(piece + "Hat" + chance.randbytes(20).hex() for piece in text.split("Hat")[:-1]) + text.split("Hat")[-1]
    )


@pytest.mark.promise("S9")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (TABLE.encode(), "not a valid gzip file"),
        (b"", "is empty"),
        (packed(b""), "is empty"),
        (packed(packed(TABLE.encode())), "compressed with gzip"),
        (packed(b"PK\x03\x04 and so on"), "Excel"),
        (packed(TABLE.encode())[:-8] + bytes(8), "not a valid gzip file: CRC"),
        (packed(TABLE.encode()) + b"more", "not a valid gzip file"),
        (packed(TABLE.encode())[:5], "cut short"),
        (packed(TABLE.encode())[:12] + b"\xff" * 100, "not a valid gzip file"),
    ],
)
def test_what_is_no_sound_gzip_file(shop, content, reason):
    with pytest.raises(BadFeed, match=reason) as caught:
        read(write(shop, content, "feed.csv.gz"))
    assert caught.value.hint


def test_a_packed_feed_under_another_name_says_how_to_name_it(shop):
    with pytest.raises(BadFeed, match=r"its name does not end in \.gz"):
        read(write(shop, gzip.compress(TABLE.encode()), "feed.csv"))


@pytest.mark.promise("S9")
def test_a_line_without_end_ends_the_feed(shop, monkeypatch):
    monkeypatch.setattr(line_reader, "MAX_LINE", 2**23)
    with pytest.raises(BadFeed, match="Line 2 of the feed is longer"):
        read(write(shop, "id,title,image\n" + "x" * 2**24))
