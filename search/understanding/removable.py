"""The parts of a question that a shopper can remove, each with the question that remains without it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from catalog.text.tokenizer import normalise, unspaced
from search.language.negation import pattern_of_negators
from search.query.filters import PRICE, Between, Filter
from search.query.intent import parse_text, split_stock
from search.query.price_limit import PriceLimit, split_price_limit
from search.understanding.understood import PRICE_PART, STOCK_PART, Understood

# What turns words into something that is not wanted, before them.
_NOT = (
    r"(?:\b(?:but\s+)?(?:non[-\s]|(?:(?:is|are)\s+)?not\s+|no\s+|without\s+|except\s+|excluding\s+)(?:an?\s+|any\s+)?"
    rf"|\b(?:{pattern_of_negators()})['’\s]+(?:\w{{1,6}}['’\s]+)?"
    r"|不要有?|不带|没有|除了|不是|不含|[非无])?"
)
_AND = r"(?:\b(?:and|or|und|oder|et|ou|ni|y|o)\b|&|和|或)"
_CONJUNCTION = re.compile(_AND, re.IGNORECASE)
_EDGES = " ,;，；、"
MAX_PATTERNS = 128  # of words: to compile one takes longer than all else here, and the shop's names come again


def with_parts(understood: Understood, typed: str, narrowed: Filter | None) -> Understood:
    """Add the price limit and the stock that a text names, as far as the filter has them, and the text without each."""
    parsed = parse_text(typed)
    without: dict[str, str] = {}
    limit: Mapping[str, Any] | None = None
    price = narrowed.on(PRICE) if narrowed is not None else None
    if parsed.limit is not None and isinstance(price, Between) and _is_of(price, parsed.limit):
        limit = _limit(parsed.limit)
        without[PRICE_PART] = split_price_limit(" ".join(typed.split()))[0]
    if parsed.in_stock:
        without[STOCK_PART] = split_stock(" ".join(typed.split()))[0]
    parts = [(kind.words, False) for kind in understood.kinds if kind.words]
    parts += [(value.words, value.excluded) for value in understood.values]
    for words, excluded in parts:
        without.setdefault(words, _without(typed, words, excluded))
    return replace(understood, limit=limit, in_stock=parsed.in_stock, without=without)


def _is_of(price: Between, limit: PriceLimit) -> bool:
    return limit.minimum in (None, price.minimum) and limit.maximum in (None, price.maximum)


def _limit(limit: PriceLimit) -> Mapping[str, Any]:
    values = {"min": limit.minimum, "max": limit.maximum}
    return {name: value for name, value in values.items() if value is not None}


@lru_cache(maxsize=MAX_PATTERNS)
def _patterns(words: str, excluded: bool, joined: bool) -> tuple[re.Pattern[str], ...]:
    """Return how words stand in a text, with a conjunction first where the text has one."""
    pattern = r"[\s-]*".join(re.escape(part) for part in re.split(r"[\s-]+", words) if part)
    if not unspaced(words):
        pattern = rf"(?<!\w){pattern}(?!\w)"
    pattern = (_NOT if excluded else "") + pattern + "的?"
    ways = (rf"\s*{_AND}\s*{pattern}", rf"{pattern}\s*{_AND}\s*", pattern) if joined else (pattern,)
    return tuple(re.compile(way, re.IGNORECASE) for way in ways)


def _without(typed: str, words: str, excluded: bool) -> str:
    for text in (typed, normalise(typed)):  # words are as the shop's names are: without accents
        for way in _patterns(words, excluded, _CONJUNCTION.search(text) is not None):
            rest, count = way.subn(" ", text, count=1)
            if count:
                return re.sub(r"\s+(?=[,;])", "", " ".join(rest.split())).strip(_EDGES)
    if len(parts := words.split()) > 1:  # words that stand apart: "taza" and "café" of "taza roja de café"
        for part in parts:
            typed = _without(typed, part, excluded)
    return typed
