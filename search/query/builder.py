"""The one way from what a shopper sent to a `Query`: the HTTP API, the page, the command line and libraries use it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from catalog.errors import BadQuery
from catalog.images.crop import crop_picture, load_picture
from catalog.images.decoder import Box
from catalog.product import Product
from search.query.filters import IN_STOCK, PRICE, Filter, InStock, parse_filter
from search.query.intent import ParsedText, feedback_terms, merge_terms, narrow_to_cheaper, text_terms
from search.query.price_limit import PriceLimit, meant_currency, within_limit
from search.query.terms import MAX_PICTURES, MAX_TERMS, PRICE_UP, RELEVANCE, PictureTerm, ProductTerm, Query, Term


class QueryBuilder:
    """Collects the parts of one query, in any order; `build` puts them together.

    `base` is the query of a refine token that the parts extend. `options` are the fields of `Query` other than its
    terms: those that are given replace those of `base`.
    """

    def __init__(self, base: Query | None = None, **options: Any) -> None:
        self._base = base
        self._options = options
        self._feedback: list[Term] = []
        self._text: tuple[str, float] | None = None
        self._terms: list[Term] = []
        self._pictures: list[Term] = []
        self._has_pictures = False
        self._cropped = False

    def text(self, words: str, weight: float = 1.0) -> QueryBuilder:
        """Add what a shopper typed: "in green, not striped, under 20" becomes terms and a price limit."""
        self._text = (words, weight)
        return self

    def product(self, product_id: str, weight: float = 1.0) -> QueryBuilder:
        """Add a product of the shop to resemble."""
        self._terms.append(ProductTerm(product_id, weight))
        return self

    def feedback(self, more: Iterable[str], less: Iterable[str]) -> QueryBuilder:
        """Add products to be more like, and products to be less like."""
        self._feedback += feedback_terms(more, less)
        return self

    def terms(self, terms: Iterable[Term], cropped: bool = False) -> QueryBuilder:
        """Add terms as they are; `cropped` when a picture among them is a crop."""
        self._terms += terms
        self._cropped |= cropped
        return self

    def expect_pictures(self, count: int) -> QueryBuilder:
        """Announce `count` pictures before they are decoded. Raises BadQuery when the query cannot hold them."""
        self._has_pictures |= count > 0
        terms = len(self._collected()[0]) - len(self._pictures)
        if terms + count > MAX_TERMS or count > MAX_PICTURES:
            raise BadQuery(
                f"The query has {terms + count} terms, {count} of them pictures.",
                f"Send at most {MAX_TERMS} terms and {MAX_PICTURES} pictures in one query.",
            )
        return self

    def picture(
        self, picture: Image.Image | Path | str, weight: float = 1.0, *, crop: Box | None = None, cropped: bool = False
    ) -> QueryBuilder:
        """Add a picture, or its part in the box `crop`; `cropped` when it is cut out already. Raises BadPicture."""
        if not isinstance(picture, Image.Image):
            picture = load_picture(Path(picture), crop)
        elif crop is not None:
            picture = crop_picture(picture, crop)
        self._pictures.append(PictureTerm(picture, weight))
        self._has_pictures = True
        self._cropped |= cropped or crop is not None
        return self

    def build(self) -> Query:
        """Return the query of all that was added. Raises BadQuery."""
        terms, parsed = self._collected()
        given = self._options.get("filter")
        if given is not None and given.on(PRICE):  # a price that was chosen counts, not the one in the words
            parsed = replace(parsed, limit=None, cheaper=False)
        limit = parsed.limit
        options = {**self._options, "cheaper": parsed.cheaper, "cropped": self._cropped}
        if self._text is not None and self._text[1] > 0:
            options["typed"] = self._text[0]
        if limit is not None:
            options["price_currency"] = limit.currency
        if parsed.cheapest and not terms and options.get("sort", RELEVANCE) == RELEVANCE:
            options |= {"sort": PRICE_UP, "filter": given or Filter()}
        if self._base is None:
            filter = _in_stock(within_limit(options.get("filter"), limit), parsed)
            return Query(tuple(terms), **{**options, "filter": filter})
        query = merge_terms(replace(self._base, **options), terms)
        return replace(query, filter=_in_stock(within_limit(query.filter, limit), parsed))

    def _collected(self) -> tuple[list[Term], ParsedText]:
        """Return all terms, and the parsed text: whether it says "cheaper", and the price limit that it names."""
        terms, parsed = list(self._feedback), ParsedText("")
        if self._text is not None:
            # A text of nothing but "not floral" can subtract only where something else selects products.
            others = bool(self._terms or self._feedback or self._has_pictures)
            others = others or self._base is not None or self._options.get("filter") is not None
            parsed_terms, parsed = text_terms(*self._text, with_others=others)
            terms += parsed_terms
        return [*terms, *self._terms, *self._pictures], parsed


def _in_stock(narrowed: Filter | None, parsed: ParsedText) -> Filter | None:
    """Add to a filter that only what is in stock is wanted, where the text says so and the filter says nothing."""
    if not parsed.in_stock or (narrowed is not None and narrowed.on(IN_STOCK)):
        return narrowed
    return Filter((*(narrowed or Filter()).conditions, InStock(True)))


def build_query(
    *,
    picture: Image.Image | Path | str | None = None,
    text: str | None = None,
    product_id: str | None = None,
    crop: Box | None = None,
    weights: Mapping[str, float] | None = None,
    filter: Filter | Mapping[str, object] | None = None,
    **options: Any,
) -> Query:
    """Return the query of a picture, a text and a product, as `Query.of` documents it."""
    weights = weights or {}
    if unknown := sorted(set(weights) - {"picture", "text", "product_id"}):
        raise BadQuery(f"weights names {unknown[0]!r}, which is no part of a query.", "Name picture, text, product_id.")
    if crop is not None and picture is None:
        raise BadQuery("crop was given without a picture.", "Give the picture to crop, or leave crop out.")
    narrowed = filter if filter is None or isinstance(filter, Filter) else parse_filter(filter)
    builder = QueryBuilder(filter=narrowed, **options)
    if text is not None:
        builder.text(text, weights.get("text", 1.0))
    if product_id is not None:
        builder.product(product_id, weights.get("product_id", 1.0))
    if picture is not None:
        builder.picture(picture, weights.get("picture", 1.0), crop=crop)
    return builder.build()


def resolve_query(
    query: Query,
    blocks: Collection[str],
    find_product: Callable[[str], Product],
    currencies: Callable[[], Collection[str]] = tuple,
) -> Query:
    """Resolve what only the shop knows: block weights of a crop, the currency of a price limit, what is cheaper.

    `currencies` gives those that the shop's products have. Raises UnknownProduct, BadQuery.
    """
    if query.price_currency is not None:
        code = meant_currency(query.price_currency, currencies())
        query = replace(query, price_currency=None)
        if code:
            query = replace(query, filter=within_limit(query.filter, PriceLimit(), code))
    if query.cropped:
        query = replace(query, cropped=False, blocks={**crop_weights(blocks), **(query.blocks or {})})
    if query.cheaper:
        resembled = [term.product_id for term in query.terms if isinstance(term, ProductTerm) and term.weight > 0]
        query = narrow_to_cheaper(query, [find_product(product_id) for product_id in resembled])
    return query


def crop_weights(blocks: Collection[str]) -> dict[str, float]:
    """Return the block weights that a query with a crop overrides: half of a crop's colours are its background's."""
    return {"colour": 0.0} if "colour" in blocks and len(blocks) > 1 else {}
