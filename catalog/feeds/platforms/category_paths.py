"""Choose a product's category among the several that a platform gives it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catalog.feeds.platforms.variants import ProductDraft
from catalog.product import CATEGORY_SEPARATOR

MAX_PATHS = 100
CATEGORIES = "categories"  # the attribute with all leaves, of a product that is in several


def set_category(draft: ProductDraft, paths: Iterable[Sequence[str]]) -> None:
    """Set the deepest path as the category, the first of equally deep ones; note the other leaves as an attribute."""
    found = [tuple(level.strip() for level in path if level.strip()) for path in paths]
    found = [path for path in dict.fromkeys(found) if path][:MAX_PATHS]
    leaves = [path for path in found if not any(other[: len(path)] == path for other in found if other != path)]
    if not leaves:
        return
    deepest = max(leaves, key=len)
    draft.cells["category"] = CATEGORY_SEPARATOR.join(deepest)
    if len(leaves) > 1:
        draft.set_attribute(CATEGORIES, ", ".join(dict.fromkeys(path[-1] for path in leaves)))
