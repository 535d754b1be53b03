"""Separate a picture file's pixels from its metadata: keep what decoders need, and read orientation and colours."""

from __future__ import annotations

import bisect
import io
import itertools
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from catalog.images.icc import MAX_PROFILE_BYTES, coded_profile, gamma_profile
from catalog.images.jpeg import Piece, check_parts, read_jpeg

_PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_PNG_COLOURS = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM")
_JOINED_BYTES = 4 * 2**20  # pieces of a smaller file are copied together


@dataclass(frozen=True, slots=True)
class Stripped:
    """A file without the metadata that a decoder would parse, as pieces; the EXIF block and the ICC profile apart."""

    pieces: tuple[Piece, ...]
    exif: bytes = b""
    profile: bytes = b""


def strip(data: bytes, kind: str) -> Stripped:
    """Return the file without the metadata that a decoder would parse, the EXIF block, and the colour profile.

    Pillow reads every EXIF entry when it opens a JPEG or AVIF, and entries may overlap, so that a few megabytes of
    file can claim gigabytes of memory. Only the orientation is needed from there; see `orientation`.
    """
    if kind == "JPEG":
        file = read_jpeg(data)
        return Stripped((file.header, memoryview(data)[file.scan :]), file.exif, file.profile)
    if kind == "PNG":
        return _strip_png(data)
    if kind in ("AVIF", "HEIF"):
        return Stripped((_strip_avif(data) if kind == "AVIF" else data,), profile=_coded_colours(data))
    return Stripped((data,))


def open_pieces(pieces: Sequence[Piece]) -> BinaryIO:
    """Return a file of these bytes; the pieces of a large file are not copied."""
    if len(pieces) == 1 and isinstance(pieces[0], bytes):
        return io.BytesIO(pieces[0])
    if sum(map(len, pieces)) <= _JOINED_BYTES:
        return io.BytesIO(b"".join(pieces))
    return io.BufferedReader(_Pieces(pieces), 2**16)  # type: ignore[type-var]


class _Pieces(io.RawIOBase):
    """A file to read whose bytes stand in several pieces."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = [memoryview(piece) for piece in pieces if len(piece)]
        self._starts = list(itertools.accumulate((len(piece) for piece in self._pieces), initial=0))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        number = bisect.bisect_right(self._starts, self._at) - 1
        if number >= len(self._pieces):
            return 0
        offset = self._at - self._starts[number]
        part = self._pieces[number][offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


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


def _strip_png(data: bytes) -> Stripped:
    """Keep the chunks that the first frame's pixels depend on; animation and text go."""
    spans, exif, at, count = [(0, 8)], b"", 8, 1
    colours: dict[bytes, bytes] = {}
    while at < len(data):
        name, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        if name in _PNG_CHUNKS:
            count += 1
            check_parts(count, "PNG")
            if spans[-1][1] == at:
                spans[-1] = spans[-1][0], end
            else:
                spans.append((at, end))
        elif name == b"eXIf":
            exif = data[at + 8 : end - 4]
        elif name in _PNG_COLOURS and end - at <= MAX_PROFILE_BYTES:
            colours.setdefault(name, data[at + 8 : end - 4])
        at = len(data) if name == b"IEND" else end
    view = memoryview(data)
    return Stripped(tuple(view[start:end] for start, end in spans), exif, _png_profile(colours))


def _png_profile(colours: dict[bytes, bytes]) -> bytes:
    """Return the profile that a PNG's chunks describe, by their order of precedence; b"" for sRGB or nothing."""
    if len(code := colours.get(b"cICP", b"")) == 4 and (profile := coded_profile(code[0], code[1])) is not None:
        return profile
    if packed := colours.get(b"iCCP"):
        start = packed.find(b"\0") + 2
        try:
            profile = zlib.decompressobj().decompress(packed[start:], MAX_PROFILE_BYTES + 1)
        except zlib.error:
            return b""
        return profile if len(profile) <= MAX_PROFILE_BYTES else b""
    if b"sRGB" in colours or len(gamma := colours.get(b"gAMA", b"")) != 4:
        return b""
    points = colours.get(b"cHRM", b"")
    return gamma_profile(struct.unpack(">I", gamma)[0], struct.unpack(">8I", points) if len(points) == 32 else None)


def _strip_avif(data: bytes) -> bytes:
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


def _coded_colours(data: bytes) -> bytes:
    """Return a profile for the colours that an ISO media file names by number; an embedded ICC profile goes first."""
    at = data.find(b"colrnclx", 0, 2**16)
    if at < 0 or len(data) < at + 12:
        return b""
    primaries, transfer = struct.unpack_from(">HH", data, at + 8)
    return coded_profile(primaries, transfer) or b""
