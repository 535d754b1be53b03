"""Suggest title words from the titles of neighbours: the words that most of them use, in their usual order."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from catalog.text.scripts import MARKS
from catalog.text.tokenizer import singularise
from search.query.filters import folded

MIN_AGREEMENT = 0.35  # share of the k-NN vote that a word needs
MIN_ANSWER_AGREEMENT = 0.1  # share of the k-NN vote that a word of an answered attribute needs
MAX_WORDS = 8
_LETTERS = rf"(?:[^\W\d_]|[{MARKS}])+"
_WORD = re.compile(rf"{_LETTERS}(?:['’-]{_LETTERS})*")


@dataclass(frozen=True, slots=True)
class TitleWord:
    """A suggested word, its share of the k-NN vote, and the ids of the neighbours that use it."""

    word: str
    agreement: float
    neighbours: tuple[str, ...]


def title_words(
    titles: Sequence[tuple[str, str, float]], answers: Sequence[tuple[str, float]] = (), refused: Collection[str] = ()
) -> tuple[TitleWord, ...]:
    """Suggest words from (id, title, share of the vote) of the neighbours and (value, confidence) of answers.

    Words of `refused` values, such as colours that were not answered, are left out.
    """
    excluded = {folded(word) for text in refused for word in _WORD.findall(text)}
    excluded -= {folded(word) for text, _ in answers for word in _WORD.findall(text)}
    agreed: dict[str, float] = defaultdict(float)
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    places: dict[str, list[float]] = defaultdict(list)
    users: dict[str, list[str]] = defaultdict(list)
    for product_id, title, share in titles:
        words = _WORD.findall(title)
        for place, word in enumerate(words):
            key = folded(word)
            spelled[key][word] += 1
            places[key].append(place / len(words))
            if not users[key] or users[key][-1] != product_id:
                users[key].append(product_id)
                agreed[key] += share
    for text, confidence in answers:
        for word in _WORD.findall(text):
            key = folded(word)
            if agreed.get(key, 0.0) >= MIN_ANSWER_AGREEMENT:
                agreed[key] = max(agreed[key], confidence)
    chosen: list[str] = []
    for key in sorted(agreed, key=lambda key: (-agreed[key], key)):
        if agreed[key] >= MIN_AGREEMENT and key not in excluded and singularise(key) not in map(singularise, chosen):
            chosen.append(key)
    chosen = chosen[:MAX_WORDS]
    chosen.sort(key=lambda key: (sum(places[key]) / len(places[key]), key))
    return tuple(
        TitleWord(spelled[key].most_common(1)[0][0], min(agreed[key], 1.0), tuple(users[key])) for key in chosen
    )
