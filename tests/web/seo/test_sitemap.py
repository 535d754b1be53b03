"""The sitemap by its protocol, robots.txt and the manifest: what is in them can be fetched."""

import io
import json
import re
import xml.etree.ElementTree as ElementTree
from contextlib import closing
from datetime import datetime, timezone
from urllib.parse import quote

import pytest

from catalog.errors import StoreError
from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from catalog.storage.sqlite_catalogue import SqliteCatalogue
from tests.web.shop_fixtures import picture_bytes
from web.seo import sitemap
from web.seo.sitemap import EXTENSION, MAX_ADDRESS, PartList

BASE = "http://localhost"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
IMAGE = "{http://www.google.com/schemas/sitemap-image/1.1}"
MAX_ADDRESSES, MAX_BYTES = 50_000, 50 * 1024 * 1024  # the protocol's


def valid(answer, tag):
    """The addresses of a sitemap with their times and pictures, checked against the protocol."""
    assert answer.status_code == 200 and answer.mimetype == "application/xml"
    assert len(answer.data) <= MAX_BYTES
    root = ElementTree.fromstring(answer.data)
    assert root.tag == f"{SITEMAP}{'urlset' if tag == 'url' else 'sitemapindex'}"
    assert 1 <= len(root) <= MAX_ADDRESSES and {entry.tag for entry in root} == {SITEMAP + tag}
    found = {}
    for entry in root:
        names = [child.tag for child in entry]
        assert names[0] == f"{SITEMAP}loc" and names.count(f"{SITEMAP}loc") == 1
        assert set(names[1:]) <= {f"{SITEMAP}lastmod", f"{IMAGE}image"}
        address, changed = entry[0].text, entry.findtext(f"{SITEMAP}lastmod")
        assert address.startswith(f"{BASE}/") and len(address) <= MAX_ADDRESS and re.fullmatch(r"[!-~]+", address)
        if changed is not None:
            assert datetime.fromisoformat(changed) <= datetime.now(timezone.utc)
        found[address] = changed, [each.findtext(f"{IMAGE}loc") for each in entry.findall(f"{IMAGE}image")]
    return found


def test_every_product_is_in_a_part_that_the_index_names(client):
    robots = client.get("/robots.txt")
    (address,) = re.findall(r"^Sitemap: (\S+)$", robots.text, re.MULTILINE)
    listed = {}
    for part, (_changed, _) in valid(client.get(address.removeprefix(BASE)), "sitemap").items():
        listed |= valid(client.get(part.removeprefix(BASE)), "url")
    assert len(listed) == 19 and f"{BASE}/" in listed
    changed, pictures = listed[f"{BASE}/products/red"]
    assert changed is not None and len(pictures) == 3
    for each in (f"{BASE}/products/{quote('日本語/é', safe='')}", pictures[0]):
        assert client.get(each.removeprefix(BASE)).status_code == 200
    assert client.get("/sitemaps/7.xml").status_code == client.get("/sitemaps/x.xml").status_code == 404


def test_a_part_is_sent_once_until_it_changes(client):
    first = client.get("/sitemaps/0.xml")
    again = client.get("/sitemaps/0.xml", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and again.data == b""
    other = client.get("/sitemaps/0.xml", headers={"Host": "other.example", "If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200 and b"http://other.example/products/red" in other.data
    assert "max-age=3600" in first.headers["Cache-Control"]


def test_parts_follow_keys_so_that_a_product_stays_in_its_part(tmp_path, monkeypatch):
    monkeypatch.setattr(sitemap, "PART_SIZE", 2)
    monkeypatch.setattr(sitemap, "READ_PRODUCTS", 1)
    shop = PartList(tmp_path)
    products = [Product(name, name, (Picture("a", "f" * 64),)) for name in "abcde"]
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put(products)
        catalogue.remove(["a", "b", "c"])
    assert {number: part.products for number, part in shop.parts().items()} == {1: 1, 2: 1}
    text = "".join(sitemap._product_entries(shop, 1, "https://shop.example"))
    assert re.findall(r"<loc>(\S+?)</loc>", text) == ["https://shop.example/products/d"]
    assert shop.parts()[1].changed <= datetime.now(timezone.utc).isoformat()


@pytest.mark.parametrize(("error", "status"), [(RuntimeError("SELECT /srv/shop"), 500), (StoreError("/srv/shop"), 503)])
def test_a_catalogue_that_cannot_be_read_leaks_nothing(app, client, monkeypatch, error, status):
    def raises(*_):
        raise error

    monkeypatch.setattr(SqliteCatalogue, "key_ranges", raises)
    app.extensions[EXTENSION]._read_at = float("-inf")
    for address in ("/sitemap.xml", "/sitemaps/0.xml"):
        answer = client.get(address)
        assert answer.status_code == status and "/srv" not in answer.text and "SELECT" not in answer.text


def test_an_address_that_nobody_reads_is_left_out():
    assert sitemap._product_entry(Product("字" * 300, "long", ()), BASE, "") == ""
    entry = sitemap._product_entry(Product("a&b<c", "x", tuple(Picture("p", str(n) * 64) for n in range(9))), BASE, "")
    assert entry.startswith(f"<url><loc>{BASE}/products/a%26b%3Cc</loc>") and entry.count("<image:image>") == 5


def test_categories_are_listed_with_the_pages_of_results(app, client, monkeypatch):
    assert list(valid(client.get("/sitemaps/pages.xml"), "url")) == [f"{BASE}/"]
    monkeypatch.setitem(app.config, "SEARCH_PAGES_INDEXED", True)
    addresses = list(valid(client.get("/sitemaps/pages.xml"), "url"))
    assert len(addresses) == 2
    page = client.get(addresses[1].removeprefix(BASE)).text
    assert all(f"/products/{name}?" in page or f'/products/{name}"' in page for name in ("red", "green", "blue"))


def test_robots_keep_out_of_what_has_no_end_and_of_a_closed_shop(app, client, monkeypatch):
    robots = client.get("/robots.txt")
    assert robots.mimetype == "text/plain" and "Disallow: /api/" in robots.text and "Disallow: /*refine=" in robots.text
    monkeypatch.setitem(app.config, "PUBLIC_READ", False)
    assert client.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_manifest_names_icons_that_are_there_and_takes_photos(client, language):
    answer = client.get("/manifest.webmanifest", headers={"Accept-Language": language})
    described = json.loads(answer.text)
    assert answer.mimetype == "application/manifest+json" and described["lang"].startswith(language)
    for icon in described["icons"]:
        with client.get(icon["src"]) as file:
            assert file.status_code == 200 and file.mimetype == icon["type"]
    target = described["share_target"]
    photo = {target["params"]["files"][0]["name"]: (io.BytesIO(picture_bytes()), "photo.jpg")}
    assert client.post(target["action"], data=photo, content_type=target["enctype"]).status_code == 200
