"""A picture with a colour profile looks as a browser shows it, whatever its format; a bad profile changes nothing."""

import io
import random
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image, features

from catalog.images import changes_colours, decode, thumbnail
from catalog.images import colours as module
from catalog.images.icc import MAX_PROFILE_BYTES
from tests.catalog.images import profiles
from tests.catalog.images.profiles import SPACES, SRGB, in_space, swatches
from tests.promises.pictures import chunk
from tests.timing import speed

AVIF = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
KINDS = ["JPEG", "PNG", "WEBP", pytest.param("AVIF", marks=AVIF), "HEIF"]
TOLERANCE = 3  # of 255


def saved(picture, kind, profile=None):
    out = io.BytesIO()
    options = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}, "AVIF": {"quality": 98}}
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
        options["HEIF"] = {"quality": 98, "chroma": 444}
    picture.save(out, kind, **options.get(kind, {}), **({"icc_profile": profile} if profile else {}))
    return out.getvalue()


def middles(picture):
    """The colour in the middle of each of the six areas."""
    w, h = picture.size
    return np.array([picture.getpixel((w * (2 * i + 1) // 6, h * (2 * j + 1) // 4)) for j in (0, 1) for i in (0, 1, 2)])


def error(data):
    return np.abs(middles(decode(data)).astype(int) - middles(swatches())).max()


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_colours_of_a_profile_become_those_of_srgb(kind, name):
    data = saved(in_space(swatches(), SPACES[name]), kind, SPACES[name])
    assert changes_colours(data)
    steep = name in ("ProPhoto", "linear") and kind not in (
        "PNG",
        "WEBP",
    )  # a lossy format's rounding weighs more there
    assert error(data) <= TOLERANCE + 2 * steep


def test_a_colour_of_display_p3_is_what_its_definition_says():
    colour = (193, 129, 110)
    value = profiles.stored(colour, profiles.P3, profiles.srgb_light, profiles.srgb_value)
    assert value != colour
    data = saved(Image.new("RGB", (16, 16), value), "PNG", SPACES["Display P3"])
    assert np.abs(np.array(decode(data).getpixel((8, 8))) - colour).max() <= 1


@pytest.mark.parametrize("at_least", [0, 16])
def test_a_jpeg_decoded_smaller_and_its_thumbnail_have_the_same_colours(at_least):
    data = saved(in_space(swatches((960, 640)), SPACES["ProPhoto"]), "JPEG", SPACES["ProPhoto"])
    picture = decode(data, at_least=at_least)
    for shown in (picture, Image.open(io.BytesIO(thumbnail(picture, 64)))):
        assert np.abs(middles(shown).astype(int) - middles(swatches())).max() <= TOLERANCE + 2


def test_what_is_transparent_stays_so():
    picture = in_space(swatches(), SPACES["Adobe RGB"]).convert("RGBA")
    picture.putalpha(Image.new("L", picture.size, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 32, 32))
    found = middles(decode(saved(picture, "PNG", SPACES["Adobe RGB"])))
    assert found[0].tolist() == [255, 255, 255]
    assert np.abs(found[1:].astype(int) - middles(swatches())[1:]).max() <= TOLERANCE


@pytest.mark.parametrize("mode", ["P", "L", "LA", "1"])
def test_palettes_and_greys_with_a_profile_for_colours(mode):
    light = SPACES["linear"]
    picture = in_space(swatches(), light).convert("RGB").quantize(16) if mode == "P" else None
    if picture is None:
        picture = in_space(swatches(), light).convert("L").convert(mode)
        grey = middles(in_space(swatches(), light).convert("L").convert("RGB"))
        expected = np.round(255 * profiles.srgb_value(grey / 255))
        if mode == "1":
            expected = middles(picture.convert("RGB"))
    else:
        expected = middles(swatches())
    found = middles(decode(saved(picture, "PNG", light)))
    assert np.abs(found - expected).max() <= TOLERANCE


def test_a_grey_picture_with_a_profile_for_greys():
    picture = Image.new("L", (16, 16), 55)
    expected = round(255 * float(profiles.srgb_value((55 / 255) ** 1.0)))
    found = decode(saved(picture, "PNG", profiles.grey_profile(1.0))).getpixel((8, 8))
    assert np.abs(np.array(found) - expected).max() <= TOLERANCE
    assert np.ptp(found) == 0


INKS = {(1, 0, 0, 0): (20, 158, 205), (0, 1, 0, 0): (205, 40, 125), (0, 0, 1, 0): (240, 225, 60)}


def ink(*amounts):
    if amounts[3]:
        return (35, 31, 32)
    return INKS.get(amounts, (255, 255, 255) if not any(amounts) else (90, 80, 70))


def test_inks_with_a_profile_for_printing():
    profile = profiles.ink_profile(ink)
    for amounts in [*INKS, (0, 0, 0, 1), (0, 0, 0, 0)]:
        picture = Image.new("CMYK", (32, 32), tuple(255 * amount for amount in amounts))
        found = decode(saved(picture, "JPEG", profile)).getpixel((16, 16))
        assert np.abs(np.array(found) - ink(*amounts)).max() <= TOLERANCE, (amounts, found)


def test_inks_without_a_profile_are_as_before():
    for amounts, colour in (
        ((255, 0, 0, 0), (0, 255, 255)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 0, 0, 0), (255, 255, 255)),
    ):
        found = decode(saved(Image.new("CMYK", (32, 32), amounts), "JPEG")).getpixel((16, 16))
        assert np.abs(np.array(found) - colour).max() <= TOLERANCE


def png_with(picture, *chunks):
    data = saved(picture, "PNG")
    return data[:33] + b"".join(chunk(name, body) for name, body in chunks) + data[33:]


def points(primaries, white=profiles.D65):
    return struct.pack(">8I", *[round(1e5 * value) for point in (white, *primaries) for value in point])


def gamma(value):
    return struct.pack(">I", round(1e5 / value))


def test_a_png_that_states_gamma_and_primaries():
    wide = in_space(swatches(), SPACES["Adobe RGB"])
    assert error(png_with(wide, (b"gAMA", gamma(2.19921875)), (b"cHRM", points(profiles.ADOBE)))) <= TOLERANCE
    linear = in_space(swatches(), SPACES["linear"])
    assert error(png_with(linear, (b"gAMA", gamma(1.0)))) <= TOLERANCE


def test_a_png_that_names_its_colours_by_numbers():
    wide = in_space(swatches(), SPACES["Display P3"])
    assert error(png_with(wide, (b"cICP", bytes((12, 13, 0, 1))))) <= TOLERANCE
    unknown = (b"cICP", bytes((99, 16, 0, 1)))
    assert error(png_with(swatches(), unknown)) == 0
    assert error(png_with(wide, unknown, (b"gAMA", gamma(2.2)), (b"cHRM", points(profiles.P3)))) <= 12


@AVIF
def test_an_avif_that_names_its_colours_by_numbers():
    data = saved(in_space(swatches(), SPACES["Display P3"]), "AVIF")
    place = data.index(b"colrnclx") + 8
    assert error(data) > TOLERANCE
    assert error(data[:place] + struct.pack(">HH", 12, 13) + data[place + 4 :]) <= TOLERANCE


def test_which_of_a_pngs_statements_goes_first():
    dark = (b"gAMA", gamma(1.0))
    assert error(png_with(swatches(), dark, (b"sRGB", b"\0"))) == 0
    packed = (b"iCCP", b"a\0\0" + zlib.compress(SRGB))
    assert error(png_with(swatches(), dark, packed)) == 0
    assert (
        error(png_with(in_space(swatches(), SPACES["Display P3"]), packed, (b"cICP", bytes((12, 13, 0, 1)))))
        <= TOLERANCE
    )


def test_what_encoders_state_for_srgb_changes_nothing():
    usual = (b"gAMA", struct.pack(">I", 45_455)), (b"cHRM", points(profiles.REC709))
    plain = saved(swatches(), "PNG")
    for data in (png_with(swatches(), *usual), png_with(swatches(), usual[0]), saved(swatches(), "PNG", SRGB)):
        assert decode(data).tobytes() == decode(plain).tobytes()
        assert not changes_colours(data)


@pytest.mark.parametrize("value", [0, 1, 2**31 - 1, 2**32 - 1])
def test_nonsense_in_gamma_and_primaries(value):
    body = struct.pack(">I", value)
    assert error(png_with(swatches(), (b"gAMA", body))) == 0
    assert error(png_with(swatches(), (b"gAMA", gamma(1.8)), (b"cHRM", body * 8))) in (0, *range(60))


def segments(profile, order=None):
    parts = [profile[i : i + 60_000] for i in range(0, len(profile), 60_000)]
    made = []
    for i, part in enumerate(parts):
        head = b"\xff\xe2" + struct.pack(">H", 16 + len(part)) + b"ICC_PROFILE\0"
        made.append(head + bytes((i + 1, len(parts))) + part)
    return b"".join(made[i] for i in order or range(len(made)))


def test_a_profile_in_several_segments_of_a_jpeg_in_any_order():
    padded = SPACES["ProPhoto"] + bytes(150_000)
    padded = struct.pack(">I", len(padded)) + padded[4:]
    data = saved(in_space(swatches(), SPACES["ProPhoto"]), "JPEG")
    for order in ((0, 1, 2), (2, 0, 1)):
        assert error(data[:2] + segments(padded, order) + data[2:]) <= TOLERANCE + 2
    assert error(data[:2] + segments(padded, (1, 2)) + data[2:]) > TOLERANCE + 2  # its beginning is missing


UNUSABLE = {
    "text": b"no profile at all" * 20,
    "cut": SPACES["ProPhoto"][:200],
    "cut at its end": SPACES["ProPhoto"][:-1],
    "header": SPACES["ProPhoto"][:128],
    "zeros": b"\0" * 4_000,
    "for greys": profiles.grey_profile(1.0),
    "for inks": profiles.ink_profile(ink),
    "a link": SPACES["ProPhoto"].replace(b"mntr", b"link"),
    "without red": SPACES["linear"].replace(b"rXYZ", b"xXYZ"),
}


@pytest.mark.parametrize("profile", UNUSABLE.values(), ids=list(UNUSABLE))
def test_a_profile_that_cannot_be_used_changes_nothing(profile):
    for kind in ("JPEG", "PNG", "WEBP"):
        data = saved(swatches(), kind, profile)
        assert decode(data).tobytes() == decode(saved(swatches(), kind)).tobytes()
        assert not changes_colours(data) or profile[16:20] != b"RGB "


def test_a_profile_that_would_show_white_as_dark_is_damaged():
    black = SPACES["linear"].replace(profiles.curve(1.0), profiles.curve(0.0))
    zero = profiles.assembled([(b"wtpt", profiles.xyz_tag(profiles.D50))]
        + [(name, profiles.xyz_tag((0, 0, 0))) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        + [(name, profiles.curve(1.0)) for name in (b"rTRC", b"gTRC", b"bTRC")])  # fmt: skip
    for profile in (zero, black):
        assert decode(saved(swatches(), "PNG", profile)).getpixel((80, 60)) == swatches().getpixel((80, 60))


def test_a_profile_beyond_the_limit_is_not_unpacked():
    huge = SPACES["linear"] + bytes(MAX_PROFILE_BYTES)
    assert error(saved(swatches(), "PNG", huge)) == 0
    assert error(saved(swatches(), "WEBP", huge)) == 0


def test_a_usual_profile_is_read_once():
    module._cached_transform.cache_clear()
    data = saved(swatches(), "JPEG", SRGB)
    for _ in range(5):
        decode(data)
    assert module._cached_transform.cache_info().misses == 1


@pytest.mark.parametrize("profile", [*SPACES.values(), profiles.ink_profile(ink), profiles.grey_profile(1.8)],
                         ids=[*SPACES, "inks", "greys"])  # fmt: skip
def test_damaged_profiles_are_used_or_ignored(profile):
    convert_with_mutants(profile, 60, 11)


@pytest.mark.torture
@pytest.mark.parametrize("name", SPACES)
def test_damaged_profiles_are_used_or_ignored_at_length(name):
    convert_with_mutants(SPACES[name], 2_000, 12)


def convert_with_mutants(profile, how_many, seed):
    chance = random.Random(seed)
    mode = {b"CMYK": "CMYK", b"GRAY": "L"}.get(profile[16:20], "RGB")
    picture = Image.new(mode, (8, 8))
    for _ in range(how_many):
        mutant = bytearray(profile)
        for _ in range(chance.randint(1, 8)):
            mutant[chance.randrange(min(len(mutant), chance.choice((40, 300, 10**6))))] = chance.randrange(256)
        if chance.random() < 0.3:
            del mutant[chance.randrange(len(mutant)) :]
        began = time.process_time()
        assert module.to_srgb(picture.copy(), bytes(mutant)).size == (8, 8)
        assert time.process_time() - began < 1 * speed()
