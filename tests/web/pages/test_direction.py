"""Every text of a shop or a shopper stands in an element with dir="auto": Arabic and Hebrew run from right to left."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import web
from tests.web.shop_fixtures import WRITER, fake_app, picture_bytes

ARABIC = re.compile("[\u0600-\u06ff]")
VOID = {"meta", "link", "input", "img", "br", "hr", "source"}
PRODUCT = {
    "title": "سجادة صوف مصنوعة يدويا",
    "brand": "بيت السجاد",
    "category": "أثاث > سجاد",
    "description": "سجادة صوف ناعمة",
    "attributes": {"لون": "أحمر", "مادة": "صوف"},
    "price": "129.00 EUR",
}


class Texts(HTMLParser):
    """The Arabic texts of a page that no element with dir="auto" holds, and the tags of its text fields."""

    def __init__(self, page):
        super().__init__()
        self.open, self.bare, self.seen, self.fields = [], [], 0, []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "input" and given.get("type", "text") in ("text", "search") and "inputmode" not in given:
            self.fields.append(given)
        if tag not in VOID:
            self.open.append((tag, given.get("dir")))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if ARABIC.search(data) and not {"title", "script"} & {tag for tag, _ in self.open}:
            self.seen += 1
            if "auto" not in [way for _, way in self.open]:
                self.bare.append(data.strip())


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with fake_app(tmp_path_factory.mktemp("arabic"), timeout_ms=20_000) as app:
        client = app.test_client()
        for number in range(3):
            picture = base64.b64encode(picture_bytes((200, 30 * number, 40))).decode()
            product = PRODUCT | {"title": f"{PRODUCT['title']} {number}", "pictures": [picture]}
            answer = client.put(f"/api/v1/products/rug-{number}", json=product, headers=WRITER)
            assert answer.status_code == 201, answer.text
        yield client


ADDRESSES = {
    "product": "/products/rug-1",
    "words": "/?q=سجادة",
    "like": "/?like=rug-1",
    "like and words": "/?like=rug-1&q=سجادة",
    "all": "/?filter={}",
    "filtered": '/?filter={"brand":"بيت السجاد"}',
    "nothing found": '/?q=سجادة&filter={"brand":"none"}',
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_every_text_of_the_shop_runs_its_own_way(client, name):
    answer = client.get(ADDRESSES[name])
    assert answer.status_code == 200
    page = Texts(answer.text)
    assert page.bare == []
    assert page.seen or name == "nothing found"
    assert page.fields and all(field.get("dir") == "auto" for field in page.fields)


def test_the_merchants_fields_run_their_own_way(client):
    page = Texts(client.get("/merchant").text)
    assert page.fields and all(field.get("dir") == "auto" for field in page.fields)
    script = Path(web.__file__).parent / "static" / "keyed.js"  # makes every element of these pages
    assert 'dir: "auto"' in script.read_text(encoding="utf-8")
