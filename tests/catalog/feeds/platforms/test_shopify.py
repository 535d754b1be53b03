"""Shopify's export: the rows of a Handle become one product with all its pictures and the options of its variants."""

import csv
import io
import itertools
from decimal import Decimal

import pytest

from catalog.errors import BadFeed
from catalog.feeds.platforms.row_groups import MAX_ROWS
from catalog.feeds.platforms.shopify import is_export
from catalog.feeds.reader import read_feed
from catalog.product import RowNote
from tests.catalog.feed_writer import names, read, write

HEADER = next(
    csv.reader(
        [
            "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,"
            "Option2 Name,Option2 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Price,"
            "Variant Compare At Price,Variant Barcode,Image Src,Image Position,Image Alt Text,"
            "Google Shopping / Gender,Variant Image,Color (product.metafields.shopify.color-pattern),Status"
        ]
    )
)
NEWER = next(
    csv.reader(
        [
            "Title,URL handle,Description,Vendor,Product category,Type,Published on online store,Status,SKU,Barcode,"
            "Option1 name,Option1 value,Price,Compare-at price,Inventory tracker,Inventory quantity,"
            "Product image URL,Image position,Variant image URL"
        ]
    )
)


def export(*rows, header=HEADER):
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def row(handle="hat", **cells):
    """A row by its cells; underscores stand for spaces."""
    return {"Handle": handle, **{name.replace("_", " "): value for name, value in cells.items()}}


def plain(handle="hat", **cells):
    given = {"Title": "Hat", "Variant_Price": "5.00", "Image_Src": "images/1.png", "Status": "active"}
    return row(handle, **(given | cells))


def test_variants_and_pictures_become_one_product(shop):
    feed = export(
        {
            **row("shirt", Title="Blue shirt", Vendor="Acme", Type="Shirts", Tags="new, cotton", Published="true"),
            "Body (HTML)": "<p>Soft &amp; warm.</p>\n<ul><li>cotton</li></ul>",
            "Product Category": "Apparel > Tops",
            **{"Option1 Name": "Size", "Option1 Value": "S", "Option2 Name": "Colour", "Option2 Value": "Navy"},
            **{"Variant SKU": "S1", "Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "0"},
            **{"Variant Price": "14.00", "Variant Barcode": "'4006381333931", "Image Src": "images/2.png"},
            **{"Image Position": "2", "Google Shopping / Gender": "unisex", "Status": "active"},
            "Color (product.metafields.shopify.color-pattern)": "blue",
        },
        {
            **row("shirt", Option1_Value="M", Option2_Value="Navy", Variant_SKU="M1", Image_Src="images/1.png"),
            **{"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "3", "Image Position": "1"},
            **{"Variant Price": "12.90", "Variant Compare At Price": "20.00", "Variant Image": "images/3.png"},
        },
        {
            **row("shirt", Option1_Value="L", Option2_Value="Red", Variant_SKU="L1", Variant_Price="15.00"),
            **{"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "-2", "Variant Image": "images/1.png"},
        },
        row("shirt", Image_Src="images/c;d.png", Image_Position="3"),
        plain("hat", Title="Hat"),
    )
    (shirt, hat), rejected = read(write(shop, feed))
    assert not rejected
    assert (shirt.id, shirt.title, shirt.brand, shirt.category) == ("shirt", "Blue shirt", "Acme", "Apparel > Tops")
    assert names(shirt) == ["1.png", "2.png", "c;d.png", "3.png"]
    assert (shirt.price, shirt.currency, shirt.in_stock) == (Decimal("12.90"), "", True)
    assert shirt.description == "Soft & warm.\ncotton"
    assert shirt.origin == "products.csv:2"
    assert dict(shirt.attributes) == {
        "size": "S, M, L",
        "colour": "Navy, Red",
        "color": "blue",
        "sku": "S1, M1, L1",
        "gtin": "4006381333931",
        "gender": "unisex",
        "type": "Shirts",
        "tags": "new, cotton",
    }
    assert (hat.id, hat.origin, dict(hat.attributes)) == ("hat", "products.csv:7", {})


def test_the_newer_headers(shop):
    cells = ["Blue shirt", "shirt", "<b>Soft</b>", "Acme", "Uncategorized", "Shirts", "TRUE", "Active", "S1", "1"]
    cells += ["Size", "S", "9.00", "12.00", "shopify", "4", "images/1.png", "1", "images/2.png"]
    feed = export(dict(zip(NEWER, cells, strict=True)), header=NEWER)
    (shirt,), rejected = read(write(shop, feed))
    assert not rejected
    assert (shirt.id, shirt.title, shirt.category, str(shirt.price)) == ("shirt", "Blue shirt", "Shirts", "9.00")
    assert names(shirt) == ["1.png", "2.png"]
    assert dict(shirt.attributes) == {"size": "S", "sku": "S1", "gtin": "1"}


@pytest.mark.parametrize(
    ("cells", "in_stock"),
    [
        ({"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "1"}, True),
        ({"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "0"}, False),
        ({"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "-4"}, False),
        ({"Variant Inventory Tracker": "", "Variant Inventory Qty": "0"}, True),
        ({"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": ""}, True),
        ({"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "1,200"}, True),
        ({"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "0,0"}, False),
        ({"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "\u22123"}, False),
    ],
)
def test_stock(shop, cells, in_stock):
    (product,), _ = read(write(shop, export(plain() | cells)))
    assert product.in_stock is in_stock


def test_stock_where_there_is_no_column_for_the_tracker(shop):
    header = [name for name in HEADER if name != "Variant Inventory Tracker"]
    (product,), _ = read(write(shop, export(plain() | {"Variant Inventory Qty": "0"}, header=header)))
    assert product.in_stock is False


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Status": "draft"}, "not published: its status is 'draft'"),
        ({"Status": "archived"}, "not published"),
        ({"Status": "", "Published": "false"}, "not published: Published is 'false'"),
        ({"Title": ""}, "no title"),
        ({"Image_Src": ""}, "no picture"),
        ({"Image_Src": "../secret.png"}, "outside the feed's folder"),
        ({"Variant_Price": "free"}, "bad price 'free'"),
        ({"Handle": "x" * 501}, "the id is longer than"),
        ({"Handle": "  "}, "no Handle"),
    ],
)
def test_a_bad_product_says_why_once_and_the_others_are_read(shop, cells, reason):
    bad = {"Handle": "bad"} | {name.replace("_", " "): value for name, value in cells.items()}
    feed = export(plain("first"), plain("bad") | bad, plain("last"))
    products, rejected = read(write(shop, feed))
    assert [product.id for product in products] == ["first", "last"]
    assert [entry.line for entry in rejected] == [3]
    assert reason in rejected[0].reason


def test_one_bad_price_of_several_is_reported_and_the_product_stays(shop):
    feed = export(plain(), row(Variant_Price="1,2,3"), row(Variant_Price="4.00"))
    (product,), (rejected,) = read(write(shop, feed))
    assert str(product.price) == "4.00"
    assert (rejected.line, rejected.reason[:46]) == (3, "the price of a variant of 'hat' is left out: b")


def test_a_quantity_that_is_no_number_is_noted_and_the_product_stays(shop):
    """It lost the product before; what is not understood costs only itself."""
    path = write(shop, export(plain() | {"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "many"}))
    (note,) = [entry for entry in read_feed(path) if isinstance(entry, RowNote)]
    (product,), rejected = read(path)
    assert product.in_stock and not rejected
    assert "the inventory quantity 'many' is no number" in note.message


@pytest.mark.parametrize(
    ("quantity", "policy", "in_stock"),
    [
        ("0", "continue", True),
        ("-7", "continue", True),
        ("0", "CONTINUE", True),
        ("0", "deny", False),
        ("0", "", False),
        ("-7", "deny", False),
        ("3", "deny", True),
    ],
)
def test_a_variant_that_is_sold_on_at_nothing_is_in_stock(shop, quantity, policy, in_stock):
    cells = {"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": quantity}
    feed = export(plain() | cells | {"Variant Inventory Policy": policy}, header=[*HEADER, "Variant Inventory Policy"])
    (product,), _ = read(write(shop, feed))
    assert product.in_stock is in_stock


@pytest.mark.parametrize(
    ("policy", "in_stock"), [("CONTINUE", True), ("TRUE", True), ("DENY", False), ("FALSE", False)]
)
def test_selling_on_in_the_newer_headers(shop, policy, in_stock):
    header = [*NEWER, "Continue selling when out of stock"]
    cells = ["Blue shirt", "shirt", "", "Acme", "", "Shirts", "TRUE", "Active", "S1", "", "Size", "S", "9.00", ""]
    cells += ["shopify", "0", "images/1.png", "1", "", policy]
    (product,), _ = read(write(shop, export(dict(zip(header, cells, strict=True)), header=header)))
    assert product.in_stock is in_stock


def test_one_variant_that_is_sold_on_is_enough(shop):
    header = [*HEADER, "Variant Inventory Policy"]
    stock = {"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "0"}
    rows = [
        plain(Option1_Name="Size", Option1_Value="S") | stock | {"Variant Inventory Policy": "deny"},
        row(Option1_Value="M", Variant_Price="6.00") | stock | {"Variant Inventory Policy": "continue"},
    ]
    (product,), _ = read(write(shop, export(*rows, header=header)))
    assert product.in_stock


SHIRT = [
    row("shirt", Title="Shirt", Option1_Name="Size", Option1_Value="S", Variant_Price="14.00", Variant_SKU="s")
    | {"Image Src": "images/1.png", "Image Position": "1", "Status": "active", "Type": "Shirts", "Vendor": "Acme"}
    | {"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "0"},
    row(
        "shirt", Option1_Value="M", Variant_Price="12.00", Variant_SKU="m", Image_Src="images/2.png", Image_Position="2"
    )
    | {"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "3"},
    row(
        "shirt", Option1_Value="L", Variant_Price="13.00", Variant_SKU="l", Image_Src="images/3.png", Image_Position="3"
    )
    | {"Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "0"},
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
def test_rows_of_a_handle_that_stand_apart_are_one_product(shop, order):
    rows = [*SHIRT, plain("cap"), plain("hat")]
    products, rejected = read(write(shop, export(*(rows[number] for number in order))))
    assert not rejected
    shirt = next(product for product in products if product.id == "shirt")
    assert sorted(product.id for product in products) == ["cap", "hat", "shirt"]
    assert (shirt.title, shirt.brand, shirt.category, shirt.in_stock) == ("Shirt", "Acme", "Shirts", True)
    assert (shirt.price, names(shirt)) == (Decimal("12.00"), ["1.png", "2.png", "3.png"])
    assert sorted(shirt.attributes["size"].split(", ")) == ["L", "M", "S"]


def test_a_variant_that_comes_twice_is_left_out(shop):
    (_, _), (rejected,) = read(write(shop, export(plain(), plain("cap"), plain())))
    assert (rejected.line, rejected.reason) == (4, "a variant of 'hat' is left out: line 2 has it too")
    (shirt,), (rejected,) = read(write(shop, export(*SHIRT, SHIRT[1] | {"Variant Price": "1.00"})))
    assert (shirt.price, rejected.line) == (Decimal("12.00"), 5)


def test_another_product_of_the_same_handle_is_a_duplicate(shop):
    """The rows without a title that follow it at once are its own; those elsewhere are the first product's."""
    other = [
        plain("shirt", Title="Blouse", Variant_Price="1.00"),
        row("shirt", Option1_Value="XS", Variant_Price="1.00"),
    ]
    (shirt, _), rejected = read(write(shop, export(*SHIRT[:2], plain("cap"), *other, plain("cap"), SHIRT[2])))
    assert (shirt.title, shirt.price, shirt.attributes["size"]) == ("Shirt", Decimal("12.00"), "S, M, L")
    assert [entry.line for entry in rejected] == [5, 6, 7]
    assert rejected[0].reason == "duplicate id 'shirt': line 2 has it too, with another title"


def test_columns_of_markets_and_metafields_do_not_disturb(shop):
    header = [*HEADER, "Included / Germany", "Price / Germany", "Compare At Price / Germany", "Cost per item"]
    more = {"Included / Germany": "true", "Price / Germany": "1.00", "Cost per item": "2.00"}
    (product,), rejected = read(write(shop, export(plain() | more, header=header)))
    assert (product.price, dict(product.attributes), rejected) == (Decimal("5.00"), {}, [])


@pytest.mark.parametrize("word", ["TRUE", "WAHR", "VRAI", "VERDADERO", "ИСТИНА", "1"])
def test_published_as_a_spreadsheet_of_another_language_saves_it(shop, word):
    (product,), rejected = read(write(shop, export(plain(Status="", Published=word))))
    assert product.id == "hat" and not rejected


def test_a_broken_row_between_others_takes_only_itself(shop):
    lines = export(plain(), row(Image_Src="images/2.png"), plain("cap")).splitlines()
    lines.insert(2, 'hat,"broken')
    (hat, cap), (rejected,) = read(write(shop, "\n".join(lines)))
    assert (names(hat), cap.id) == (["1.png", "2.png"], "cap")
    assert rejected.line == 3 and "quote" in rejected.reason


def test_an_option_cannot_pass_for_the_price(shop):
    options = {"Option1 Name": "Price", "Option1 Value": "cheap", "Option2 Name": "ID", "Option2 Value": "other"}
    (product,), _ = read(write(shop, export(plain() | options)))
    assert (product.id, str(product.price)) == ("hat", "5.00")
    assert dict(product.attributes) == {"option_price": "cheap", "option_id": "other"}


def test_the_only_variant_has_no_option(shop):
    (product,), _ = read(write(shop, export(plain(Option1_Name="Title", Option1_Value="Default Title"))))
    assert not product.attributes


def test_too_many_rows_of_one_handle(shop):
    feed = export(plain(), *(row(Option1_Value=str(n)) for n in range(MAX_ROWS)), plain("cap"))
    (product,), (rejected,) = read(write(shop, feed))
    assert product.id == "cap"
    assert (rejected.line, rejected.reason) == (2, "the Handle 'hat' has more than 5,000 rows")


def test_what_is_an_export_and_what_is_not(shop):
    assert is_export(["handle", "title", "image_src"])
    assert not is_export(["id", "handle", "title", "image"])
    assert not is_export(["handle", "title"])
    with pytest.raises(BadFeed, match="title more than once"):
        read(write(shop, "Handle,Title,Title,Image Src\n"))


@pytest.mark.promise("R21")
def test_a_hundred_bad_products_of_a_thousand(shop):
    bad = [{"Status": "draft"}, {"Title": ""}, {"Image Src": "gone.png"}, {"Variant Price": "-1"}, {"Handle": ""}]
    rows = [plain(f"p{n}") | (bad[n // 10 % 5] if n % 10 == 3 else {}) for n in range(1000)]
    products, rejected = read(write(shop, export(*rows)))
    assert [p.id for p in products] == [f"p{n}" for n in range(1000) if n % 10 != 3]
    assert [entry.line for entry in rejected] == [n + 2 for n in range(1000) if n % 10 == 3]
