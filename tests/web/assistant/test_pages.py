"""The page of the assistant without scripts: forms carry the conversation, and what was typed is never lost."""

import io
import re
from html import unescape

from tests.web.shop_fixtures import picture_bytes
from web.settings import Settings

URL = "/assistant"


def fields_of(page, index=-1):
    """The hidden fields of a form of the page."""
    form = re.findall(r"<form[^>]*action=\"/assistant.*?</form>", page, re.S)[index]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in found}


def send(client, page="", **sent):
    answer = client.post(URL, data=(fields_of(page) if page else {}) | sent)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_page_opens_about_a_product_and_is_neither_listed_nor_cached(client):
    answer = client.get(URL, query_string={"product_id": "red"})
    assert "Your questions are about: <a" in answer.text and ">Red jumper</a>" in answer.text
    assert fields_of(answer.text)["product_id"] == "red"
    assert 'name="robots" content="noindex"' in answer.text and answer.headers["Cache-Control"] == "no-store"
    assert 'id="help"' not in answer.text and 'id="help"' in client.get("/products/red").text
    assert "您正在咨询" in client.get(f"{URL}?product_id=red&lang=zh").text


def test_a_conversation_goes_on_with_each_form(client):
    first = send(client, message="show me jumpers, please")
    assert first.count('<article class="entry') == 2 and 'id="at-' not in first
    assert "show me jumpers, please" in first and "/products/red" in first and "Show all results" in first
    second = send(client, first, message="red ones")
    assert second.count('<article class="entry') == 4 and second.count('id="latest"') == 1
    assert "show me jumpers, please" in second and "q=jumpers+red" in unescape(second)


def test_a_photo_is_searched_for(client):
    photo = (io.BytesIO(picture_bytes((220, 10, 10))), "photo.jpg")
    page = send(client, image=photo, message="", language="zh")
    assert "[Photo]" in page and "/products/red" in page


def test_words_of_customers_are_no_markup(client):
    page = send(client, message="<b>jumpers</b> <script>alert(1)</script>")
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_only_the_shop_writes_what_the_page_shows_as_the_shops_own(client, app):
    page = send(client, message="hello")
    transcript = fields_of(page)["transcript"]
    for changed in (transcript[:-2], transcript + "x", "x" + transcript, "nonsense"):
        again = send(client, message="hello", token=fields_of(page)["token"], transcript=changed)
        assert again.count('<article class="entry') == 2  # what came with the form is not shown


def test_what_was_typed_stays_when_the_conversation_has_expired(client):
    page = send(client, message="hello")
    sent = fields_of(page) | {"token": "cut short", "message": "and blue ones"}
    answer = client.post(URL, data=sent)
    assert answer.status_code == 422 and "The conversation has expired." in answer.text
    assert ">and blue ones</textarea>" in answer.text and fields_of(answer.text)["token"] == ""
    assert send(client, answer.text, message="and blue ones").count('<article class="entry') == 4


def test_a_photo_that_is_none_is_refused_in_words(client):
    sent = {"image": (io.BytesIO(b"%PDF-1.4"), "photo.pdf"), "message": "this"}
    answer = client.post(URL, data=sent)
    assert answer.status_code == 415 and "This photo can’t be used." in answer.text
    assert ">this</textarea>" in answer.text


def test_another_sites_form_is_refused(client):
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post(URL, data={"action": "human"}, headers=headers).status_code == 403
    assert client.get(URL, headers=headers).status_code == 200


def test_a_shop_without_the_assistant_has_neither_page_nor_button(make_app, home):
    app = make_app(Settings(home=home, assistant=False))
    client = app.test_client()
    assert client.get(URL).status_code == 404 and 'id="help"' not in client.get("/favourites").text
