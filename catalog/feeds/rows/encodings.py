"""Decide the encoding of a feed's text: by its byte order mark, by its bytes, or as the merchant says.

A file that is not UTF-8 is read whole in one encoding or refused: reading only its plain rows would open a shop with
a part of its products.
"""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from catalog.errors import BadFeed
from catalog.feeds.rows.encoding_candidates import MAX_SAMPLE, candidates
from catalog.feeds.rows.raw_bytes import open_bytes

log = logging.getLogger(__name__)

UTF_8 = "utf-8"
UNICODE = frozenset((UTF_8, "utf-8-sig", "utf-16", "utf-32"))  # utf-16 and utf-32 by a mark

_MARKS: dict[str, bytes | tuple[bytes, ...]] = {
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),  # before UTF-16, whose mark its own begins with
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-8-sig": codecs.BOM_UTF8,
}
_WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_LEAST_ASCII = 0.05  # share of delimiters, digits and letters that any feed has
_NOT_FOR_TEXT = frozenset(("idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf_7", "undefined", "mbcs"))
_SUPERSETS = {  # programs name the one and write the other
    "ascii": UTF_8,
    "big5": "big5hkscs",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "tis-620": "cp874",
}
_SEVEN_BIT = ("iso2022", "hz")  # all their bytes are ASCII
_PEEKED_BYTES = 4096
_HEAD_BYTES = 256  # about a header
_CHUNK_BYTES = 2**20
_ENOUGH = 200_000  # characters beyond ASCII
_MOSTLY, _HARDLY = 0.5, 0.2  # shares of UTF-8 among the characters beyond ASCII
_MAX_NAMED = 3

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f\ufffd]")
_HALF_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")  # encoded as if it were a character of UTF-8
# Within a cell, a comma is followed by a space. No byte of an East Asian character is one of these delimiters.
_BETWEEN_CELLS = re.compile(rb'[;"<>\t\r\n]|,(?! )')


def known_encoding(name: str) -> str:
    """Return the codec of an encoding by its name, such as "Windows-1250", or "" for "" and "auto".

    Raises BadFeed when there is no such encoding.
    """
    if name in ("", "auto"):
        return ""
    try:
        codec = codecs.lookup(name.strip().lower().removeprefix("x-")).name
        "".encode(codec)  # LookupError when it is no encoding of text
    except (LookupError, ValueError):
        codec = "undefined"
    if codec.replace("-", "_") in _NOT_FOR_TEXT:
        raise BadFeed(f"{name[:40]!r} is not an encoding that can be read.", "Try cp1250, cp1252, gbk or shift_jis.")
    return _SUPERSETS.get(codec, codec)


def detect(path: Path, named: str = "", declared: str = "") -> str:
    """Return the codec of a feed's text: that of its byte order mark, else the `named` one, else what its bytes say.

    `declared` is what the text itself says that it is in. It holds unless the bytes contradict. Raises BadFeed when the
    bytes may be in several encodings.
    """
    with open_bytes(path) as file:
        start = file.peek(_PEEKED_BYTES)[:_PEEKED_BYTES]
    for codec, marks in _MARKS.items():
        if start.startswith(marks):
            return codec
    if named:
        return named
    head = start[:_HEAD_BYTES].rstrip(b"\0")  # a short file may be filled up with zeros
    if head.count(0) * 10 > len(head) or (start and not head):
        return _wide_encoding(path, start)
    if declared.startswith(_SEVEN_BIT):
        return declared
    status = path.stat()
    identity = (status.st_mtime_ns, status.st_size, status.st_ino)
    if declared and not declared.startswith("utf") and not _is_utf_8(path, *identity):
        return declared
    return _detected(path, *identity)


def _wide_encoding(path: Path, start: bytes) -> str:
    """Return which of UTF-16 and UTF-32 a text without a mark is in: the one that makes most ASCII of it."""
    start = start[: len(start) // 4 * 4]
    shares = {codec: _ascii_share(start.decode(codec, "replace")) for codec in _WIDE}
    codec = max(shares, key=lambda codec: shares[codec])
    if shares[codec] < _LEAST_ASCII:
        problem = f"The feed {path.name} seems to be UTF-16 without a byte order mark, or no text."
        raise BadFeed(problem, "Save it as UTF-8, or with the mark.")
    return codec


def _ascii_share(text: str) -> float:
    return sum(char.isascii() and char >= "\t" for char in text) / max(1, len(text))


# A feed is opened more than once, and scanned once: what identifies its bytes is a parameter.
@lru_cache(maxsize=16)
def _detected(path: Path, mtime_ns: int, size: int, inode: int) -> str:
    """Detect the encoding of a file without a mark."""
    if _is_utf_8(path, mtime_ns, size, inode):
        return UTF_8
    sample = _Sample()
    for piece in _pieces(path):
        if not piece.isascii():
            sample.add(piece)
        if sample.valid + sample.broken > _ENOUGH:
            break
    return _decided(path, sample)


def _decided(path: Path, sample: _Sample) -> str:
    share = sample.valid / max(1, sample.valid + sample.broken)
    if share >= _MOSTLY:
        return UTF_8
    found = candidates(sample.cells)
    names = [f"{candidate.codec} ({candidate.name})" for candidate in found[:_MAX_NAMED]]
    hint = "Save it as UTF-8, or name its encoding with --encoding."
    if share > _HARDLY:
        problem = f"The feed {path.name} is partly UTF-8 and partly in another encoding."
        raise BadFeed(problem, "Export it again, all of it as UTF-8.")
    if not found:
        raise BadFeed(f"The feed {path.name} is not UTF-8, and no encoding fits what is in it.", hint)
    if len(found) > 1:
        raise BadFeed(f"The feed {path.name} is not UTF-8. It may be in {' or '.join(names)}.", hint)
    log.info("The feed %s is not UTF-8; it is read as %s. --encoding NAME chooses another.", path.name, names[0])
    return found[0].codec


@dataclass
class _Sample:
    """How many characters beyond ASCII stand in cells of UTF-8 and in others, and different cells of the others."""

    valid: int = 0
    broken: int = 0
    cells: dict[bytes, None] = field(default_factory=dict)
    _length: int = 0

    def add(self, data: bytes) -> None:
        """Count the characters in the cells of whole lines, and collect cells while there is room.

        A cell of UTF-8 may be broken somewhere, as where it was cut. A few characters of another encoding may be valid.
        """
        for cell in _BETWEEN_CELLS.split(data):
            if cell.isascii():
                continue
            text = cell.decode(UTF_8, "replace")
            halves = len(_HALF_SURROGATE.findall(cell))
            broken = text.count("\ufffd") - 3 * halves
            valid = len(_BEYOND_ASCII.findall(text)) + halves
            if broken * 3 <= valid:
                self.valid += valid
                continue
            self.broken += broken + valid
            if cell not in self.cells and self._length < MAX_SAMPLE:
                self.cells[cell] = None
                self._length += len(cell)


@lru_cache(maxsize=16)
def _is_utf_8(path: Path, _mtime_ns: int, _size: int, _inode: int) -> bool:
    decoder = codecs.getincrementaldecoder(UTF_8)()
    plain = True
    try:
        for chunk in _chunks(path):
            if not (plain and chunk.isascii()):
                decoder.decode(chunk)
                plain = decoder.getstate()[0] == b""
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield a feed's bytes, as far as they can be read: where they are damaged is for the reader to say."""
    with open_bytes(path) as file:
        while True:
            try:
                chunk = file.read(_CHUNK_BYTES)
            except BadFeed:
                return
            if not chunk:
                return
            yield chunk


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield a feed's bytes in pieces of whole lines; a line longer than a chunk is cut."""
    rest = b""
    for chunk in _chunks(path):
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1 or len(chunk)
        yield rest + chunk[:end]
        rest = chunk[end:]
    yield rest
