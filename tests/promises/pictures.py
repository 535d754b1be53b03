"""Picture files that strangers might send: one of every format, bombs, and mutants; made here from a seed."""

import io
import random
import struct
import zlib

from PIL import Image

ALLOWED = ("JPEG", "PNG", "WEBP", "AVIF", "GIF")
# How files begin of those formats that Pillow reads and cannot write.
BEGINNINGS = {
    "CUR": b"\0\0\2\0\1\0",
    "DCX": b"\xb1\x68\xde\x3a",
    "FITS": b"SIMPLE  =                    T",
    "FLI": b"\0\0\0\0\x12\xaf\1\0",
    "FTEX": b"FTEX",
    "GBR": b"\0\0\0\x1c\0\0\0\2",
    "IMT": b"width 2\nheight 2\n",
    "IPTC": b"\x1c\x02\x00\x00\x02\x00\x02",
    "MCIDAS": b"\0\0\0\0\0\0\0\4",
    "MPEG": b"\0\0\1\xb3\0\x20\x02",
    "PCD": b"\xff" * 2048 + b"PCD_",
    "PIXAR": b"\x80\xe8\0\0",
    "PSD": b"8BPS\0\1",
    "SUN": b"\x59\xa6\x6a\x95",
    "WMF": b"\xd7\xcd\xc6\x9a\0\0",
    "XPM": b"/* XPM */",
    "XVTHUMB": b"P7 332\n",
}


def saved(kind, picture=None, **options):
    picture = picture or Image.new("RGB", (32, 32), (220, 10, 10))
    out = io.BytesIO()
    if kind in ("MSP", "XBM"):
        picture = picture.convert("1")
    elif kind in ("SPIDER",):
        picture = picture.convert("F")
    elif kind == "BLP":
        picture = picture.convert("P")
    picture.save(out, kind, **options)
    return out.getvalue()


def a_file_of(kind):
    """The smallest honest file of a format, or its beginning and zeros where Pillow cannot write it."""
    if kind in BEGINNINGS:
        return BEGINNINGS[kind] + bytes(4096)
    if kind == "IM":  # Pillow still reads it, and warns when it is asked to write it
        return b"Image type: RGB image\r\n" + bytes(4096)
    if kind in ("BUFR", "GRIB", "HDF5"):  # written only by plugins of plugins
        return {"BUFR": b"BUFR", "GRIB": b"GRIB\0\0\0\1", "HDF5": b"\x89HDF\r\n\x1a\n"}[kind] + bytes(4096)
    return saved(kind)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, *more, bits=8, colour=2):
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return head + b"".join(more) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def jpeg(width, height, progressive=False):
    data = saved("JPEG", progressive=progressive)
    frame = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    return data[: frame + 5] + struct.pack(">HH", height, width) + data[frame + 9 :]


def gif(width, height):
    data = saved("GIF")
    return data[:6] + struct.pack("<HH", width, height) + data[10:]


def webp(width, height):
    data = saved(
        "WEBP", Image.new("RGBA", (8, 8), (1, 2, 3, 4)), lossless=True, exif=Image.Exif().tobytes() or b"Exif\0\0"
    )
    if data[12:16] != b"VP8X":
        head = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + b"\7\0\0\7\0\0"
        data = b"RIFF" + struct.pack("<I", len(data) - 8 + len(head)) + b"WEBP" + head + data[12:]
    claimed = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return data[:24] + claimed + data[30:]


def avif(width, height):
    data = saved("AVIF")
    place = data.index(b"ispe") + 8
    return data[:place] + struct.pack(">II", width, height) + data[place + 8 :]


def animated(kind, frames):
    first, *more = [Image.new("P", (2, 2), number % 2) for number in range(frames)]
    out = io.BytesIO()
    first.save(out, kind, save_all=True, append_images=more, duration=10)
    return out.getvalue()


def bombs():
    """Name -> bytes of files that claim, or unpack to, far more than they are."""
    packed = zlib.compress(bytes(60_000_000), 9)
    huge = {
        "square": (30_000, 30_000),
        "wide": (16_000, 3_000),
        "wider": (16_383, 16_383),
        "just over": (6_500, 6_300),
    }
    makers = {"PNG": png, "JPEG": jpeg, "GIF": gif, "WEBP": webp, "AVIF": avif}
    found = {f"{kind} {name}": make(*size) for kind, make in makers.items() for name, size in huge.items()
             if kind != "WEBP" or max(size) <= 16_383}  # fmt: skip
    found |= {"PNG of 2**31": png(2**31 - 1, 2**31 - 1), "PNG of 16 bits": png(20_000, 20_000, bits=16, colour=6)}
    found |= {"JPEG of 2**16": jpeg(65_535, 65_535), "GIF of 2**16": gif(65_535, 65_535)}
    found |= {
        "JPEG of nothing": jpeg(16_320, 12_240),
        "JPEG of nothing, progressive": jpeg(16_320, 12_240, progressive=True),
    }
    found |= {"progressive JPEG of zeros": jpeg(16_320, 12_240, progressive=True)[:-2] + bytes(9_000_000) + b"\xff\xd9"}
    return found, {
        "zTXt": png(8, 8, chunk(b"zTXt", b"a\0\0" + packed)),
        "iTXt": png(8, 8, chunk(b"iTXt", b"a\0\1\0\0\0" + packed)),
        "iCCP": png(8, 8, chunk(b"iCCP", b"a\0\0" + packed)),
        "cICP": png(8, 8, chunk(b"cICP", bytes((12, 13, 0, 1)) * 999)),
        "gAMA": png(8, 8, chunk(b"gAMA", b"\0\0\0\1"), chunk(b"cHRM", bytes(32))),
        "10,000 frames GIF": animated("GIF", 10_000),
        "2,000 frames WEBP": animated("WEBP", 2_000),
    }


def mutant(data, chance: random.Random):
    """A copy with bytes changed, cut out, doubled or put in, most of them near its beginning."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(min(len(changed), chance.choice((40, 400, 10**6))) or 1)
        deed = chance.randrange(8)
        if deed < 5:
            changed[place : place + 1] = bytes([chance.randrange(256)])
        elif deed == 5:
            del changed[place : place + chance.randrange(1, 64)]
        elif deed == 6:
            changed[place:place] = changed[place : place + chance.randrange(1, 64)]
        else:
            changed[place : place + 4] = chance.choice(
                (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0")
            )
        if not changed:
            changed = bytearray(b"\0")
    return bytes(changed)
