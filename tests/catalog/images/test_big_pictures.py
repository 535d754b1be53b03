"""Photos of 48 to 200 megapixels, panoramas and long screenshots are decoded, in bounded memory and time."""

import io
import json
import struct
import subprocess
import sys
import threading
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from catalog.errors import BadPicture, PictureTooLarge
from catalog.images import decode, jpeg_end, limits, loading, progressive, size_of
from catalog.images.metadata import _Pieces
from tests.catalog.images.tall import ROW, tall_jpeg, texture
from tests.promises.pictures import chunk, jpeg
from tests.timing import speed

PHONES = {"48": (8064, 6048), "50": (8160, 6144), "64": (9248, 6944), "108": (12032, 9024), "200": (16320, 12240)}
WIDE = {"panorama": (16382, 3632), "long screenshot": (1170, 15008)}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
MAX_GROWTH_MB, MAX_SECONDS = 150, 2


def photo(size, picture=None, **options):
    return tall_jpeg(picture or texture(size[0]), size[1] // ROW, **options)


def png_of_rows(size, colour, bits, row, interlaced=False):
    """A PNG whose rows are all alike, written a row at a time; interlaced ones are black."""
    width, height = size
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced))
    if colour == 3:
        head += chunk(b"PLTE", bytes(range(256)) * 3)
    packer, parts = zlib.compressobj(1), []
    if interlaced:
        per_pixel = len(row) // width
        for x, y, dx, dy in ADAM7:
            blank = bytes(1 + per_pixel * -(-(width - x) // dx))
            parts += [packer.compress(blank) for _ in range(-(-(height - y) // dy))]
    else:
        parts += [packer.compress(b"\0" + row) for _ in range(height)]
    return head + chunk(b"IDAT", b"".join([*parts, packer.flush()])) + chunk(b"IEND", b"")


SHAPES = {  # colour type, bits a sample, bytes a pixel
    "RGB": (2, 8, 3),
    "RGBA": (6, 8, 4),
    "palette": (3, 8, 1),
    "16 bits": (2, 16, 6),
    "grey": (0, 16, 2),
    "interlaced": (6, 8, 4),
}


def screenshot(kind):
    size = WIDE["long screenshot"]
    noise = np.random.default_rng(3).integers(0, 256, 8 * size[0], np.uint8).tobytes()
    colour, bits, per_pixel = SHAPES[kind]
    return png_of_rows(size, colour, bits, noise[: per_pixel * size[0]], kind == "interlaced")


@pytest.mark.parametrize("name", [*PHONES, *WIDE])
def test_photos_of_any_phone_are_decoded(name):
    width, height = size = (PHONES | WIDE)[name]
    data = photo(size)
    height = height // ROW * ROW
    picture = decode(data, at_least=512)
    assert size_of(data) == (width, height)
    assert 512 <= min(picture.size) <= 2_200
    assert picture.width / picture.height == pytest.approx(width / height, rel=0.01)
    small = np.asarray(texture(width).resize((8, 1), Image.Resampling.BOX), int)
    assert np.abs(np.asarray(picture.resize((8, 1), Image.Resampling.BOX), int) - small).max() <= 4


@pytest.mark.parametrize(
    ("mode", "subsampling"),
    [("RGB", 0), ("RGB", 2), ("L", 0), ("CMYK", 0)]
    + [pytest.param(mode, kind, marks=pytest.mark.torture) for mode, kind in (("RGB", 1), ("CMYK", 1), ("CMYK", 2))],
)
def test_a_large_progressive_jpeg_shows_what_a_baseline_one_does(mode, subsampling):
    row = texture(8064).convert(mode)
    options = {"subsampling": subsampling, "quality": 90, "restart_marker_rows": 1}
    progressive = decode(tall_jpeg(row, 400, progressive=True, **options), at_least=512)
    baseline = decode(tall_jpeg(row, 400, **options), at_least=512)
    assert progressive.size == baseline.size
    difference = np.asarray(progressive, int) - np.asarray(baseline, int)
    assert np.abs(difference).mean() < 2
    assert np.abs(difference).max() <= (3 if subsampling == 0 or mode == "L" else 24)  # colours at half the detail


@pytest.mark.parametrize("sampling", [(2, 2), (2, 1), (1, 1)])
def test_the_decoder_of_eighths_agrees_with_the_usual_one(sampling, monkeypatch):
    picture = Image.fromarray(np.random.default_rng(4).integers(110, 140, (5, 7, 3), np.uint8)).resize((427, 311), 3)
    out = io.BytesIO()
    picture.save(out, "JPEG", progressive=True, quality=92, subsampling={(2, 2): 2, (2, 1): 1, (1, 1): 0}[sampling])
    usual = decode(out.getvalue(), at_least=38)
    monkeypatch.setattr(limits, "MAX_COEFFICIENT_BYTES", 0)
    found = decode(out.getvalue(), at_least=38)
    assert usual.size == found.size == (54, 39)
    assert np.abs(np.asarray(usual, int) - np.asarray(found, int)).mean() < 2  # colours may have half the detail
    cut = out.getvalue()
    for share in (0.05, 0.2, 0.5, 0.9):
        with pytest.raises(BadPicture):
            decode(cut[: int(share * len(cut))])


def test_a_turned_large_photo_is_upright_and_cut_out_in_detail():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = photo((8064, 6048), exif=exif.tobytes())
    assert size_of(data) == (6048, 8064)
    picture = decode(data, at_least=512)
    assert picture.size == (756, 1008)
    detail = decode(data, box=(0.4, 0.4, 0.5, 0.5), at_least=512)
    assert min(detail.size) >= 300  # as much as the memory for decoding allows


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_box_of_a_turned_picture_is_cut_before_it_is_turned(turn):
    picture = Image.fromarray(np.random.default_rng(6).integers(0, 256, (23, 37, 3), np.uint8))
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = turn
    picture.save(out, "PNG", exif=exif)
    whole = decode(out.getvalue())
    for box in ((0.1, 0.2, 0.5, 0.9), (0.0, 0.0, 0.03, 1.0), (0.61, 0.33, 1.0, 0.34)):
        left, top = int(box[0] * whole.width), int(box[1] * whole.height)
        right, bottom = -int(-box[2] * whole.width // 1), -int(-box[3] * whole.height // 1)
        assert decode(out.getvalue(), box).tobytes() == whole.crop((left, top, right, bottom)).tobytes()


@pytest.fixture
def measured():
    """What decoding a file takes, in a process of its own."""
    command = [sys.executable, "-m", "tests.catalog.images.decoding_child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def measure(path):
            process.stdin.write(f"{path}\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline().strip() or "{}")

        yield measure
        process.stdin.close()


FILES = {
    "200 megapixels": lambda: photo(PHONES["200"]),
    "200 megapixels, progressive": lambda: photo(PHONES["200"], progressive=True),
    "64 megapixels, progressive, 4:4:4": lambda: photo(PHONES["64"], progressive=True, subsampling=0),
    "200 megapixels, CMYK": lambda: photo(PHONES["200"], texture(16320).convert("CMYK")),
    "40 megapixels, progressive": lambda: photo((8000, 4992), progressive=True),
    "panorama": lambda: photo(WIDE["panorama"]),
    **{f"screenshot, {kind}": lambda kind=kind: screenshot(kind)
       for kind in ("RGB", "RGBA", "palette", "16 bits", "grey", "interlaced")},
}  # fmt: skip


@pytest.mark.promise("S3", "12 large honest pictures, in 150 MB and 2 s of processor time")
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in another unit elsewhere")
def test_large_pictures_take_little_memory_and_time(tmp_path, measured):
    ordinary = tmp_path / "ordinary"
    ordinary.write_bytes(photo((4032, 3024)))
    usual = measured(ordinary)
    for number, (name, make) in enumerate(FILES.items()):
        path = tmp_path / str(number)
        path.write_bytes(make())
        found = measured(path)
        path.unlink()
        assert found.get("size"), (name, found)
        assert found["peak_mb"] - usual["peak_mb"] <= MAX_GROWTH_MB, (name, found, usual)
        assert found["seconds"] <= MAX_SECONDS * speed(), (name, found)


@pytest.mark.parametrize("size", [(65_500, 65_500), (65_535, 3_816), (20_000, 12_501)])
def test_a_jpeg_of_more_than_250_megapixels_is_too_large(size):
    with pytest.raises(PictureTooLarge):
        decode(jpeg(*size))
    with pytest.raises(PictureTooLarge):
        size_of(jpeg(*size))


@pytest.mark.parametrize("size", [(16_320, 12_240), (8_000, 6_000), (2_000, 1_000)])
def test_a_jpeg_that_cannot_hold_what_it_claims_is_truncated(size):
    with pytest.raises(BadPicture, match="truncated"):
        decode(jpeg(*size))


def test_a_large_jpeg_in_separate_scans_that_is_not_progressive_is_too_large():
    data = bytearray(jpeg(8_064, 6_048))
    scan = data.index(b"\xff\xda")
    data[scan + 4] = 1  # its first scan has one colour of three
    with pytest.raises(PictureTooLarge, match="several passes"):
        decode(bytes(data) + bytes(300_000) + b"\xff\xd9")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "I;16", "1"])
@pytest.mark.parametrize("at_least", [0, 8])
def test_a_big_picture_is_converted_in_strips(mode, at_least, monkeypatch):
    chance = np.random.default_rng(7)
    picture = Image.fromarray(chance.integers(0, 256, (9, 7, 4), np.uint8)).resize((61, 97), 3)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 257)
    else:
        picture = picture.convert("RGB").quantize(32) if mode == "P" else picture.convert(mode)
    out = io.BytesIO()
    picture.save(out, "PNG")
    whole = decode(out.getvalue())
    monkeypatch.setattr(limits, "BIG_PIXELS", 100)
    monkeypatch.setattr(loading, "_STRIP_PIXELS", 500)
    found = decode(out.getvalue(), at_least=at_least)
    if not at_least:
        assert found.tobytes() == whole.tobytes()
        return
    assert found.size == (9, 14)
    if mode not in ("RGBA", "LA"):  # there, a transparent pixel weighs less in an average
        assert np.abs(np.asarray(found, int) - np.asarray(whole.reduce(7), int)).max() <= 1


def test_big_pictures_are_decoded_one_at_a_time():
    inside, most, lock = [0], [0], threading.Lock()

    def work(big):
        with limits.one_at_a_time(big):
            with lock:
                inside[0] += big
                most[0] = max(most[0], inside[0])
            threading.Event().wait(0.002)
            with lock:
                inside[0] -= big

    threads = [threading.Thread(target=work, args=(number % 4 > 0,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


@pytest.mark.parametrize("ended", [True, False])
def test_a_progressive_jpeg_is_big_by_its_coefficients(ended, monkeypatch):
    """Its decoder holds them all, and so does the one that reads eighths: never two at once."""
    monkeypatch.setattr(limits, "MAX_COEFFICIENT_BYTES", 0 if ended else 10**9)
    monkeypatch.setattr(limits, "BIG_COEFFICIENT_BYTES", 0)
    owned = []
    eighth, decoded = progressive.decode_eighth, jpeg_end._decoded
    monkeypatch.setattr(progressive, "decode_eighth", lambda *a: owned.append(limits._big._is_owned()) or eighth(*a))
    monkeypatch.setattr(jpeg_end, "_decoded", lambda *a: owned.append(limits._big._is_owned()) or decoded(*a))
    data = tall_jpeg(texture(320), 20, progressive=True)
    decode(data if ended else data[:-2])
    assert owned == ([True] if ended else [True, True])


@given(st.lists(st.binary(max_size=30), max_size=6), st.lists(st.tuples(st.integers(0, 99), st.integers(-1, 40))))
def test_a_file_in_pieces_reads_as_one(pieces, steps):
    file, joined = io.BufferedReader(_Pieces(pieces), 8), io.BytesIO(b"".join(pieces))
    for place, count in steps:
        assert file.seek(place) == joined.seek(place)
        assert file.read(count) == joined.read(count)
        assert file.tell() == joined.tell()
