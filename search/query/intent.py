"""What a shopper typed or clicked, as terms of a query: "not floral", "cheaper", more like A, less like B."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from catalog.errors import BadQuery
from catalog.product import Product
from search.query.filters import PRICE, Between, Filter
from search.query.phrases import read_words
from search.query.terms import MAX_TEXT, PRICE_UP, RELEVANCE, ProductTerm, Query, Term, TextTerm

AVOID = -0.5  # the weight of what is not wanted: a push away, which must not outweigh what is wanted
MORE, LESS = 0.5, -0.3
CENT = 0.01


@dataclass(frozen=True, slots=True)
class Price:
    """What words said of the price: less than that of what is resembled, and a limit."""

    cheaper: bool = False
    most: float | None = None

    def __bool__(self) -> bool:
        """Whether they said anything."""
        return self.cheaper or self.most is not None


def spoken(words: str, weight: float = 1.0, beside: bool = False) -> tuple[list[Term], Price]:
    """The terms that words stand for, and what they say of the price.

    `beside` says that there are other terms, or a filter: "not floral" alone are words like any others.
    """
    if len(words) > MAX_TEXT:  # the query will refuse it, and nobody reads it before
        return [TextTerm(words, weight)], Price()
    said = read_words(words)
    if not said.wanted and not beside:
        return [TextTerm(words, weight)], Price()
    terms: list[Term] = [TextTerm(said.wanted, weight)] if said.wanted else []
    terms += [TextTerm(each, AVOID * weight) for each in said.unwanted]
    return terms, Price(said.cheaper, said.most)


def liked(more: Iterable[str], less: Iterable[str]) -> list[Term]:
    """More like these products, less like those."""
    return [*(ProductTerm(sku, MORE) for sku in more), *(ProductTerm(sku, LESS) for sku in less)]


def refined(query: Query, terms: Sequence[Term]) -> Query:
    """A query with further terms; one that names the same words or product again takes the place of the former."""
    new = {_name(term): term for term in terms}
    kept = [term for term in query.terms if _name(term) is None or _name(term) not in new]
    return replace(query, terms=(*kept, *terms))


def priced(query: Query, price: Price, products: Sequence[Product]) -> Query:
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
