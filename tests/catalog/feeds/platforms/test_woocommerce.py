"""WooCommerce's export: a variable product and its variations, wherever they stand, become one product."""

import csv
import io
import itertools
from decimal import Decimal

import pytest

from catalog.feeds.platforms.woocommerce import is_export
from catalog.feeds.reader import read_feed
from catalog.product import Product, Rejected, RowNote
from tests.catalog.feed_writer import names, read, write

ENGLISH = next(
    csv.reader(
        [
            'ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Published,Is featured?,Visibility in catalog,Short description,'
            "Description,Date sale price starts,Date sale price ends,Tax status,Tax class,In stock?,Stock,"
            "Low stock amount,Backorders allowed?,Sold individually?,Weight (kg),Allow customer reviews?,Sale price,"
            "Regular price,Categories,Tags,Shipping class,Images,Parent,Grouped products,Upsells,Position,Brands,"
            "Attribute 1 name,Attribute 1 value(s),Attribute 1 visible,Attribute 1 global,Attribute 2 name,"
            "Attribute 2 value(s),Attribute 2 visible,Attribute 2 global,Meta: _internal"
        ]
    )
)
SIMPLE = {"Type": "simple", "Published": "1", "Visibility in catalog": "visible", "In stock?": "1"}


def export(*rows, header=ENGLISH, delimiter=","):
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", lineterminator="\r\n", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return "\ufeff" + out.getvalue()


def simple(sku, **cells):
    """A product by its cells; underscores stand for spaces."""
    own = {"SKU": sku, "Name": sku.title(), "Regular price": "5.00", "Images": "images/1.png"}
    return SIMPLE | own | {name.replace("_", " "): value for name, value in cells.items()}


HOODIE = [
    SIMPLE
    | {"ID": "10", "Type": "variable", "SKU": "hoodie", "Name": "Hoodie", "Images": "images/1.png, images/2.png"}
    | {"Categories": "Clothing, Clothing > Hoodies", "Brands": "Acme", "Description": "<p>Warm.</p>\\n<b>Soft.</b>"}
    | {"Attribute 1 name": "Size", "Attribute 1 value(s)": "S, M, L", "Attribute 1 visible": "0"}
    | {"Attribute 2 name": "Fabric", "Attribute 2 value(s)": "Cotton, Wool\\, washed", "Attribute 2 visible": "1"},
    SIMPLE
    | {"ID": "11", "Type": "variation", "SKU": "hoodie-s", "Name": "Hoodie - S", "Parent": "hoodie"}
    | {"In stock?": "0", "Regular price": "40", "Attribute 1 name": "Size", "Attribute 1 value(s)": "S"},
    SIMPLE
    | {"ID": "12", "Type": "variation", "SKU": "hoodie-l", "Name": "Hoodie - L", "Parent": "id:10"}
    | {"Regular price": "45", "Sale price": "35", "Images": "images/3.png"}
    | {"Attribute 1 name": "Size", "Attribute 1 value(s)": "L"},
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_variations_become_one_product_wherever_they_stand(shop, order):
    rows = [*HOODIE, simple("cap", ID="13")]
    products, rejected = read(write(shop, export(*(rows[number] for number in order))))
    assert not rejected
    cap, hoodie = sorted(products, key=lambda product: product.id)
    assert (cap.id, cap.title, cap.price) == ("cap", "Cap", Decimal("5.00"))
    assert (hoodie.id, hoodie.title, hoodie.brand) == ("hoodie", "Hoodie", "Acme")
    assert (hoodie.category, hoodie.description) == ("Clothing > Hoodies", "Warm.\nSoft.")
    assert (hoodie.price, hoodie.in_stock) == (Decimal("35"), True)
    assert names(hoodie) == ["1.png", "2.png", "3.png"]
    assert sorted(hoodie.attributes["size"].split(", ")) == ["L", "S"]
    assert hoodie.attributes["fabric"] == "Cotton, Wool, washed"
    assert hoodie.list_price == Decimal(45)
    assert set(hoodie.attributes["sku"].split(", ")) == {"hoodie", "hoodie-s", "hoodie-l"}
    assert not {"meta:_internal", "type", "parent"} & set(hoodie.attributes)


HEADERS = {
    "de": "ID;Typ;Artikelnummer;Name;Veröffentlicht;Ist hervorgehoben?;Sichtbarkeit im Katalog;Kurzbeschreibung;"
    "Vorrätig?;Bestand;Lieferrückstände erlaubt?;Angebotspreis;Regulärer Preis;Kategorien;Bilder;"
    "Übergeordnetes Produkt;Marken;Attribut 1 Name;Attribut 1 Wert(e)",
    "fr": "ID;Type;UGS;Nom;Publié;Mis en avant ?;Visibilité dans le catalogue;Description courte;En stock ?;Stock;"
    "Autoriser les commandes de produits en rupture ?;Tarif promo;Tarif régulier;Catégories;Images;Parent;Marques;"
    "Nom de l'attribut 1;Valeur(s) de l'attribut 1",
    "es": "ID;Tipo;SKU;Nombre;Publicado;¿Está destacado?;Visibilidad en el catálogo;Descripción corta;"
    "¿En inventario?;Inventario;¿Permitir reservas de productos agotados?;Precio rebajado;Precio normal;Categorías;"
    "Imágenes;Superior;Marcas;Nombre del atributo 1;Valor(es) del atributo 1",
    "it": "ID;Tipo;SKU;Nome;Pubblicato;In primo piano?;Visibilità nel catalogo;Breve descrizione;In stock?;Magazzino;"
    "Abilita gli ordini arretrati?;Prezzo in offerta;Prezzo di listino;Categorie;Immagine;Genitore;Marchi;"
    "Attributo 1 nome;Attributo 1 valore(i)",
    "nl": "ID;Type;Artikelnummer;Naam;Gepubliceerd;Uitgelicht?;Zichtbaarheid in catalogus;Korte beschrijving;"
    "Op voorraad?;Voorraad;Nabestellingen toestaan?;Actieprijs;Reguliere prijs;Categorieën;Afbeeldingen;Hoofd;Merken;"
    "Naam eigenschap 1;Waarde eigenschap 1",
    "pl": "ID;Typ;SKU;Nazwa;Opublikowano;Wyróżniony produkt?;Widoczność w katalogu;Krótki opis;W magazynie?;"
    "Stan magazynowy;Pozwalać na zamówienia oczekujące (na dostawę do magazynu)?;Cena promocyjna;Cena;Kategorie;"
    "Obrazki;Element nadrzędny;Marki;Nazwa atrybutu 1;Wartości atrybutu 1",
    "ru": "ID;Тип;Артикул;Имя;Опубликован;Рекомендуемый?;Видимость в каталоге;Краткое описание;Наличие;Запасы;"
    "Возможен ли предзаказ?;Акционная цена;Базовая цена;Категории;Изображения;Родительский;Бренды;"
    "Название атрибута 1;Значения атрибутов 1",
    "tr": "Kimlik;Tür;Stok kodu (SKU);İsim;Yayımlanmış;Öne çıkan?;Katalogda görünürlük;Kısa açıklama;Stokta?;Stok;"
    "Yok satmaya izin?;İndirimli satış fiyatı;Normal fiyat;Kategoriler;Görseller;Ebeveyn;Markalar;"
    "Nitelik 1 ismi;Nitelik 1 değer(ler)i",
    "ja": "ID;タイプ;SKU;名前;公開済み;オススメですか ?;カタログでの表示;簡単な説明;在庫の有無;在庫;"
    "お取り寄せを許可する ?;セール価格;標準価格;カテゴリー;画像;親;ブランド;属性1 の名前;属性1 の値",
}


@pytest.mark.parametrize("language", sorted(HEADERS))
def test_the_headers_of_other_languages(shop, language):
    header = HEADERS[language].split(";")
    parent = ["7", "variable", "MUG", "Mug", "1", "0", "visible", "Sturdy.", "1", "", "0", "", "", "Kitchen > Mugs"]
    parent += ["images/1.png", "", "Kell", "Colour", "Red, Blue"]
    red = ["8", "variation", "MUG-R", "Mug - Red", "1", "0", "visible", "", "", "0", "1", "9,90", "12,90", ""]
    red += ["images/2.png", "MUG", "", "Colour", "Red"]
    feed = export(dict(zip(header, parent, strict=True)), dict(zip(header, red, strict=True)), header=header)
    (mug,), rejected = read(write(shop, feed))
    assert not rejected
    assert (mug.id, mug.title, mug.category, mug.brand) == ("MUG", "Mug", "Kitchen > Mugs", "Kell")
    assert (mug.price, mug.in_stock, mug.description) == (Decimal("9.90"), True, "Sturdy.")
    assert (names(mug), mug.attributes["colour"]) == (["1.png", "2.png"], "Red")


@pytest.mark.parametrize(
    ("status", "stock", "backorders", "in_stock"),
    [
        ("1", "", "0", True),
        ("0", "", "0", False),
        ("", "", "", True),
        ("1", "5", "0", True),
        ("0", "0", "0", False),
        ("0", "0", "1", True),
        ("backorder", "0", "notify", True),
        ("backorder", "-4", "1", True),
        ("backorder", "", "0", False),
        ("1", "0", "0", False),
        ("", "0", "0", False),
        ("", "3", "", True),
        ("outofstock", "", "", False),
        ("instock", "", "", True),
    ],
)
def test_stock(shop, status, stock, backorders, in_stock):
    cells = {"In stock?": status, "Stock": stock, "Backorders allowed?": backorders}
    (product,), rejected = read(write(shop, export(simple("cap") | cells)))
    assert (product.in_stock, rejected) == (in_stock, [])


@pytest.mark.parametrize(("stock", "in_stock"), [("4", True), ("0", False)])
def test_a_variation_may_count_its_parents_stock(shop, stock, in_stock):
    parent, small, _ = HOODIE
    feed = export(parent | {"Stock": stock}, small | {"In stock?": "1", "Stock": "parent"})
    assert read(write(shop, feed))[0][0].in_stock is in_stock


@pytest.mark.parametrize(
    ("starts", "ends", "price"),
    [
        ("", "", "3.00"),
        ("2020-01-01", "2020-02-01", "5.00"),
        ("2020-01-01 00:00:00", "", "3.00"),
        ("2999-01-01", "", "5.00"),
        ("", "2999-01-01 23:59:59", "3.00"),
        ("2020-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00", "3.00"),
        ("soon", "", "5.00"),
    ],
)
def test_the_dates_of_a_sale(shop, starts, ends, price):
    sale = {"Sale price": "3.00", "Date sale price starts": starts, "Date sale price ends": ends}
    entries = list(read_feed(write(shop, export(simple("cap") | sale))))
    assert [entry.price for entry in entries if isinstance(entry, Product)] == [Decimal(price)]
    assert bool([entry for entry in entries if isinstance(entry, RowNote)]) is (starts == "soon")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Published": "0"}, "not published: Published is '0'"),
        ({"Published": "-1"}, "not published: Published is '-1'"),
        ({"Published": "FALSCH"}, "not published"),
        ({"Visibility in catalog": "hidden"}, "not published: its visibility is 'hidden'"),
    ],
)
def test_a_product_that_is_not_shown_is_reported_as_not_for_sale(shop, cells, reason):
    (cap,), (rejected,) = read(write(shop, export(simple("hat") | cells, simple("cap"))))
    assert cap.id == "cap"
    assert (rejected.line, rejected.product_id, rejected.lists_product) == (2, "hat", False)
    assert reason in rejected.reason


def test_the_variations_of_a_draft_are_not_shown_either(shop):
    products, (rejected,) = read(write(shop, export(HOODIE[0] | {"Published": "-1"}, *HOODIE[1:])))
    assert (products, rejected.product_id, rejected.lists_product) == ([], "hoodie", False)


def test_a_variation_that_is_switched_off_is_left_out(shop):
    (hoodie,), (rejected,) = read(write(shop, export(*HOODIE[:2], HOODIE[2] | {"Published": "0"})))
    assert (hoodie.price, hoodie.in_stock, rejected.line) == (Decimal("40"), False, 4)
    assert "a variant of 'hoodie' is left out" in rejected.reason


def test_variations_without_their_parent_become_a_product(shop):
    path = write(shop, export(*HOODIE[1:2], HOODIE[2] | {"Parent": "hoodie"}, simple("cap")))
    entries = list(read_feed(path))
    hoodie, _ = [entry for entry in entries if isinstance(entry, Product)]
    assert (hoodie.id, hoodie.title, hoodie.price) == ("hoodie", "Hoodie", Decimal("35"))
    assert not [entry for entry in entries if isinstance(entry, Rejected)]
    (note,) = [entry for entry in entries if isinstance(entry, RowNote)]
    assert "the parent of variations is not in the feed" in note.message


def test_an_id_is_the_sku_and_without_one_the_id(shop):
    rows = [simple("", ID="31", Name="Hat"), simple("same", ID="32"), simple("same", ID="33"), simple("cap", ID="34")]
    products, rejected = read(write(shop, export(*rows)))
    assert ([product.id for product in products], rejected) == (["31", "32", "33", "cap"], [])


def test_a_row_without_a_number_and_a_product_given_twice(shop):
    feed = export(simple("", Name="Nobody"), simple("cap", ID="1"), simple("cap", ID="1"))
    (cap,), rejected = read(write(shop, feed))
    assert (cap.id, [entry.line for entry in rejected]) == ("cap", [2, 4])
    assert rejected[0].reason.startswith("no ID and no SKU")
    assert rejected[1].reason == "duplicate id 'cap': line 3 has it too"


def test_a_grouped_product_costs_what_its_cheapest_member_does(shop):
    members = [simple("cap"), simple("hat", Regular_price="3.00") | {"In stock?": "0"}]
    group = simple("set", Type="grouped", Regular_price="") | {"Grouped products": "cap, hat"}
    products, _ = read(write(shop, export(group, *members)))
    assert [(product.id, product.price, product.in_stock) for product in products] == [
        ("set", Decimal("3.00"), True),
        ("cap", Decimal("5.00"), True),
        ("hat", Decimal("3.00"), False),
    ]


def test_commas_in_categories_and_several_of_them(shop):
    feed = export(simple("cap", Categories="Sale, Food > Salt\\, pepper, Food"))
    (cap,), _ = read(write(shop, feed))
    assert cap.category == "Food > Salt, pepper"
    assert cap.attributes["categories"] == "Sale, Salt, pepper"


def test_entities_are_read_and_not_shown(shop):
    cells = {"Name": "Ben &amp; Jerry's", "Brands": "H&amp;M", "Categories": "Home &amp; Garden > Mugs"}
    (mug,), _ = read(write(shop, export(simple("mug") | cells | {"Description": "<p>1 &lt; 2 &amp; 3</p>"})))
    assert (mug.title, mug.brand, mug.category) == ("Ben & Jerry's", "H&M", "Home & Garden > Mugs")
    assert mug.description == "1 < 2 & 3"


def test_what_is_an_export_and_what_is_not():
    assert is_export(["id", "sku", "name", "regular_price", "categories", "images"])
    assert is_export(["id", "type", "sku", "name", "published"])
    assert not is_export(["id", "title", "type", "published", "name"])
    assert not is_export(["id", "name", "image"])
