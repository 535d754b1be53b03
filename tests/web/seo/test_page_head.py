"""The heads of pages: structured data as search engines require it, canonical addresses, pictures, and robots."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from html import unescape
from pathlib import Path
from urllib.parse import quote

import jsonschema_rs
import pytest

from catalog.product import Picture, Product
from web.seo.structured_data import product_data

MERCHANT_LISTING = json.loads(Path(__file__).with_name("merchant_listing.json").read_text(encoding="utf-8"))
PRODUCT = {"type": "object", "required": [], "properties": {}, "$ref": "#/$defs/product"}
CHINESE = {"Accept-Language": "zh"}
BASE = "http://localhost"
MUG = Product(
    "mug 1",
    "Mug </script><script>alert(1)</script>",
    (Picture("a.jpg", "a" * 64, 800, 400), Picture("b.jpg", "a" * 64, 800, 400)),
    category="Kitchen > Mugs",
    price=Decimal("0.50"),
    currency="EUR",
    brand='"O\'Neill" & Sons',
    attributes={"GTIN": "4006381333931", "mpn": "M-1", "Colour": "navy", "condition": "New"},
)


def head_of(text):
    """The meta properties and links of a page, and its JSON-LD."""
    head = text[: text.index("</head>")]
    metas = {
        name: unescape(value) for name, value in re.findall(r'<meta (?:name|property)="(.*?)" content="(.*?)"', head)
    }
    links = {
        (rel, hreflang): unescape(address)
        for rel, hreflang, address in re.findall(r'<link rel="(.*?)"(?: hreflang="(.*?)")? href="(.*?)"', head)
    }
    data = re.findall(r'<script type="application/ld\+json">(.*?)</script>', head, re.DOTALL)
    assert len(data) <= 1
    return metas, links, json.loads(data[0]) if data else None


@pytest.mark.parametrize("product_id", ["red", "blue"])
def test_a_product_page_holds_what_merchant_listings_require(client, product_id):
    metas, links, data = head_of(client.get(f"/products/{product_id}").text)
    jsonschema_rs.Draft202012Validator(MERCHANT_LISTING).validate(data)
    product, breadcrumbs = data["@graph"]
    assert (product["name"], product["sku"]) == (f"{product_id.title()} jumper", product_id)
    assert product["offers"]["availability"].endswith("OutOfStock" if product_id == "blue" else "InStock")
    assert (product["offers"]["priceCurrency"], product["brand"]["name"]) == ("EUR", "Acme")
    names = [step["name"] for step in breadcrumbs["itemListElement"]]
    assert names == ["Windowshop", "Apparel", "Tops", "Jumpers", product["name"]]
    assert links["canonical", ""] == product["url"] == metas["og:url"] == f"{BASE}/products/{product_id}"
    assert metas["og:image"] == product["image"][0] and len(product["image"]) == 3
    assert metas["description"] == f"A {product_id} jumper. Warm." and "robots" not in metas
    assert (metas["og:image:width"], metas["og:image:height"]) == ("60", "80")
    for step in breadcrumbs["itemListElement"]:
        assert client.get(step["item"].removeprefix(BASE)).status_code == 200
    assert client.get(metas["og:image"].removeprefix(BASE)).mimetype == "image/jpeg"


def test_identifiers_are_given_where_they_are_right(app):
    with app.test_request_context("/"):
        data = product_data(MUG)
        assert (data["gtin"], data["mpn"], data["color"]) == ("4006381333931", "M-1", "navy")
        assert len(data["image"]) == 1 and data["offers"]["price"] == "0.50"
        assert data["offers"]["itemCondition"] == "https://schema.org/NewCondition"
        for wrong in ("4006381333932", "123", "n/a", "²" * 8, ""):
            assert "gtin" not in product_data(replace(MUG, attributes={"gtin": wrong}))


def test_a_sale_a_group_and_the_merchants_own_page(app):
    sale = replace(
        MUG, price=Decimal("9.73"), list_price=Decimal("13.90"), item_group_id="mugs", link="https://my.shop/1"
    )
    with app.test_request_context("/"):
        data = product_data(sale)
        jsonschema_rs.Draft202012Validator({**MERCHANT_LISTING, **PRODUCT}).validate(data)
        assert (data["offers"]["url"], data["inProductGroupWithID"]) == ("https://my.shop/1", "mugs")
        assert data["offers"]["priceSpecification"]["price"] == "13.90" and data["offers"]["price"] == "9.73"
        others = [replace(sale, id=name, attributes={"colour": name}) for name in ("red", "blue")]
        varied = product_data(sale, [sale, *others])
        jsonschema_rs.Draft202012Validator({**MERCHANT_LISTING, **PRODUCT}).validate(varied)
        group = varied["isVariantOf"]
        assert [one["url"] for one in group["hasVariant"]] == [f"{BASE}/products/red", f"{BASE}/products/blue"]
        assert (group["productGroupID"], group["variesBy"]) == ("mugs", ["https://schema.org/color"])
        assert "isVariantOf" not in product_data(sale, [sale])
        raised = product_data(replace(sale, list_price=Decimal("9.00")))
        assert "priceSpecification" not in raised["offers"]


@pytest.mark.parametrize("lacking", [{"price": None}, {"currency": ""}, {"currency": "€"}])
def test_a_product_without_a_price_in_a_currency_has_no_offer(app, lacking):
    with app.test_request_context("/"):
        assert "offers" not in product_data(replace(MUG, **lacking))


def test_no_title_ends_the_script_or_an_attribute(app, client):
    odd = "<script>alert(1)</script>"
    text = client.get("/products/" + quote(odd, safe="")).text
    metas, _, data = head_of(text)
    assert data["@graph"][0]["name"] == metas["og:title"] == f"Odd {odd}"
    template = app.jinja_env.from_string(
        '{% with head = product_head(product) %}{% include "head.html" %}{% endwith %}'
    )
    with app.test_request_context("/"):
        head = template.render(product=MUG)
    assert head.count("<script") == head.count("</script") == 1
    metas, _, data = head_of(head + "</head>")
    assert metas["og:title"] == data["@graph"][0]["name"] == MUG.title
    assert metas["product:brand"] == data["@graph"][0]["brand"]["name"] == MUG.brand


def test_addresses_of_a_page_in_each_language(client):
    _, links, _ = head_of(client.get("/products/red?refine=none", headers=CHINESE).text)
    assert links["canonical", ""] == f"{BASE}/products/red" == links["alternate", "x-default"]
    assert links["alternate", "en"] == f"{BASE}/products/red?lang=en"
    answer = client.get(links["alternate", "zh-Hans"].removeprefix(BASE))
    _, again, _ = head_of(answer.text)
    assert (
        again["canonical", ""] == links["alternate", "zh-Hans"] and again["alternate", "en"] == links["alternate", "en"]
    )
    assert 'lang="zh-Hans"' in answer.text


def test_the_front_page_names_the_shop(client):
    metas, links, data = head_of(client.get("/").text)
    assert metas["og:title"] == "Windowshop" and "18 products" in metas["description"]
    assert links["canonical", ""] == f"{BASE}/" and "robots" not in metas
    (site,) = data["@graph"]
    assert site["potentialAction"]["target"]["urlTemplate"] == f"{BASE}/?q={{search_term_string}}"
    with client.get(metas["og:image"].removeprefix(BASE)) as icon:
        assert icon.mimetype == "image/png"
    assert client.get(links["manifest", ""]).status_code == 200


def test_pages_of_results_are_not_listed_unless_a_setting_says_so(app, client, monkeypatch):
    search = "/?q=red jumper&sort=price"
    metas, links, data = head_of(client.get(search).text)
    assert metas["robots"] == "noindex, follow" and data is None
    assert links["canonical", ""] == f"{BASE}/?q=red+jumper&sort=price"
    assert "red jumper" in metas["og:title"] and metas["og:image"].startswith(f"{BASE}/pictures/")
    quoted = head_of(client.get("/", query_string={"q": '"red" <b> & jumper'}).text)[0]
    assert quoted["og:title"] == '"red" <b> & jumper'
    monkeypatch.setitem(app.config, "SEARCH_PAGES_INDEXED", True)
    assert "robots" not in head_of(client.get(search).text)[0]
    token = client.post("/api/v1/search", json={"text": "red"}).json["refine"]
    metas, links, _ = head_of(client.get("/", query_string={"refine": token}).text)
    assert metas["robots"] == "noindex, follow" and ("canonical", "") not in links
