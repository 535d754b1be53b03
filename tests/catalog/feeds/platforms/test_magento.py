"""Magento's exports, of both versions: a configurable product and its variations become one product."""

import csv
import io
import itertools
from decimal import Decimal

import pytest
from PIL import Image

from catalog.feeds.platforms.magento import is_export
from catalog.feeds.platforms.magento_cells import parse_attributes, parse_categories, parse_variations
from catalog.feeds.reader import read_feed
from catalog.product import Product, RowNote
from tests.catalog.feed_writer import names, read, write

SECOND, FIRST = csv.reader(
    [
        "sku,store_view_code,attribute_set_code,product_type,categories,product_websites,name,description,"
        "short_description,weight,product_online,tax_class_name,visibility,price,special_price,special_price_from_date,"
        "special_price_to_date,url_key,meta_title,base_image,base_image_label,small_image,thumbnail_image,created_at,"
        "updated_at,country_of_manufacture,additional_attributes,qty,out_of_stock_qty,use_config_min_qty,"
        "is_qty_decimal,allow_backorders,use_config_backorders,is_in_stock,manage_stock,use_config_manage_stock,"
        "website_id,related_skus,additional_images,additional_image_labels,hide_from_product_page,bundle_values,"
        "configurable_variations,configurable_variation_labels,associated_skus",
        "sku,_store,_attribute_set,_type,_category,_root_category,_product_websites,color,description,has_options,image,"
        "manufacturer,media_gallery,meta_title,name,price,short_description,small_image,special_price,"
        "special_from_date,special_to_date,status,tax_class_id,thumbnail,url_key,visibility,weight,qty,min_qty,"
        "backorders,use_config_backorders,is_in_stock,manage_stock,use_config_manage_stock,_associated_sku,"
        "_media_image,_media_is_disabled,_super_products_sku,_super_attribute_code,_super_attribute_option,"
        "_super_attribute_price_corr",
    ]
)


def export(*rows, header=SECOND):
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def simple(sku, **cells):
    row = {"sku": sku, "attribute_set_code": "Default", "product_type": "simple", "product_websites": "base"}
    row |= {"name": sku.title(), "product_online": "1", "visibility": "Catalog, Search", "price": "5.000000"}
    row |= {"base_image": "/images/1.png", "small_image": "/images/1.png", "thumbnail_image": "/images/1.png"}
    row |= {"qty": "5.0000", "is_in_stock": "1", "manage_stock": "0", "use_config_manage_stock": "1"}
    return row | {"allow_backorders": "0", "use_config_backorders": "1"} | cells


HIDDEN = {"visibility": "Not Visible Individually"}
HOODIE = [
    simple("hoodie-s", price="40.000000", qty="0.0000", is_in_stock="0", **HIDDEN),
    simple("hoodie-l", price="45.000000", special_price="35.000000", base_image="images/2.png", **HIDDEN),
    simple(
        "Hoodie",
        product_type="configurable",
        categories="Default Category,Default Category/Clothing,Default Category/Clothing/Hoodies",
        price="",
        qty="0.0000",
        description="<p>Warm &amp; soft.</p>",
        additional_attributes="manufacturer=Acme,material=Cotton|Wool,care=Wash at 30, hang dry,eco=Yes",
        additional_images="/images/3.png,/images/a.png",
        hide_from_product_page="/images/a.png",
        configurable_variations="sku=hoodie-s,size=S,color=Red|sku=hoodie-l,size=L,color=Red",
    ),
    {"sku": "Hoodie", "store_view_code": "de", "name": "Kapuzenpulli", "description": "Warm.", "product_online": ""},
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
def test_a_configurable_product_is_one_wherever_its_rows_stand(shop, order):
    rows = [*HOODIE, simple("cap")]
    products, rejected = read(write(shop, export(*(rows[number] for number in order))))
    assert not rejected
    cap, hoodie = sorted(products, key=lambda product: product.id.lower())
    assert (cap.id, cap.title, cap.price, cap.in_stock) == ("cap", "Cap", Decimal("5.00"), True)
    assert (hoodie.id, hoodie.title, hoodie.brand) == ("Hoodie", "Hoodie", "Acme")
    assert (hoodie.category, hoodie.description) == ("Clothing > Hoodies", "Warm & soft.")
    assert (hoodie.price, hoodie.in_stock) == (Decimal("35"), True)
    assert names(hoodie) == ["1.png", "3.png", "2.png"]
    expected = {
        "size": "S, L",
        "color": "Red",
        "material": "Cotton, Wool",
        "care": "Wash at 30, hang dry",
        "eco": "Yes",
    }
    assert expected.items() <= dict(hoodie.attributes).items()
    assert hoodie.attributes["sku"] == "hoodie-s, hoodie-l"


def test_a_variation_that_is_visible_is_a_part_of_its_product_all_the_same(shop):
    visible = [row | {"visibility": "Catalog, Search"} for row in HOODIE]
    assert [product.id for product in read(write(shop, export(*visible)))[0]] == ["Hoodie"]


@pytest.mark.parametrize(
    ("cells", "in_stock"),
    [
        ({"qty": "5", "is_in_stock": "1"}, True),
        ({"qty": "0", "is_in_stock": "1"}, False),
        ({"qty": "-2.0000", "is_in_stock": "1"}, False),
        ({"qty": "5", "is_in_stock": "0"}, False),
        ({"qty": "0", "is_in_stock": "1", "allow_backorders": "1", "use_config_backorders": "0"}, True),
        ({"qty": "-5", "is_in_stock": "1", "allow_backorders": "2", "use_config_backorders": "0"}, True),
        ({"qty": "0", "is_in_stock": "0", "allow_backorders": "1", "use_config_backorders": "0"}, False),
        ({"qty": "0", "is_in_stock": "0", "manage_stock": "0", "use_config_manage_stock": "0"}, True),
        ({"qty": "0", "is_in_stock": "0", "manage_stock": "1", "use_config_manage_stock": "0"}, False),
        ({"qty": "", "is_in_stock": "1"}, True),
        ({"qty": "", "is_in_stock": ""}, True),
    ],
)
def test_stock(shop, cells, in_stock):
    (product,), rejected = read(write(shop, export(simple("cap", **cells))))
    assert (product.in_stock, rejected) == (in_stock, [])


def test_a_configurable_product_that_is_switched_out_of_stock(shop):
    feed = export(*HOODIE[:2], HOODIE[2] | {"is_in_stock": "0"})
    assert read(write(shop, feed))[0][0].in_stock is False


@pytest.mark.parametrize(
    ("starts", "ends", "price"),
    [
        ("", "", "3.00"),
        ("1/1/20", "2/1/20", "5.00"),
        ("1/1/20, 12:00 AM", "", "3.00"),
        ("31.01.2020", "", "3.00"),
        ("2020-01-01 00:00:00", "2999-12-31", "3.00"),
        ("1/1/99", "", "5.00"),
        ("never", "", "5.00"),
    ],
)
def test_the_dates_of_a_special_price(shop, starts, ends, price):
    cells = {"special_price": "3.000000", "special_price_from_date": starts, "special_price_to_date": ends}
    entries = list(read_feed(write(shop, export(simple("cap", **cells)))))
    assert [entry.price for entry in entries if isinstance(entry, Product)] == [Decimal(price)]
    assert bool([entry for entry in entries if isinstance(entry, RowNote)]) is (starts == "never")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"product_online": "2"}, "not published: it is disabled: its status is '2'"),
        ({"product_online": "0"}, "not published: it is disabled"),
        (HIDDEN, "and it is no variation of a product in the feed"),
        ({"visibility": "Nicht einzeln sichtbar"}, "and it is no variation of a product in the feed"),
    ],
)
def test_a_product_that_is_not_shown_is_reported_as_not_for_sale(shop, cells, reason):
    (cap,), (rejected,) = read(write(shop, export(simple("hat", **cells), simple("cap"))))
    assert (cap.id, rejected.product_id, rejected.lists_product) == ("cap", "hat", False)
    assert reason in rejected.reason


def test_a_disabled_variation_is_left_out_and_those_of_a_disabled_product_too(shop):
    (hoodie,), (rejected,) = read(write(shop, export(HOODIE[0], HOODIE[1] | {"product_online": "2"}, HOODIE[2])))
    assert (hoodie.price, hoodie.in_stock, rejected.line) == (Decimal("40"), False, 3)
    products, (rejected,) = read(write(shop, export(*HOODIE[:2], HOODIE[2] | {"product_online": "2"})))
    assert (products, rejected.product_id, rejected.lists_product) == ([], "Hoodie", False)


def test_a_variation_that_has_no_row_of_its_own(shop):
    variations = "sku=a,size=S,price=12.00,display=1,image=/images/2.png|sku=b,size=L,price=9.00,display=0"
    feed = export(simple("tee", product_type="configurable", qty="", configurable_variations=variations))
    (tee,), _ = read(write(shop, feed))
    assert (tee.price, tee.in_stock, tee.attributes["size"]) == (Decimal("9.00"), True, "S, L")
    assert names(tee) == ["1.png", "2.png"]


def test_a_group_costs_what_its_cheapest_member_does_and_a_bundle_has_no_price(shop):
    group = simple("set", product_type="grouped", price="", qty="", associated_skus="cap=1.0000,hat=2.0000")
    bundle = simple("kit", product_type="bundle", price="", qty="", bundle_values="name=A,type=select,sku=hat,qty=1")
    feed = export(group, bundle, simple("cap"), simple("hat", price="3.00", **HIDDEN))
    products, rejected = read(write(shop, feed))
    assert [(product.id, product.price) for product in products] == [
        ("set", Decimal("3.00")),
        ("kit", None),
        ("cap", Decimal("5.00")),
    ]
    assert not rejected


def test_pictures_of_the_media_folder_and_none(shop):
    (shop / "m" / "b").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(shop / "m" / "b" / "mb01.jpg")
    feed = export(simple("cap", base_image="/m/b/mb01.jpg"), simple("hat", base_image="no_selection", small_image=""))
    (cap,), (rejected,) = read(write(shop, feed))
    assert (names(cap), rejected.product_id) == (["mb01.jpg"], "hat")


FIRST_HOODIE = [
    {"sku": "hoodie-s", "_attribute_set": "Default", "_type": "simple", "name": "Hoodie S", "status": "1"}
    | {"visibility": "1", "price": "40.0000", "qty": "0.0000", "is_in_stock": "0", "color": "Red"},
    {"sku": "hoodie-l", "_attribute_set": "Default", "_type": "simple", "name": "Hoodie L", "status": "1"}
    | {"visibility": "1", "price": "40.0000", "qty": "4.0000", "is_in_stock": "1", "image": "/images/3.png"},
    {"sku": "hoodie", "_attribute_set": "Default", "_type": "configurable", "name": "Hoodie", "status": "1"}
    | {"visibility": "4", "price": "42.0000", "qty": "0.0000", "is_in_stock": "1", "image": "/images/1.png"}
    | {"_category": "Clothing", "_root_category": "Default Category", "manufacturer": "Acme", "color": "Red"}
    | {"short_description": "Warm.", "_media_image": "/images/1.png", "_super_products_sku": "hoodie-s"}
    | {"_super_attribute_code": "size", "_super_attribute_option": "S"},
    {"_category": "Clothing/Hoodies", "_root_category": "Default Category", "_media_image": "/images/2.png"}
    | {"_super_products_sku": "hoodie-l", "_super_attribute_code": "size", "_super_attribute_option": "L"},
    {"_store": "german", "name": "Kapuzenpulli", "_media_image": "/images/a.png", "_media_is_disabled": "1"},
    {"sku": "cap", "_attribute_set": "Default", "_type": "simple", "name": "Cap", "status": "2", "visibility": "4"},
]


def test_the_first_version_with_its_rows_that_go_on(shop):
    (hoodie,), (rejected,) = read(write(shop, export(*FIRST_HOODIE, header=FIRST)))
    assert (rejected.product_id, rejected.lists_product) == ("cap", False)
    assert (hoodie.id, hoodie.title, hoodie.brand) == ("hoodie", "Hoodie", "Acme")
    assert (hoodie.category, hoodie.description) == ("Clothing > Hoodies", "Warm.")
    assert (hoodie.price, hoodie.in_stock) == (Decimal("42.00"), True)
    assert names(hoodie) == ["1.png", "2.png", "3.png"]
    assert dict(hoodie.attributes) == {"color": "Red", "size": "S, L", "sku": "hoodie-s, hoodie-l"}


ROOT = "Default Category"


@pytest.mark.parametrize(
    ("cell", "paths"),
    [
        ("Default Category/Gear/Bags", [["Default Category", "Gear", "Bags"]]),
        (
            "Default Category/Salt, pepper,Default Category/X",
            [["Default Category", "Salt, pepper"], ["Default Category", "X"]],
        ),
        (
            '"Default Category/Men, Women",Default Category/X',
            [["Default Category", "Men, Women"], ["Default Category", "X"]],
        ),
        ("Default Category/TV\\/Audio", [["Default Category", "TV/Audio"]]),
        ("Kitchen/Mugs,Sale", [["Kitchen", "Mugs"], ["Sale"]]),
        ("", []),
    ],
)
def test_categories(cell, paths):
    assert parse_categories(cell) == paths


def test_categories_keep_a_first_level_that_is_no_root(shop):
    feed = export(simple("cap", categories="Kitchen/Mugs"), simple("hat", categories="Hall/Hats"))
    assert [product.category for product in read(write(shop, feed))[0]] == ["Kitchen > Mugs", "Hall > Hats"]
    feed = export(simple("cap", categories="Our root/Kitchen/Mugs"), simple("hat", categories="Our root/Hall"))
    assert [product.category for product in read(write(shop, feed))[0]] == ["Kitchen > Mugs", "Hall"]


def test_attributes_and_variations():
    cell = 'a=1,b_2=x, y,c="p,q=r",d=m|n,e='
    assert list(parse_attributes(cell)) == [("a", "1"), ("b_2", "x, y"), ("c", "p,q=r"), ("d", "m|n")]
    assert list(parse_attributes("")) == []
    assert list(parse_variations("sku=A,size=S|sku=B,size=M")) == [{"sku": "A", "size": "S"}, {"sku": "B", "size": "M"}]
    assert list(parse_variations("nonsense")) == []


def test_what_is_an_export_and_what_is_not():
    assert is_export(["sku", "attribute_set_code", "product_type", "name"])
    assert is_export(["sku", "_attribute_set", "_type", "name"])
    assert not is_export(["id", "sku", "title", "product_type", "image"])
