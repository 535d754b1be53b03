"""Explain a hit in words: the parts of its score, and the facts that it shares with the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.product import Product
from search.hits import SearchHit
from search.query.filters import folded
from search.query.terms import LEXICAL, ProductTerm, Query, TextTerm

PICTURE_REASONS = {
    "look": "similar shape and texture",
    "meaning": "same type of product",
    "colour": "similar colours",
    "words": "similar name",
    LEXICAL: "its description has your words",
}
TEXT_REASONS = {**PICTURE_REASONS, "meaning": "its picture matches your words", "words": "its title matches your words"}
MIN_SHARE = 0.15  # smallest part of a score that is mentioned


@dataclass(frozen=True, slots=True)
class Difference:
    """The value of the product to resemble, and the value of the hit."""

    wanted: str
    found: str


@dataclass(frozen=True, slots=True)
class MatchReasons:
    """Reasons for one hit in words, the strongest first, and the facts that agree and differ."""

    reasons: tuple[str, ...]
    agrees: Mapping[str, str] = field(default_factory=dict)
    differs: Mapping[str, Difference] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the reasons as JSON values."""
        differs = {name: {"asked": pair.wanted, "found": pair.found} for name, pair in self.differs.items()}
        return {"reasons": list(self.reasons), "agrees": dict(self.agrees), "differs": differs}


def why(hit: SearchHit, query: Query, resembled: Sequence[Product]) -> MatchReasons:
    """Explain why a hit matches a query; `resembled` are the products in the query with a positive weight."""
    agrees, differs = _compare(hit.product, resembled[0]) if resembled else ({}, {})
    for term in query.terms:
        if isinstance(term, TextTerm) and term.weight > 0:
            agrees = {**_named_facts(hit.product, term.words), **agrees}
    return MatchReasons(_reasons(hit, query), agrees, differs)


def resembled_ids(query: Query) -> list[str]:
    """Return the products that a query resembles, by falling weight."""
    liked = [term for term in query.terms if isinstance(term, ProductTerm) and term.weight > 0]
    return [term.product_id for term in sorted(liked, key=lambda term: -term.weight)]


def _reasons(hit: SearchHit, query: Query) -> tuple[str, ...]:
    texts = TEXT_REASONS if all(isinstance(term, TextTerm) for term in query.terms) else PICTURE_REASONS
    helping = {name: part for name, part in hit.parts.items() if part > 0}
    total = sum(helping.values())
    strong = sorted(helping.items(), key=lambda item: -item[1])
    return tuple(f"{texts.get(name, name)} ({part / total:.0%})" for name, part in strong if part >= MIN_SHARE * total)


def _facts(product: Product) -> dict[str, str]:
    facts = {"category": product.category, "brand": product.brand, **product.attributes}
    return {name: value for name, value in facts.items() if value}


def _compare(product: Product, wanted: Product) -> tuple[dict[str, str], dict[str, Difference]]:
    """Return the facts that both products have, equal and different ones."""
    found = _facts(product)
    pairs = {name: Difference(value, found[name]) for name, value in _facts(wanted).items() if name in found}
    differs = {name: pair for name, pair in pairs.items() if folded(pair.wanted) != folded(pair.found)}
    return {name: pair.found for name, pair in pairs.items() if name not in differs}, differs


def _named_facts(product: Product, words: str) -> dict[str, str]:
    """Return the facts whose value occurs in the words."""
    text = f" {folded(words)} "
    named = {}
    for name, value in _facts(product).items():
        last = folded(value.rpartition(">")[2])
        if last and (f" {last} " in text or (not last.isascii() and last in text)):
            named[name] = value
    return named
