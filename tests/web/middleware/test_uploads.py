"""Uploads: limits that hold to the byte, formats that are allowed, and nothing else reaches a decoder."""

import io
import json
import random

import pytest
from PIL import Image

from tests.web.shop_fixtures import picture_bytes
from web.settings import MIB, Settings

SEARCH = "/api/v1/search"
LIMIT, FORM_LIMIT = 10 * MIB, 64 * MIB


def body_of(size):
    """A JSON body of exactly that many bytes whose words are fine."""
    body = json.dumps({"text": "red"}).encode()
    return body + b" " * (size - len(body))


@pytest.mark.promise("S1")
@pytest.mark.parametrize(("size", "status"), [(LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413)])
def test_a_request_has_at_most_ten_mebibytes(client, size, status):
    answer = client.post(SEARCH, data=body_of(size), content_type="application/json")
    assert answer.status_code == status
    if status == 413:
        assert answer.json["error"] == {
            "code": "too_large",
            "message": "The request is too large.",
            "hint": "A request may have at most 10 MiB. Send a smaller picture, or send it as a file in a form,"
            " which may have at most 64 MiB.",
        }


@pytest.mark.promise("S1")
def test_a_body_without_a_length_is_cut_off_at_the_limit(client):
    answer = client.post(
        SEARCH,
        input_stream=io.BytesIO(body_of(LIMIT + 1)),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 413


@pytest.mark.promise("S1")
@pytest.mark.parametrize(("size", "status"), [(64 * 1024, 422), (64 * 1024 + 1, 413)])
def test_a_form_field_has_at_most_64_kibibytes(client, size, status):
    answer = client.post(SEARCH, data={"text": "x" * size}, content_type="multipart/form-data")
    assert answer.status_code == status  # up to the limit it is the query that finds the words too long


@pytest.mark.parametrize("size", [100_000, 389_123, 1_400_001, 3 * MIB, LIMIT + 1_000, FORM_LIMIT - 1_000])
def test_a_photo_in_a_form_may_be_as_large_as_phones_save_them(client, size):
    photo = picture_bytes(size=(400, 400))
    photo += random.Random(size).randbytes(size - len(photo))  # which decoders pass over
    part = b'--edge\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    form = part + photo + b"\r\n--edge--\r\n"
    answer = client.post(SEARCH, data=form, content_type="multipart/form-data; boundary=edge")
    assert answer.status_code == 200


def test_a_form_that_is_too_large_says_in_what_respect(client):
    answer = client.post(SEARCH, data={"text": "x" * 70_000}, content_type="multipart/form-data")
    assert "a field that is no file at most 0.0625 MiB" in answer.json["error"]["hint"]


@pytest.mark.parametrize(("parts", "status"), [(16, 422), (17, 413), (1000, 413)])
def test_a_form_has_at_most_sixteen_parts(client, parts, status):
    form = {f"field{number}": "x" for number in range(parts)}
    assert client.post(SEARCH, data=form, content_type="multipart/form-data").status_code == status


def test_the_limits_are_settings(home, make_app):
    app = make_app(Settings(home=home, upload_limit=2048, form_parts_limit=1))
    client = app.test_client()
    assert client.post("/", data={"photo": (io.BytesIO(b"x" * 4096), "a.jpg")}).status_code == 413


BROKEN = {
    "truncated": (picture_bytes(size=(400, 400))[:600], 422),
    "text": (b"hello, this is not a picture", 415),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
    "html": (b"<!doctype html><script>alert(1)</script>", 415),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415),
    "bmp": (picture_bytes(kind="BMP"), 415),
    "tiff": (picture_bytes(kind="TIFF"), 415),
    "ico": (picture_bytes(kind="ICO"), 415),
    "ppm": (picture_bytes(kind="PPM"), 415),
    "zeros": (bytes(1000), 415),
}


@pytest.mark.parametrize(("data", "status"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("address", [SEARCH, "/"])
def test_a_bad_picture_is_refused_whatever_it_is_called(client, address, data, status):
    field = "image" if address == SEARCH else "photo"
    answer = client.post(address, data={field: (io.BytesIO(data), "photo.jpg", "image/jpeg")})
    assert answer.status_code == status


def test_a_bomb_is_too_large(client):
    out = io.BytesIO()
    Image.new("1", (10_000, 6_000)).save(out, "PNG")
    answer = client.post(SEARCH, data={"image": (io.BytesIO(out.getvalue()), "a.png")})
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "picture_too_large")


def test_a_photo_taken_sideways_is_turned_before_it_is_cropped(client):
    picture = Image.new("RGB", (200, 100), (220, 10, 10))
    picture.paste((10, 10, 220), (100, 0, 200, 100))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees: the right half becomes the lower one
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    for crop, expected in (([0, 0, 1, 0.5], "red"), ([0, 0.5, 1, 1], "blue")):
        form = {"image": (io.BytesIO(out.getvalue()), "a.jpg"), "crop": json.dumps(crop)}
        assert client.post(SEARCH, data=form).json["hits"][0]["id"] == expected
