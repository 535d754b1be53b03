"""Words for a title, from the titles of look-alikes: those that most of them use, in the order that they use them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from search.query.filters import folded

AGREEMENT = 0.35  # share of the votes that a word needs
USED = 0.1  # share that the word of an attribute that is told needs
MOST_WORDS = 8
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class TitleWord:
    """A suggested word, the share of the look-alikes' votes for it, and those that use it (ids)."""

    word: str
    agreement: float
    neighbours: tuple[str, ...]


def title_words(
    titles: Sequence[tuple[str, str, float]], told: Sequence[tuple[str, float]] = (), refused: Collection[str] = ()
) -> tuple[TitleWord, ...]:
    """Words from (id, title, share of the vote) of the neighbours, with the attribute values told (and how surely).

    Words of `refused` values, such as the colours that it has not, are left out.
    """
    not_these = {folded(word) for text in refused for word in _WORD.findall(text)}
    not_these -= {folded(word) for text, _ in told for word in _WORD.findall(text)}
    agreed: dict[str, float] = defaultdict(float)
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    places: dict[str, list[float]] = defaultdict(list)
    users: dict[str, list[str]] = defaultdict(list)
    for one, title, share in titles:
        words = _WORD.findall(title)
        for place, word in enumerate(words):
            key = folded(word)
            spelled[key][word] += 1
            places[key].append(place / len(words))
            if not users[key] or users[key][-1] != one:
                users[key].append(one)
                agreed[key] += share
    for text, sure in told:
        for word in _WORD.findall(text):
            key = folded(word)
            if agreed.get(key, 0.0) >= USED:
                agreed[key] = max(agreed[key], sure)
    chosen: list[str] = []
    for key in sorted(agreed, key=lambda key: (-agreed[key], key)):
        if agreed[key] >= AGREEMENT and key not in not_these and _singular(key) not in map(_singular, chosen):
            chosen.append(key)
    chosen = chosen[:MOST_WORDS]
    chosen.sort(key=lambda key: (sum(places[key]) / len(places[key]), key))
    return tuple(
        TitleWord(spelled[key].most_common(1)[0][0], min(agreed[key], 1.0), tuple(users[key])) for key in chosen
    )


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
