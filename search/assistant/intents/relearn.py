"""Learn from messages whose intent staff corrected; a new classifier is used only where it is better."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catalog.home import ShopHome
from indexer.types import Floats
from search.assistant.intents.classifier import SHIPPED_HEADS
from search.assistant.intents.examples import IntentExample, shipped_examples
from search.assistant.intents.heads import LEAST, IntentHeads, fit_and_leave_out, normalised
from search.assistant.intents.names import INTENTS
from search.text_heads.text_vectors import CachedTextVectors, TextVectors

MIN_CORRECTIONS = 10  # different messages
MIN_LOSS_REDUCTION = 0.02  # share of the log loss on corrected messages
MAX_ACCURACY_LOSS = 0.01  # on the shipped examples; beyond it a new classifier is rejected
LEARNT, TOO_FEW, NOT_BETTER, WORSE = "learnt", "too_few", "not_better", "worse_on_other_messages"


def relearn_intents(home: Path, corrections: Sequence[IntentExample], vectors: TextVectors) -> dict[str, Any]:
    """Fit the classifier on the shipped examples and the corrections, save it if it is better, and return figures.

    Each corrected message is measured by a fit without it, and by the shipped classifier, which knows none of them.
    """
    examples = _latest(corrections)
    figures: dict[str, Any] = {"corrections": len(examples)}
    if len(examples) < MIN_CORRECTIONS:
        return figures | {"outcome": TOO_FEW, "needed": MIN_CORRECTIONS}
    vectors = CachedTextVectors(vectors)  # both fits read the shipped examples; encoding takes longest
    seeds, shipped = shipped_examples(), IntentHeads.load(SHIPPED_HEADS)
    heads, left_out = fit_and_leave_out([*seeds, *examples], vectors, shipped.means)
    labels = heads.other.labels
    _, before_seeds = fit_and_leave_out(seeds, vectors, shipped.means)
    texts, languages = [e.text for e in examples], [e.language for e in examples]
    before = shipped.probabilities(texts, languages, vectors)
    figures |= {
        "before": _measured(before, shipped.labels, examples) | {"others": _accuracy(before_seeds, labels, seeds)},
        "after": _measured(left_out[len(seeds) :], labels, examples)
        | {"others": _accuracy(left_out[: len(seeds)], labels, seeds)},
    }
    outcome = _outcome(figures["before"], figures["after"])
    if outcome == LEARNT:
        heads.save(ShopHome(home).intents)
    return figures | {"outcome": outcome}


def _outcome(before: dict[str, float], after: dict[str, float]) -> str:
    if after["others"] < before["others"] - MAX_ACCURACY_LOSS:
        return WORSE
    better = after["loss"] <= before["loss"] * (1 - MIN_LOSS_REDUCTION) and after["accuracy"] >= before["accuracy"]
    return LEARNT if better else NOT_BETTER


def _latest(corrections: Sequence[IntentExample]) -> list[IntentExample]:
    """Return the last correction of each message; what is no intent, and what is a shipped example, is left out."""
    shipped = {normalised(example.text) for example in shipped_examples()}
    latest = {normalised(c.text): c for c in corrections if c.intent in INTENTS and normalised(c.text)}
    return [example for text, example in latest.items() if text not in shipped]


def _measured(shares: Floats, labels: Sequence[str], examples: Sequence[IntentExample]) -> dict[str, float]:
    places = [labels.index(example.intent) for example in examples]
    probabilities = np.maximum(shares[np.arange(len(examples)), places], LEAST)
    return {"accuracy": _accuracy(shares, labels, examples), "loss": round(float(-np.log(probabilities).mean()), 4)}


def _accuracy(shares: Floats, labels: Sequence[str], examples: Sequence[IntentExample]) -> float:
    best = [labels[place] for place in shares.argmax(axis=1).tolist()]
    return round(float(np.mean([name == e.intent for name, e in zip(best, examples, strict=True)])), 4)
