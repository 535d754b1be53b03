"""The menu of categories on every page, and what the front page offers: categories with pictures, texts to try."""

import base64
import html
import re

import pytest

from tests.web.shop_fixtures import BLUE, GREEN, RED, WRITER, fake_app, picture_bytes

KINDS = (("Table lamps", RED), ("Floor lamps", GREEN), ("Table lamps", BLUE))


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A shop of jumpers and things without a category, to which lamps, two of one group, and a rug are added."""
    with fake_app(tmp_path_factory.mktemp("menu"), timeout_ms=20_000) as app:
        client = app.test_client()
        for number, (kind, colour) in enumerate(KINDS):
            put(client, f"lamp-{number}", kind, f"Home > Lamps > {kind}", colour)
        put(client, "rug", "Rug", "Home > Rugs", RED)
        yield client


def put(client, product_id, title, category, colour):
    pictures = [base64.b64encode(picture_bytes(colour)).decode()]
    fields = {"title": title, "category": category, "pictures": pictures, "attributes": {"colour": "red"}}
    if title == "Table lamps":
        fields["item_group_id"] = "table"
    assert client.put(f"/api/v1/products/{product_id}", json=fields, headers=WRITER).status_code == 201


def menu_of(text):
    menu = re.search(r'<details class="menu">.*?</details>', text, re.DOTALL)[0]
    found = re.findall(r'<a href="([^"]*)"><span dir="auto">(.*?)</span> <span class="many">(.*?)</span>', menu)
    return {html.unescape(label): (html.unescape(url), int(count)) for url, label, count in found}


def tiles_of(text):
    tiles = re.search(r'<ul class="category-tiles">.*?</ul>', text, re.DOTALL)[0]
    return re.findall(
        r'src="([^"]+)".*?class="name" dir="auto">(.*?)</span> <span class="many">(\d+)<', tiles, re.DOTALL
    )


def test_the_menu_has_two_levels_whose_numbers_are_what_a_click_shows(client):
    menu = menu_of(client.get("/?q=jumper").text)
    counts = {label: count for label, (_, count) in menu.items()}
    assert counts == {"Home": 3, "Lamps": 2, "Rugs": 1, "Apparel": 3, "Tops": 3}
    for url, count in menu.values():
        text = client.get(url).text
        assert f"1–{count} of {count} " in re.sub(r"\s+", " ", text) and menu_of(text) == menu


def test_the_front_page_shows_each_category_with_a_picture_that_exists(client):
    tiles = tiles_of(client.get("/").text)
    assert [(name, count) for _, name, count in tiles] == [("Apparel", "3"), ("Home", "3")]
    assert all(client.get(source).status_code == 200 for source, _, _ in tiles)


def test_the_picture_of_a_category_is_chosen_again_when_its_product_is_gone(client):
    put(client, "newest", "Rug", "Home > Rugs", (7, 7, 7))
    before = tiles_of(client.get("/").text)
    assert client.delete("/api/v1/products/newest", headers=WRITER).status_code == 204
    after = tiles_of(client.get("/").text)
    assert all(client.get(source).status_code == 200 for source, _, _ in after)
    assert {name for _, name, _ in after} == {name for _, name, _ in before}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_text_to_try_finds_something(client, lang):
    text = client.get("/", query_string={"lang": lang}).text
    examples = re.search(r'<p class="examples">.*?</p>', text, re.DOTALL)[0]
    urls = [html.unescape(url) for url in re.findall(r'href="(/\?q=[^"]*)"', examples)]
    assert urls
    assert all('<ul class="grid' in client.get(url).text for url in urls)
