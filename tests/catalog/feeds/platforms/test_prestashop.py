"""PrestaShop's tables: the list of products of the back office, and the table of its import."""

import csv
import io
import itertools
from decimal import Decimal

import pytest

from catalog.feeds.platforms.prestashop import is_export
from catalog.feeds.reader import read_feed
from catalog.product import Product, RowNote
from tests.catalog.feed_writer import names, read, write

IMPORT = (
    "Product ID;Active (0/1);Name *;Categories (x,y,z...);Price tax excluded;Price tax included;Tax rules ID;"
    "Wholesale price;On sale (0/1);Discount amount;Discount percent;Discount from (yyyy-mm-dd);"
    "Discount to (yyyy-mm-dd);Reference #;Supplier reference #;Manufacturer;EAN13;Quantity;Minimal quantity;Visibility;"
    "Summary;Description;Tags (x,y,z...);Meta title;Available for order (0 = No, 1 = Yes);Image URLs (x,y,z...);"
    "Feature (Name:Value:Position:Customized);Condition;Out of stock action;Attribute (Name:Type:Position)*;"
    "Value (Value:Position)*"
)
LISTS = {
    "en": "Product ID;Image;Name;Reference;Category;Price (tax excl.);Price (tax incl.);Quantity;Status;Position",
    "fr": "ID;Image;Nom;Référence;Catégorie;Prix (HT);Prix (TTC);Quantité;État;Position",
    "es": "ID;Imagen;Nombre;Referencia;Categoría;Precio (imp. excl.);Precio (imp. incl.);Cantidad;Estado;Posición",
    "de": "ID;Bild;Name;Artikel-Nr.;Kategorie;Preis (zzgl. MwSt.);Preis (inkl. MwSt.);Menge;Status;Position",
    "it": "ID;Immagine;Nome;Riferimento;Categoria;Prezzo (tasse escl.);Prezzo (tasse incl.);Quantità;Stato;Posizione",
}


def export(*rows, header=IMPORT):
    out = io.StringIO()
    writer = csv.DictWriter(out, header.split(";"), restval="", delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return "\ufeff" + out.getvalue()


def plain(number, **cells):
    row = {"Product ID": str(number), "Active (0/1)": "1", "Name *": f"Mug {number}", "Reference #": f"M-{number}"}
    row |= {"Price tax included": "12.900000", "Quantity": "3", "Image URLs (x,y,z...)": "images/1.png"}
    return row | {name.replace("_", " "): value for name, value in cells.items()}


def test_the_table_of_the_import(shop):
    row = plain(7) | {
        "Categories (x,y,z...)": "Home,Kitchen,Mugs",
        "Price tax excluded": "10.750000",
        "Manufacturer": "Kell",
        "EAN13": "4006381333931",
        "Summary": "<p>Short.</p>",
        "Description": "<p>Sturdy &amp; blue.</p>",
        "Tags (x,y,z...)": "gift,new",
        "Image URLs (x,y,z...)": "/images/1.png,images/2.png",
        "Feature (Name:Value:Position:Customized)": "Material:Stoneware:1:0,Care:Wash, dry:2:1",
        "Condition": "new",
    }
    (mug,), rejected = read(write(shop, export(row)))
    assert not rejected
    assert (mug.id, mug.title, mug.brand, mug.category) == ("M-7", "Mug 7", "Kell", "Kitchen > Mugs")
    assert (mug.price, mug.in_stock, mug.description) == (Decimal("12.90"), True, "Sturdy & blue.")
    assert names(mug) == ["1.png", "2.png"]
    assert dict(mug.attributes) == {
        "material": "Stoneware",
        "care": "Wash, dry",
        "condition": "new",
        "gtin": "4006381333931",
        "sku": "M-7",
        "tags": "gift, new",
    }


@pytest.mark.parametrize("language", sorted(LISTS))
def test_the_list_of_the_back_office(shop, language):
    header = LISTS[language]
    cells = ["7", "images/1.png", "Mug", "M-7", "Mugs", "10,75 €", "12,90 €", "0", "1", "3"]
    off = ["8", "images/1.png", "Cup", "M-8", "Mugs", "10,75 €", "12,90 €", "4", "0", "4"]
    rows = [dict(zip(header.split(";"), row, strict=True)) for row in (cells, off)]
    (mug,), (rejected,) = read(write(shop, export(*rows, header=header)))
    assert (mug.id, mug.title, mug.category, mug.in_stock) == ("M-7", "Mug", "Mugs", False)
    assert (mug.price, mug.currency) == (Decimal("12.90"), "EUR")
    assert (rejected.product_id, rejected.lists_product) == ("M-8", False)


COMBINATIONS = [
    plain(7)
    | {"Attribute (Name:Type:Position)*": "Size:select:0,Colour:color:1", "Value (Value:Position)*": "S:0,Red:1"}
    | {"Quantity": "0", "Reference #": "M-7-S"},
    {"Product ID": "7", "Reference #": "M-7-L", "Price tax included": "9.900000", "Quantity": "2"}
    | {"Attribute (Name:Type:Position)*": "Size:select:0,Colour:color:1", "Value (Value:Position)*": "L:0,Red:1"}
    | {"Image URLs (x,y,z...)": "images/2.png"},
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_combinations_are_one_product_wherever_their_rows_stand(shop, order):
    rows = [*COMBINATIONS, plain(8)]
    products, rejected = read(write(shop, export(*(rows[number] for number in order))))
    assert not rejected
    mug = next(product for product in products if product.id == "7")
    assert (mug.title, mug.price, mug.in_stock, len(products)) == ("Mug 7", Decimal("9.90"), True, 2)
    assert sorted(mug.attributes["size"].split(", ")) == ["L", "S"]
    assert sorted(names(mug)) == ["1.png", "2.png"]


@pytest.mark.parametrize(
    ("cells", "in_stock"),
    [
        ({"Quantity": "0"}, False),
        ({"Quantity": "-3"}, False),
        ({"Quantity": "0", "Out of stock action": "1"}, True),
        ({"Quantity": "-3", "Out of stock action": "1"}, True),
        ({"Quantity": "0", "Out of stock action": "0"}, False),
        ({"Quantity": "0", "Out of stock action": "2"}, False),
        ({"Quantity": ""}, True),
        ({"Quantity": "5", "Available for order (0 = No, 1 = Yes)": "0"}, False),
    ],
)
def test_stock(shop, cells, in_stock):
    (product,), rejected = read(write(shop, export(plain(7) | cells)))
    assert (product.in_stock, rejected) == (in_stock, [])


@pytest.mark.parametrize(
    ("cells", "price"),
    [
        ({"Discount amount": "2.900000"}, "10.00"),
        ({"Discount percent": "10.000000"}, "11.61"),
        ({"Discount percent": "0.000000", "Discount amount": "0.000000"}, "12.90"),
        ({"Discount amount": "20.00"}, "12.90"),
        ({"Discount amount": "2.90", "Discount from (yyyy-mm-dd)": "2999-01-01"}, "12.90"),
        ({"Discount amount": "2.90", "Discount from (yyyy-mm-dd)": "0000-00-00"}, "10.00"),
        ({"Discount amount": "2.90", "Discount to (yyyy-mm-dd)": "2020-01-01"}, "12.90"),
        ({"Price tax included": "", "Price tax excluded": "10.75"}, "10.75"),
    ],
)
def test_prices_and_discounts(shop, cells, price):
    (product,), _ = read(write(shop, export(plain(7) | cells)))
    assert product.price == Decimal(price)


def test_what_is_not_understood_is_noted(shop):
    row = plain(7) | {"Discount amount": "2.90", "Discount to (yyyy-mm-dd)": "soon", "Quantity": "some"}
    entries = list(read_feed(write(shop, export(row))))
    assert [(entry.price, entry.in_stock) for entry in entries if isinstance(entry, Product)] == [
        (Decimal("12.90"), True)
    ]
    assert len([entry for entry in entries if isinstance(entry, RowNote)]) == 2


@pytest.mark.parametrize("cells", [{"Active (0/1)": "0"}, {"Active (0/1)": "FAUX"}, {"Visibility": "none"}])
def test_a_product_that_is_not_shown_is_reported_as_not_for_sale(shop, cells):
    (cup,), (rejected,) = read(write(shop, export(plain(7) | cells, plain(8))))
    assert (cup.id, rejected.product_id, rejected.lists_product) == ("M-8", "M-7", False)


def test_an_id_is_the_reference_and_without_one_the_product_id(shop):
    rows = [plain(1) | {"Reference #": ""}, plain(2) | {"Reference #": "X"}, plain(3) | {"Reference #": "X"}, plain(4)]
    products, rejected = read(write(shop, export(*rows)))
    assert ([product.id for product in products], rejected) == (["1", "2", "3", "M-4"], [])


@pytest.mark.parametrize(
    ("cell", "category"),
    [
        ("Kitchen,Mugs", "Kitchen > Mugs"),
        ("Accueil,Cuisine,Tasses", "Cuisine > Tasses"),
        ("Home/Kitchen/Mugs,Home/Sale", "Kitchen > Mugs"),
        ("Kitchen > Mugs", "Kitchen > Mugs"),
        ("2,5,9", ""),
        ("", ""),
    ],
)
def test_categories(shop, cell, category):
    (product,), _ = read(write(shop, export(plain(7) | {"Categories (x,y,z...)": cell})))
    assert product.category == category


def test_what_is_an_export_and_what_is_not():
    assert is_export(["active_(0/1)", "name_*", "categories_(x,y,z...)", "reference_#", "image_urls_(x,y,z...)"])
    assert not is_export(["id", "name", "image", "category", "quantity"])
    assert not is_export(["id", "title", "name", "price_tax_included"])
