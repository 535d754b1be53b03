"""Measure projection heads on held-out pictures and texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.encoders.projection_encoder import SentenceTower, Tower
from indexer.encoders.projection_heads import ProjectionHeads
from indexer.labels.knn import Ints
from indexer.numeric import number_names, unit
from indexer.training.captions.words import LANGUAGES, Noun, alternatives
from indexer.training.pairs import picture_features, word_features
from indexer.training.starter_data import StarterData
from indexer.types import Floats

LABEL_PROMPTS = ("{}", "a photo of a {}", "a {}")


def starter_figures(heads: ProjectionHeads, split: StarterData, tower: Tower, words: SentenceTower) -> dict[str, Any]:
    """Measure fashion title to picture, grocery photo to product, and zero-shot clothing category."""

    def pictures(files: Sequence[Path]) -> Floats:
        features, _ = picture_features(tower.prepare, tower, files, "plain", 0, lambda done: None)
        return unit(heads.picture(features.astype(np.float32)))

    def texts(lines: Sequence[str]) -> Floats:
        return unit(heads.text(word_features(words, lines)))

    fashion = pictures([Path(product.pictures[0].path) for product in split.fashion])
    found = ranks(texts([product.title for product in split.fashion]) @ fashion.T, np.arange(len(fashion)))
    ids = {product.id: row for row, product in enumerate(split.grocery)}
    studio = pictures([Path(product.pictures[0].path) for product in split.grocery])
    products = unit(studio + texts([product.title for product in split.grocery]))
    shelf = np.array([ids[photo.name] for photo in split.grocery_photos])
    at_shelf = ranks(pictures([photo.file for photo in split.grocery_photos]) @ products.T, shelf)
    labels = sorted({photo.name for photo in split.clothing_photos})
    owned = np.array([labels.index(photo.name) for photo in split.clothing_photos])
    worn = pictures([photo.file for photo in split.clothing_photos])

    def accuracy(prompts: Sequence[Sequence[str]]) -> float:
        """Return the share of photos nearest to their label's text; a prompt has a text for every label."""
        anchors = unit(np.mean([texts(lines) for lines in prompts], axis=0))
        return float((ranks(worn @ anchors.T, owned) < 1).mean())

    english = accuracy([[prompt.format(label) for label in labels] for prompt in LABEL_PROMPTS])
    names = {language: _names(labels, language) for language in LANGUAGES}
    others = {language: round(accuracy([words]), 4) for language, words in names.items() if words}
    return {
        "fashion_title_to_picture": {"products": len(fashion), **recalls(found, 1, 10)},
        "grocery_photo_to_product": {"photos": len(shelf), "products": len(ids), **recalls(at_shelf, 1, 5)},
        "clothing_zero_shot": {"photos": len(owned), "labels": len(labels), "accuracy": english, "languages": others},
    }


def _names(labels: Sequence[str], language: str) -> list[str]:
    """Return the labels in another language; none when one of them has no word there."""
    words = [alternatives(label, language, "kind") for label in labels]
    return [Noun.read(cells[0]).text for cells in words] if all(words) else []


def title_recall(pictures: Floats, titles: Floats, names: Sequence[str]) -> float:
    """Return recall@10 of title to own picture; a picture of any product with an equal title is a match."""
    scores = unit(titles) @ unit(pictures).T
    same = number_names(names)[:, None] == number_names(names)[None]
    best = np.where(same, scores, -np.inf).max(axis=1)
    return float((_before(np.where(same, -np.inf, scores), best) < 10).mean())


def ranks(scores: Floats, right: Ints) -> Ints:
    """Return how many columns rank before the right one, for each row of scores (n, m)."""
    rows = np.arange(len(scores))
    others = scores.copy()
    others[rows, right] = -np.inf
    return _before(others, scores[rows, right])


def _before(others: Floats, own: Floats) -> Ints:
    """Count half of the ties as ranked before: heads with equal scores everywhere must not look perfect."""
    higher, tied = (others > own[:, None]).sum(axis=1), (others == own[:, None]).sum(axis=1)
    return np.asarray(higher + tied // 2)


def recalls(found: Ints, *depths: int) -> dict[str, float]:
    """Return the share of ranks within each depth."""
    return {f"recall_at_{depth}": round(float((found < depth).mean()), 4) for depth in depths}
