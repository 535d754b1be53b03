"""Cut a Markdown file into passages: a paragraph, a list item, a short list or a table row, each under its heading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalog.text.html import field_text

MAX_CHARACTERS = 900  # of a passage; a longer paragraph becomes several
SHORT_LIST = 400  # characters up to which a list with its introduction is one passage

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)\s*$")
_RULE = re.compile(r"^ {0,3}([-*_])(?:\s*\1){2,}\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)、])\s+(.*)$")
_TABLE_LINE = re.compile(r"^\s*\|?[\s:|-]*-[\s:|-]*$")
_BOLD_LINE = re.compile(r"^\s*(\*\*|__)(.+?)\1\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\]]{0,300})\]\([^)\s]{0,2000}[^)]{0,300}\)")
_LINK = re.compile(r"\[([^\]]{1,300})\]\([^)\s]{0,2000}[^)]{0,300}\)")
_REFERENCE = re.compile(r"^ {0,3}\[[^\]]{1,300}\]:\s+\S")
_EMPHASIS = re.compile(r"(\*\*\*|\*\*|\*|__|~~|`+)(?=\S)(.{1,2000}?)(?<=\S)\1")
_UNDERSCORE = re.compile(r"(?<!\w)_(?=\S)([^_]{1,2000}?)(?<=\S)_(?!\w)")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|~>])")
SENTENCE = re.compile(r"[^.!?。！？；]+(?:[.!?。！？；]+(?=\s|$|[^\x00-\x7f])|$)|[.!?。！？；]+")
_COLONS = (":", "：")
_NOT_ANCHOR = re.compile(r"[^\w\- ]+")


@dataclass(frozen=True, slots=True)
class Section:
    """A passage's text, its heading and the heading's anchor, unique within the file."""

    heading: str
    anchor: str
    text: str


def read_markdown(text: str) -> tuple[Section, ...]:
    """Return the passages of a Markdown text in order. Any text is accepted; the time is linear in its length."""
    plain = _COMMENT.sub("", _FRONT_MATTER.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    sections, seen = list[Section](), set[str]()
    heading, anchor = "", ""
    for kind, value in _with_lists(_blocks(plain.split("\n"))):
        if kind == "heading":
            heading = inline_text(value)
            anchor = _anchor(heading, seen)
        else:
            sections += [Section(heading, anchor, part) for part in _parts(inline_text(value))]
    return tuple(sections)


def inline_text(markup: str) -> str:
    """Return a line as a reader sees it: without emphasis, links' addresses and tags."""
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", markup))
    text = _UNDERSCORE.sub(r"\1", _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", text)))
    return " ".join(field_text(_ESCAPE.sub(r"\1", text)).split())


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield kind and text of each block: "heading", "text", "item" or "break", which ends a list."""
    kind, parts, header = "text", list[str](), list[str]()
    fenced = False
    for line in [*lines, ""]:
        marker = line.strip()
        if _FENCE.match(line):
            fenced, marker = not fenced, ""
        heading = None if fenced else _heading(line)
        underlined = bool(parts) and kind == "text" and not fenced and _UNDERLINE.match(line)
        item = None if fenced else _ITEM.match(line)
        starts = heading is not None or item or not marker or _is_ignored(line) or "|" in marker
        if underlined:
            yield "heading", " ".join(parts)
            parts = []
            continue
        if starts and parts:
            yield kind, " ".join(parts)
            parts = []
        if "|" not in marker:
            header = []
        if heading is not None:
            yield "heading", heading
        elif item:
            kind, parts = "item", [item.group(1)]
        elif marker.count("|") > 1 and not fenced:
            header, row = _table_row(marker, header)
            if row:
                yield "row", row
        elif marker and not _is_ignored(line):
            kind = kind if parts else "text"
            parts.append(marker.lstrip("> "))


def _heading(line: str) -> str | None:
    """Return the text of a heading line; a line that is all bold is one too."""
    if match := _HEADING.match(line):
        return match.group(2)
    match = _BOLD_LINE.match(line)
    return match.group(2) if match else None


def _is_ignored(line: str) -> bool:
    return bool(_RULE.match(line) or _REFERENCE.match(line))


def _table_row(line: str, header: list[str]) -> tuple[list[str], str]:
    """Return the header of the table and the text of a row: "Norway: Price 9 euros, Time 5 days"."""
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if not header:
        return cells, ""
    if _TABLE_LINE.match(line):
        return header, ""
    rest = [f"{name} {cell}".strip() for name, cell in zip(header[1:], cells[1:], strict=False) if cell]
    return header, f"{cells[0]}: {', '.join(rest)}" if rest else cells[0]


def _with_lists(blocks: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Join a short list to the line that introduces it: "We accept:" and its items say nothing alone."""
    introduction, items = "", list[str]()
    for kind, value in blocks:
        if kind == "item" and introduction:
            items.append(value)
            continue
        yield from _list_texts(introduction, items)
        introduction, items = "", []
        if kind == "text" and value.rstrip("*_ ").endswith(_COLONS):
            introduction = value
        else:
            yield ("heading", value) if kind == "heading" else ("text", value)
    yield from _list_texts(introduction, items)


def _list_texts(introduction: str, items: Sequence[str]) -> Iterator[tuple[str, str]]:
    if not introduction:
        return
    joined = f"{introduction} {'; '.join(items)}"
    if len(joined) <= SHORT_LIST:
        yield "text", joined
    else:
        yield from (("text", f"{introduction} {item}") for item in items)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, of any language."""
    return [part.strip() for part in SENTENCE.findall(text) if part.strip()]


def joined_sentences(text: str, longest: int) -> list[str]:
    """Return neighbouring sentences joined to texts of up to `longest` characters; a longer sentence is cut."""
    parts: list[str] = []
    for sentence in sentences(text):
        for start in range(0, len(sentence), longest):
            piece = sentence[start : start + longest]
            if parts and len(parts[-1]) + len(piece) < longest:
                parts[-1] = f"{parts[-1]} {piece}" if piece.isascii() or parts[-1].isascii() else parts[-1] + piece
            else:
                parts.append(piece)
    return parts


def _parts(text: str) -> list[str]:
    if len(text) <= MAX_CHARACTERS:
        return [text] if any(map(str.isalnum, text)) else []
    return joined_sentences(text, MAX_CHARACTERS)


def _anchor(heading: str, seen: set[str]) -> str:
    """Return the anchor of a heading as code hosts make it: "Refunds & costs" -> "refunds--costs"; unique."""
    base = _NOT_ANCHOR.sub("", heading.lower()).strip().replace(" ", "-") or "section"
    anchor, number = base, 1
    while anchor in seen:
        anchor, number = f"{base}-{number}", number + 1
    seen.add(anchor)
    return anchor
