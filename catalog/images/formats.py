"""Recognise picture formats and read the sizes that they claim; nothing here decodes pixels."""

from __future__ import annotations

from catalog.errors import UnsupportedFormat

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
