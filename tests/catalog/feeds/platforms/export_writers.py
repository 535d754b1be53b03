"""Write the twenty products as each platform, program and spreadsheet exports them, by their documented columns."""

import csv
import io
import json
import random
from xml.sax.saxutils import escape

from tests.catalog.feeds.platforms.twenty_products import products


def table(rows, delimiter=",", quoting=csv.QUOTE_MINIMAL, end="\r\n"):
    """Rows as dicts; the columns are those of all of them, in their order."""
    out = io.StringIO()
    header = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, header, restval="", delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def english(amount):
    return f"{amount:,.2f}"


def comma(amount, group=""):
    return f"{amount:,.2f}".replace(",", "_").replace(".", ",").replace("_", group)


def google_item(product):
    current, before = f"{product.price} EUR", f"{product.list_price or product.price} EUR"
    return {
        "id": product.id,
        "title": product.title,
        "description": product.description,
        "link": f"https://shop.example/{product.id}",
        "image_link": product.pictures[0],
        "additional_image_link": product.pictures[1],
        "availability": "in_stock" if product.in_stock else "out_of_stock",
        "price": before,
        "sale_price": current if product.list_price else "",
        "brand": product.brand,
        "condition": "new",
        "product_type": " > ".join(product.category),
        "color": product.colour,
        "material": product.material,
        "size": ", ".join(variation.size for variation in product.variations),
    }


def google_tsv():
    return table([google_item(product) for product in products()], "\t", end="\n").encode()


def google_xml(item="item", wrap='<rss {0} version="2.0"><channel><title>Shop</title>{1}</channel></rss>'):
    items = []
    for product in products():
        cells = ((name, value) for name, value in google_item(product).items() if value)
        items.append(f"<{item}>" + "".join(f"<g:{n}>{escape(v)}</g:{n}>" for n, v in cells) + f"</{item}>")
    space = 'xmlns:g="http://base.google.com/ns/1.0"'
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + wrap.format(space, "\n".join(items))).encode()


def google_atom():
    return google_xml("entry", '<feed xmlns="http://www.w3.org/2005/Atom" {0}><title>Shop</title>{1}</feed>')


def json_lines():
    return "\n".join(json.dumps(google_item(product), ensure_ascii=False) for product in products()).encode()


def _shopify_rows(language=None):
    for product in products(language):
        variants = product.variations or (None,)
        for at, variant in enumerate(variants):
            row = {"Handle": product.id}
            if at == 0:
                row |= {"Title": product.title, "Body (HTML)": f"<p>{product.description}</p>", "Vendor": product.brand}
                row |= {"Product Category": " > ".join(product.category), "Type": product.category[1], "Tags": ""}
                row |= {"Published": "true", "Option1 Name": "Size" if variant else "Title"}
            surcharge = (product.list_price or product.price) - product.price
            price = variant.price if variant else product.price
            row |= {
                "Option1 Value": variant.size if variant else "Default Title",
                "Variant SKU": variant.sku if variant else product.id,
                "Variant Inventory Tracker": "shopify",
                "Variant Inventory Qty": str(variant.quantity if variant else product.quantity),
                "Variant Inventory Policy": "deny",
                "Variant Price": str(price),
                "Variant Compare At Price": str(price + surcharge) if surcharge else "",
                "Image Src": product.pictures[at] if at < 2 else "",
                "Image Position": str(at + 1) if at < 2 else "",
                "Status": "active" if at == 0 else "",
                "Colour (product.metafields.custom.colour)": product.colour if at == 0 else "",
                "Material (product.metafields.custom.material)": product.material if at == 0 else "",
            }
            yield row
        if len(variants) == 1:
            yield {"Handle": product.id, "Image Src": product.pictures[1], "Image Position": "2"}


def shopify():
    return table(list(_shopify_rows()), end="\n").encode()


def shopify_sorted_by_price():
    rows = list(_shopify_rows())
    header = {name: "" for row in rows for name in row}
    return table([header | row for row in sorted(rows, key=lambda row: row.get("Variant Price", ""))]).encode()


def shopify_newer():
    newer = {"Handle": "URL handle", "Body (HTML)": "Description", "Product Category": "Product category"}
    newer |= {"Published": "Published on online store", "Variant SKU": "SKU", "Variant Price": "Price"}
    newer |= {"Option1 Name": "Option1 name", "Option1 Value": "Option1 value", "Image Src": "Product image URL"}
    newer |= {"Variant Inventory Tracker": "Inventory tracker", "Variant Inventory Qty": "Inventory quantity"}
    newer |= {"Variant Inventory Policy": "Continue selling when out of stock", "Image Position": "Image position"}
    newer |= {"Variant Compare At Price": "Compare-at price"}
    rows = [{newer.get(name, name): value for name, value in row.items()} for row in _shopify_rows()]
    return table(rows, end="\n").encode()


def saved_by_excel(text):
    """An export after a spreadsheet of western Europe opened and saved it."""
    rows = [{name: value for name, value in row.items() if name} for row in csv.DictReader(io.StringIO(text))]
    words = {"true": "VRAI", "TRUE": "VRAI"}
    return table([{name: words.get(value, value) for name, value in row.items()} for row in rows], ";").encode("cp1252")


def shopify_saved_by_excel():
    rows = list(_shopify_rows("fr"))
    for row in rows:
        row |= {
            name: row[name].replace(".", ",") for name in ("Variant Price", "Variant Compare At Price") if name in row
        }
    return saved_by_excel(table(rows))


_WOOCOMMERCE = (
    "ID;Type;SKU;Name;Published;Is featured?;Visibility in catalog;Short description;Description;In stock?;Stock;"
    "Backorders allowed?;Sale price;Regular price;Categories;Images;Parent;Brands;Attribute 1 name;"
    "Attribute 1 value(s);Attribute 1 visible;Attribute 2 name;Attribute 2 value(s);Attribute 2 visible;"
    "Attribute 3 name;Attribute 3 value(s);Attribute 3 visible"
)
_WOOCOMMERCE_GERMAN = (
    "ID;Typ;Artikelnummer;Name;Veröffentlicht;Ist hervorgehoben?;Sichtbarkeit im Katalog;Kurzbeschreibung;"
    "Beschreibung;Vorrätig?;Bestand;Lieferrückstände erlaubt?;Angebotspreis;Regulärer Preis;Kategorien;Bilder;"
    "Übergeordnetes Produkt;Marken;Attribut 1 Name;Attribut 1 Wert(e);Attribut 1 Sichtbar;Attribut 2 Name;"
    "Attribut 2 Wert(e);Attribut 2 Sichtbar;Attribut 3 Name;Attribut 3 Wert(e);Attribut 3 Sichtbar"
)
_WOOCOMMERCE_FRENCH = (
    "ID;Type;UGS;Nom;Publié;Mis en avant ?;Visibilité dans le catalogue;Description courte;Description;En stock ?;"
    "Stock;Autoriser les commandes de produits en rupture ?;Tarif promo;Tarif régulier;Catégories;Images;Parent;Brands;"
    "Nom de l’attribut 1;Valeur(s) de l’attribut 1;Attribut 1 visible;Nom de l’attribut 2;"
    "Valeur(s) de l’attribut 2;Attribut 2 visible;Nom de l’attribut 3;Valeur(s) de l’attribut 3;Attribut 3 visible"
)


def woocommerce(header=_WOOCOMMERCE, money=str, language=None):
    parents, children = [], []
    for product in products(language):
        surcharge = (product.list_price or product.price) - product.price

        def prices(price, surcharge=surcharge):
            return {"Sale price": money(price) if surcharge else "", "Regular price": money(price + surcharge)}

        stock = {"Published": "1", "Is featured?": "0", "Visibility in catalog": "visible", "Backorders allowed?": "0"}
        row = {
            "ID": str(product.number),
            "Type": "variable" if product.variations else "simple",
            "SKU": product.id,
            "Name": product.title,
            "Description": f"<p>{product.description}</p>\\n",
            "In stock?": str(int(product.in_stock)),
            "Stock": "" if product.variations else str(product.quantity),
            "Categories": f"{product.category[0]}, {product.category[0]} > {product.category[1]}",
            "Images": ", ".join(product.pictures),
            "Brands": product.brand,
            "Attribute 1 name": "Colour",
            "Attribute 1 value(s)": product.colour,
            "Attribute 1 visible": "1",
            "Attribute 2 name": "Material",
            "Attribute 2 value(s)": product.material,
            "Attribute 2 visible": "1",
        }
        if product.variations:
            sizes = ", ".join(variation.size for variation in product.variations)
            row |= {"Attribute 3 name": "Size", "Attribute 3 value(s)": sizes, "Attribute 3 visible": "0"}
        parents.append(stock | row | ({} if product.variations else prices(product.price)))
        for at, variation in enumerate(product.variations):
            child = {
                "ID": str(product.number * 10 + at),
                "Type": "variation",
                "SKU": variation.sku,
                "Parent": product.id,
            }
            child |= {"Name": f"{product.title} - {variation.size}", "In stock?": str(int(variation.quantity > 0))}
            child |= {
                "Stock": str(variation.quantity),
                "Attribute 3 name": "Size",
                "Attribute 3 value(s)": variation.size,
            }
            children.append(stock | child | prices(variation.price))
    columns = _WOOCOMMERCE.split(";")
    renamed = dict(zip(columns, header.split(";"), strict=True))
    rows = [{renamed[name]: row.get(name, "") for name in columns} for row in (*parents, *children)]
    return ("\ufeff" + table(rows, end="\n")).encode()


def woocommerce_german():
    return woocommerce(_WOOCOMMERCE_GERMAN, comma)


def woocommerce_saved_by_excel():
    return saved_by_excel(woocommerce(_WOOCOMMERCE_GERMAN, comma, "de").decode("utf-8-sig"))


def woocommerce_french():
    return woocommerce(_WOOCOMMERCE_FRENCH, comma)


def magento():
    rows = []
    for product in products():
        surcharge = (product.list_price or product.price) - product.price
        base = {"sku": product.id, "store_view_code": "", "attribute_set_code": "Default", "product_type": "simple"}
        base |= {"categories": "", "product_websites": "base", "name": product.title, "description": ""}
        base |= {"product_online": "1", "visibility": "Catalog, Search", "price": "", "special_price": ""}
        base |= {"base_image": "", "additional_images": "", "additional_attributes": "", "qty": "", "is_in_stock": ""}
        base |= {"allow_backorders": "0", "use_config_backorders": "1", "manage_stock": "0"}
        base |= {"use_config_manage_stock": "1", "configurable_variations": ""}
        for variation in product.variations:
            child = {"sku": variation.sku, "visibility": "Not Visible Individually", "qty": f"{variation.quantity:.4f}"}
            child |= {"is_in_stock": str(int(variation.quantity > 0)), "price": f"{variation.price + surcharge:.6f}"}
            rows.append(base | child | {"special_price": f"{variation.price:.6f}" if surcharge else ""})
        path = [f"Default Category/{product.category[0]}", "/".join(("Default Category", *product.category))]
        main = {"categories": ",".join(path), "description": f"<p>{product.description}</p>"}
        main |= {"base_image": f"/{product.pictures[0]}", "additional_images": f"/{product.pictures[1]}"}
        attributes = f"manufacturer={product.brand},colour={product.colour},material={product.material}"
        main |= {"additional_attributes": attributes, "is_in_stock": str(int(product.in_stock))}
        if product.variations:
            parts = "|".join(f"sku={variation.sku},size={variation.size}" for variation in product.variations)
            main |= {"product_type": "configurable", "qty": "0.0000", "configurable_variations": parts}
        else:
            main |= {"qty": f"{product.quantity:.4f}", "price": f"{product.price + surcharge:.6f}"}
            main |= {"special_price": f"{product.price:.6f}" if surcharge else ""}
        rows += [base | main, {"sku": product.id, "store_view_code": "fr", "name": "Autre"}]
    return table(rows, end="\n").encode()


def magento_first():
    rows = []
    for product in products():
        surcharge = (product.list_price or product.price) - product.price
        base = {
            "sku": "",
            "_store": "",
            "_attribute_set": "Default",
            "_type": "simple",
            "status": "1",
            "visibility": "1",
        }
        for variation in product.variations:
            child = {"sku": variation.sku, "name": product.title, "qty": f"{variation.quantity:.4f}"}
            rows.append(base | child | {"price": "1.0000", "is_in_stock": str(int(variation.quantity > 0))})
        main = {"sku": product.id, "_type": "configurable" if product.variations else "simple", "visibility": "4"}
        main |= {"name": product.title, "description": product.description, "manufacturer": product.brand}
        main |= {"_category": product.category[0], "_root_category": "Default Category", "colour": product.colour}
        main |= {
            "material": product.material,
            "image": f"/{product.pictures[0]}",
            "price": f"{product.price + surcharge}00",
        }
        main |= {"special_price": f"{product.price}00" if surcharge else "", "qty": f"{product.quantity:.4f}"}
        main |= {"is_in_stock": str(int(product.in_stock)), "_media_image": f"/{product.pictures[0]}"}
        more = {"_category": "/".join(product.category), "_root_category": "Default Category"}
        more |= {"_media_image": f"/{product.pictures[1]}"}
        for row, variation in zip((main, more), product.variations, strict=False):
            row |= {"_super_products_sku": variation.sku, "_super_attribute_code": "size"}
            row |= {"_super_attribute_option": variation.size}
        rows += [base | main, more]
    return table(rows, end="\n").encode()


_PRESTASHOP = (
    "Product ID;Active (0/1);Name *;Categories (x,y,z...);Price tax included;Discount amount;Reference #;Manufacturer;"
    "Quantity;Summary;Description;Image URLs (x,y,z...);Feature (Name:Value:Position:Customized)"
)
_PRESTASHOP_FRENCH = (
    "ID;Actif (0/1);Nom *;Catégories (x,y,z...);Prix TTC;Montant de la remise;Référence;Marque;Quantité;Récapitulatif;"
    "Description;URL des images (x,y,z, etc.);Caractéristique (Nom:Valeur:Position:Personnalisé)"
)


def prestashop(header=_PRESTASHOP, home="Home"):
    rows = []
    for product in products():
        features = f"Colour:{product.colour}:1:0,Material:{product.material}:2:0"
        if product.variations:
            features += f",Size:{', '.join(variation.size for variation in product.variations)}:3:1"
        discount = (product.list_price or product.price) - product.price
        cells = [
            product.number,
            1,
            product.title,
            ",".join((home, *product.category)),
            f"{product.price + discount:.6f}",
        ]
        cells += [f"{discount:.6f}", product.id, product.brand, product.quantity, "", f"<p>{product.description}</p>"]
        cells += [",".join(product.pictures), features]
        rows.append(dict(zip(header.split(";"), cells, strict=True)))
    return table(rows, ";").encode()


def prestashop_french():
    return prestashop(_PRESTASHOP_FRENCH, "Accueil")


def plain_rows(language, money):
    """A merchant's own table, as spreadsheets save it."""
    for product in products(language):
        yield {
            "id": product.id,
            "title": product.title,
            "category": " > ".join(product.category),
            "images": "|".join(product.pictures),
            "price": money(product.list_price or product.price),
            "sale_price": money(product.price) if product.list_price else "",
            "availability": "yes" if product.in_stock else "no",
            "brand": product.brand,
            "description": product.description,
            "colour": product.colour,
            "material": product.material,
            "size": ", ".join(variation.size for variation in product.variations),
        }


def excel_german():
    return table(list(plain_rows("de", lambda amount: comma(amount, ".") + " €")), ";").encode("cp1252")


def excel_french():
    return table(list(plain_rows("fr", lambda amount: comma(amount, "\u202f") + "\u00a0€")), ";").encode("utf-8-sig")


def excel_french_older():
    return table(list(plain_rows("fr", lambda amount: comma(amount, "\u00a0") + " €")), ";").encode("cp1252")


def excel_american():
    return table(list(plain_rows("en", lambda amount: "$" + english(amount)))).encode("utf-8-sig")


def excel_chinese():
    return table(list(plain_rows("zh", lambda amount: english(amount) + "元"))).encode("gbk")


def excel_russian():
    return table(list(plain_rows("ru", lambda amount: comma(amount, "\u00a0") + " руб.")), ";").encode("cp1251")


def excel_unicode_text():
    return table(list(plain_rows(None, lambda amount: f"{amount} EUR")), "\t").encode("utf-16")


def plain_table():
    rows = list(plain_rows(None, lambda amount: f"{amount} EUR"))
    random.Random(1).shuffle(rows)
    return table(rows, end="\n").encode()
