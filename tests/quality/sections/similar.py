"""Whether "more like this" stays with the same kind of thing, and finds the same shape in other colours."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from catalog.product import Product
from catalog.sample.generator.catalogue.plan import TEST
from search.evaluation.statistics import DIGITS, bootstrap, mean, measured
from tests.quality.measures import best_same_at, same_at
from tests.quality.report.plots import Dot, dots
from tests.quality.report.records import Headline, Outcome, Plot, Section, Share, Table
from tests.quality.sample_shop import SampleShop, family, group

DEPTH = 10
KINDS: dict[str, tuple[Callable[[Product], str], int]] = {
    "same_family_at_10": (family, DEPTH),
    "same_group_at_3": (group, 3),
}
NAMES = {"same_family_at_10": "same family in 10", "same_group_at_3": "siblings in 3"}

Found = Mapping[str, Sequence[Product]]


def similar_items(shop: SampleShop) -> Outcome:
    """The share of the products most like each one that are of its family, and that are its siblings."""
    found = {one: [hit.product for hit in shop.engine.similar(one, DEPTH).hits] for one in shop.products}
    tested = {one: like for one, like in found.items() if shop.splits.get(one) == TEST}
    figures = {TEST: similar_figures(tested, shop.products), "all": similar_figures(found, shop.products)}
    families = _by_family(found, shop.products)
    section = Section(
        title="Similar items",
        how=f"For each product, the {DEPTH} most like it. A family is one kind of thing (mugs); siblings are one "
        "shape in other colours or patterns. A product is never its own hit and has only so many relatives: no shop "
        "could get above the ceiling.",
        tables=(_table(figures),),
        plots=(
            Plot(
                dots(families, "similar", f"share of the {DEPTH} that are of the same family", _ceiling(figures)),
                "Each family's own share, strongest first; the dashed line is the ceiling.",
            ),
        ),
    )
    headlines = tuple(
        Headline(
            f"Similar items, {NAMES[kind]}",
            Share.of(figures[TEST], kind),
            figures[TEST]["products"],
            ceiling=figures[TEST][f"{kind}_ceiling"],
        )
        for kind in KINDS
    )
    return Outcome("similar", figures, section, headlines)


def similar_figures(found: Found, products: Mapping[str, Product]) -> dict[str, Any]:
    """For each kind of kinship its share among the products found, its interval, and the most it could be."""
    figures: dict[str, Any] = {"products": len(found)}
    for kind, (label, depth) in KINDS.items():
        members = Counter(label(product) for product in products.values())
        own = {one: label(products[one]) for one in found}
        shares = [same_at([label(hit) for hit in found[one]], own[one], depth) for one in found]
        best = [best_same_at(members[own[one]], depth) for one in found]
        figures |= measured(kind, mean, shares)
        figures[f"{kind}_ceiling"] = round(float(np.mean(best)), DIGITS) if best else None
    return figures


def _by_family(found: Found, products: Mapping[str, Product]) -> list[Dot]:
    shares: dict[str, list[float]] = defaultdict(list)
    for one, like in found.items():
        own = family(products[one])
        shares[own].append(same_at([family(hit) for hit in like], own, DEPTH))
    rows = [Dot(name, float(np.mean(of)), bootstrap(mean, of), len(of)) for name, of in shares.items()]
    return sorted(rows, key=lambda row: (-row.figure, row.label))


def _table(figures: Mapping[str, Mapping[str, Any]]) -> Table:
    header = ["products", "n"]
    rows = [[name, f"{of['products']:,}"] for name, of in figures.items()]
    cells: list[list[str | Share]] = [list(row) for row in rows]
    for kind in KINDS:
        header += [NAMES[kind], "ceiling"]
        for row, of in zip(cells, figures.values(), strict=True):
            row += [Share.of(of, kind), Share(of[f"{kind}_ceiling"])]
    return Table(tuple(header), tuple(map(tuple, cells)))


def _ceiling(figures: Mapping[str, Mapping[str, Any]]) -> float | None:
    ceiling: float | None = figures["all"]["same_family_at_10_ceiling"]
    return ceiling
