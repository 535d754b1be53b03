"""What a shopper typed or clicked, as terms of a query: "not floral", "cheaper", more like A, less like B."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from catalog.errors import BadQuery
from catalog.product import Product
from search.query.filters import PRICE, Between, Filter
from search.query.terms import MAX_TEXT, PRICE_UP, RELEVANCE, ProductTerm, Query, Term, TextTerm

_STOPS = ",;.，。；"
# "no" alone is part of too many names ("no iron", "No 7"), so it counts only after a comma or "but".
_NOT = re.compile(
    rf"(?:^|[\s{_STOPS}])(?:but\s+)?(?:not|without|w/o)\s+(?:any\s+|an?\s+|in\s+|too\s+)?"
    rf"(?P<a>[^{_STOPS}]+?)(?=\s+(?:but|and not)\s|[{_STOPS}]|$)"
    rf"|(?:[,;]\s*|\bbut\s+)no\s+(?P<b>[^{_STOPS}]+?)(?=[{_STOPS}]|$)"
    rf"|(?:不要|不带|不是|别要|没有)(?P<c>[^{_STOPS}、\s]+)",
    re.IGNORECASE,
)
_CHEAPER = re.compile(
    r"\b(?:but\s+)?(?:cheaper|less expensive|lower price(?:d)?)\b|(?:要)?(?:便宜一?点儿?的?|更便宜的?)", re.IGNORECASE
)
_LIKE_THIS = re.compile(
    r"^\s*(?:(?:something\s+)?(?:like|similar to)\s+)?(?:this|that)(?:\s+one)?\b[\s,]*(?:but\b)?|^\s*but\b",
    re.IGNORECASE,
)
_UNDER = re.compile(
    r"\b(?:for\s+)?(?:under|below|less than|cheaper than|up to)\s*[€$£¥]?\s*(?P<a>\d{1,7}(?:\.\d{1,2})?)(?![\d.])"
    r"\s*(?:€|\$|£|eur(?:os?)?|usd|dollars?|gbp|pounds?)?(?!\s*[a-z%])"
    r"|(?:低于|不超过|不到)\s*(?P<b>\d{1,7})\s*[元块]?|(?P<c>\d{1,7})\s*[元块](?:钱)?(?:以下|以内)",
    re.IGNORECASE,
)
_CHEAP = re.compile(r"\b(?:cheap|inexpensive|affordable)\b(?!-)|(?<![更要])便宜(?!一?点)的?", re.IGNORECASE)
_EDGES = " \t\r\n,;.，。；、"
_AND_NOT = re.compile(r"\s+(?:and|or|nor)\s+(?:not\s+)?", re.IGNORECASE)

AVOID = -0.5  # the weight of what is not wanted: a push away, which must not outweigh what is wanted
MORE, LESS = 0.5, -0.3
CENT = 0.01


@dataclass(frozen=True, slots=True)
class PriceIntent:
    """What words said of the price: less than that of what is resembled, and a limit."""

    cheaper: bool = False
    most: float | None = None

    def __bool__(self) -> bool:
        """Whether they said anything."""
        return self.cheaper or self.most is not None


def text_terms(words: str, weight: float = 1.0, beside: bool = False) -> tuple[list[Term], PriceIntent]:
    """The terms that words stand for, and what they say of the price.

    `beside` says that there are other terms, or a filter: "not floral" alone are words like any others.
    """
    if len(words) > MAX_TEXT:  # the query will refuse it, and nobody reads it before
        return [TextTerm(words, weight)], PriceIntent()
    said = parse_text(words)
    if not said.wanted and not beside:
        return [TextTerm(words, weight)], PriceIntent()
    terms: list[Term] = [TextTerm(said.wanted, weight)] if said.wanted else []
    terms += [TextTerm(each, AVOID * weight) for each in said.unwanted]
    return terms, PriceIntent(said.cheaper, said.most)


def feedback_terms(more: Iterable[str], less: Iterable[str]) -> list[Term]:
    """More like these products, less like those."""
    return [*(ProductTerm(sku, MORE) for sku in more), *(ProductTerm(sku, LESS) for sku in less)]


def merge_terms(query: Query, terms: Sequence[Term]) -> Query:
    """A query with further terms; one that names the same words or product again takes the place of the former."""
    new = {_name(term): term for term in terms}
    kept = [term for term in query.terms if _name(term) is None or _name(term) not in new]
    return replace(query, terms=(*kept, *terms))


def apply_price_intent(query: Query, price: PriceIntent, products: Sequence[Product]) -> Query:
    """The query with what was said of the price; `products` are those that it resembles. Raises BadQuery."""
    if price.most is not None:
        query = replace(query, filter=_below(query.filter or Filter(), price.most, ""))
    return cheaper(query, products) if price.cheaper else query


def cheaper(query: Query, products: Sequence[Product]) -> Query:
    """The query narrowed to what costs less than the cheapest of the products; without any price, the cheap ones first.

    Raises BadQuery when they cost nothing.
    """
    costing = [product for product in products if product.price is not None]
    if not costing:
        return replace(query, sort=PRICE_UP) if query.sort == RELEVANCE else query
    least = min(costing, key=lambda product: product.price or 0)
    most = float(least.price or 0) - CENT
    if most < 0:
        raise BadQuery("There is nothing cheaper than a product that costs nothing.", "Leave out 'cheaper'.")
    return replace(query, filter=_below(query.filter or Filter(), most, least.currency))


def _below(narrowed: Filter, most: float, currency: str) -> Filter:
    given = narrowed.on(PRICE)
    floor = None
    if isinstance(given, Between):
        floor = given.least
        most = most if given.most is None else min(most, given.most)
        currency = given.currency or currency
    if floor is not None and floor > most:
        floor = most
    return Filter((*narrowed.without(PRICE).conditions, Between(PRICE, floor, most, currency)))


def _name(term: Term) -> tuple[str, str] | None:
    if isinstance(term, TextTerm):
        return "words", term.words
    return ("product", term.product_id) if isinstance(term, ProductTerm) else None


@dataclass(frozen=True, slots=True)
class ParsedText:
    """What is wanted, in words, "" if nothing; what is not wanted; whether it is to cost less, and how much at most."""

    wanted: str
    unwanted: tuple[str, ...] = ()
    cheaper: bool = False
    most: float | None = None


def parse_text(words: str) -> ParsedText:
    """Split what a shopper typed: "like this, not floral, cheaper" is nothing wanted, "floral" unwanted, cheaper."""
    words = " ".join(words.split())
    most = None
    if found := _UNDER.search(words):
        most = float(found["a"] or found["b"] or found["c"])
        words = " ".join(_UNDER.sub(" ", words).split())
    words = " ".join(_CHEAP.sub(" ", words).split()) or words
    unwanted: list[str] = []
    for match in _NOT.finditer(words):
        told = match["a"] or match["b"] or match["c"]
        unwanted += [each.strip(_EDGES) for each in _AND_NOT.split(told)]
    rest = _NOT.sub(" , ", words)
    cheaper = bool(_CHEAPER.search(rest))
    rest = _CHEAPER.sub(" , ", rest)
    unwanted = [plain for each in unwanted if (plain := _CHEAPER.sub(" ", each).strip(_EDGES))]
    if not unwanted and not cheaper and not _LIKE_THIS.match(rest):
        return ParsedText(words, most=most)
    wanted = _LIKE_THIS.sub(" ", rest.strip(_EDGES), count=1)
    parts = [part.strip(_EDGES) for part in wanted.split(",")]
    kept = " ".join(part for part in parts if part and part.lower() not in ("but", "and"))
    if not kept and len(unwanted) == 1 and " " in unwanted[0]:  # "not striped mug": a mug
        head, _, kept = unwanted[0].rpartition(" ")
        unwanted = [head]
    return ParsedText(kept, tuple(unwanted), cheaper, most)
