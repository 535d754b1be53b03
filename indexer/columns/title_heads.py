"""The head noun of a title: what a product is called. "Dune speckled mug, glazed stoneware" is a mug.

An English noun phrase ends with its head, and what follows a comma, a dash, a bracket or a preposition describes it.
In a script without spaces the last characters of the phrase are its head, so several lengths are given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalog.product import Product
from catalog.text.tokenizer import clusters, normalise, singularise, split_compound, tokenise, unspaced

TITLE = "title"  # attributes whose names begin so have the title in other languages
MAX_HEAD_CLUSTERS = 4

_END = re.compile(
    r"[,;:(\[|/\u2013\u2014\u3001\u3002\uff0c\uff08\u3010]|\s-\s"
    r"|\s(?:with|for|in|by|from|without|to|on|and|mit|aus|pour|avec|para|con)\s"
)
_MEASURE = re.compile(r"^.*?\b(?:pack|set|pair|box|bundle|lot|combo)s?\s+of\s+(?:\d+\s+)?")


def title_heads(product: Product) -> Iterator[str]:
    """Yield the head nouns of a product's title, in the singular, and of its title in other languages."""
    yield from _heads(product.title)
    for name, text in product.attributes.items():
        if name.casefold().startswith(TITLE):
            yield from _heads(text)


def _heads(title: str) -> Iterator[str]:
    text = _MEASURE.sub("", normalise(title))
    phrases = (phrase for part in _END.split(text) if (phrase := part.strip()))
    words = [piece for _, _, piece in tokenise(next(phrases, ""))]
    while words and any(map(str.isdigit, words[-1])):
        words.pop()
    if not words:
        return
    last = words[-1]
    if unspaced(last):
        parts = clusters(last)
        yield from ("".join(parts[-length:]) for length in range(1, min(len(parts), MAX_HEAD_CLUSTERS) + 1))
        return
    parts = [part for _, _, part in split_compound(last)]
    if parts:
        yield singularise("".join(parts)) if len(parts[0]) == 1 else singularise(parts[-1])
