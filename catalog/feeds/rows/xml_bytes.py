"""Read the bytes of an XML feed as UTF-8, without what shops and old programs put around the XML."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from catalog.errors import BadFeed
from catalog.feeds.rows.encodings import UTF_8, detect, known_encoding
from catalog.feeds.rows.raw_bytes import open_bytes

_CHUNK_BYTES = 2**16
_START_BYTES = 2**12
_MAX_BEFORE = 2**20  # bytes
_FILLING = b"\x1a\0\r\n"  # Ctrl-Z, and what follows it at the end of a file
_ENCODING = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([^"'<>]{1,100})["']""")
# XML must begin with its declaration: white space, comments and further marks in front of it go behind it.
_BEFORE = re.compile(rb"((?:[ \t\r\n]|\xef\xbb\xbf|<!--(?:(?!-->).)*-->)+)(<\?xml\s[^>]*>)?", re.DOTALL)


def xml_chunks(path: Path, encoding: str = "") -> Iterator[bytes]:
    """Yield an XML feed's bytes in UTF-8, then b""; the encoding in its declaration does not count any more.

    `encoding` is that of a file without a byte order mark, "" for the declared one, or what the bytes say. Raises
    BadFeed for an encoding that cannot be read or decided, and where the bytes are not text in it.
    """
    codec = xml_encoding(path, encoding)
    yield from _without_filling(_declaration_first(_in_utf_8(path, codec)))
    yield b""


def xml_encoding(path: Path, encoding: str = "") -> str:
    """Return the codec of an XML feed; see `xml_chunks`. Raises BadFeed."""
    return detect(path, encoding, "" if encoding else _declared(path))


def _declared(path: Path) -> str:
    with open_bytes(path) as file:
        found = _ENCODING.search(file.peek(_START_BYTES)[:_START_BYTES])
    if found is None:
        return ""
    name = found[1].decode("ascii", "replace")
    try:
        return known_encoding(name)
    except BadFeed:
        problem = f"The feed {path.name} has the encoding {name[:40]!r}, which cannot be read."
        raise BadFeed(problem, "Save it as UTF-8.") from None


def _in_utf_8(path: Path, codec: str) -> Iterator[bytes]:
    decoder = None if codec in (UTF_8, "utf-8-sig") else codecs.getincrementaldecoder(codec)()
    with open_bytes(path) as file:
        while chunk := file.read1(_CHUNK_BYTES):
            if decoder is None:
                yield chunk
                continue
            try:
                yield decoder.decode(chunk).encode()
            except UnicodeDecodeError as error:
                yield error.object[: error.start].decode(error.encoding, "ignore").encode()
                problem = f"The feed {path.name} is not well-formed XML: it holds bytes that are not {codec}."
                raise BadFeed(problem, "Nothing after that place can be read; export the feed again.") from None


def _declaration_first(chunks: Iterator[bytes]) -> Iterator[bytes]:
    start, failure = b"", None
    try:
        for chunk in chunks:
            start += chunk
            if len(start.lstrip()) >= _START_BYTES or len(start) > _MAX_BEFORE:
                break
    except BadFeed as error:
        failure = error  # what came before is read first
    found = _BEFORE.match(start)
    if found is not None:
        before = found[1].replace(codecs.BOM_UTF8, b"")
        start = (found[2] or b"") + before + start[found.end() :]
    yield start
    if failure is not None:
        raise failure
    yield from chunks


def _without_filling(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks without Ctrl-Z at the end, and zeros and line breaks around it."""
    held = b""
    for chunk in chunks:
        chunk = held + chunk
        text = chunk.rstrip(_FILLING)
        held = chunk[len(text) :]
        if b"\x1a" not in held:
            text, held = chunk, b""
        if text:
            yield text
