"""Base colours: the single colours that a shop's colour labels are made of, so that "ivory and navy" is found by navy.

Everything comes from the labels of the shop. A label that lists several colours has each of them. A shade also has the
colour that it is a shade of: "sky blue" is blue where "blue" is a colour of the shop, or where another shade ends so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from indexer.columns.label_columns import LabelColumn
from indexer.columns.label_dictionary import LabelDictionary, LabelLists
from search.query.filters import folded
from search.state.listed_colours import listed_colours

MAX_COLOURS = 2_000  # labels; a field with more holds texts
MIN_SHADES = 2  # different shades of a colour that is no label itself
_COLOUR_SUFFIX = "色"  # "浅蓝色" is a shade of "蓝色"


def base_colour_column(colours: LabelColumn) -> LabelColumn:
    """Return the field of the base colours of products, from their colour labels: the same products, other lists."""
    words, lists = LabelDictionary(), LabelLists()
    if not 0 < colours.size <= MAX_COLOURS:
        return LabelColumn.empty(words)
    spellings = np.flatnonzero(colours.spelling_counts).tolist()
    listed = [listed_colours(colours.words.texts[number]) for number in spellings]
    bases = _bases(listed)
    of_spelling = {
        spelling: [words.add(name) for name in _with_bases(parts, bases)]
        for spelling, parts in zip(spellings, listed, strict=True)
    }
    numbers = np.zeros(len(colours.list_counts), np.int64)  # of each list of colours, its list of base colours
    for number in np.flatnonzero(colours.list_counts[1:]) + 1:
        found: dict[int, int] = {}  # spellings by label: each colour once
        for spelling in colours.lists[int(number)]:
            for code, label in of_spelling[spelling]:
                found.setdefault(label, code)
        numbers[number] = lists.add(tuple(found.values()))
    return LabelColumn.of(words, lists, numbers[colours.numbers])


def _bases(listed: Iterable[Sequence[str]]) -> set[str]:
    """Return the folded names of the colours that have shades."""
    known: set[str] = set()
    shades: defaultdict[str, set[str]] = defaultdict(set)
    for part in (part for parts in listed for part in parts):
        known.add(folded(part))
        if end := _shade_of(part):
            shades[folded(end)].add(folded(part))
    return {end for end, names in shades.items() if end in known or len(names) >= MIN_SHADES}


def _with_bases(parts: Sequence[str], bases: set[str]) -> Iterable[str]:
    """Return the colours of a label with those that they are shades of, each once, as they are written."""
    ends = (end for part in parts if (end := _shade_of(part)) and folded(end) in bases)
    return {folded(name): name for name in (*ends, *parts)}.values()


def _shade_of(colour: str) -> str:
    """Return the last word of a colour of several words; "" where it has one."""
    first, _, last = colour.rpartition(" ")
    if first:
        return last
    return colour[-2:] if colour.endswith(_COLOUR_SUFFIX) and len(colour) > 2 else ""
