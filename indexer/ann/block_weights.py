"""Block weights: how much each block of a row counts in a picture query and in a text query."""

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
MIN_ROWS_TO_JUDGE = 20
FULL_WEIGHT_CHANCE_FACTOR = 10.0


def shop_weights(
    layout: RowLayout, title_weight: float = 1.0, defaults: Weights = DEFAULT_WEIGHTS
) -> dict[str, dict[str, float]]:
    """Return the default weights of the layout's blocks; in picture queries "words" is multiplied by `title_weight`.

    Text queries use the full weight: titles unrelated to the pictures (article numbers) mislead a picture query, but
    are what a shopper who types one searches for. A block without a default weighs 1.
    """
    picture = {block.name: defaults["picture"].get(block.name, 1.0) for block in layout.blocks}
    if WORDS in picture:
        picture[WORDS] *= title_weight
    text = {block.name: defaults["text"].get(block.name, 1.0) for block in layout.blocks if block.texts}
    return {"picture": picture, "text": text}


def gate_depth(count: int) -> int:
    """Return the depth at which a ranking of `count` rows is judged: ten, but at most a tenth of the rows."""
    return max(1, min(10, count // 10))


def title_weight_from_recall(recall: float, count: int) -> float:
    """Return a factor for the "words" weight: 0 at chance recall, 1 from ten times chance (or half-way to perfect).

    `recall` is the share of titles whose own picture is among the first `gate_depth(count)` of `count`. Returns 1
    when there are too few rows to judge.
    """
    if count < MIN_ROWS_TO_JUDGE:
        return 1.0
    chance = gate_depth(count) / count
    full = min(FULL_WEIGHT_CHANCE_FACTOR * chance, (1.0 + chance) / 2)
    return min(1.0, max(0.0, (recall - chance) / (full - chance)))
