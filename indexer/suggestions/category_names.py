"""How a shop names the levels of its categories in other languages."""

from __future__ import annotations

import numpy as np

from catalog.product import levels_of
from catalog.translated_attributes import OTHER_LANGUAGES
from indexer.columns.fields import CATEGORY
from indexer.columns.product_table import ShopTable

TRANSLATED_CATEGORY = "attributes.category_{language}"

LevelNames = dict[str, dict[str, str]]  # by language and name of a level


def all_level_names(table: ShopTable) -> LevelNames:
    """Return the names of category levels in each of the other languages of a shop."""
    return {code: level_names(table, TRANSLATED_CATEGORY.format(language=code)) for code in OTHER_LANGUAGES}


def level_names(table: ShopTable, field: str) -> dict[str, str]:
    """Return another language's name of each category level, from a field that translates the category."""
    names: dict[str, str] = {}
    paths, translated = table.labels.get(CATEGORY), table.labels.get(field)
    if paths is None or translated is None:
        return names
    size, lists = min(len(paths.numbers), len(translated.numbers)), len(translated.lists)
    pairs: set[tuple[int, int]] = set()
    for number in np.unique(paths.numbers[:size].astype(np.int64) * lists + translated.numbers[:size]).tolist():
        own = paths.lists[number // lists]
        pairs.update((own[-1], code) for code in translated.lists[number % lists] if own)  # the last is the deepest
    for code, other in sorted(pairs):
        levels, others = levels_of(paths.words.texts[code]), levels_of(translated.words.texts[other])
        if len(levels) == len(others):
            for level, name in zip(levels, others, strict=True):
                names.setdefault(level, name)
    return names
