"""What a page of results is about, in words: its heading, and what an earlier search was about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.errors import BadInput
from catalog.product import Product
from search.query.terms import PictureTerm, ProductTerm, Query, TextTerm, VectorTerm
from web.engine import get_engine
from web.i18n.language import t, title_of
from web.requests.page_request import PageRequest
from web.urls import search_url


@dataclass(frozen=True, slots=True)
class Subject:
    """What a search wants: the key of the photo's name ("" without one), titles of products, and words."""

    photo: str
    titles: tuple[str, ...]
    words: str

    def heading(self) -> str:
        """Return the heading of the results; that of any search where nothing is wanted."""
        if self.photo:
            if self.words:
                return t("plus_words", what=t(self.photo), words=self.words)
            other, photo = self.titles[0] if self.titles else "", t(f"{self.photo}_inside")
            return t("like_both", what=photo, other=other) if other else t("like", what=photo)
        if self.titles:
            both = len(self.titles) > 1
            like = t("like_both", what=self.titles[0], other=self.titles[1]) if both else t("like", what=self.titles[0])
            return t("plus_words", what=like, words=self.words) if self.words else like
        return t("quoted", words=self.words) if self.words else t("your_search")

    def name(self) -> str:
        """Return the parts one after another, as in "your photo + “in green”"."""
        words = t("quoted", words=self.words) if self.words else ""
        photo = t(f"{self.photo}_inside") if self.photo else ""
        return " + ".join(part for part in (photo, *self.titles, words) if part)


@dataclass(frozen=True, slots=True)
class Combination:
    """An offer to search for a new photo and for what was searched before it, together."""

    label: str
    url: str


def subject_of(page_request: PageRequest, query: Query, products: Mapping[str, Product]) -> Subject:
    """Return what a query wants; `products` has the products that its terms mention, by id."""
    wanted = [term for term in query.terms if term.weight > 0]
    photo = any(isinstance(term, PictureTerm | VectorTerm) for term in wanted)
    mentioned = [products.get(term.product_id) for term in wanted if isinstance(term, ProductTerm)]
    words = t("comma").join(term.words for term in wanted if isinstance(term, TextTerm))
    if page_request.named and page_request.words:
        words = page_request.words  # as they were typed, price limits and exclusions included
    return Subject(
        ("this_photo" if page_request.photo else "your_photo") if photo else "",
        tuple(title_of(product) for product in mentioned if product is not None),
        words,
    )


def combination(before: str, refine: str, shown: str) -> Combination | None:
    """Return the offer to combine a photo's results, of the token `refine`, with those of the token `before`."""
    if not before or not refine:
        return None
    engine = get_engine()
    try:
        query = engine.query_of(before)
    except BadInput:  # the shop may have changed since that search
        return None
    mentioned = [term.product_id for term in query.terms if isinstance(term, ProductTerm)]
    name = subject_of(PageRequest(refine=before), query, engine.find(mentioned) if mentioned else {}).name()
    return Combination(t("combine", what=name), search_url(refine=refine, also=before, shown=shown)) if name else None
