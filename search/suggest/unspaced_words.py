"""The words of scripts without spaces (Chinese, Japanese, Thai ...), learnt from the shop's own texts.

Labels such as categories and colours are words. In titles a word is a run of units that stands in several products, with
different neighbours on both sides, and at the edge of a run more than by chance: "马克杯", and neither "克杯" nor "色马".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate

from catalog.text.tokenizer import clusters

MAX_UNITS = 6  # of a word that is learnt from titles
MAX_LABEL_UNITS = 12
MIN_COUNT = 2  # runs that have a word
SAME_NEIGHBOUR = 0.9  # share of a word's occurrences beside one neighbour, from which it is a part of a longer word
EDGE_SHARE = 0.1  # share of its occurrences at the beginning or end of a run

Span = tuple[int, int]  # from and to, in characters


class UnspacedWords:
    """A dictionary of words without spaces. Never changes."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._longest = max((len(clusters(word)) for word in self._words), default=0)
        self.find = lru_cache(maxsize=4096)(self._find)  # titles repeat what they say

    @classmethod
    def learn(cls, runs: Iterable[str], labels: Iterable[str]) -> UnspacedWords:
        """Learn the words from the runs of titles, and from labels, which are words themselves."""
        labels = set(labels)
        words = {label for label in labels if len(clusters(label)) <= MAX_LABEL_UNITS}
        return cls(words | _frequent(list(runs), labels))

    def _find(self, run: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
        """Return the words of a run one after another, the longest first from the left, and the others within it."""
        ends = _ends(run)
        successive: list[Span] = []
        others: list[Span] = []
        free = 0
        for first in range(len(ends) - 1):
            for last in range(min(first + self._longest, len(ends) - 1), first, -1):
                span = (ends[first], ends[last])
                if run[span[0] : span[1]] not in self._words:
                    continue
                if first >= free:
                    successive.append(span)
                    free = last
                else:
                    others.append(span)
        return tuple(successive), tuple(others)


def unit_starts(run: str) -> list[int]:
    """Return the places of a run at which a unit starts."""
    return _ends(run)[:-1]


def _ends(run: str) -> list[int]:
    return [0, *accumulate(map(len, clusters(run)))]


def _frequent(runs: Sequence[str], labels: Iterable[str]) -> set[str]:
    """Return what runs have in common: their words, and short runs as a whole.

    A word begins and ends with units that begin and end some run or label: "白色配" ends with a conjunction.
    """
    units_of = [clusters(run) for run in (*runs, *labels)]
    firsts, lasts = {units[0] for units in units_of}, {units[-1] for units in units_of}
    counts: Counter[str] = Counter()
    edges: Counter[str] = Counter()
    sizes: dict[str, int] = {}
    outer: dict[str, tuple[str, str]] = {}  # the first and the last unit of a text
    whole: set[str] = set()
    before: dict[str, str] = {}  # a text less its first unit
    after: dict[str, str] = {}  # a text less its last unit
    for run in runs:
        ends = _ends(run)
        units = len(ends) - 1
        if units <= MAX_UNITS:
            whole.add(run)
        for first in range(units):
            for last in range(first + 1, min(first + MAX_UNITS + 1, units) + 1):
                text = run[ends[first] : ends[last]]
                counts[text] += 1
                edges[text] += first == 0 or last == units
                if text not in sizes:
                    sizes[text] = last - first
                    outer[text] = (run[ends[first] : ends[first + 1]], run[ends[last - 1] : ends[last]])
                    before[text], after[text] = run[ends[first + 1] : ends[last]], run[ends[first] : ends[last - 1]]
    left: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for text, count in counts.items():
        left[before[text]] = max(left[before[text]], count)
        right[after[text]] = max(right[after[text]], count)
    return whole | {
        text
        for text, count in counts.items()
        if count >= MIN_COUNT
        and sizes[text] <= MAX_UNITS
        and edges[text] >= EDGE_SHARE * count
        and outer[text][0] in firsts
        and outer[text][1] in lasts
        and max(left[text], right[text]) < SAME_NEIGHBOUR * count
    }
