"""Read Google Merchant's XML, as RSS or Atom, into feed rows; memory grows with an item, not with the feed.

This module drives Expat without a tree on top, so that all limits are in one place. Old versions of Expat read an
unfinished tag again with every piece of it, and all versions store every name they see; so tags and names are limited
too. A DOCTYPE is refused, and with it entities and external files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat
from xml.parsers.expat import errors

from catalog.errors import BadFeed, BadRow
from catalog.feeds.rows.columns import CATEGORY_COLUMNS, SINGLE_COLUMNS, column_name
from catalog.feeds.rows.row import MAX_ROW, FeedRow, read_row
from catalog.feeds.rows.xml_bytes import xml_chunks

MAX_DEPTH = 32
MAX_ELEMENTS = 5_000  # elements of one item
_MAX_TOKEN = 2**20
_MAX_NAMES = 2**18  # characters of all names together

_GOOGLE = re.compile(r"https?://base\.google\.com/c?ns/1\.0")
_ATOM = ("http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#")
_PLAIN = ("", "http://purl.org/rss/1.0/", *_ATOM)
_ROOTS = ("rss", "feed", "RDF")
_ITEMS = ("item", "entry")
# Elements for news readers. A product's own id, title and so on are Google's elements, or plain ones of other names.
_NEWS = "guid pubdate published updated modified issued author contributor comments enclosure source rights"
_IGNORED = frozenset(_NEWS.split())
_SAME = {"summary": "description", "content": "description"}

_HINTS = {
    errors.XML_ERROR_UNBOUND_PREFIX: 'Declare the prefix: <rss xmlns:g="http://base.google.com/ns/1.0">.',
    errors.XML_ERROR_UNDEFINED_ENTITY: (
        "XML knows &amp;, &lt;, &gt;, &quot; and &apos;; write other characters as they are."
    ),
}


def read_xml(path: Path, encoding: str = "") -> Iterator[FeedRow]:
    """Yield a row for every item of the feed. Raises BadFeed where the XML is broken, after the items before that.

    `encoding` is that of a file without a byte order mark, "" for the declared one. A declaration that the bytes
    contradict does not count: exports are written in another encoding than their first line was.
    """
    items = _Items(path.name)
    for chunk in xml_chunks(path, encoding):
        try:
            items.feed(chunk)
        except BadFeed:
            yield from items.take()
            raise
        yield from items.take()


class _Items:
    """Handles the parser's events, and collects the rows of the items that end."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._rows: list[FeedRow] = []
        self._item: _Item | None = None
        self._depth = 0
        self._empty = True
        self._names: set[str] = set()
        self._names_length = 0
        self._unfinished = 0
        self._parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartNamespaceDeclHandler = self._prefixed
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.CommentHandler = self._passed
        self._parser.ProcessingInstructionHandler = self._passed

    def feed(self, chunk: bytes) -> None:
        """Parse more bytes, or end the feed with b"". Raises BadFeed."""
        self._empty = self._empty and not chunk
        if self._empty:
            raise BadFeed(f"The feed {self._source} is empty.", "It should hold an <rss> or <feed> element.")
        self._unfinished += len(chunk)
        try:
            self._parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            raise self._unsound(error) from None
        if self._unfinished > _MAX_TOKEN:
            raise self._refused(f"a tag or a comment of more than {_MAX_TOKEN:,} bytes")

    def take(self) -> list[FeedRow]:
        """Return the rows collected since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def _doctype(self, *_: object) -> None:
        raise self._refused("a DOCTYPE, which a product feed has no use for and an attack has")

    def _prefixed(self, *names: str | None) -> None:
        self._note(*filter(None, names))

    def _passed(self, *_: object) -> None:
        self._unfinished = 0

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._unfinished = 0
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._refused(f"elements nested more than {MAX_DEPTH} deep")
        self._note(tag, *attributes)
        space, _, name = tag.rpartition(" ")
        if self._depth == 1 and name not in _ROOTS:
            problem = f"{self._source} is not XML that can be read as a feed: its first element is <{name[:80]}>."
            raise BadFeed(problem, "Give a feed for Google Merchant Center, RSS or Atom.")
        if self._item is not None:
            self._item.start(space, name, attributes.get("href", ""))
        elif name in _ITEMS and space in _PLAIN and 2 <= self._depth <= 3:
            self._item = _Item(self._parser.CurrentLineNumber, self._depth)

    def _end(self, _tag: str) -> None:
        self._unfinished = 0
        if self._item is not None:
            if self._depth == self._item.depth:
                self._rows.append(self._item.row())
                self._item = None
            else:
                self._item.end()
        self._depth -= 1

    def _text(self, text: str) -> None:
        self._unfinished = 0
        if self._item is not None:
            self._item.text(text)

    def _note(self, *names: str) -> None:
        for name in names:
            if name not in self._names:
                self._names.add(name)
                self._names_length += len(name)
        if self._names_length > _MAX_NAMES:
            raise self._refused(f"more than {_MAX_NAMES:,} characters of different names")

    def _refused(self, what: str, hint: str = "Export the feed again without it.") -> BadFeed:
        return BadFeed(f"The feed {self._source} has, near line {self._parser.CurrentLineNumber}, {what}.", hint)

    def _unsound(self, error: expat.ExpatError) -> BadFeed:
        why = expat.ErrorString(error.code) or "an error"
        place = f"line {error.lineno}, column {error.offset + 1}"
        hint = _HINTS.get(why, "Nothing after that place can be read; export the feed again.")
        return BadFeed(f"The feed {self._source} is not well-formed XML: {why}, {place}.", hint)


class _Item:
    """One item: the cells of its elements; Google's take precedence over those of RSS and Atom."""

    def __init__(self, line: int, depth: int) -> None:
        self.depth = depth
        self._line = line
        self._google: dict[str, list[str]] = {}
        self._plain: dict[str, list[str]] = {}
        self._open: list[tuple[str, str]] = []  # (namespace, name), the item's child first
        self._pieces: list[str] = []
        self._parts: list[tuple[str, str, str]] = []  # (namespace, name, text) of the child and what it holds
        self._length = 0
        self._elements = 0
        self._fault = ""
        self._id = ""

    def start(self, space: str, name: str, href: str) -> None:
        """Open an element; an Atom link has its address in an attribute."""
        self._close_text()
        self._open.append((space, name))
        self._elements += 1
        self._measure(len(name) + len(href))
        if href and not self._fault:
            self._pieces.append(href)

    def text(self, text: str) -> None:
        """Add a piece of the innermost element's text."""
        self._measure(len(text))
        if self._open and not self._fault:
            self._pieces.append(text)

    def end(self) -> None:
        """Close the innermost element; a child of the item itself becomes a cell."""
        self._close_text()
        space, name = self._open.pop()
        if self._open or self._fault:
            return
        parts, self._parts = self._parts, []
        if _GOOGLE.fullmatch(space):
            self._add(self._google, *_google_cell(column_name(name), parts))
        elif space in _PLAIN and name.lower() not in _IGNORED:
            text = " ".join(text for _, _, text in parts)
            self._add(self._plain, _SAME.get(name, column_name(name)), text)

    def _close_text(self) -> None:
        text = "".join(self._pieces).strip()
        self._pieces.clear()
        if text and self._open:
            self._parts.append((*self._open[-1], text))

    def row(self) -> FeedRow:
        """Return the item's row, which has a fault when a limit was exceeded."""
        if self._fault:
            return FeedRow(self._line, fault=self._fault, product_id=self._id)
        return read_row(self._line, self._cells)

    def _cells(self) -> dict[str, list[str]]:
        for name, values in self._google.items():
            if len(values) > 1 and name in SINGLE_COLUMNS and name not in CATEGORY_COLUMNS:
                ids = self._google.get("id", [])
                raise BadRow(f"g:{name} is given {len(values)} times", product_id=ids[0] if len(ids) == 1 else "")
        if any(name in self._google for name in CATEGORY_COLUMNS):
            self._plain.pop("category", None)
        return self._plain | self._google

    def _add(self, cells: dict[str, list[str]], name: str, text: str) -> None:
        if text:
            cells.setdefault(name, []).append(text)

    def _measure(self, length: int) -> None:
        self._length += length
        if self._length > MAX_ROW:
            problem = f"the item is longer than {MAX_ROW:,} characters"
        elif self._elements > MAX_ELEMENTS:
            problem = f"the item has more than {MAX_ELEMENTS:,} elements"
        else:
            return
        if not self._fault:
            self._id = next(iter(self._google.get("id", [])), "")
        self._fault = self._fault or problem
        for collected in (self._google, self._plain, self._pieces, self._parts):
            collected.clear()


def _google_cell(name: str, parts: list[tuple[str, str, str]]) -> tuple[str, str]:
    """Return an element as one cell; nested elements as Google's tables write them: "US:Standard:6.49 USD"."""
    named = {part: text for _, part, text in parts}
    if name == "product_detail" and named.get("attribute_name"):
        return column_name(named["attribute_name"]), named.get("attribute_value", "")
    markup = any(not _GOOGLE.fullmatch(space) for space, _, _ in parts)
    return name, (" " if markup else ":").join(text for _, _, text in parts)
