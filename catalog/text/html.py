"""Convert HTML descriptions to the text that a reader sees.

Python's html.parser is not used: on broken markup its time grows with the square of the length (100 kB of "<a <a <a"
took 106 s), and strangers write the descriptions. This module looks at every character a fixed number of times.
"""

from __future__ import annotations

import html
import re

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
_ENDLESS_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")  # no character has it, and Python makes no number of it


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
    text = html.unescape(_ENDLESS_NUMBER.sub("", text))
    return "\n".join(filter(None, (" ".join(line.split()) for line in text.split("\n"))))
