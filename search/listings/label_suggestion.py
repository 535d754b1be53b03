"""From confidences of labels to an answer: the best ones, how sure, and the parent category when only that is sure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.product import CATEGORY_SEPARATOR

TOP = 3


@dataclass(frozen=True, slots=True)
class ScoredLabel:
    """A label with its calibrated confidence, 0 to 1, and the ids of the neighbours that are called so, best first."""

    name: str
    confidence: float
    neighbours: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"name": self.name, "confidence": round(self.confidence, 4), "neighbours": list(self.neighbours)}


@dataclass(frozen=True, slots=True)
class LabelSuggestion:
    """What a field should say: up to three labels, best first; `answer` is what can be relied on, "" when nothing can.

    An answer is at least as sure as `cut`. Of categories it may be a parent of the best one; `answer_confidence` is
    then that of all its children together.
    """

    field: str
    top: tuple[ScoredLabel, ...]
    answer: str
    answer_confidence: float
    cut: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "field": self.field,
            "top": [one.to_dict() for one in self.top],
            "answer": self.answer,
            "answer_confidence": round(self.answer_confidence, 4),
            "cut": round(self.cut, 4),
        }


def suggest_label(
    field: str,
    confidences: Mapping[str, float],
    cut: float,
    said_by: Mapping[str, tuple[str, ...]],
    *,
    tree: bool = False,
) -> LabelSuggestion:
    """The best three labels; the answer is the best, or with `tree` its deepest parent, that is as sure as the cut."""
    ranked = sorted(confidences.items(), key=lambda item: (-item[1], item[0]))
    top = tuple(ScoredLabel(name, sure, said_by.get(name, ())) for name, sure in ranked[:TOP])
    answer, sure = abstain_or_parent(ranked[0][0], confidences, cut, tree=tree) if ranked else ("", 0.0)
    return LabelSuggestion(field, top, answer, sure, cut)


def abstain_or_parent(best: str, confidences: Mapping[str, float], cut: float, *, tree: bool) -> tuple[str, float]:
    """The best label, or its deepest parent, whose confidence reaches the cut; ("", 0) when there is none."""
    if confidences[best] >= cut:
        return best, confidences[best]
    path = best.split(CATEGORY_SEPARATOR) if tree else []
    for depth in range(len(path) - 1, 0, -1):
        parent = CATEGORY_SEPARATOR.join(path[:depth])
        below = sum(
            c for name, c in confidences.items() if (name + CATEGORY_SEPARATOR).startswith(parent + CATEGORY_SEPARATOR)
        )
        if below >= cut:
            return parent, min(below, 1.0)
    return "", 0.0
