"""Where the shop is strong and where it is weak: how well photos and words find the products of each category."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from catalog.product import CATEGORY_SEPARATOR
from catalog.sample.generator.catalogue.plan import TEST
from tests.quality.measures import rank_figures
from tests.quality.questions import Answer, of_split, ranks
from tests.quality.report.plots import Dot, dots
from tests.quality.report.records import Outcome, Plot, Section, Share
from tests.quality.sample_shop import SampleShop

LEVELS = {"top": 1, "family": 2}  # how many parts of a category's path each looks at
PLOTS = (
    ("photos", "recall_at_1", "photos, R@1"),
    ("photos", "recall_at_5", "photos, R@5"),
    ("captions", "recall_at_10", "English captions, R@10"),
)

Figures = Mapping[str, Mapping[str, Mapping[str, Any]]]


def by_category(shop: SampleShop) -> Outcome:
    """What photos and English captions of the test products find, by the first level of category and by family."""
    asked = {"photos": of_split(shop.photos, TEST), "captions": of_split(shop.captions.get("en", ()), TEST)}
    figures: dict[str, Figures] = {
        level: category_figures(asked, {one: product.category_path[:parts] for one, product in shop.products.items()})
        for level, parts in LEVELS.items()
    }
    section = Section(
        title="By category",
        how="The same test photos and captions, by category: diamonds are the first level, circles the families in "
        "it. Whiskers are 95 % intervals, n is the number of questions. Under ten questions look at n first: where "
        "all or none were answered, resampling shows no doubt at all.",
        plots=tuple(
            Plot(dots(_rows(figures, what, name), f"{what} {name}", title), f"Test {title}.")
            for what, name, title in PLOTS
        ),
    )
    return Outcome("by_category", figures, section)


def category_figures(asked: Mapping[str, Sequence[Answer]], paths: Mapping[str, Sequence[str]]) -> Figures:
    """The rank figures of each kind of question in each category, by name; `paths` has each product's category."""
    found: dict[str, dict[str, list[Answer]]] = defaultdict(lambda: {what: [] for what in asked})
    for what, answers in asked.items():
        for answer in answers:
            found[CATEGORY_SEPARATOR.join(paths[answer.question.product_id])][what].append(answer)
    return {
        name: {what: rank_figures(ranks(answers)) for what, answers in found[name].items()} for name in sorted(found)
    }


def _rows(figures: Mapping[str, Figures], what: str, name: str) -> list[Dot]:
    """A dot for each first-level category, and under it one for each family in it that was asked."""
    rows = []
    for top, found in figures["top"].items():
        family_of = f"{top}{CATEGORY_SEPARATOR}"
        families = {path: of for path, of in figures["family"].items() if path.startswith(family_of)}
        for path, of in ((top, found), *families.items()):
            share = Share.of(of[what], name)
            if of[what]["queries"] and share.figure is not None:
                label = path.removeprefix(family_of)
                rows.append(Dot(label, share.figure, share.interval, of[what]["queries"], leads=path == top))
    return rows
