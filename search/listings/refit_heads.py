"""Learns from what merchants decided: heads are fitted anew with it, and take over only where they are better."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexer.generations.store import open_current
from indexer.labels.heads import LabelHeads
from indexer.labels.knn import fuse, knn_vote, nearest_products
from indexer.layout import WORDS
from indexer.types import Floats
from search.listings.attribute_fields import CATEGORY, translates, values_in
from search.listings.decision_store import DecisionStore, Example
from search.listings.feedback_suggester import filled_share, rows_of
from search.listings.fit_heads import heads_metadata, learn, shop_examples
from search.listings.suggester import UNLEARNT

WEIGHT = 3  # times as much as a product of the shop counts what was decided: it is about pictures as they come in
FOLDS = 5  # one of so many decided listings is kept aside, for good
LEAST_ASIDE = 10  # decisions on a field kept aside, before they can tell which head is better
SURER = 0.02  # share of the loss that must go: rounding alone changes it a little
LEAST_NEW = 20  # decisions for a label that no product has; with fewer, neighbours know it better than heads do
RAREST = 1e-6  # the least that a label's probability counts as
LOSS = 0.01  # of accuracy on the shop's own products that nothing learnt makes up for


@dataclass(frozen=True, slots=True)
class Measured:
    """How a head does on decisions kept aside: how many, share that was right, mean negative log likelihood."""

    decisions: int
    accuracy: float
    loss: float


def relearn(home: Path, seed: int = 0) -> dict[str, Any]:
    """Fit heads on the shop and the decisions, and swap in those that are better; says what was measured.

    Imports torch. Raises NoGeneration, GenerationError, StoreError.
    """
    from indexer.training.label_heads import LabelRecipe, fit_label_heads

    generation = open_current(home)
    fingerprint = generation.manifest.fingerprint
    decided = DecisionStore(home).examples(fingerprint)
    taught = [one for one in decided if not holdout_rows(one)]
    aside = [one for one in decided if holdout_rows(one)]
    old = LabelHeads.load(home, fingerprint)
    if not decided:
        return {
            "decisions": 0,
            "swapped": True,
            "why": "Nothing was decided yet; learnt from the shop.",
            **learn(home, seed),
        }
    examples, products = shop_examples(home, generation, seed)
    voters, learnt = with_decisions(examples, taught, 1), with_decisions(examples, taught, WEIGHT)
    heads = fit_label_heads(learnt, LabelRecipe(), seed)
    card = {"rows": len(learnt.rows), "decisions": len(taught), **heads_metadata(examples, products, heads, seed)}
    new = LabelHeads(fingerprint, heads, card)
    before, after = measured(old, voters, aside), measured(new, voters, aside)
    kept = {field: rejection_reason(old, new, field, before, after) for field in new.heads}
    better = {field: head for field, head in new.heads.items() if not kept[field]}
    if better:
        LabelHeads(fingerprint, {**(old.heads if old else {}), **better}, new.card).save(home)
    return {
        "decisions": len(decided),
        "learnt_from": len(taught),
        "kept_aside": len(aside),
        "fields": {
            field: {
                "judged": after[field].decisions,
                "old": asdict(before[field]),
                "new": asdict(after[field]),
                "swapped": not why,
                "why": why or "It takes over: the first, or better on the decisions kept aside.",
            }
            for field, why in kept.items()
        },
        "swapped": bool(better),
    }


def holdout_rows(example: Example) -> bool:
    """Whether a listing is for measuring, never for learning: told by its picture, so the same for ever."""
    return zlib.crc32((example.content or example.item).encode()) % FOLDS == 0


def with_decisions(examples: Any, decided: Sequence[Example], times: int) -> Any:
    """The shop's examples and the decided listings, these so many times; labels with too few of both are left out."""
    from indexer.training.label_heads import LEAST_EXAMPLES, LabelExamples

    parts = [(one, rows_of(one.vectors, examples.layout.dim)) for one in decided]
    group = int(examples.groups.max(initial=0)) + 1
    rows, groups, said = [examples.rows], [examples.groups], []
    for number, (one, own) in enumerate(parts):
        # Voters are compared as the served shop compares them: one without a title by its picture alone.
        own = own if times > 1 else own / filled_share(examples.layout, own, examples.weights)[:, None]
        rows += [own] * times
        groups.append(np.full(len(own) * times, group + number, np.int64))
        said += [one.labels] * (len(own) * times)
    fields = {*examples.labels, *(field for one in decided for field in one.labels)}
    labels = {}
    for field in sorted(field for field in fields if not translates(field, examples.labels)):
        of = list(examples.labels.get(field, [()] * len(examples.rows)))
        counts = Counter(name for names in (*of, *(_decided(one.labels, field) for one in decided)) for name in names)
        sold = {name for names in of for name in names}
        least = {name: LEAST_EXAMPLES if name in sold else LEAST_NEW for name in counts}
        few = {name for name, count in counts.items() if count < least[name]} if times > 1 else set()
        of += [tuple(name for name in _decided(one, field) if name not in few) for one in said]
        labels[field] = of
    # Calibrated on the shop alone: attributes are mostly decided where they were sure, which is no fair sample.
    fresh = np.concatenate([examples.fresh, np.zeros(len(said), np.bool_)])
    every = np.concatenate(rows), np.concatenate(groups)
    return LabelExamples(examples.layout, examples.weights, *every, fresh, labels)


def _decided(labels: Mapping[str, str], field: str) -> tuple[str, ...]:
    """The labels that were decided on in a field: a category whole, of an attribute each value."""
    value = labels.get(field, "")
    return ((value,) if value else ()) if field == CATEGORY else values_in(value)


def measured(heads: LabelHeads | None, voters: Any, aside: Sequence[Example]) -> dict[str, Measured]:
    """By field, how often heads and neighbours together give what was decided, and how probable they thought it."""
    found = {}
    for field in voters.labels:
        asked = [one for one in aside if field in one.labels]
        right, losses = 0, []
        names, sure = _opinions(heads, voters, field, asked)
        place = {name: i for i, name in enumerate(names)}
        for one, shares in zip(asked, sure, strict=True):
            true = [place[name] for name in _decided(one.labels, field) if name in place]
            right += int(shares.argmax()) in true
            losses.append(-float(np.log(max(float(shares[true].sum()), RAREST))))
        many = len(losses)
        found[field] = Measured(many, right / many if many else 0.0, float(np.mean(losses)) if many else 0.0)
    return found


def rejection_reason(
    old: LabelHeads | None,
    new: LabelHeads,
    field: str,
    before: Mapping[str, Measured],
    after: Mapping[str, Measured],
) -> str:
    """Why the new head of a field does not take over; "" when it does, being better or the first."""
    head = old.heads.get(field) if old else None
    if head is None:
        return ""
    own, was, now = new.heads[field].bare, before[field], after[field]
    if head.bare.kept_aside and own.accuracy < head.bare.accuracy - LOSS:
        return "It knows the shop's own products less well."
    if now.decisions < LEAST_ASIDE:
        return f"Only {now.decisions} decisions are kept aside; from {LEAST_ASIDE} on they can tell."
    if now.accuracy < was.accuracy or now.loss >= (1 - SURER) * was.loss:
        return "It is no better on the decisions kept aside."
    return ""


def _opinions(
    heads: LabelHeads | None, voters: Any, field: str, asked: Sequence[Example]
) -> tuple[list[str], list[Floats]]:
    from indexer.training.label_heads import neighbour_queries, targets_of

    head = heads.heads.get(field) if heads else None
    known = head.names if head else ()
    extra = {name for names in voters.labels[field] for name in names} - set(known)
    names = [*known, *sorted(extra)]
    targets = targets_of(voters.labels[field], names)
    words = voters.layout.slice(WORDS) if WORDS in voters.layout.names else slice(0, 0)
    found = []
    for one in asked:
        rows = rows_of(one.vectors, voters.layout.dim)
        titled = bool(rows[:, words].any())
        queries = neighbour_queries(voters.layout, voters.weights, rows, titled).mean(axis=0, keepdims=True)
        scores, near = nearest_products(queries, np.array([-1]), voters.rows, voters.groups)
        believed = np.zeros((1, len(names)), np.float32)
        blend = UNLEARNT
        if head:
            believed[0, : len(known)] = head.shares(rows).mean(axis=0)
            blend = head.worded if titled and head.worded is not None else head.bare
        voted = knn_vote(targets, scores, near)
        found.append(fuse(believed, voted, blend, np.arange(len(names)) < len(known))[0])
    return names, found


def told(figures: Mapping[str, Any]) -> str:
    """The figures as lines for people."""
    fields = figures["fields"].items()
    if figures["decisions"]:
        return "\n".join(
            f"{field}: {one['why']} On {one['judged']} decisions kept aside: accuracy {one['old']['accuracy']:.3f} to"
            f" {one['new']['accuracy']:.3f}, loss {one['old']['loss']:.3f} to {one['new']['loss']:.3f}."
            for field, one in fields
        )
    lines = [
        f"{field}: {one['labels']} labels, right for {one['accuracy']:.3f} of {one['kept_aside']} pictures kept aside,"
        f" sure of {one['coverage']:.0%} of them."
        if one["kept_aside"]
        else f"{field}: {one['labels']} labels; too few pictures are new to the encoder to tell how often it is right."
        for field, one in fields
    ]
    return "\n".join([str(figures["why"]), *lines])
