"""Titles on cards: what a title shares with another one on the page is left out in the middle, so the difference shows.

Feeds put what differs last: "Dune straight mug, glazed stoneware, ivory and navy". A card has room for three lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from unicodedata import east_asian_width

MAX_WIDTH = 54  # columns, of which a wide character takes two: what fits into three lines of most cards
MIN_HEAD = 18  # columns that stay before the gap
_WIDE = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_WORD = re.compile(rf"\s*(?:[{_WIDE}]|[^\s{_WIDE}]+)")
_SEPARATORS = (",", "，", ";", "|", "–", "-")


@dataclass(frozen=True, slots=True)
class ShortTitle:
    """A title in three parts, of which the middle one is not seen; together they are the title."""

    head: str
    middle: str = ""
    tail: str = ""


def short_titles(titles: Mapping[str, str]) -> dict[str, ShortTitle]:
    """Return the titles of a page by product id, each with what is left out where it is too long for a card."""
    words = {product_id: _WORD.findall(title) for product_id, title in titles.items()}
    shared = dict.fromkeys(words, 0)  # words that a title has in common with another one, from the first word on
    for (first, words_of_first), (second, words_of_second) in pairwise(sorted(words.items(), key=lambda item: item[1])):
        pairs = zip(words_of_first, words_of_second, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        shared[first], shared[second] = max(shared[first], same), max(shared[second], same)
    return {product_id: _short(listed, shared[product_id]) for product_id, listed in words.items()}


def _short(words: Sequence[str], shared: int) -> ShortTitle:
    """Return a title whose end is seen from the first word that differs on, else from its last part on."""
    title = "".join(words)
    differs = shared if shared < len(words) else 0  # a title that others begin with has no end of its own
    start = max(differs, _last_part(words))
    room = MAX_WIDTH - _width("".join(words[start:]))
    if _width(title) <= MAX_WIDTH or not start or room < MIN_HEAD:
        return ShortTitle(title)
    end, head = 0, ""
    while end < start and _width(head + words[end]) <= room:
        head += words[end]
        end += 1
    if end == start:
        return ShortTitle(title)
    return ShortTitle(head, "".join(words[end:start]), "".join(words[start:]))


def _last_part(words: Sequence[str]) -> int:
    ends = [number for number, word in enumerate(words[:-1], 1) if word.endswith(_SEPARATORS)]
    return ends[-1] if ends else 0


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
