"""What differs between products: the rows of a table, a column for each product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.product import Product
from web.i18n.language import facts_of, field_label, language, path_of, t
from web.i18n.languages import number_text
from web.pages.templating import price
from web.reviews.card_ratings import card_rating
from web.reviews.wording import review_text

MISSING = "–"


@dataclass(frozen=True, slots=True)
class ComparedFact:
    """A fact with the value of each product; `differs` when they are not all the same."""

    label: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the products differ in this fact."""
        return len(set(self.values)) > 1


def compared_facts(products: Sequence[Product]) -> tuple[ComparedFact, ...]:
    """Return the facts that any of the products has: price, stock, stars, brand, category, then its attributes."""
    common: tuple[tuple[str, Callable[[Product], str]], ...] = (
        (field_label("price"), price),
        (field_label("in_stock"), lambda product: t("in_stock" if product.in_stock else "out_of_stock")),
        (review_text("reviews"), _stars),
        (field_label("brand"), lambda product: product.brand),
        (field_label("category"), lambda product: " › ".join(path_of(product))),
    )
    rows = [ComparedFact(label, tuple(read(product) or MISSING for product in products)) for label, read in common]
    facts = [dict(facts_of(product)) for product in products]
    for label in dict.fromkeys(label for known in facts for label in known):
        rows.append(ComparedFact(label, tuple(known.get(label) or MISSING for known in facts)))
    return tuple(row for row in rows if set(row.values) != {MISSING})


def _stars(product: Product) -> str:
    """Return the rating of a product: "★ 4.6 (23)"; "" without reviews."""
    rated = card_rating(product.id)
    return f"★ {rated.mean} ({number_text(rated.count, language())})" if rated else ""
