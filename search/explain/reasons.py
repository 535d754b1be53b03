"""Why a product is among the results: the parts of its score in words, and what it shares with what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.product import Product
from search.hits import SearchHit
from search.query.filters import folded
from search.query.terms import LEXICAL, ProductTerm, Query, TextTerm

SEEN = {
    "look": "looks alike in shape and texture",
    "meaning": "is the same kind of thing",
    "colour": "has the same colours",
    "words": "is called something similar",
    LEXICAL: "its texts hold the words",
}
READ = {**SEEN, "meaning": "its picture fits the words", "words": "its title fits the words"}
TELLING = 0.15  # of the score: smaller parts are not worth a word
FACTS = ("category", "brand")


@dataclass(frozen=True, slots=True)
class Difference:
    """What was asked for, and what the product has instead."""

    asked: str
    found: str


@dataclass(frozen=True, slots=True)
class MatchReasons:
    """The reasons for one hit: in words, the strongest first, and the attributes that agree and differ."""

    reasons: tuple[str, ...]
    agrees: Mapping[str, str] = field(default_factory=dict)
    differs: Mapping[str, Difference] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The reasons as JSON values."""
        differs = {name: {"asked": each.asked, "found": each.found} for name, each in self.differs.items()}
        return {"reasons": list(self.reasons), "agrees": dict(self.agrees), "differs": differs}


def why(hit: SearchHit, query: Query, resembled: Sequence[Product]) -> MatchReasons:
    """Why a hit answers a query; `resembled` are the products that it names with a positive weight."""
    agrees, differs = _compared(hit.product, resembled[0]) if resembled else ({}, {})
    for words in _wanted(query):
        agrees = {**_named(hit.product, words), **agrees}
    return MatchReasons(_reasons(hit, query), agrees, differs)


def resembled_ids(query: Query) -> list[str]:
    """The products that a query wants others like, the weightiest first."""
    liked = [term for term in query.terms if isinstance(term, ProductTerm) and term.weight > 0]
    return [term.product_id for term in sorted(liked, key=lambda term: -term.weight)]


def _reasons(hit: SearchHit, query: Query) -> tuple[str, ...]:
    told = READ if all(isinstance(term, TextTerm) for term in query.terms) else SEEN
    helping = {name: part for name, part in hit.parts.items() if part > 0}
    total = sum(helping.values())
    strong = sorted(helping.items(), key=lambda item: -item[1])
    return tuple(f"{told.get(name, name)} ({part / total:.0%})" for name, part in strong if part >= TELLING * total)


def _wanted(query: Query) -> list[str]:
    return [term.words for term in query.terms if isinstance(term, TextTerm) and term.weight > 0]


def _facts(product: Product) -> dict[str, str]:
    own = {"category": product.category, "brand": product.brand}
    return {name: value for name, value in {**own, **product.attributes}.items() if value}


def _compared(product: Product, asked: Product) -> tuple[dict[str, str], dict[str, Difference]]:
    """The facts that both have: the same, and different."""
    found = _facts(product)
    agrees, differs = {}, {}
    for name, value in _facts(asked).items():
        if name not in found:
            continue
        if folded(found[name]) == folded(value):
            agrees[name] = found[name]
        else:
            differs[name] = Difference(value, found[name])
    return agrees, differs


def _named(product: Product, words: str) -> dict[str, str]:
    """The facts whose value the words name."""
    said = f" {folded(words)} "
    named = {}
    for name, value in _facts(product).items():
        last = folded(value.rpartition(">")[2])
        if last and (f" {last} " in said or (not last.isascii() and last in said)):
            named[name] = value
    return named
