"""Refit the label heads with merchants' decisions; a new head replaces the old one only where it is better."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.translated_attributes import translates
from indexer.generations.store import open_current
from indexer.labels.examples import MIN_EXAMPLES, LabelExamples, neighbour_queries, words_slice
from indexer.labels.heads import LabelHeads
from indexer.labels.knn import Ints, nearest_products
from indexer.labels.predict import Neighbours, predict_labels
from indexer.types import Floats
from search.listings.attribute_fields import CATEGORY, values_in
from search.listings.decision_store import DecidedListing, DecisionStore
from search.listings.feedback_suggester import filled_share, rows_from_bytes
from search.listings.fit_heads import fit_heads, heads_metadata, learn, shop_examples

DECISION_WEIGHT = 3  # copies of a decided listing for each product: its pictures are like those to be labelled
HOLDOUT_FOLDS = 5  # one of so many decided listings is in the holdout, always the same ones
MIN_HOLDOUT = 10  # decisions on a field, before they can show which head is better
MIN_LOSS_REDUCTION = 0.02  # share of the loss; rounding alone changes it a little
MIN_NEW_LABEL = 20  # decisions for a label that no product has; with fewer, the k-NN vote is better than a head
MIN_PROBABILITY = 1e-6  # least probability of a label in the loss
MAX_ACCURACY_LOSS = 0.01  # on the shop's own products; beyond it a new head is rejected


@dataclass(frozen=True, slots=True)
class Measured:
    """Quality of a head on holdout decisions: their number, accuracy, and mean negative log likelihood."""

    decisions: int
    accuracy: float
    loss: float


@dataclass(frozen=True, slots=True)
class Holdout:
    """Decided listings to measure on: rows (views, dim) of each, whether it has a title, its nearest labelled rows."""

    examples: Sequence[DecidedListing]
    rows: Sequence[Floats]
    titled: NDArray[np.bool_]
    scores: Floats
    near: Ints


def relearn(home: Path, seed: int = 0) -> dict[str, Any]:
    """Fit heads on the shop and the decisions, save those that are better, and return what was measured.

    Raises NoGeneration, GenerationError, StoreError.
    """
    generation = open_current(home)
    fingerprint = generation.manifest.fingerprint
    old = LabelHeads.load(home, fingerprint)
    decided = DecisionStore(home).examples(fingerprint)
    if not decided:
        return {
            "decisions": 0,
            "swapped": True,
            "why": "There are no decisions yet; the heads were fitted on the shop's products.",
            **learn(home, seed),
        }
    training = [example for example in decided if not is_holdout(example)]
    examples, products = shop_examples(home, generation, seed)
    voters = with_decisions(examples, training, 1)
    holdout = nearest_voters(voters, [example for example in decided if is_holdout(example)])
    rows = with_decisions(examples, training, DECISION_WEIGHT)
    heads = fit_heads(rows, seed)
    card = {"rows": len(rows.rows), "decisions": len(training), **heads_metadata(examples, products, heads, seed)}
    new = LabelHeads(fingerprint, heads, card)
    before, after = measure(old, voters, holdout), measure(new, voters, holdout)
    reasons = {field: rejection_reason(old, new, field, before, after) for field in new.heads}
    better = {field: head for field, head in new.heads.items() if not reasons[field]}
    if better:
        LabelHeads(fingerprint, {**(old.heads if old else {}), **better}, new.card).save(home)
    return {
        "decisions": len(decided),
        "learnt_from": len(training),
        "kept_aside": len(holdout.examples),
        "fields": {
            field: {
                "judged": after[field].decisions,
                "old": asdict(before[field]),
                "new": asdict(after[field]),
                "swapped": not reason,
                "why": reason or "The new head is used: it is the first, or better on the holdout decisions.",
            }
            for field, reason in reasons.items()
        },
        "swapped": bool(better),
    }


def is_holdout(example: DecidedListing) -> bool:
    """Return whether a listing is for measuring only: decided by its picture's hash, so it never changes."""
    return zlib.crc32((example.content or example.item).encode()) % HOLDOUT_FOLDS == 0


def with_decisions(examples: LabelExamples, decided: Sequence[DecidedListing], times: int) -> LabelExamples:
    """Append `times` copies of each decided listing to the shop's examples.

    One copy is for the k-NN vote; more are for fitting heads, which leaves out labels with too few examples.
    """
    first_group = int(examples.groups.max(initial=0)) + 1
    rows, groups, appended = [examples.rows], [examples.groups], []
    for number, example in enumerate(decided):
        own = rows_from_bytes(example.vectors, examples.layout.dim)
        if times == 1:  # compared as the served shop compares: a row without a title by its picture only
            own = own / filled_share(examples.layout, own, examples.weights)[:, None]
        rows += [own] * times
        groups.append(np.full(len(own) * times, first_group + number, np.int64))
        appended += [example.labels] * (len(own) * times)
    fields = {*examples.labels, *(field for example in decided for field in example.labels)}
    labels = {}
    for field in sorted(field for field in fields if not translates(field, examples.labels)):
        names = list(examples.labels.get(field, [()] * len(examples.rows)))
        rare = _rare_labels(names, [_decided(example.labels, field) for example in decided]) if times > 1 else set()
        names += [tuple(name for name in _decided(own, field) if name not in rare) for own in appended]
        labels[field] = names
    # Fusion is calibrated on the shop only: attributes are mostly decided where confidence is high, a biased sample.
    fresh = np.concatenate([examples.fresh, np.zeros(len(appended), np.bool_)])
    every = np.concatenate(rows), np.concatenate(groups)
    return LabelExamples(examples.layout, examples.weights, *every, fresh, labels)


def _rare_labels(sold: Sequence[tuple[str, ...]], decided: Sequence[tuple[str, ...]]) -> set[str]:
    """Return the labels with too few examples among products and decisions together."""
    counts = Counter(name for names in (*sold, *decided) for name in names)
    known = {name for names in sold for name in names}
    return {name for name, count in counts.items() if count < (MIN_EXAMPLES if name in known else MIN_NEW_LABEL)}


def _decided(labels: Mapping[str, str], field: str) -> tuple[str, ...]:
    """Return the decided labels of a field: a category whole, of an attribute each value."""
    value = labels.get(field, "")
    return ((value,) if value else ()) if field == CATEGORY else values_in(value)


def nearest_voters(voters: LabelExamples, examples: Sequence[DecidedListing]) -> Holdout:
    """Return decided listings with their nearest rows among `voters`."""
    layout, words = voters.layout, words_slice(voters.layout)
    rows = [rows_from_bytes(example.vectors, layout.dim) for example in examples]
    titled = [bool(views[:, words].any()) for views in rows]
    queries = [np.zeros((0, layout.dim), np.float32)]
    for views, has_title in zip(rows, titled, strict=True):
        queries.append(neighbour_queries(layout, voters.weights, views, has_title).mean(axis=0, keepdims=True))
    scores, near = nearest_products(np.concatenate(queries), np.full(len(rows), -1), voters.rows, voters.groups)
    return Holdout(examples, rows, np.array(titled, np.bool_), scores, near)


def measure(heads: LabelHeads | None, voters: LabelExamples, holdout: Holdout) -> dict[str, Measured]:
    """Measure heads fused with the k-NN vote of `voters` on the holdout decisions, by field."""
    measured = {}
    for field, labels in voters.labels.items():
        head = heads.heads.get(field) if heads else None
        has_label = np.array([field in example.labels for example in holdout.examples], np.bool_)
        right, losses = 0, []
        for titled in (False, True):
            chosen = np.flatnonzero(has_label & (holdout.titled == titled))
            rows = [holdout.rows[i] for i in chosen.tolist()]
            neighbours = Neighbours(holdout.scores[chosen], holdout.near[chosen], labels)
            prediction = predict_labels(rows, neighbours, head, titled=titled)
            columns = {name: i for i, name in enumerate(prediction.names)}
            for i, shares in zip(chosen.tolist(), prediction.confidences, strict=True):
                decided = _decided(holdout.examples[i].labels, field)
                true = [columns[name] for name in decided if name in columns]
                right += int(shares.argmax()) in true
                losses.append(-float(np.log(max(float(shares[true].sum()), MIN_PROBABILITY))))
        count = len(losses)
        measured[field] = Measured(count, right / count, float(np.mean(losses))) if count else Measured(0, 0.0, 0.0)
    return measured


def rejection_reason(
    old: LabelHeads | None,
    new: LabelHeads,
    field: str,
    before: Mapping[str, Measured],
    after: Mapping[str, Measured],
) -> str:
    """Return why the new head of a field is rejected; "" when it is better or the first."""
    head = old.heads.get(field) if old else None
    if head is None:
        return ""
    own, former = new.heads[field].image_only, head.image_only
    old_figures, new_figures = before[field], after[field]
    if former.holdout and own.accuracy < former.accuracy - MAX_ACCURACY_LOSS:
        return "The new head is less accurate on the shop's own products."
    if new_figures.decisions < MIN_HOLDOUT:
        return f"There are only {new_figures.decisions} holdout decisions; at least {MIN_HOLDOUT} are needed."
    less_accurate = new_figures.accuracy < old_figures.accuracy
    if less_accurate or new_figures.loss >= (1 - MIN_LOSS_REDUCTION) * old_figures.loss:
        return "The new head is no better on the holdout decisions."
    return ""


def format_head_figures(figures: Mapping[str, Any]) -> str:
    """Return what `relearn` measured as lines of text."""
    fields = figures["fields"].items()
    if figures["decisions"]:
        return "\n".join(
            f"{field}: {values['why']} On {values['judged']} holdout decisions: accuracy"
            f" {values['old']['accuracy']:.3f} to {values['new']['accuracy']:.3f}, loss {values['old']['loss']:.3f} to"
            f" {values['new']['loss']:.3f}."
            for field, values in fields
        )
    lines = [
        f"{field}: {values['labels']} labels, accuracy {values['accuracy']:.3f} on {values['kept_aside']} holdout"
        f" pictures, answers {values['coverage']:.0%} of them."
        if values["kept_aside"]
        else f"{field}: {values['labels']} labels; too few pictures are new to the encoder to measure the accuracy."
        for field, values in fields
    ]
    return "\n".join([str(figures["why"]), *lines])
