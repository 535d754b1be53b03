"""The words of scripts without spaces (Chinese, Japanese, Thai ...), learnt from the shop's own texts.

Labels such as categories and colours are words. In titles a word is a run of units that stands in several products,
with different neighbours on both sides, and sometimes at the edge of a run: "马克杯", and neither "克杯" nor "色马".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from itertools import accumulate

from catalog.text.tokenizer import clusters

MAX_UNITS = 6  # of a word that is learnt from titles
MAX_LABEL_UNITS = 12
MIN_COUNT = 2  # runs that have a word
SAME_NEIGHBOUR = 0.9  # share of a word's occurrences beside one neighbour, from which it is a part of a longer word
EDGE_SHARE = 0.1  # share of its occurrences at the beginning or end of a run

Span = tuple[int, int]  # from and to, in characters
Units = tuple[str, ...]


class UnspacedWords:
    """A dictionary of words without spaces. Never changes."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._longest = max((len(clusters(word)) for word in self._words), default=0)
        self.find = lru_cache(maxsize=4096)(self._find)  # titles repeat what they say

    @classmethod
    def learn(cls, runs: Iterable[str], labels: Iterable[str]) -> UnspacedWords:
        """Learn the words from the runs of titles, and from labels, which are words themselves."""
        runs, labels = list(runs), set(labels)
        learnt = cls({label for label in labels if len(clusters(label)) <= MAX_LABEL_UNITS} | _frequent(runs, labels))
        short = {run for run in runs if len(clusters(run)) <= MAX_UNITS and not learnt.covers(run)}
        return cls(learnt._words | short) if short else learnt

    def covers(self, run: str) -> bool:
        """Return whether the words of a run leave nothing of it over."""
        return sum(last - first for first, last in self._find(run)[0]) == len(run)

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


def _frequent(runs: Sequence[str], labels: Collection[str]) -> set[str]:
    """Return the words that several runs have.

    A word with a unit behind it that ends no run and no label is no word: "白色配" ends with a conjunction. A text is
    counted only where its parts are frequent.
    """
    divided = [clusters(run) for run in runs]
    firsts = {units[0] for units in (*divided, *map(clusters, labels))}
    lasts = {units[-1] for units in (*divided, *map(clusters, labels))}
    counts: dict[Units, int] = {}
    edges: Counter[Units] = Counter()
    frequent: set[Units] = {()}
    for size in range(1, MAX_UNITS + 2):
        sized: Counter[Units] = Counter()
        for units in divided:
            for first in range(len(units) - size + 1):
                text = tuple(units[first : first + size])
                if text[1:] in frequent and text[:-1] in frequent:
                    sized[text] += 1
                    edges[text] += first == 0 or first + size == len(units)
        frequent = {text for text, count in sized.items() if count >= MIN_COUNT}
        counts |= {text: sized[text] for text in frequent}
    longer: Counter[Units] = Counter()
    for text, count in counts.items():
        for part in (text[1:], text[:-1]):
            longer[part] = max(longer[part], count)
    words = {tuple(clusters(label)) for label in labels}
    for text, count in counts.items():  # the shortest first
        whole = (text[0] in firsts or text[1:] not in words) and (text[-1] in lasts or text[:-1] not in words)
        whole = whole or len(text) == 2
        is_edge = edges[text] >= EDGE_SHARE * count
        is_phrase = any(text[:at] in words or text[at:] in words for at in range(2, len(text) - 1))
        if whole and is_edge and not is_phrase and len(text) <= MAX_UNITS and longer[text] < SAME_NEIGHBOUR * count:
            words.add(text)
    return {"".join(text) for text in words}
