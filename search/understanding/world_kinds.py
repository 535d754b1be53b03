"""The names of the kinds of things that shops sell anywhere, as questions are cut into words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from indexer.generations.product_phrases import product_phrases
from search.understanding.question_words import name_keys


@cache
def names_of_kinds() -> Mapping[tuple[str, ...], int]:
    """Return the number of each kind of all shops by the words of its name."""
    phrases, owners = product_phrases()
    return {key: owners[i] for i in range(max(owners), -1, -1) for key in name_keys(phrases[i])}


@cache
def heads_of_kinds() -> frozenset[str]:
    """Return the last words of these names: "strap" of "watch strap"."""
    return frozenset(name[-1] for name in names_of_kinds() if len(name[-1]) > 1)
