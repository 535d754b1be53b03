"""Turn what a shopper typed or clicked into terms of a query: "not floral", "cheaper", more like A, less like B."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.errors import BadQuery
from catalog.product import Product
from catalog.text.tokenizer import normalise, unspaced
from search.language.negation import names_first
from search.query.negation import EDGES, split_head, split_negation
from search.query.price_limit import PriceLimit, split_price_limit, within_limit
from search.query.terms import MAX_TEXT, PRICE_UP, RELEVANCE, ProductTerm, Query, Term, TextTerm


def _read_words() -> dict[str, str]:
    """Return a pattern of the words of each kind, as they are typed with accents and without, the longest first."""
    words: dict[str, list[str]] = {}
    with Path(__file__).with_name("intent_words.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            words.setdefault(row["kind"], []).extend(row["words"].split("|"))
    patterns = {}
    for kind, typed in words.items():
        ways = sorted({way for word in typed for way in (word, normalise(word))}, key=len, reverse=True)
        spaced, runs = ([way for way in ways if unspaced(way) is is_run] for is_run in (False, True))
        escaped = ("|".join(re.escape(way).replace(r"\ ", r"[-\s]+") for way in some) for some in (spaced, runs))
        patterns[kind] = r"\b(?:{})\b|{}".format(*escaped)
    return patterns


_OTHERS = _read_words()  # in German, French, Spanish and Japanese
_CHEAPER = re.compile(
    r"\b(?:but\s+)?(?:cheaper|less expensive|lower price(?:d)?)\b|(?:要)?(?:便宜一?点儿?的?|更便宜的?)"
    rf"|{_OTHERS['cheaper']}",
    re.IGNORECASE,
)
_LIKE_THIS = re.compile(
    r"^\s*(?:(?:something\s+)?(?:like|similar to)\s+)?(?:this|that)(?:\s+one)?\b[\s,]*(?:but\b)?|^\s*but\b"
    rf"|^\s*(?:{_OTHERS['like this']})[\s,]*(?:{_OTHERS['but']})",
    re.IGNORECASE,
)
_CHEAP = re.compile(
    r"\b(?:cheap|inexpensive|affordable)\b(?!-)|(?<![更要])便宜(?!一?点)的?" rf"|{_OTHERS['cheap']}", re.IGNORECASE
)
_IN_STOCK = re.compile(
    r"(?:,\s*)?(?<!not )\b(?:in stock|available now|ready to ship)\b|(?:只要)?(?:有现货|现货|有货)的?"
    rf"|{_OTHERS['in stock']}",
    re.IGNORECASE,
)
AVOID = -0.5  # the weight of what is not wanted: a push away, which must not outweigh what is wanted
MORE, LESS = 0.5, -0.3
CENT = 0.01


def text_terms(text: str, weight: float = 1.0, with_others: bool = False) -> tuple[list[Term], ParsedText]:
    """Return the terms that a text stands for, and the parsed text for what it asks of the price.

    `with_others` says that the query has other terms or a filter. Without them "cheaper" is a text like any other,
    because nothing is there to be cheaper than.
    """
    # The query refuses a text that is too long, so nothing needs to parse it.
    parsed = parse_text(text) if len(text) <= MAX_TEXT else ParsedText(text)
    if not (parsed.wanted or parsed.unwanted or parsed.limit or parsed.in_stock or parsed.cheapest or with_others):
        parsed = ParsedText(text)
    terms: list[Term] = [TextTerm(parsed.wanted, weight)] if parsed.wanted else []
    terms += [TextTerm(words, AVOID * weight) for words in parsed.unwanted]
    return terms, parsed


def feedback_terms(more: Iterable[str], less: Iterable[str]) -> list[Term]:
    """Return terms for "more like these products, less like those"."""
    return [*(ProductTerm(sku, MORE) for sku in more), *(ProductTerm(sku, LESS) for sku in less)]


def merge_terms(query: Query, terms: Sequence[Term]) -> Query:
    """Add terms to a query; a new term replaces an old one of the same text or product."""
    names = {_name(term) for term in terms} - {None}
    return replace(query, terms=(*(term for term in query.terms if _name(term) not in names), *terms))


def narrow_to_cheaper(query: Query, products: Sequence[Product]) -> Query:
    """Narrow a query to what costs less than each product; sort by price when none has a price. Raises BadQuery."""
    query = replace(query, cheaper=False)
    with_price = [product for product in products if product.price is not None]
    if not with_price:
        return replace(query, sort=PRICE_UP) if query.sort == RELEVANCE else query
    cheapest = min(with_price, key=lambda product: product.price or 0)
    max_price = float(cheapest.price or 0) - CENT
    if max_price < 0:
        raise BadQuery("There is nothing cheaper than a product that costs nothing.", "Leave out 'cheaper'.")
    return replace(query, filter=within_limit(query.filter, PriceLimit(maximum=max_price), cheapest.currency))


def _name(term: Term) -> tuple[str, str] | None:
    if isinstance(term, TextTerm):
        return "words", term.words
    return ("product", term.product_id) if isinstance(term, ProductTerm) else None


@dataclass(frozen=True, slots=True)
class ParsedText:
    """A parsed text: what is wanted ("" for nothing), what is not wanted, whether "cheaper", and the price limit.

    `in_stock` says that only what is in stock is wanted, `cheapest` that the text is nothing but "cheap".
    """

    wanted: str
    unwanted: tuple[str, ...] = ()
    cheaper: bool = False
    limit: PriceLimit | None = None
    in_stock: bool = False
    cheapest: bool = False


def split_stock(text: str) -> tuple[str, bool]:
    """Return the text without "in stock", and whether it says that."""
    if not _IN_STOCK.search(text):
        return text, False
    return " ".join(_IN_STOCK.sub(" ", text).split()).strip(" ,，、"), True


def parse_text(text: str) -> ParsedText:
    """Split what a shopper typed: "like this, not floral, cheaper" is nothing wanted, "floral" unwanted, cheaper."""
    text = " ".join(text.split())
    text, limit = split_price_limit(text)
    text, in_stock = split_stock(text)
    cheapest = False
    if _CHEAP.search(text) and not _CHEAPER.search(text):
        text = " ".join(_CHEAP.sub(" ", text).split()).strip(EDGES)
        cheapest = not text
    split = split_negation(text)
    cheaper = bool(_CHEAPER.search(split.rest))
    rest = _CHEAPER.sub(" , ", split.rest) if cheaper else split.rest
    unwanted = [words for phrase in split.unwanted if (words := _CHEAPER.sub(" ", phrase).strip(EDGES))]
    is_change = bool(_LIKE_THIS.match(rest.strip(EDGES)))
    if not unwanted and not cheaper and not is_change:
        return ParsedText(text, limit=limit, in_stock=in_stock, cheapest=cheapest)
    rest = _LIKE_THIS.sub(" ", rest.strip(EDGES), count=1)
    parts = [part.strip(EDGES) for part in rest.split(",")]
    wanted = " ".join(part for part in parts if part and part.lower() not in ("but", "and"))
    # "not striped mug" is a mug, but "this, not dark blue" is no blue thing.
    if not wanted and unwanted and not is_change and (head := split_head(unwanted[-1], names_first(text))):
        unwanted[-1], wanted = head
    return ParsedText(wanted, tuple(unwanted), cheaper, limit, in_stock)
