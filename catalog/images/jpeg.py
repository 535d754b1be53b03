"""Read the structure of a JPEG file: segments, frame, scans and tables. Nothing here decodes pixels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from catalog.errors import BadPicture

Piece = bytes | memoryview

# Real progressive files have about ten scans. Each scan costs a pass over all pixels but only a few bytes of file,
# so a small file with thousands of them would occupy a processor for minutes.
MAX_SCANS = 50
MAX_SEGMENTS = 100_000
END_MARK = b"\xff\xd9"
PROGRESSIVE = 0xC2
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers that begin a frame; 0xC2, 0xC6 ... progressive
_SCAN, _HUFFMAN, _QUANTISATION, _RESTART, _ADOBE = 0xDA, 0xC4, 0xDB, 0xDD, 0xEE
_EXIF, _PROFILE = b"Exif\0\0", b"ICC_PROFILE\0"
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # the first marker that does not belong to a scan's data


@dataclass(frozen=True, slots=True)
class Component:
    """One colour of a frame: its number, its samples across and down in an MCU, and its quantisation table."""

    number: int
    across: int
    down: int
    table: int


@dataclass(frozen=True, slots=True)
class Frame:
    """The kind (the marker), size in pixels and components that a JPEG file claims."""

    marker: int
    width: int
    height: int
    components: tuple[Component, ...]

    @property
    def mcu_sides(self) -> tuple[int, int]:
        """Width and height in blocks of a unit that holds samples of every component."""
        return max(part.across for part in self.components), max(part.down for part in self.components)

    @property
    def mcus(self) -> tuple[int, int]:
        """How many such units the picture has across and down."""
        across, down = self.mcu_sides
        return -(-self.width // (8 * across)), -(-self.height // (8 * down))

    def blocks(self, component: Component) -> tuple[int, int]:
        """Return how many blocks of 8 x 8 samples a component has across and down, without padding."""
        across, down = self.mcu_sides
        wide, high = -(-self.width * component.across // across), -(-self.height * component.down // down)
        return -(-wide // 8), -(-high // 8)


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan: its component numbers with their DC tables, its band, its bits, and its data's place in the file."""

    components: tuple[tuple[int, int], ...]
    first: int
    last: int
    high: int
    low: int
    start: int
    end: int


@dataclass(slots=True)
class Tables:
    """The tables and settings that hold where a scan begins: payloads of DHT segments (DC) and DQT, by number."""

    huffman: dict[int, bytes] = field(default_factory=dict)
    quantisation: dict[int, tuple[int, int]] = field(default_factory=dict)  # (bytes an entry, value of DC)
    restart: int = 0


@dataclass(frozen=True, slots=True)
class JpegFile:
    """What stands before the first scan. `header` has the segments that pixels depend on.

    Data goes on at `scan`; `ended` says whether there is an end mark after it.
    """

    header: bytes
    scan: int
    ended: bool
    frame: Frame | None
    segments: tuple[tuple[int, bytes], ...]
    exif: bytes = b""
    profile: bytes = b""

    def could_hold(self, length: int) -> bool:
        """Return whether a file of so many bytes can hold so many blocks: each takes two bits, or one if progressive.

        Only a little of a picture is in a file that claims more, and a decoder would make up the rest.
        """
        if self.frame is None:
            return True
        across, down = self.frame.mcus
        blocks = across * down * sum(part.across * part.down for part in self.frame.components)
        bits = {0xC0: 2, 0xC1: 2, PROGRESSIVE: 1}.get(self.frame.marker, 0)
        return blocks * bits <= 8 * (length - self.scan)

    def coefficient_bytes(self, data: bytes) -> int:
        """Return how much memory a decoder takes for coefficients: 0 where it works row by row, in one scan."""
        if self.frame is None:
            return 0
        parts = self.frame.components
        in_first_scan = data[self.scan + 4] if len(data) > self.scan + 4 else 0
        if self.frame.marker & 3 != 2 and in_first_scan >= len(parts):
            return 0
        across, down = self.frame.mcus
        return 128 * across * down * sum(part.across * part.down for part in parts)


def read_jpeg(data: bytes) -> JpegFile:
    """Read the header: keep all segments but APPn and COM, save for JFIF (0) and Adobe (14). Raises BadPicture."""
    retained: list[Piece] = [b"\xff\xd8"]
    segments: list[tuple[int, bytes]] = []
    exif, profiles, at = b"", {}, 2
    view = memoryview(data)
    while True:
        check_parts(len(retained), "JPEG")
        at = _next_marker(data, at)
        marker = data[at + 1] if 0 <= at < len(data) - 3 else 0xD9
        if marker == 0xD9:
            raise BadPicture("The JPEG file ends within its header.", "Save or send the picture again.")
        if marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 2  # these stand alone, no length follows
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SCAN:
            break
        if marker == 0xE1 and not exif and data.startswith(_EXIF, at + 4):
            exif = data[at + 4 : end]
        elif marker == 0xE2 and data.startswith(_PROFILE, at + 4) and end - at > 18:
            profiles[data[at + 16]] = data[at + 18 : end]
        elif marker in (0xE0, _ADOBE) or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            retained.append(view[at:end])
            segments.append((marker, data[at + 4 : end]))
        at = end
    last = data.find(END_MARK, at)
    if data.count(b"\xff\xda", at, last if last >= 0 else len(data)) > MAX_SCANS:
        raise BadPicture(f"The JPEG file has more than {MAX_SCANS} scans.", "Save the picture again.")
    profile = b"".join(profiles[number] for number in sorted(profiles))
    return JpegFile(b"".join(retained), at, last >= 0, _frame(segments), tuple(segments), exif, profile)


def truncated() -> BadPicture:
    """Return the error for a file that lacks a part of its picture."""
    return BadPicture("The JPEG picture is damaged: image file is truncated.", "Save or send the picture again.")


def check_parts(count: int, kind: str) -> None:
    """Raise BadPicture for a file of endless parts: they are walked over in Python, at some microseconds each."""
    if count > MAX_SEGMENTS:
        raise BadPicture(f"The {kind} file has more than {MAX_SEGMENTS:,} parts.", "Save the picture again.")


def iter_scans(data: bytes, file: JpegFile) -> Iterator[tuple[Scan, Tables]]:
    """Yield the scans in the file's order, each with the tables that hold there. A scan cut short is the last one."""
    tables = Tables()
    for marker, payload in file.segments:
        _apply(tables, marker, payload)
    at, seen = file.scan, 0
    while 0 <= at < len(data) - 3 and seen <= MAX_SEGMENTS:
        seen += 1
        marker = data[at + 1]
        if marker == 0xD9:
            return
        payload = data[at + 4 : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]
        at += 4 + len(payload)
        if marker == _SCAN:
            after = _AFTER_SCAN.search(data, at)
            end = after.start() if after else len(data)
            if (scan := _scan(payload, at, end)) is None:
                return
            yield scan, tables
            at = end
        else:
            _apply(tables, marker, payload)
            at = _next_marker(data, at)


def adobe_transform(file: JpegFile) -> int | None:
    """Return how an Adobe segment says that colours are stored: 0 as they are, 1 YCbCr, 2 YCCK; None without one."""
    for marker, payload in file.segments:
        if marker == _ADOBE and payload.startswith(b"Adobe") and len(payload) >= 12:
            return payload[11]
    return None


def _next_marker(data: bytes, at: int) -> int:
    """Return where the next marker begins, beyond fill bytes; -1 where there is none."""
    at = data.find(b"\xff", at)
    while at >= 0 and data[at + 1 : at + 2] == b"\xff":
        at += 1
    return at


def _frame(segments: list[tuple[int, bytes]]) -> Frame | None:
    for marker, payload in segments:
        if marker in _FRAMES and len(payload) >= 6 and len(payload) >= 6 + 3 * payload[5]:
            parts = [payload[6 + 3 * i : 9 + 3 * i] for i in range(payload[5])]
            components = tuple(Component(part[0], part[1] >> 4, part[1] & 15, part[2]) for part in parts)
            sound = components and all(0 < side <= 4 for part in components for side in (part.across, part.down))
            height, width = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big")
            return Frame(marker, width, height, components) if sound and payload[0] == 8 else None
    return None


def _scan(payload: bytes, start: int, end: int) -> Scan | None:
    count = payload[0] if payload else 0
    if len(payload) < 4 + 2 * count or not 1 <= count <= 4:
        return None
    components = tuple((payload[1 + 2 * i], payload[2 + 2 * i] >> 4) for i in range(count))
    first, last, bits = payload[1 + 2 * count : 4 + 2 * count]
    return Scan(components, first, last, bits >> 4, bits & 15, start, end)


def _apply(tables: Tables, marker: int, payload: bytes) -> None:
    """Take over the DC tables, the quantisation of DC or the restart interval that a segment sets."""
    at = 0
    if marker == _RESTART:
        tables.restart = int.from_bytes(payload[:2], "big")
    elif marker == _HUFFMAN:
        while at + 17 <= len(payload):
            length = 17 + sum(payload[at + 1 : at + 17])
            if payload[at] < 16:
                tables.huffman[payload[at]] = payload[at + 1 : at + length]
            at += length
    elif marker == _QUANTISATION:
        while at < len(payload):
            width = 2 if payload[at] >> 4 else 1
            tables.quantisation[payload[at] & 15] = (width, int.from_bytes(payload[at + 1 : at + 1 + width], "big"))
            at += 1 + 64 * width
