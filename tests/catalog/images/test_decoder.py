"""Good pictures come out upright, whole and RGB; bad ones raise BadPicture's family, quickly, and nothing else."""

import io
import random
import resource
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile, features

from catalog import images
from catalog.errors import BadPicture, PictureTooLarge, UnsupportedFormat
from catalog.images import loading
from catalog.images.decoder import content_hash, decode, read_file, size_of, thumbnail
from catalog.images.formats import sniff
from catalog.images.metadata import orientation
from tests.timing import ProcessorTime, speed

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
AVIF = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")


def saved(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def quarters(size=(64, 48)):
    """Red and green above, blue and white below: every turn and flip looks different."""
    picture = Image.new("RGB", size, WHITE)
    w, h = size[0] // 2, size[1] // 2
    for colour, corner in ((RED, (0, 0)), (GREEN, (w, 0)), (BLUE, (0, h))):
        picture.paste(colour, (*corner, corner[0] + w, corner[1] + h))
    return picture


def corners(picture):
    w, h = picture.size
    points = ((w // 8, h // 8), (w - 1 - w // 8, h // 8), (w // 8, h - 1 - h // 8), (w - 1 - w // 8, h - 1 - h // 8))
    return [picture.getpixel(point) for point in points]


def close(seen, expected, tolerance=12):
    return np.abs(np.array(seen, int) - np.array(expected, int)).max() <= tolerance


def exif(value, order="<"):
    head = b"II*\0" if order == "<" else b"MM\0*"
    return b"Exif\0\0" + head + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, value, 0, 0)


def png_chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_claiming(width, height):
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", zlib.compress(bytes(1000))) + png_chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", pytest.param("AVIF", marks=AVIF)])
def test_every_allowed_format(kind):
    data = saved(quarters(), kind)
    assert sniff(data) == kind
    picture = decode(data)
    assert (picture.mode, picture.size) == ("RGB", (64, 48))
    assert close(corners(picture), [RED, GREEN, BLUE, WHITE])
    assert picture.info == {}


def test_heif_when_its_package_is_here():
    heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    heif.from_pillow(quarters()).save(out)
    assert sniff(out.getvalue()) == "HEIF"
    assert close(corners(decode(out.getvalue())), [RED, GREEN, BLUE, WHITE], 24)


def test_heif_without_its_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    loading._check_plugin.cache_clear()
    data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)
    with pytest.raises(UnsupportedFormat) as raised:
        decode(data)
    loading._check_plugin.cache_clear()
    assert "pip install '.[heif]'" in raised.value.hint


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("order", "<>")
def test_all_orientations_give_the_same_upright_picture(value, kind, order):
    back = {1: [], 2: [0], 3: [3], 4: [1], 5: [5], 6: [2], 7: [6], 8: [4]}[value]  # the turn that undoes it
    stored = quarters()
    for method in back:
        stored = stored.transpose(Image.Transpose(method))
    data = saved(stored, kind, exif=exif(value, order)[6:] if kind == "PNG" else exif(value, order))
    picture = decode(data)
    assert picture.size == size_of(data) == (64, 48)
    assert close(corners(picture), [RED, GREEN, BLUE, WHITE])


@AVIF
def test_avif_is_turned_by_its_own_boxes():
    data = saved(quarters().transpose(Image.Transpose.ROTATE_90), "AVIF", exif=exif(6))
    picture = decode(data)
    assert picture.size == size_of(data) == (64, 48)
    assert close(corners(picture), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"Exif\0\0II*\0", exif(6)[:-8], exif(0), exif(99), b"\xff" * 99])
def test_a_damaged_exif_block_turns_nothing(block):
    assert orientation(block) == 1


def test_overlapping_exif_entries_take_no_memory():
    entries = 5000
    body = b"II*\0" + struct.pack("<IH", 8, entries)
    body += b"".join(struct.pack("<HHII", tag, 7, 60_000, 0) for tag in range(1, entries + 1))
    segment = b"Exif\0\0" + body.ljust(65_000, b"\0")
    data = saved(quarters(), "JPEG")
    data = data[:2] + (b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment) * 20 + data[2:]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert decode(data).size == (64, 48)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", pytest.param("AVIF", marks=AVIF)])
def test_pillow_never_parses_exif(kind, monkeypatch):
    data = saved(quarters(), kind, exif=exif(6))

    def spy(*_):
        raise AssertionError("Pillow parsed EXIF")

    monkeypatch.setattr(Image.Exif, "load", spy)
    assert decode(data).mode == "RGB"


def test_cmyk_jpeg():
    data = saved(quarters().convert("CMYK"), "JPEG")
    assert close(corners(decode(data)), [RED, GREEN, BLUE, WHITE], 24)


def test_16_bit_png_is_scaled_not_clipped():
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    picture = np.asarray(decode(saved(Image.fromarray(ramp), "PNG")))
    assert np.abs(picture[..., 0].astype(int) - (ramp >> 8)).max() == 0


def test_16_bit_png_with_a_transparent_grey():
    grey = np.full((4, 4), 30_000, np.uint16)
    grey[0] = 1000
    data = saved(Image.fromarray(grey), "PNG")
    data = data[:33] + png_chunk(b"tRNS", struct.pack(">H", 1000)) + data[33:]
    picture = decode(data)
    assert (picture.getpixel((0, 0)), picture.getpixel((0, 1))) == (WHITE, (117, 117, 117))


def transparent(mode):
    picture = Image.new("RGBA", (8, 8), (0, 0, 255, 255))
    picture.paste((200, 0, 0, 0), (0, 0, 8, 4))
    if mode == "P":
        picture = picture.convert("RGB").quantize(4)
        return saved(picture, "PNG", transparency=picture.getpixel((0, 0)))
    if mode == "PA":
        return saved(picture.quantize(4), "PNG")
    if mode == "RGB":
        return saved(picture.convert("RGB"), "PNG", transparency=(200, 0, 0))
    return saved(picture.convert(mode), "PNG")


@pytest.mark.parametrize("mode", ["P", "PA", "LA", "RGBA", "RGB"])
def test_what_is_transparent_shows_white(mode):
    picture = decode(transparent(mode))
    assert picture.getpixel((1, 1)) == WHITE
    below = picture.getpixel((1, 6))
    assert close(below, (29, 29, 29) if mode == "LA" else BLUE)


def test_one_bit_and_grey():
    half = Image.new("1", (8, 8))
    half.paste(1, (0, 0, 4, 8))
    picture = decode(saved(half, "PNG"))
    assert (picture.getpixel((0, 0)), picture.getpixel((7, 7))) == (WHITE, (0, 0, 0))
    assert close(decode(saved(Image.new("L", (9, 9), 77), "JPEG")).getpixel((4, 4)), (77, 77, 77), 2)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_one_pixel(kind):
    picture = decode(saved(Image.new("RGB", (1, 1), RED), kind), box=(0.9, 0.9, 1.0, 1.0), at_least=224)
    assert picture.size == (1, 1)
    assert thumbnail(picture, 64).startswith(b"\xff\xd8")


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame(kind):
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, GREEN, BLUE)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)
    assert Image.open(io.BytesIO(data)).n_frames == 3
    assert decode(data).getpixel((8, 8)) == RED


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_trailing_garbage_is_ignored(kind):
    data = saved(quarters(), kind)
    assert decode(data + b"\0garbage\xff\xd8\xff" * 50).tobytes() == decode(data).tobytes()


def test_the_crop_box_is_of_the_turned_picture():
    data = saved(quarters().transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif(6), quality=95)
    top_right = decode(data, box=(0.5, 0.0, 1.0, 0.5))
    assert top_right.size == (32, 24)
    assert close(corners(top_right), [GREEN] * 4)


@pytest.mark.parametrize(
    "box", [(0.5, 0, 0.5, 1), (0, 0.6, 1, 0.4), (-0.1, 0, 1, 1), (0, 0, 1.1, 1), (float("nan"),) * 4]
)
def test_a_bad_crop_box(box):
    with pytest.raises(BadPicture, match="crop box"):
        decode(saved(quarters(), "PNG"), box=box)


def test_big_jpegs_may_be_decoded_smaller():
    data = saved(quarters((1600, 1200)), "JPEG")
    assert decode(data).size == (1600, 1200)
    assert decode(data, at_least=224).size == (400, 300)
    assert min(decode(data, at_least=224, box=(0.25, 0.25, 0.5, 0.5)).size) >= 224
    assert decode(saved(quarters(), "JPEG"), at_least=224).size == (64, 48)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", pytest.param("AVIF", marks=AVIF)])
def test_truncated(kind):
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8))
    data = saved(noise, kind)
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(BadPicture):
            decode(data[: int(len(data) * share)])
    for end in range(0, 40):
        with pytest.raises(BadPicture):
            decode(data[:end])


def test_zero_bytes_and_a_renamed_text_file():
    with pytest.raises(UnsupportedFormat, match="is empty"):
        decode(b"")
    with pytest.raises(UnsupportedFormat, match="is text"):
        decode(b"this was a shopping list\n")


@pytest.mark.parametrize("kind", ["EPS", "TIFF", "BMP", "PPM", "TGA", "ICO", "PCX", "PDF", "ICNS", "SGI"])
def test_other_formats_never_reach_their_plugin(kind, monkeypatch):
    data = saved(Image.new("RGB", (32, 32), RED), kind)
    Image.init()

    def spy(*_):
        raise AssertionError(f"the {kind} plugin ran")

    if kind in Image.OPEN:
        monkeypatch.setitem(Image.OPEN, kind, (spy, Image.OPEN[kind][1]))
    with pytest.raises(UnsupportedFormat):
        decode(data)


def test_a_60_megapixel_bomb_is_refused_before_it_takes_memory():
    webp = saved(Image.new("RGBA", (8, 8), (1, 2, 3, 4)), "WEBP", lossless=True, exif=exif(1))
    assert webp[12:16] == b"VP8X"
    claims = (10_000 - 1).to_bytes(3, "little") + (6_000 - 1).to_bytes(3, "little")
    gif = saved(Image.new("P", (8, 8)), "GIF")
    jpeg = saved(Image.new("RGB", (8, 8)), "JPEG")
    frame = jpeg.index(b"\xff\xc0")
    bombs = [
        png_claiming(10_000, 6_000),
        png_claiming(2**31 - 1, 2**31 - 1),
        webp[:24] + claims + webp[30:],
        gif[:6] + struct.pack("<HH", 10_000, 6_000) + gif[10:],
        jpeg[: frame + 5] + struct.pack(">HH", 6_000, 10_000) + jpeg[frame + 9 :],
    ]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with ProcessorTime() as spell:
        for bomb in bombs:
            with pytest.raises(BadPicture):  # a JPEG may claim so many pixels, but this one has none of them
                decode(bomb)
    assert spell.seconds < 0.5 * speed()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # KiB; one such picture has 180,000


def test_a_picture_just_under_the_limit_warns_of_nothing():
    assert decode(saved(Image.new("1", (8_000, 5_000)), "PNG"), box=(0, 0, 0.001, 0.001)).size == (8, 5)


def test_a_jpeg_of_endless_scans_is_refused():
    data = saved(quarters(), "JPEG", progressive=True)
    scan = data.rindex(b"\xff\xda")
    with pytest.raises(BadPicture, match="scans"):
        decode(data[:-2] + data[scan:-2] * 100 + b"\xff\xd9")


def test_a_png_of_endless_parts_is_refused():
    data = png_claiming(8, 8)
    with pytest.raises(BadPicture, match="parts"):
        decode(data[:33] + png_chunk(b"IDAT", b"") * 100_001 + data[33:])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", pytest.param("AVIF", marks=AVIF), "HEIF"])
def test_mutated_files_raise_nothing_else(kind):
    picture = Image.fromarray(np.random.default_rng(2).integers(0, 255, (24, 24, 3), np.uint8))
    if kind == "HEIF":
        heif = pytest.importorskip("pillow_heif")
        out = io.BytesIO()
        heif.from_pillow(picture).save(out)
        data = out.getvalue()
    else:
        data = saved(picture, kind, exif=exif(6)) if kind not in ("GIF", "PNG") else saved(picture, kind)
    chance = random.Random(7)
    for _ in range(200):
        mutant = bytearray(data)
        for _ in range(chance.randint(1, 8)):
            mutant[chance.randrange(min(len(mutant), chance.choice((40, 400, 10**6))))] = chance.randrange(256)
        try:
            assert decode(bytes(mutant)).mode == "RGB"
        except BadPicture as error:
            assert error.message
            assert "0x" not in error.message


def test_truncated_pictures_stay_forbidden():
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_content_hash_is_of_the_files_bytes():
    assert content_hash(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_size_is_read_without_decoding(monkeypatch):
    data = saved(quarters(), "JPEG")
    monkeypatch.setattr(ImageFile.ImageFile, "load", None)
    assert size_of(data) == (64, 48)
    for bad in (b"", data[:20], png_claiming(100_000, 100_000)):
        with pytest.raises(BadPicture):
            size_of(bad)


def test_a_name_that_no_file_can_have(tmp_path):
    with pytest.raises(BadPicture, match="cannot be a file's name"):
        read_file(tmp_path / "a\0b.jpg")


def test_thumbnail_is_small_and_bare():
    picture = decode(saved(quarters((300, 200)), "JPEG", exif=exif(1), comment=b"private"))
    data = thumbnail(picture, 64)
    small = Image.open(io.BytesIO(data))
    assert (small.format, small.size) == ("JPEG", (64, 43))
    assert b"Exif" not in data
    assert b"private" not in data
    assert Image.open(io.BytesIO(thumbnail(picture, 1000))).size == (300, 200)


def test_read_file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"abc")
    assert read_file(path) == b"abc"
    with pytest.raises(BadPicture, match=r"gone\.png cannot be read"):
        read_file(tmp_path / "gone.png")
    with pytest.raises(BadPicture, match="not a regular file"):
        read_file(tmp_path)
    with path.open("wb") as file:
        file.truncate(images.MAX_FILE_BYTES + 1)
    with pytest.raises(PictureTooLarge):
        read_file(path)


def test_bytes_over_the_limit():
    with pytest.raises(PictureTooLarge):
        decode(bytes(images.MAX_FILE_BYTES + 1))
