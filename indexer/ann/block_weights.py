"""How much each block of a row counts, for a picture that asks and for words that ask."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from indexer.layout import WORDS, RowLayout

Weights = Mapping[str, Mapping[str, float]]

DEFAULT_WEIGHTS: Weights = MappingProxyType(
    {
        "picture": MappingProxyType({"look": 0.5, "meaning": 1.0, "colour": 0.3, WORDS: 1.0}),
        "text": MappingProxyType({"meaning": 2.0, WORDS: 1.0}),
    }
)
ENOUGH_TO_JUDGE = 20
FULL_TIMES_CHANCE = 10.0


def shop_weights(
    layout: RowLayout, gate: float = 1.0, defaults: Weights = DEFAULT_WEIGHTS
) -> dict[str, dict[str, float]]:
    """The default weights of a shop with that layout: of its blocks only, "words" of a picture query times `gate`.

    Words that ask keep their full weight: titles that say nothing about the pictures (article numbers) would
    mislead a picture, but are exactly what somebody who types one looks for. A block nobody has tuned weighs 1.
    """
    picture = {block.name: defaults["picture"].get(block.name, 1.0) for block in layout.blocks}
    if WORDS in picture:
        picture[WORDS] *= gate
    text = {block.name: defaults["text"].get(block.name, 1.0) for block in layout.blocks if block.texts}
    return {"picture": picture, "text": text}


def gate_depth(count: int) -> int:
    """How deep a ranking of `count` rows to look when judging titles: ten, but at most a tenth of them."""
    return max(1, min(10, count // 10))


def title_weight_from_recall(recall: float, count: int) -> float:
    """0 when titles find their own pictures no better than chance, 1 from ten times chance (or half-way to perfect).

    `recall` is the share of titles whose own picture is among the first `gate_depth(count)` of `count`.
    Too few rows to judge: 1.
    """
    if count < ENOUGH_TO_JUDGE:
        return 1.0
    chance = gate_depth(count) / count
    full = min(FULL_TIMES_CHANCE * chance, (1.0 + chance) / 2)
    return min(1.0, max(0.0, (recall - chance) / (full - chance)))
