"""Every good row becomes its product, every bad one says why, and neither is ever lost."""

import codecs
import json
import os
import random
import resource
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from catalog.errors import BadFeed
from catalog.feeds.reader import FORMATS, PLATFORMS, read_feed
from catalog.feeds.rows.columns import column_name
from catalog.product import Product, Rejected
from tests.catalog.feed_writer import names, read, write

DATA = Path(__file__).parents[3].parent / "shared" / "data"
HEADER = "id,title,category,image\n"


def reasons(shop, row, header=HEADER):
    """What is said of one bad row; a good row after it must still be read."""
    cells = {"id": "good", "title": "good", "image": "images/1.png"}
    good = ",".join(cells.get(name, "") for name in header.strip().split(","))
    content = header.encode() + (row if isinstance(row, bytes) else row.encode()) + f"\n{good}\n".encode()
    products, rejected = read(write(shop, content))
    assert [product.id for product in products] == ["good"]
    assert {(entry.source, entry.line) for entry in rejected} == {("products.csv", 2)}
    return "; ".join(entry.reason for entry in rejected)


def test_a_plain_feed(shop):
    feed = write(shop, "id,title,category,image,colour,size\n7, Blue  shirt ,Apparel>Shirts,images/1.png,Navy,\n")
    assert read(feed)[0] == [
        Product(
            "7",
            "Blue shirt",
            pictures=read(feed)[0][0].pictures,
            category="Apparel > Shirts",
            attributes={"colour": "Navy"},
        )
    ]
    product = read(feed)[0][0]
    assert product.pictures[0].path == str((shop / "images" / "1.png").resolve())
    assert product.origin == "products.csv:2"
    assert product.category_path == ("Apparel", "Shirts")


def test_google_merchant_names(shop):
    feed = write(
        shop,
        "g:ID\tTitle\tImage Link\tadditional_image_link\tg:product_type\tgoogle_product_category\tavailability\tPrice\t"
        "brand\tdescription\tcolor\n"
        "7\tShirt\timages/1.png\timages/2.png,images/3.png\tTops > Shirts\t1604\tout of stock\t12.90 EUR\t"
        "Acme\tSoft.\tblue\n",
        "feed.txt",
    )
    (product,), rejected = read(feed)
    assert not rejected
    assert names(product) == ["1.png", "2.png", "3.png"]
    assert (product.price, product.currency, product.in_stock) == (Decimal("12.90"), "EUR", False)
    assert (product.category, product.brand, product.description) == ("Tops > Shirts", "Acme", "Soft.")
    assert dict(product.attributes) == {"google_product_category": "1604", "color": "blue"}


@pytest.mark.parametrize(
    ("columns", "cells", "expected"),
    [
        ("image", "images/1.png|images/2.png", ["1.png", "2.png"]),
        ("images", "images/1.png; images/2.png ;", ["1.png", "2.png"]),
        ("images", '"images/1.png, images/2.png"', ["1.png", "2.png"]),
        ("images", '"images/a,b.png"', ["a,b.png"]),
        ("images", "images/c;d.png", ["c;d.png"]),
        ("image", "images\\1.png", ["1.png"]),
        ("image", "./images/../images/1.png", ["1.png"]),
        (
            "image,additional_image_link,additional_image_link",
            "images/1.png,images/2.png,images/1.png",
            ["1.png", "2.png"],
        ),
    ],
)
def test_several_pictures(shop, columns, cells, expected):
    (product,), rejected = read(write(shop, f"id,title,{columns}\n7,Shirt,{cells}\n"))
    assert not rejected
    assert names(product) == expected


def test_one_bad_picture_of_several_is_reported_and_the_product_stays(shop):
    (product,), (rejected,) = read(write(shop, HEADER + "7,Shirt,Tops,images/1.png|images/gone.png\n"))
    assert names(product) == ["1.png"]
    assert rejected == Rejected("products.csv", 2, "picture 'images/gone.png' does not exist", "7")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in stock", True),
        ("In_Stock", True),
        ("https://schema.org/InStock", True),
        ("3", True),
        ("", True),
        ("out of stock", False),
        ("preorder", False),
        ("no", False),
        ("0", False),
    ],
)
def test_availability(shop, text, expected):
    (product,), _ = read(write(shop, f"id,title,image,availability\n7,Shirt,images/1.png,{text}\n"))
    assert product.in_stock is expected
    assert not product.attributes


BAD_ROWS = {
    "7,Shirt,Tops,": "no picture",
    "7,Shirt,Tops,images/gone.png": "picture 'images/gone.png' does not exist",
    "7,Shirt,Tops,images/gone.png|gone2.png": "does not exist; picture 'gone2.png'",
    "7,Shirt,Tops,images": "is not a file",
    "7,Shirt,Tops,images/": "is a folder",
    "7,Shirt,Tops,images/1.png/x": "does not exist",
    "7,Shirt,Tops,/etc/hostname": "absolute path",
    "7,Shirt,Tops,C:\\pictures\\1.png": "absolute path",
    "7,Shirt,Tops,../secret.png": "outside the feed's folder",
    "7,Shirt,Tops,images/../../secret.png": "outside the feed's folder",
    "7,Shirt,Tops,..\\secret.png": "outside the feed's folder",
    "7,Shirt,Tops,images/link.png": "outside the feed's folder",
    "7,Shirt,Tops,elsewhere/secret.png": "outside the feed's folder",
    "7,Shirt,Tops,file:///etc/hostname": "an address, not a path",
    "7,Shirt,Tops,https://shop.example/1.png": "fetching is off; download the pictures and give paths",
    "7,Shirt,Tops,HTTP://shop.example/1.png": "fetching is off",
    "7,Shirt,Tops," + "x" * 5000: "does not exist",
    "7,,Tops,images/1.png": "no title",
    ",Shirt,Tops,images/1.png": "no id",
    "7,Shirt,Tops": "no picture",  # cells missing at the end are empty, as spreadsheets write them
    "7,Shirt,Tops,images/1.png,blue": "too many cells: 5, but the header has 4",
    "7,Shi\0rt,Tops,images/1.png": "holds a NUL character",
    "x" * 501 + ",Shirt,Tops,images/1.png": "the id is longer than",
    "7\x1b[31m,Shirt,Tops,images/1.png": "control characters",
    "7," + "x" * 2001 + ",Tops,images/1.png": "the title is longer than",
    "7,Shirt," + "x" * (2**20 + 1) + ",images/1.png": "a cell is longer than",
    "7,Shirt," + "x" * (2**22 + 9) + ",images/1.png": "the row is longer than",
    "7,Shirt,Tops," + "1.png|" * 300: "300 pictures",
    '7,"Shirt,Tops,images/1.png': "a quote is opened and not closed",
    '7,"Shirt"" blue,Tops,images/1.png': "a quote is opened and not closed",
}


@pytest.mark.parametrize(
    ("row", "reason"), BAD_ROWS.items(), ids=[row[:40].encode("unicode_escape").decode() for row in BAD_ROWS]
)
def test_a_bad_row_says_why_and_the_next_is_read(shop, row, reason):
    (shop / "images" / "link.png").symlink_to(shop.parent / "secret.png")
    (shop / "elsewhere").symlink_to(shop.parent)
    assert reason in reasons(shop, row)


def test_bad_prices_reject_the_row(shop):
    header = "id,title,image,price,availability\n"
    assert "negative" in reasons(shop, "7,Shirt,images/1.png,-1,", header)
    assert "bad price" in reasons(shop, "7,Shirt,images/1.png,NaN,", header)


def test_a_duplicate_id_names_the_first(shop):
    rows = "7,Shirt,Tops,images/gone.png\n7,Shirt,Tops,images/1.png\n7,Skirt,Tops,images/2.png\n"
    (product,), rejected = read(write(shop, HEADER + rows))
    assert product.title == "Shirt"
    assert [(entry.line, entry.reason) for entry in rejected][1] == (4, "duplicate id '7': line 3 has it too")


def test_a_link_within_the_folder_is_fine(shop):
    (shop / "images" / "link.png").symlink_to(shop / "images" / "2.png")
    (product,), _ = read(write(shop, HEADER + "7,Shirt,Tops,images/link.png\n"))
    assert names(product) == ["2.png"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_every_way_to_write_a_table(shop, delimiter, newline, mark, encoding):
    rows = (("ID", "Title", "image"), ("7", "Blå 衬衫", "images/1.png"), ("8", "Hat", "images/2.png"))
    content = newline.join(delimiter.join(row) for row in rows) + newline + newline + delimiter * 2 + newline
    products, rejected = read(write(shop, mark + content.encode(encoding)))
    assert [(p.id, p.title, p.origin) for p in products] == [
        ("7", "Blå 衬衫", "products.csv:2"),
        ("8", "Hat", "products.csv:3"),
    ]
    assert not rejected


def test_a_row_is_numbered_by_the_line_where_it_begins(shop):
    rows = '\n7,"Shirt\nwith ""words"", and\n\nmore",Tops,images/1.png\n\n8,Hat,Tops,gone.png\n9,Hat,Tops,images/1.png'
    products, rejected = read(write(shop, HEADER + rows))
    assert [(p.id, p.title, p.origin) for p in products] == [
        ("7", 'Shirt with "words", and more', "products.csv:3"),
        ("9", "Hat", "products.csv:9"),
    ]
    assert [entry.line for entry in rejected] == [8]


@pytest.mark.parametrize(
    "last", ["9,Hat,Tops,images/1.png\n", '9,TV 42",Tops,images/1.png\n', '9,"Hat",Tops,images/1.png\n']
)
@pytest.mark.parametrize("between", [0, 1, 300, 3000])
def test_an_unclosed_quote_swallows_no_rows(shop, last, between):
    rows = '7,"Shirt,Tops,images/1.png\n' + "".join(f"n{n},Hat,Tops,images/2.png\n" for n in range(between)) + last
    products, rejected = read(write(shop, HEADER + rows))
    assert [p.id for p in products] == [*(f"n{n}" for n in range(between)), "9"]
    assert [(entry.line, "quote" in entry.reason) for entry in rejected] == [(2, True)]


def test_a_description_of_many_lines_is_one_cell(shop):
    text = "\n".join(f"Cotton, wool, silk, line {number}" for number in range(500))
    (product,), rejected = read(write(shop, f'id,title,image,description\n7,Shirt,images/1.png,"{text}"\n'))
    assert not rejected
    assert product.description == text


def test_undecodable_bytes_reject_their_row_only(shop):
    header = "id,title,image,größe,länge\n"  # so that the file is UTF-8 for the most part
    assert "not text; save the feed as UTF-8" in reasons(shop, "7,Blå,images/1.png,,".encode("latin-1"), header)
    products, rejected = read(
        write(shop, codecs.BOM_UTF16_LE + (HEADER + "7,Hat,Tops,images/1.png\n8,H").encode("utf-16-le") + b"\0\xd8\n\0")
    )
    assert [p.id for p in products] == ["7"]
    assert [entry.line for entry in rejected] == [3]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"id,name,image\n1,a,b\n", "no title column; its columns are: id, name, image"),
        (b"title,image\n", "no id column"),
        (b"id,title\n", "no picture column"),
        (b"id,title,image,ID\n", "the column id more than once"),
        (codecs.BOM_UTF8 + "id,title,image,größe\n".encode("latin-1"), "not valid UTF-8"),
        (b'id,title,"image\n', "cannot be read"),
        (b"x" * 5_000_000, "longer than any header"),
        (b"\0" * 90, "UTF-16 without a byte order mark"),
        (b"PK\x03\x04 and so on", "Excel"),
        (b"\x1f\x8b\x08", "gzip"),
    ],
)
def test_a_feed_that_cannot_be_read_at_all(shop, content, reason):
    with pytest.raises(BadFeed, match=reason):
        read(write(shop, content))


def test_wrong_paths(shop):
    with pytest.raises(BadFeed, match="There is no feed"):
        read_feed(shop / "gone.csv")
    with pytest.raises(BadFeed, match="feed format"):
        read_feed(write(shop, "PK", "feed.xlsx"))
    with pytest.raises(BadFeed, match="feed format"):
        read_feed(write(shop, "PK", "feed.gz"))


def test_blank_lines_before_the_header(shop):
    (product,), rejected = read(write(shop, "\n,,\n" + HEADER + "7,Hat,Tops,images/1.png\n"))
    assert (product.origin, rejected) == ("products.csv:4", [])


def test_a_header_without_rows_is_an_empty_shop(shop):
    assert read(write(shop, HEADER)) == ([], [])


def test_json_lines(shop):
    rows = [
        {
            "id": 7,
            "title": "Blå 衬衫",
            "image": "images/1.png",
            "price": 12.90,
            "in_stock": True,
            "year": 2011,
            "brand": None,
        },
        {
            "id": "8",
            "title": "Hat",
            "images": ["images/1.png", "images/2.png"],
            "attributes": {"colour": "red"},
            "sizes": ["S", "M"],
        },
    ]
    text = "\ufeff" + "\n\n".join(json.dumps(row, ensure_ascii=False).replace("12.9,", "12.90,") for row in rows)
    (first, second), rejected = read(write(shop, text, "feed.jsonl"))
    assert not rejected
    assert (first.id, first.title, str(first.price), first.in_stock) == ("7", "Blå 衬衫", "12.90", True)
    assert dict(first.attributes) == {"year": "2011"}
    assert names(second) == ["1.png", "2.png"]
    assert dict(second.attributes) == {"colour": "red", "sizes": "S, M"}
    assert second.origin == "feed.jsonl:3"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": "7", "title": "Shirt", ', "not valid JSON"),
        ('["7", "Shirt"]', "not an object"),
        ("null", "not an object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"id": "7", "id": "8"}', "more than once"),
        ('{"id": "7", "ID": "8"}', "id is given more than once"),
        ('{"id": "7", "title": ["a", 1], "image": {}}', "is not a text"),
        ('{"id": "7", "title": "\\ud800", "image": "images/1.png"}', "not text"),
        ('{"id": "7", "title": "a\\u0000", "image": "images/1.png"}', "NUL"),
        ('{"id": "7", "title": "Shirt", "image": "images/1.png", "price": NaN}', "bad price"),
        ('{"id": ' + "9" * 5000 + ', "title": "Shirt", "image": "images/1.png"}', "the id is longer"),
        ('{"id": "7", "title": "Shirt", "image": "../secret.png"}', "outside"),
        ('{"id": "7", "title": "Shirt", "image": []}', "no picture"),
        ('{"id": "7", "x": "' + "x" * 2**23 + '"}', "the row is longer than"),
        ('{"id": "7", "x": "' + "x" * 2**21 + '"}', "x is longer than"),
    ],
    ids=lambda value: value[:30],
)
def test_a_bad_json_line(shop, line, reason):
    good = '{"id": "good", "title": "Hat", "image": "images/1.png"}'
    (product,), (rejected,) = read(write(shop, f"{line}\n{good}\n", "feed.ndjson"))
    assert product.id == "good"
    assert rejected.line == 1
    assert reason in rejected.reason


def test_a_folder_of_pictures(shop, tmp_path):
    root = tmp_path / "folder"
    for name in (
        "Shoes/Running/red-running_shoe10.png",
        "Shoes/Running/red-running_shoe2.png",
        "Hats/0012.png",
        "top.png",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(root / name)
    for name in (
        "Hats/0a7e5fe0-d592-40e6-b9b8-75aac9a2d685.JPG",
        "Hats/.hidden.png",
        ".git/x.png",
        "Hats/notes.txt",
        "top.jpg",
    ):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"x")
    (root / "Hats" / "out.png").symlink_to(shop / "images" / "1.png")
    (root / "Linked").symlink_to(shop)
    (root / "round.png").symlink_to(root / "round.png")
    os.mkfifo(root / "pipe.png")
    products, rejected = read(root)
    assert [(p.id, p.title, p.category) for p in products] == [
        ("top", "Top", ""),
        ("Hats/0a7e5fe0-d592-40e6-b9b8-75aac9a2d685", "Hats", "Hats"),
        ("Hats/0012", "Hats", "Hats"),
        ("Shoes/Running/red-running_shoe2", "Red running shoe2", "Shoes > Running"),
        ("Shoes/Running/red-running_shoe10", "Red running shoe10", "Shoes > Running"),
    ]
    assert {entry.source: entry.reason for entry in rejected} == {
        "Linked": "a link to a folder, which is not followed",
        "pipe.png": "picture 'pipe.png' is not a file",
        "round.png": "picture 'round.png' is not a file",
        "top.png": "duplicate id 'top': top.jpg has it too",
        "Hats/notes.txt": "not a picture by its name; a feed is read by giving its own path",
        "Hats/out.png": "picture 'Hats/out.png' lies outside the feed's folder",
    }


def test_a_hundred_bad_rows_of_a_thousand(shop):
    bad = [row for row in BAD_ROWS if len(row) < 10_000]
    chance = random.Random(3)
    bad_lines = sorted(chance.sample(range(1000), 100))
    rows = [f"p{number},Hat,Tops,images/1.png" for number in range(1000)]
    for place, number in enumerate(bad_lines):
        rows[number] = bad[place % len(bad)]
    products, rejected = read(write(shop, HEADER + "\n".join(rows)))
    assert [p.id for p in products] == [f"p{number}" for number in range(1000) if number not in bad_lines]
    assert [entry.line for entry in rejected] == [number + 2 for number in bad_lines]


def test_a_cell_without_end_takes_no_memory(shop):
    path = write(shop, HEADER)
    with path.open("ab") as file:
        file.write(b'7,"')
        for _ in range(100):
            file.write(b"x" * 2**20)
        file.write(b"\n8,Hat,Tops,images/1.png\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (product,), (rejected,) = read(path)
    assert (product.id, rejected.line) == ("8", 2)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@settings(max_examples=150, deadline=None)
@given(noise=st.lists(st.binary(max_size=40), max_size=8))
def test_noise_raises_nothing_but_bad_feed(tmp_path_factory, noise):
    folder = tmp_path_factory.mktemp("noise")
    for name, start in (("a.csv", HEADER.encode()), ("b.jsonl", b""), ("c.csv", b"")):
        path = folder / name
        path.write_bytes(start + b"\n".join(noise))
        try:
            assert not [entry for entry in read_feed(path) if isinstance(entry, Product)]
        except BadFeed as error:
            assert error.hint


def test_column_names():
    assert column_name(" G:Image Link ") == "image_link"
    assert column_name("Heel-Height") == "heel_height"


@pytest.mark.skipif(not (DATA / "fashion").is_dir(), reason="the shared data are not here")
def test_the_shared_feeds_load_unchanged():
    products, rejected = read(DATA / "fashion" / "products.csv")
    assert (len(products), rejected) == (20_049, [])
    assert products[0].attributes["colour"] == "Navy Blue"
    products, rejected = read(DATA / "grocery" / "products.csv")
    assert (len(products), rejected) == (81, [])


def test_every_format_is_a_row_of_one_table():
    assert [found.name for found in FORMATS] == ["table", "JSON lines", "Google Merchant XML"]
    endings = [ending for found in FORMATS for ending in found.endings]
    assert sorted(endings) == sorted(set(endings))


def test_no_platform_takes_a_plain_table_for_its_export():
    for header in (
        "id,title,category,image",
        "id,title,name,type,sku,categories,images,parent",
        "id,title,price,handle",
    ):
        assert [found.name for found in PLATFORMS if found.is_export(header.split(","))] == []
