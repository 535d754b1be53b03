"""Convert HTML, and the entities and tags in other fields of a product, to the text that a reader sees.

Python's html.parser is not used: on broken markup its time grows with the square of the length (100 kB of "<a <a <a"
took 106 s), and strangers write the descriptions. This module looks at every character a fixed number of times.
"""

from __future__ import annotations

import html
import re
from html.entities import html5

_NAME = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_BLOCKS = (
    "address article aside blockquote br caption dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li "
    "main nav ol p pre section table tr ul"
)
_BREAKS = frozenset(_BLOCKS.split())
_CELLS = frozenset(("td", "th"))
_HIDDEN = {
    name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "head", "template", "iframe", "svg")
}
_TAG_END = re.compile(">")
_COMMENT_END = re.compile("-->")
_INLINE = (
    "a abbr acronym b bdi bdo big center cite code data del dfn em font i ins kbd label mark q s samp small span "
    "strike strong sub sup time tt u var"
)
_ALONE = _BREAKS | _HIDDEN.keys() | {"img", "wbr", *_CELLS}  # these need no end tag to be markup
_PAIRED = frozenset(_INLINE.split())
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)(?=[\s/>])[^<>]*>")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_MAX_ESCAPES = 3  # times that a text is escaped
_SENTENCE_ENDS = tuple(".!?:;,…。！？；：，")
_ENDLESS_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")  # no character has it, and Python makes no number of it


def field_text(text: str) -> str:
    """Return a field of one line without HTML entities and tags; "1 < 2" and "AT&T" stay as they are.

    Entities end with a semicolon. Tags are removed only where they are clearly HTML, see `_is_markup`. Text that was
    escaped more than once is unescaped as often. Tags stay where nothing else would be left.
    """
    if "&" not in text and "<" not in text:
        return text
    return " ".join(_without_html(text).split()) or " ".join(unescape(text).split())


def description_text(text: str) -> str:
    """Return a description without HTML entities and tags, as `field_text`; a line goes on after a sentence's end."""
    if "&" not in text and "<" not in text:
        return text
    plain = _without_html(text).strip()
    if not _is_markup(text) and not _is_markup(unescape(text)):
        return plain
    lines = plain.split("\n")
    ends = (" " if line.endswith(_SENTENCE_ENDS) else "\n" for line in lines)
    return "".join(line + end for line, end in zip(lines, ends, strict=True)).strip()


def unescape(text: str) -> str:
    """Replace HTML entities by their characters, also where they were escaped themselves; a hard space is a space."""
    for _ in range(_MAX_ESCAPES):
        plain = _ENTITY.sub(_character, text) if "&" in text else text
        if plain == text:
            break
        text = plain
    return text


def _character(entity: re.Match[str]) -> str:
    name = entity[0]
    char = html.unescape(name) if name[1] == "#" else html5.get(name[1:], name)
    return " " if char == "\xa0" else char


def _without_html(text: str) -> str:
    if _is_markup(text):
        text = plain_text(text)
    text = unescape(text)
    return plain_text(text) if _is_markup(text) else text


def _is_markup(text: str) -> bool:
    """Tell whether a text has tags of HTML: of a paragraph or a line break, both tags of a pair, or a comment."""
    if "<" not in text:
        return False
    seen: set[tuple[bool, str]] = set()
    for tag in _TAG.finditer(text):
        end, name = bool(tag[1]), tag[2].lower()
        if name in _ALONE or (name in _PAIRED and (not end, name) in seen):
            return True
        seen.add((end, name))
    return "<!--" in text and "-->" in text


def plain_text(markup: str) -> str:
    """Return the text of an HTML fragment, one line per paragraph, also for broken markup."""
    if "<" not in markup:
        return _tidy(markup)
    markup = re.sub(r"\s", " ", markup)  # only tags break lines
    pieces: list[str] = []
    at = 0
    while (start := markup.find("<", at)) >= 0:
        pieces.append(markup[at:start])
        piece, at = _tag(markup, start)
        pieces.append(piece)
    pieces.append(markup[at:])
    return _tidy("".join(pieces))


def _tag(markup: str, start: int) -> tuple[str, int]:
    """Return the text that the tag at `start` stands for and where the text goes on: at the end when it is unclosed."""
    if markup.startswith("<!--", start):
        return "", _after(_COMMENT_END, markup, start)
    named = _NAME.match(markup, start)
    if named is None:
        if markup.startswith(("<!", "<?", "</"), start):
            return "", _after(_TAG_END, markup, start)
        return "<", start + 1  # as in "1 < 2"
    name = named[2].lower()
    if name in _HIDDEN and not named[1]:
        return "", _after(_HIDDEN[name], markup, start)
    return "\n" if name in _BREAKS else " " if name in _CELLS else "", _after(_TAG_END, markup, start)


def _after(end: re.Pattern[str], markup: str, start: int) -> int:
    found = end.search(markup, start)
    if found is None:
        return len(markup)
    return found.start() if end.pattern.startswith("</") else found.end()


def _tidy(text: str) -> str:
    text = unescape(_ENDLESS_NUMBER.sub("", text))
    return "\n".join(filter(None, (" ".join(line.split()) for line in text.split("\n"))))
