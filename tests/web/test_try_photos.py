"""Photos that the shop offers: on the front page, with an address of their own, alone and with words."""

import io
import re

import pytest
from PIL import Image

from catalog.errors import BadFeed
from tests.web.shop_fixtures import BLUE, RED, picture_bytes
from web.engine import holder_of
from web.settings import Settings
from web.try_photos import read_try_photos


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("offered")
    (folder / "photos").mkdir()
    for name, colour in (("p1", RED), ("p 2", BLUE)):
        picture = picture_bytes(colour, (640, 480), exif=Image.Exif())
        (folder / "photos" / f"{name}.jpg").write_bytes(picture)
    (folder / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xffnothing")
    lines = "photo,shows\nphotos/p1.jpg,Something red\nphotos/p 2.jpg,<b>blue</b>\nphotos/broken.jpg,Nothing\n"
    (folder / "try.csv").write_text(lines)
    return folder / "try.csv"


@pytest.fixture(scope="module")
def client(home, make_app, table):
    app = make_app(Settings(home=home, page_hits=5, try_photos=table))
    holder_of(app).wait(300)
    return app.test_client()


def titles(answer):
    assert answer.status_code == 200
    return re.findall(r'<h3 dir="auto"><a href="[^"]*">([^<]*)</a>', answer.text)


def test_the_front_page_offers_them(client):
    page = client.get("/").text
    assert 'href="/?photo=p1"' in page and 'href="/?photo=p+2"' in page
    assert 'alt="Something red"' in page and "<b>blue" not in page


def test_one_is_searched_with_by_its_address(client):
    answer = client.get("/?photo=p+2")
    assert titles(answer)[0] == "Blue jumper"
    assert "Similar to this photo" in answer.text and "Search without this photo" in answer.text
    assert "Ohne dieses Foto suchen" in client.application.test_client().get("/?photo=p+2&lang=de").text
    assert 'src="/try/p%202.jpg"' in answer.text
    assert 'aria-label="Search without this photo"' in answer.text
    assert '<input type="hidden" name="photo" value="p 2">' in answer.text
    assert 'href="/?photo=p+2&amp;offset=5"' in answer.text  # no photo to send again: a plain link goes on


def test_words_go_with_it(client):
    both = client.get("/?photo=p+2&q=red")
    assert "This photo + “red”" in both.text
    assert titles(both) != titles(client.get("/?photo=p+2"))
    sent = client.post("/", data={"q": "red", "photo": "p1"})
    assert (sent.status_code, sent.headers["Location"]) == (303, "/?q=red&photo=p1")


def test_an_upload_takes_its_place(client):
    upload = (io.BytesIO(picture_bytes(RED, (300, 400))), "photo.jpg")
    answer = client.post("/?photo=p+2", data={"photo": upload})
    assert titles(answer)[0] == "Red jumper"
    assert "Similar to your photo" in answer.text


def test_its_picture_is_one_of_ours(client):
    answer = client.get("/try/p%202.jpg")
    assert answer.content_type == "image/jpeg"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    with Image.open(io.BytesIO(answer.data)) as picture:
        assert picture.size == (320, 240)


@pytest.mark.parametrize("address", ["/try/p3.jpg", "/try/..%2Ftry.csv.jpg", "/?photo=p3", "/?photo=../try"])
def test_others_are_not_found(client, address):
    assert client.get(address).status_code == 404


def test_a_broken_one_is_told(client):
    assert client.get("/?photo=broken").status_code == 422


@pytest.mark.parametrize(
    ("rows", "message"),
    [("a/x.jpg,one\nb/x.jpg,two", "try.csv:3: a second"), ("a/x.jpg,one\ngone.jpg,two", "try.csv:3: there")],
)
def test_rows_that_cannot_be_offered_are_named(tmp_path, rows, message):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.jpg").write_bytes(picture_bytes())
    (tmp_path / "try.csv").write_text(f"photo,shows\n{rows}\n")
    with pytest.raises(BadFeed, match=message):
        read_try_photos(tmp_path / "try.csv")


def test_without_a_table_there_are_none():
    assert read_try_photos(None) == {}


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadFeed, match=r"gone\.csv"):
        read_try_photos(tmp_path / "gone.csv")
