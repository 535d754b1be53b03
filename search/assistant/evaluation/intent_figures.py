"""Figures of a classifier of intents on labelled messages: accuracy, F1, out of scope, calibration, coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexer.types import Floats, Mask
from search.assistant.intents.examples import IntentExample
from search.assistant.intents.names import OUT_OF_SCOPE, SMALL_TALK
from search.evaluation.statistics import DIGITS, auroc, calibration_error


@dataclass(frozen=True, slots=True)
class IntentShares:
    """Probabilities that a classifier gives to messages, float32 (n, labels), and the thresholds (n,) of an answer."""

    labels: tuple[str, ...]
    shares: Floats
    thresholds: Floats


def figures(predictions: IntentShares, questions: Sequence[IntentExample]) -> dict[str, Any]:
    """Return all figures, of the whole and by language. A greeting is out of scope where the questions have no such."""
    by_language = {}
    languages = np.array([question.language for question in questions])
    for language in sorted(set(languages.tolist())):
        of_it = languages == language
        own = IntentShares(predictions.labels, predictions.shares[of_it], predictions.thresholds[of_it])
        by_language[language] = _figures(own, [q for q, here in zip(questions, of_it, strict=True) if here])
    return _figures(predictions, questions) | {"by_language": by_language}


def _figures(predictions: IntentShares, questions: Sequence[IntentExample]) -> dict[str, Any]:
    truth = np.array([question.intent for question in questions])
    labels, shares = _known_labels(predictions, set(truth.tolist()))
    best = np.array(labels)[shares.argmax(axis=1)]
    correct, outside = best == truth, truth == OUT_OF_SCOPE
    certainty = shares.max(axis=1)
    answered = certainty >= predictions.thresholds
    result: dict[str, Any] = {
        "questions": len(questions),
        "accuracy": _mean(correct),
        "accuracy_in_scope": _mean(_best_in_scope(labels, shares)[~outside] == truth[~outside]),
        "macro_f1": round(_macro_f1(best, truth), DIGITS),
        "ece": round(calibration_error(np.column_stack([certainty, correct]).astype(np.float64)), DIGITS),
        "answered": _mean(answered),
        "accuracy_when_answered": _mean(correct[answered]),
    }
    if outside.any() and not outside.all():
        strange = _strangeness(labels, shares)
        result["out_of_scope_auroc"] = round(auroc(strange[outside], strange[~outside]), DIGITS)
    return result


def _known_labels(predictions: IntentShares, used: set[str]) -> tuple[tuple[str, ...], Floats]:
    """Return labels and probabilities in which a greeting counts as out of scope, unless the questions have some."""
    labels, shares = predictions.labels, predictions.shares
    if SMALL_TALK not in labels or SMALL_TALK in used or OUT_OF_SCOPE not in labels:
        return labels, shares
    merged = shares.copy()
    merged[:, labels.index(OUT_OF_SCOPE)] += merged[:, labels.index(SMALL_TALK)]
    merged[:, labels.index(SMALL_TALK)] = 0.0
    return labels, merged


def _best_in_scope(labels: Sequence[str], shares: Floats) -> Any:
    inside = np.array([label != OUT_OF_SCOPE for label in labels])
    return np.array(labels)[np.where(inside, shares, -1.0).argmax(axis=1)]


def _strangeness(labels: Sequence[str], shares: Floats) -> Floats:
    """Return how probable it is that a message is out of scope: by its own label, or by the lack of any other."""
    if OUT_OF_SCOPE in labels:
        return np.asarray(shares[:, list(labels).index(OUT_OF_SCOPE)], np.float32)
    return np.asarray(1 - shares.max(axis=1), np.float32)


def _macro_f1(predicted: Any, truth: Any) -> float:
    scores = []
    for label in sorted(set(truth.tolist())):
        hits = float(((predicted == label) & (truth == label)).sum())
        total = float((predicted == label).sum() + (truth == label).sum())
        scores.append(2 * hits / total if total else 0.0)
    return float(np.mean(scores)) if scores else 0.0


def _mean(values: Mask) -> float | None:
    return round(float(np.mean(values)), DIGITS) if len(values) else None


def table_row(name: str, of_model: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of a model's line in the printed table."""
    cells = ("accuracy", "accuracy_in_scope", "macro_f1", "out_of_scope_auroc", "ece")
    return name, *("-" if of_model.get(cell) is None else f"{of_model[cell]:.3f}" for cell in cells)
