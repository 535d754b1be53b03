"""S2, S3, S4, S6, S7: what strangers send as a picture is refused or decoded, and what is served was written by us."""

import base64
import io
import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from catalog.images import limits
from indexer.build.build import build_index
from tests.catalog.images.tall import tall_jpeg, texture
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import write_feed
from tests.promises.corrupted_pictures import sample
from tests.promises.pictures import ALLOWED, a_file_of, avif, bombs, gif, jpeg, mutant, png, saved, webp
from tests.web.shop_fixtures import WRITER, fake_app, picture_bytes, stored_bytes

ROOT = Path(__file__).parents[3]
SEARCH, PRODUCTS = "/api/v1/search", "/api/v1/products"
FORM = "multipart/form-data; boundary=---x"
PICTURE_FORMATS = (*ALLOWED, "HEIF")
Image.init()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    home = tmp_path_factory.mktemp("shop")
    with fake_app(home, timeout_ms=20_000) as app:
        yield home, app.test_client()


@pytest.fixture
def client(shop):
    return shop[1]


def form(name, data, **fields):
    """A form as browsers send it; the test client would leave a temporary file of a large one open."""
    head = b'-----x\r\nContent-Disposition: form-data; name="%s"'
    parts = [head % key.encode() + b"\r\n\r\n" + value + b"\r\n" for key, value in fields.items()]
    parts.append(head % name.encode() + b'; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n' + data + b"\r\n")
    return b"".join([*parts, b"-----x--\r\n"])


def send(client, data):
    return client.post(SEARCH, data=form("image", data, k=b"3"), content_type=FORM)


@pytest.mark.promise("S2", "every format that Pillow registers")
@pytest.mark.parametrize("kind", sorted(set(Image.OPEN) - set(ALLOWED) - {"HEIF"}))
def test_a_format_that_is_not_allowed_never_reaches_its_plugin(client, kind, monkeypatch):
    ran = []
    for name, (factory, accepts) in list(Image.OPEN.items()):
        if name not in (*ALLOWED, "HEIF"):
            spy = lambda *given, name=name: ran.append(name)  # noqa: E731
            monkeypatch.setitem(Image.OPEN, name, (spy, accepts and (lambda *given, name=name: ran.append(name))))
            assert factory
    data = a_file_of(kind)
    answer = send(client, data)
    assert (answer.status_code, ran) == (415, []), answer.text
    photo = base64.b64encode(data).decode()
    assert client.post(SEARCH, json={"image": photo}).status_code == 415
    assert client.put(f"{PRODUCTS}/x", json={"title": "x", "pictures": [photo]}, headers=WRITER).status_code == 415
    assert ran == []


def test_more_than_forty_formats_were_tried():
    assert len(Image.OPEN) >= 40


def resident():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.promise("S3", "25 bombs")
def test_bombs_are_refused_before_they_take_memory(client):
    refused, accepted = bombs()
    assert len(refused) + len(accepted) >= 25
    send(client, picture_bytes())
    before = resident()
    for name, data in (refused | accepted).items():
        began = time.process_time()
        answer = send(client, data)
        assert time.process_time() - began < 1, name
        assert answer.status_code in ((413, 422) if name in refused else (200, 413, 422)), (name, answer.text)
        assert resident() - before < 150_000, f"{name}: {resident() - before} KiB"


# Only the head of a claimed size is read before it is refused; the last of each is beyond the limit. The limits are of
# memory and time, so a side may be as long as any JPEG's, and a JPEG may have more pixels: it is decoded smaller.
WIDE = [(limits.MAX_SIDE - 1, 2), (limits.MAX_SIDE, 2), (limits.MAX_SIDE + 1, 2)]
SIDES = [*WIDE, *((height, width) for width, height in WIDE)]
PIXELS = [(7_999, 5_000), (8_000, 5_000), (8_000, 5_001)]


@pytest.fixture(scope="module")
def sized():
    """PNG files of those sizes, honest ones, in one bit a pixel."""
    return {size: saved("PNG", Image.new("1", size)) for size in (*SIDES, *PIXELS)}


def too_large(size):
    return max(size) > limits.MAX_SIDE or size[0] * size[1] > limits.MAX_PIXELS


@pytest.mark.promise("S3", "40 million pixels: one row less, exactly, one more")
@pytest.mark.parametrize("size", PIXELS)
def test_the_limit_of_pixels_holds_to_the_row(client, sized, size):
    answer = send(client, sized[size])
    assert answer.status_code == (413 if too_large(size) else 200)
    if too_large(size):
        assert "40 million" in answer.json["error"]["message"]


@pytest.mark.promise("S3", "a side of 65,535: one pixel less, exactly, one more; three ways in")
@pytest.mark.parametrize("size", SIDES)
def test_the_limit_of_a_side_holds_to_the_pixel_at_every_door(client, sized, size):
    photo = base64.b64encode(sized[size]).decode()
    product = {"title": "x", "pictures": [photo]}
    for answer, good in (
        (send(client, sized[size]), 200),
        (client.post(SEARCH, json={"image": photo, "crop": [0, 0, 0.5, 0.5]}), 200),
        (client.put(f"{PRODUCTS}/size-{size[0]}-{size[1]}", json=product, headers=WRITER), 201),
    ):
        assert answer.status_code == (413 if too_large(size) else good), answer.text
        if too_large(size):
            error = answer.json["error"]
            assert error["code"] == "picture_too_large" and "65,535 a side" in error["message"]


@pytest.mark.promise("S3", "the same sides in a feed")
def test_the_limits_of_size_hold_in_a_feed(tmp_path, sized):
    sizes = [*SIDES, PIXELS[-1]]
    for number, size in enumerate(sizes):
        (tmp_path / f"{number}.png").write_bytes(sized[size])
    rows = [(f"{width}x{height}", "x", f"{number}.png") for number, (width, height) in enumerate(sizes)]
    report = build_index(tmp_path / "shop", write_feed(tmp_path, rows), FakeEncoder())
    assert (report.products, len(report.rejected)) == (4, 3)
    assert all("the limit is" in row.reason for row in report.rejected)


@pytest.mark.promise("S3", "10 claims of more pixels than the format's limit")
@pytest.mark.parametrize("make", [png, jpeg, gif, webp, avif])
def test_a_claim_of_too_many_pixels_takes_no_memory(client, make):
    before = resident()
    most = limits.MAX_JPEG_PIXELS if make is jpeg else limits.MAX_PIXELS
    side = {webp: 16_383, avif: 20_000}.get(make, 65_535)
    for size in ((side, most // side + 1), (most // side + 1, side)):
        answer = send(client, make(*size))
        assert answer.status_code == 413 and "million" in answer.json["error"]["message"]
    assert resident() - before < 30_000  # KiB; one such picture has 120,000


@pytest.mark.promise(
    "S3", "photos of 48 and 200 megapixels, a panorama and a long screenshot: searched, put, in a feed"
)
def test_large_honest_pictures_come_in_at_every_door(client, tmp_path):
    files = {
        "48": tall_jpeg(texture(8_064), 378, quality=30),
        "200": tall_jpeg(texture(16_320), 765, quality=30),
        "panorama": tall_jpeg(texture(16_384), 227, quality=30),
        "screenshot": saved("PNG", Image.new("RGB", (1_170, 15_000), (220, 10, 10))),
    }
    for name, data in files.items():
        assert client.post(SEARCH, data=form("image", data), content_type=FORM).status_code == 200, name
        body = form("pictures", data, title=b"x")
        answer = client.put(f"{PRODUCTS}/large-{name}", data=body, content_type=FORM, headers=WRITER)
        assert answer.status_code == 201, answer.text
        assert client.get(answer.json["pictures"][0]["picture_url"]).status_code == 200
        (tmp_path / f"{name}.jpg").write_bytes(data)
    feed = write_feed(tmp_path, [(name, "x", f"{name}.jpg") for name in files])
    report = build_index(tmp_path / "shop", feed, FakeEncoder())
    assert (report.products, report.rejected) == (len(files), ())


def decoded(kind, how_many, cuts, seed):
    command = [sys.executable, "-m", "tests.promises.corrupted_pictures", kind, str(how_many), str(seed), str(cuts)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    counts = json.loads(done.stdout)
    assert counts["decoded"] + counts["refused"] == how_many + cuts
    assert counts["refused"] >= cuts - 1
    assert counts["slowest"] <= 2, counts


@pytest.mark.promise("S4", "64 cuts and 200 mutants of each of 6 formats")
@pytest.mark.parametrize("kind", PICTURE_FORMATS)
def test_no_bytes_crash_a_decoder(kind, seed):
    if kind == "HEIF":
        pytest.importorskip("pillow_heif")
    decoded(kind, 200, 64, seed)


@pytest.mark.promise("S4", "2,000 mutants of each of 6 formats")
@pytest.mark.torture
@pytest.mark.timeout(4500)
@pytest.mark.parametrize("kind", PICTURE_FORMATS)
def test_no_bytes_crash_a_decoder_at_length(kind, seed):
    decoded(kind, 2_000, 64, seed)


@pytest.mark.promise("S4", "20 mutants of each of 6 formats over HTTP")
def test_mutants_over_http_are_answered_or_refused(client, seed):
    chance = random.Random(seed)
    for kind in PICTURE_FORMATS:
        data = sample(kind)
        for _ in range(20):
            assert send(client, mutant(data, chance)).status_code in (200, 413, 415, 422)


PRIVATE = b"52 deg 22' 12\" N by Anna"
HOSTILE = ("'; DROP TABLE products; --", "<script>alert(1)</script>", "A" * 1_000_000)


def with_exif(turn=1, text="nothing"):
    """A JPEG, red above and blue below once it is turned, with a place, a name, XMP and a colour profile."""
    picture = Image.new("RGB", (80, 80), (220, 10, 10))
    picture.paste((10, 10, 220), (0, 40, 80, 80))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    if turn in undo:
        picture = picture.transpose(Image.Transpose(undo[turn]))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x013B] = turn, text[:60_000], text[:1_000]
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    picture.save(
        out, "JPEG", exif=exif, xmp=b"<x:xmpmeta>" + PRIVATE + b"</x:xmpmeta>", icc_profile=PRIVATE * 4, quality=95
    )
    return out.getvalue()


@pytest.mark.promise("S6", "8 orientations")
def test_whichever_way_it_was_held_the_answer_is_the_same(client):
    answers = []
    for turn in range(1, 9):
        upper = client.post(SEARCH, data={"image": (io.BytesIO(with_exif(turn)), "a.jpg"), "crop": "[0, 0, 1, 0.5]"})
        answers.append([(hit["id"], round(hit["score"], 2)) for hit in upper.json["hits"][:3]])
    assert answers[0][0][0] == "red"
    assert answers == [answers[0]] * 8


def private_tags(data):
    with Image.open(io.BytesIO(data)) as picture:
        found = {name for name in picture.info if name not in ("jfif", "jfif_version", "jfif_unit", "jfif_density")}
        found |= {"exif"} if picture.getexif() else set()
    return found | {
        f"bytes {word!r}" for word in (b"Exif", b"xmpmeta", b"ICC_PROFILE", PRIVATE, b"Photoshop") if word in data
    }


@pytest.mark.promise("S6", "20 stored files and what is served of them")
def test_what_is_stored_and_served_tells_nothing_of_who_took_it(shop):
    home, client = shop
    served = []
    for number in range(20):
        exif = with_exif(number % 8 + 1, HOSTILE[number % 3] if number % 2 else PRIVATE.decode())
        photo = base64.b64encode(exif + bytes([number])).decode()
        made = client.put(f"{PRODUCTS}/exif-{number}", json={"title": "t", "pictures": [photo]}, headers=WRITER)
        assert made.status_code == 201
        served.append(client.get(made.json["pictures"][0]["picture_url"]).data)
    stored = [path.read_bytes() for path in (home / "pictures").rglob("*.jpg")]
    assert stored and not [found for data in (*stored, *served) if (found := private_tags(data))]
    others = {path: data for path, data in stored_bytes(home, "*").items() if "feed" not in path.parts}
    for path, data in others.items():
        assert PRIVATE not in data and b"DROP TABLE products" not in data and b"A" * 1_000 not in data, path
    page = client.get("/products/exif-1").text
    assert "DROP TABLE" not in page and "<script>alert" not in page


PAYLOAD = b"<html><script>alert(document.domain)</script></html>"


def polyglots():
    import zipfile

    red, packed = picture_bytes(size=(64, 64)), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x.html", PAYLOAD)
    gif, png_file = picture_bytes(kind="GIF"), picture_bytes(kind="PNG")
    comment = b"\xff\xfe" + (len(PAYLOAD) + 2).to_bytes(2, "big") + PAYLOAD
    from tests.promises.pictures import chunk

    return {
        "JPEG, HTML after": red + PAYLOAD,
        "JPEG, HTML in a comment": red[:2] + comment + red[2:],
        "JPEG, ZIP after": red + packed.getvalue(),
        "JPEG, PHP after": red + b"<?php " + PAYLOAD,
        "GIF, JavaScript after": gif + b"*/=1;" + PAYLOAD,
        "GIF, comment": gif[:-1] + b"\x21\xfe" + bytes([len(PAYLOAD)]) + PAYLOAD + b"\0;",
        "PNG, ZIP after": png_file + packed.getvalue(),
        "PNG, text": png_file[:33] + chunk(b"tEXt", b"Comment\0" + PAYLOAD) + png_file[33:],
        "WEBP, own chunk": _riff(picture_bytes(kind="WEBP"), PAYLOAD),
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'>" + PAYLOAD + b"</svg>",
    }


def _riff(data, payload):
    body = data[12:] + b"EVIL" + len(payload).to_bytes(4, "little") + payload + b"\0" * (len(payload) % 2)
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


NAMES = (
    "../../x.html",
    "a\0.jpg",
    "a.jpg.php",
    "x" * 300,
    "\u202egpj.exe",
    "/etc/passwd",
    "..\\..\\x",
    ".htaccess",
    "a.svg",
    "",
)


@pytest.mark.promise("S7", "10 polyglots under 10 names")
@pytest.mark.parametrize(("kind", "name"), [*zip(polyglots(), NAMES, strict=True)], ids=list(polyglots()))
def test_only_what_we_wrote_is_served(shop, kind, name):
    home, client = shop
    before = {path for path in home.rglob("*") if path.is_file()}
    data = polyglots()[kind]
    form = {"title": "t", "pictures": (io.BytesIO(data), name or "blank.jpg")}
    answer = client.put(f"{PRODUCTS}/polyglot", data=form, content_type="multipart/form-data", headers=WRITER)
    made = {path: data for path, data in stored_bytes(home, "*").items() if path not in before}
    assert not [path for path, data in made.items() if PAYLOAD in data]
    if kind == "SVG":
        assert answer.status_code == 415
        return
    assert answer.status_code in (200, 201), answer.text
    ours = {path.suffix for path in made if path.is_relative_to(home / "pictures")}
    assert ours <= {".jpg"}, made
    address = answer.json["pictures"][0]["picture_url"]
    served = client.get(address)
    assert served.content_type == "image/jpeg" and served.data[:3] == b"\xff\xd8\xff"
    assert PAYLOAD not in served.data and served.headers["X-Content-Type-Options"] == "nosniff"
    assert len(address.rpartition("/pictures/")[2].split("/")[0]) == 64


@pytest.mark.promise("S7")
@pytest.mark.parametrize(
    "address",
    [
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/..%2fsettings.py",
        "/pictures/../../keys.json/320.jpg",
        "/pictures/" + "0" * 64 + "/../x.jpg",
        "/try/..%2f..%2fkeys.jpg",
        "/static//etc/passwd",
        "/pictures/" + "%00" * 64 + "/320.jpg",
    ],
)
def test_no_address_leads_outside(client, address):
    answer = client.get(address)
    assert answer.status_code == 404
    assert "sha256" not in answer.text and "BaseSettings" not in answer.text
    answer.close()
