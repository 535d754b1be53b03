"""What the front page offers: categories with a picture, and texts to try that find something."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice, zip_longest
from typing import TYPE_CHECKING

from flask import current_app

from catalog.errors import WindowshopError
from catalog.product import CATEGORY_SEPARATOR, Picture, Product, categories_down, levels_of
from search.query.builder import build_query
from search.query.filters import ATTRIBUTE, BASE_COLOUR, CATEGORY
from search.understanding.understood import ANSWERS
from web.engine import get_engine
from web.facets.category_menu import MenuEntry, category_menu
from web.facets.colours import colour_label
from web.i18n.language import in_sentence, language, value_label
from web.i18n.languages import CHINESE, ENGLISH, GERMAN

if TYPE_CHECKING:
    from search.hits import SearchPage

EXTENSION = "windowshop.front_page"
MAX_TILES = 8
MAX_EXAMPLES = 6
MIN_PRODUCTS = 2  # of a value to try, in its category
NEWEST_PRODUCTS = 4  # of a category, among which one is chosen for its picture
DESCRIPTIVE = (BASE_COLOUR, *(ATTRIBUTE + name for name in ("pattern", "material")))


@dataclass(frozen=True, slots=True)
class CategoryTile:
    """A category, and the picture of one of its products."""

    entry: MenuEntry
    picture: Picture | None


@dataclass(frozen=True, slots=True)
class FrontPage:
    """The categories and the texts to try."""

    tiles: tuple[CategoryTile, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What is chosen once for a generation's categories: the product that pictures each one, and texts by language."""

    paths: frozenset[str]
    generation: int
    product_ids: dict[str, str] = field(default_factory=dict)
    examples: dict[str, tuple[str, ...]] = field(default_factory=dict)


def front_page() -> FrontPage:
    """Return what the front page offers in the page's language."""
    engine = get_engine()
    chosen, code = _chosen(), language()
    menu = category_menu()[:MAX_TILES]
    products = engine.find([chosen.product_ids[entry.path] for entry in menu if entry.path in chosen.product_ids])
    for entry in menu:
        if chosen.product_ids.get(entry.path) not in products and (product := _pictured(entry.path)):
            chosen.product_ids[entry.path] = product.id
            products[product.id] = product
    if code not in chosen.examples:
        chosen.examples[code] = _examples() if engine.status().texts else ()
    pictures = (_picture(products.get(chosen.product_ids.get(entry.path, ""))) for entry in menu)
    return FrontPage(tuple(map(CategoryTile, menu, pictures)), chosen.examples[code])


def _chosen() -> _Chosen:
    """Return what was chosen; nothing when there is another generation or categories came or went."""
    engine = get_engine()
    paths, generation = frozenset(engine.categories()), engine.status().generation
    chosen: _Chosen | None = current_app.extensions.get(EXTENSION)
    if chosen is None or (chosen.paths, chosen.generation) != (paths, generation):
        chosen = current_app.extensions[EXTENSION] = _Chosen(paths, generation)
    return chosen


def _pictured(path: str) -> Product | None:
    """Return one of the newest products of a category that has a picture, one in stock if there is any."""
    products = [hit.product for hit in _page(path, NEWEST_PRODUCTS).hits if _picture(hit.product)]
    return min(products, key=lambda product: not product.in_stock, default=None)


def _picture(product: Product | None) -> Picture | None:
    return next((picture for picture in product.pictures if picture.sha256), None) if product else None


def _page(path: str, k: int, facets: bool = False) -> SearchPage:
    return get_engine().search(build_query(filter={CATEGORY: [path]}, k=k, facets=facets))


def _examples() -> tuple[str, ...]:
    """Return the largest kinds, every second one with a colour or another value that several of its products have."""
    found: dict[str, None] = {}
    for number, path in enumerate(_kinds_to_try()):
        kind = value_label(CATEGORY, path).rpartition(CATEGORY_SEPARATOR)[2]
        untranslated = kind in path
        text = _example(kind, _value(path, number // 2, untranslated) if number % 2 else "", untranslated)
        if _finds(text):
            found[text] = None
    return tuple(found)[:MAX_EXAMPLES]


def _example(kind: str, value: str, untranslated: bool) -> str:
    """Return a text to try; a kind alone where its language would have to inflect the value."""
    if untranslated or language() in (ENGLISH, CHINESE):
        text = f"{value}{'' if language() == CHINESE and not untranslated else ' '}{kind}".lower()
    else:
        text = f"{kind} {value}" if language() == GERMAN else in_sentence(kind)
    return text.strip()


def _kinds_to_try() -> list[str]:
    """Return the largest categories that have none below them, by turns from each category of the menu."""
    kinds = get_engine().categories()
    parents = {above for path in kinds for above in list(categories_down(levels_of(path)))[:-1]}
    leaves = sorted(set(kinds) - parents, key=lambda path: (-kinds[path], path))
    branches = [entry.path for entry in category_menu()[:MAX_TILES]]
    by_branch = [
        [leaf for leaf in leaves if leaf == branch or leaf.startswith(branch + CATEGORY_SEPARATOR)]
        for branch in branches
    ]
    turns = (leaf for turn in zip_longest(*by_branch) for leaf in turn if leaf is not None)
    return list(islice(turns, MAX_EXAMPLES + 2))


def _value(path: str, number: int, untranslated: bool) -> str:
    """Return a word that some products of a category have as a value; "" for none.

    It is in the page's language, beside a category that the shop has not translated in the feed's own.
    """
    page = _page(path, 1, facets=True)
    facets = {facet.name: facet for facet in page.facets}
    start, spaced = number % len(DESCRIPTIVE), untranslated or language() != CHINESE
    for name in (*DESCRIPTIVE[start:], *DESCRIPTIVE[:start]):
        values = facets[name].values if name in facets else ()
        labels = [value.label for value in values if MIN_PRODUCTS <= value.count < (page.total or 0)]
        shown = labels if untranslated else [_shown(name, label) for label in labels]
        words = [text for text in shown if " " not in text and (spaced or not text.isascii())]
        if words:
            return words[number % len(words)]
    return ""


def _shown(name: str, label: str) -> str:
    return colour_label(label) if name == BASE_COLOUR else value_label(name, label)


def _finds(text: str) -> bool:
    try:
        page = get_engine().search(replace(build_query(text=text, k=1), facets=True))
    except WindowshopError:
        return False
    return bool(page.hits) and (page.verdict is None or page.verdict.kind == ANSWERS)
