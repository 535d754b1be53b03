"""The menu of categories on every page: the shop's first two levels, with links to their products and their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app

from catalog.errors import WindowshopError
from catalog.product import CATEGORY_SEPARATOR
from search.query.filters import CATEGORY
from web.engine import get_engine
from web.i18n.language import value_label
from web.requests.page_request import category_url

EXTENSION = "windowshop.category_menu"
MAX_FIRST = 12  # categories of the first level
MAX_BELOW = 6  # categories below each of them


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A category: its path as the feed writes it, its name on the page, its products, their URL, those below it."""

    path: str
    label: str
    count: int
    url: str
    below: tuple[MenuEntry, ...] = ()


def category_menu() -> tuple[MenuEntry, ...]:
    """Return the shop's largest categories, those of the first level that has several; () while there is no shop."""
    try:
        tree = _tree()
    except WindowshopError:
        return ()
    root = ""
    while len(tree.get(root, {})) == 1 and (only := next(iter(tree[root]))) in tree:
        root = only
    return tuple(_entry(tree, path, count) for path, count in _largest(tree.get(root, {}), MAX_FIRST))


def _entry(tree: Mapping[str, Mapping[str, int]], path: str, count: int, deep: bool = True) -> MenuEntry:
    below = tree.get(path, {}) if deep else {}
    entries = tuple(_entry(tree, name, number, False) for name, number in _largest(below, MAX_BELOW))
    label = value_label(CATEGORY, path).rpartition(CATEGORY_SEPARATOR)[2]
    return MenuEntry(path, label, count, category_url(path), entries)


def _largest(categories: Mapping[str, int], most: int) -> list[tuple[str, int]]:
    return sorted(categories.items(), key=lambda item: (-item[1], item[0]))[:most]


def _tree() -> Mapping[str, Mapping[str, int]]:
    """Return the categories below each category with their numbers of products; "" has the first level."""
    known = get_engine().categories(grouped=True)
    cached: tuple[object, Mapping[str, Mapping[str, int]]] | None = current_app.extensions.get(EXTENSION)
    if cached is not None and cached[0] is known:
        return cached[1]
    tree: dict[str, dict[str, int]] = {}
    for category, count in known.items():
        tree.setdefault(category.rpartition(CATEGORY_SEPARATOR)[0], {})[category] = count
    current_app.extensions[EXTENSION] = (known, tree)
    return tree
