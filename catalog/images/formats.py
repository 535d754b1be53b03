"""Recognise picture formats, remove metadata, read claimed sizes; nothing here decodes pixels."""

from __future__ import annotations

import struct

from catalog.errors import BadPicture, UnsupportedFormat

ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".gif", ".heic", ".heif", ".hif")

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_FOREIGN: dict[str, bytes | tuple[bytes, ...]] = {  # how other files begin, in lower case
    "a TIFF picture": (b"ii*\0", b"mm\0*"),
    "a BMP picture": b"bm",
    "PostScript": (b"%!ps", b"\xc5\xd0\xd3\xc6"),
    "a PDF document": b"%pdf",
    "an SVG drawing": b"<svg",
    "XML or an SVG drawing": b"<?xml",
    "a web page": (b"<!doctype", b"<html"),
    "a ZIP archive": b"pk\x03\x04",
}
# Real progressive files have about ten scans. Each scan costs a pass over all pixels but only a few bytes of file,
# so a small file with thousands of them would occupy a processor for minutes.
_MAX_SCANS = 50
_MAX_PARTS = 100_000
_PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


def sniff(data: bytes) -> str:
    """Return the allowed format that the bytes begin like. Raises UnsupportedFormat."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        brands = _brands(data)
        if brands & _AVIF_BRANDS:
            return "AVIF"
        if brands & _HEIF_BRANDS:
            return "HEIF"
    problem = f"The file is {_describe(data)}, not a picture of a format that can be read."
    raise UnsupportedFormat(problem, "Save it as JPEG, PNG, WebP, AVIF or GIF.")


def scrub(data: bytes, kind: str) -> tuple[bytes, bytes]:
    """Return the bytes without the metadata that a decoder would parse, and the EXIF block.

    Pillow reads every EXIF entry when it opens a JPEG or AVIF, and entries may overlap, so that a few megabytes of
    file can claim gigabytes of memory. Only the orientation is needed from there; see `orientation`.
    """
    if kind == "JPEG":
        return _scrub_jpeg(data)
    if kind == "PNG":
        return _scrub_png(data)
    if kind == "AVIF":
        return _scrub_avif(data), b""
    return data, b""


def orientation(exif: bytes) -> int:
    """Read the orientation, 1 to 8, from an EXIF block; 1 when it is absent or damaged."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(entries):
            tag, value_type, _, value = struct.unpack_from(order + "HHIH", tiff, start + 2 + 12 * entry)
            if tag == 0x0112 and value_type == 3:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass  # a block cut short says nothing about orientation, and the pixels may still be sound
    return 1


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Read the canvas size that a WebP file claims; None when its header is damaged."""
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X" and len(body) == 10:
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L" and body[:1] == b"\x2f":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    return None


def _brands(data: bytes) -> set[bytes]:
    """Return the major and the compatible brands of an ISO media file."""
    length = min(int.from_bytes(data[:4], "big"), len(data), 1024)
    return {data[8:12]} | {data[at : at + 4] for at in range(16, length - 3, 4)}


def _describe(data: bytes) -> str:
    if not data:
        return "empty"
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for name, signatures in _FOREIGN.items():
        if start.startswith(signatures):
            return name
    return "text" if all(byte >= 32 or byte in b"\t\r\n\f" for byte in data[:512]) else "of an unknown kind"


def _scrub_jpeg(data: bytes) -> tuple[bytes, bytes]:
    """Keep the segments that pixels depend on: all but the APPn and COM ones, save for JFIF (0) and Adobe (14)."""
    parts, exif, at = [b"\xff\xd8"], b"", 2
    while True:
        _check_parts(len(parts), "JPEG")
        at = data.find(b"\xff", at)
        while at >= 0 and data[at + 1 : at + 2] == b"\xff":
            at += 1
        marker = data[at + 1] if 0 <= at < len(data) - 3 else 0xD9
        if marker == 0xD9:
            raise BadPicture("The JPEG file ends within its header.", "Save or send the picture again.")
        if marker == 0x00 or marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2  # these stand alone, no length follows
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            break
        if marker == 0xE1 and not exif and data[at + 4 : at + 10] == b"Exif\0\0":
            exif = data[at + 4 : end]
        elif marker in (0xE0, 0xEE) or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            parts.append(data[at:end])
        at = end
    last = data.find(b"\xff\xd9", at)
    if data.count(b"\xff\xda", at, last if last >= 0 else len(data)) > _MAX_SCANS:
        raise BadPicture(f"The JPEG file has more than {_MAX_SCANS} scans.", "Save the picture again.")
    parts.append(data[at:])
    return b"".join(parts), exif


def _check_parts(count: int, kind: str) -> None:
    if count > _MAX_PARTS:  # Pillow walks over them in Python, at a few microseconds each
        raise BadPicture(f"The {kind} file has more than {_MAX_PARTS:,} parts.", "Save the picture again.")


def _scrub_png(data: bytes) -> tuple[bytes, bytes]:
    """Keep the chunks that the first frame's pixels depend on; animation, text and profiles go."""
    parts, exif, at = [data[:8]], b"", 8
    while at < len(data):
        name, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        if name in _PNG_CHUNKS:
            parts.append(data[at:end])
            _check_parts(len(parts), "PNG")
        elif name == b"eXIf":
            exif = data[at + 8 : end - 4]
        at = len(data) if name == b"IEND" else end
    return b"".join(parts), exif


def _scrub_avif(data: bytes) -> bytes:
    """Rename the EXIF item, so that it is not read: by its standard an AVIF is turned by its own boxes alone."""
    parts, at = [], 0
    while at < len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        end = at + max(length, 8) if length else len(data)
        box = data[at:end]
        parts.append(box if name == b"mdat" else box.replace(b"Exif", b"free"))
        at = end
    return b"".join(parts)
