"""ICC profiles made from their definitions, apart from the code under test; and pictures that carry them."""

import io
import struct

import numpy as np
from PIL import Image, ImageCms

D50, D65 = np.array([0.9642, 1.0, 0.8249]), (0.3127, 0.3290)
REC709, P3 = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
PROPHOTO = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def srgb_light(value):
    value = np.asarray(value, float)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def srgb_value(light):
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def matrix(primaries, white=D65):
    """Linear RGB to XYZ under D50."""
    xyz = lambda x, y: np.array([x / y, 1.0, (1 - x - y) / y])  # noqa: E731
    adapt = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / (BRADFORD @ xyz(*white))) @ BRADFORD
    columns = np.stack([xyz(*point) for point in primaries], 1)
    return adapt @ (columns * np.linalg.solve(columns, xyz(*white)))


def stored(colour, primaries, light, value_of, white=D65):
    """The values, 0 to 255, by which a file in another space stores a colour of sRGB."""
    linear = np.linalg.solve(matrix(primaries, white), matrix(REC709) @ light(np.array(colour) / 255))
    return tuple(round(255 * float(v)) for v in value_of(np.clip(linear, 0, 1)))


def assembled(tags, space=b"RGB ", kind=b"mntr", version=0x02400000):
    at, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags:
        data += b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s6H", 128 + len(table) + len(body), b"none", version, kind, space, b"XYZ ", *[1] * 6)
    head = (head + b"acsp").ljust(68, b"\0") + b"".join(map(fixed, D50))
    return head.ljust(128, b"\0") + table + body


def fixed(value):
    return struct.pack(">i", round(float(value) * 65536))


def xyz_tag(values):
    return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))


def curve(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def sampled_srgb():
    samples = np.round(65535 * srgb_light(np.arange(1024) / 1023)).astype(int)
    return b"curv\0\0\0\0" + struct.pack(">I", 1024) + b"".join(struct.pack(">H", v) for v in samples)


def rgb_profile(primaries, shape, white=D65, order=(0, 1, 2)):
    columns = matrix(primaries, white)[:, list(order)]
    tags = [(b"wtpt", xyz_tag(D50))]
    tags += [(name, xyz_tag(columns[:, i])) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))]
    return assembled(tags + [(name, shape) for name in (b"rTRC", b"gTRC", b"bTRC")])


def grey_profile(gamma):
    return assembled([(b"wtpt", xyz_tag(D50)), (b"kTRC", curve(gamma))], space=b"GRAY")


def ink_profile(inks):
    """A CMYK profile: sixteen colours of sRGB by (cyan, magenta, yellow, black) full or empty, mixed in between."""
    nodes = np.array([matrix(REC709) @ srgb_light(np.array(inks(c, m, y, k)) / 255)
                      for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)])  # fmt: skip
    values = np.round(np.clip(nodes, 0, 1.99) * 32768).astype(int).ravel()
    identity = b"".join(map(fixed, np.eye(3).ravel()))
    ramp = struct.pack(">HH", 0, 65535)
    table = b"mft2\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + struct.pack(">HH", 2, 2)
    table += ramp * 4 + b"".join(struct.pack(">H", v) for v in values) + ramp * 3
    return assembled([(b"wtpt", xyz_tag(D50)), (b"A2B0", table)], space=b"CMYK", kind=b"prtr")


SPACES = {
    "Display P3": rgb_profile(P3, sampled_srgb()),
    "Adobe RGB": rgb_profile(ADOBE, curve(2.19921875)),
    "ProPhoto": rgb_profile(PROPHOTO, curve(1.8), white=(0.3457, 0.3585)),
    "linear": rgb_profile(REC709, curve(1.0)),
    "swapped channels": rgb_profile(REC709, sampled_srgb(), order=(1, 2, 0)),
}
SRGB = rgb_profile(REC709, sampled_srgb())


def in_space(picture, profile):
    """The picture as a program stores it that works in the profile's colours."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    made = ImageCms.profileToProfile(picture, ImageCms.createProfile("sRGB"), source, renderingIntent=1)
    made.info.clear()
    return made


def swatches(size=(96, 64)):
    """Six areas of quiet colours, none of them outside the smallest of the spaces."""
    picture = Image.new("RGB", size)
    colours = [(193, 129, 110), (90, 120, 160), (128, 128, 128), (230, 220, 205), (60, 70, 50), (170, 140, 60)]
    w, h = size[0] // 3, size[1] // 2
    for i, colour in enumerate(colours):
        picture.paste(colour, (i % 3 * w, i // 3 * h, i % 3 * w + w, i // 3 * h + h))
    return picture
