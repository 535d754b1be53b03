"""Turn label confidences into an answer: the best label, its parent category when only that is certain, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.product import CATEGORY_SEPARATOR

MAX_LABELS = 3


@dataclass(frozen=True, slots=True)
class ScoredLabel:
    """A label, its calibrated confidence from 0 to 1, and the ids of the neighbours that have it, best first."""

    name: str
    confidence: float
    neighbours: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the suggestion as JSON values."""
        return {"name": self.name, "confidence": round(self.confidence, 4), "neighbours": list(self.neighbours)}


@dataclass(frozen=True, slots=True)
class LabelSuggestion:
    """Suggestion for one field: up to three labels, best first, and the answer, "" where the shop abstains.

    The confidence of an answer reaches `threshold`. The answer may be a parent of the best category;
    `answer_confidence` is then the sum over all its children.
    """

    field: str
    top: tuple[ScoredLabel, ...]
    answer: str
    answer_confidence: float
    threshold: float

    def to_dict(self) -> dict[str, Any]:
        """Return the suggestion as JSON values."""
        return {
            "field": self.field,
            "top": [label.to_dict() for label in self.top],
            "answer": self.answer,
            "answer_confidence": round(self.answer_confidence, 4),
            "cut": round(self.threshold, 4),
        }


def suggest_label(
    field: str,
    confidences: Mapping[str, float],
    threshold: float,
    neighbours: Mapping[str, tuple[str, ...]],
    *,
    tree: bool = False,
) -> LabelSuggestion:
    """Return the best three labels and the answer; with `tree` a parent category can be the answer.

    `neighbours` are ids by label.
    """
    ranked = sorted(confidences.items(), key=lambda item: (-item[1], item[0]))
    top = tuple(ScoredLabel(name, share, neighbours.get(name, ())) for name, share in ranked[:MAX_LABELS])
    answer, confidence = abstain_or_parent(ranked[0][0], confidences, threshold, tree=tree) if ranked else ("", 0.0)
    return LabelSuggestion(field, top, answer, confidence, threshold)


def abstain_or_parent(
    best: str, confidences: Mapping[str, float], threshold: float, *, tree: bool
) -> tuple[str, float]:
    """Return the best label, or its deepest parent, whose confidence reaches the threshold; else ("", 0)."""
    if confidences[best] >= threshold:
        return best, confidences[best]
    path = best.split(CATEGORY_SEPARATOR) if tree else []
    for depth in range(len(path) - 1, 0, -1):
        parent = CATEGORY_SEPARATOR.join(path[:depth])
        below = sum(
            c for name, c in confidences.items() if (name + CATEGORY_SEPARATOR).startswith(parent + CATEGORY_SEPARATOR)
        )
        if below >= threshold:
            return parent, min(below, 1.0)
    return "", 0.0
