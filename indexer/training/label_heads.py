"""Fit label heads: classifiers that read a shop's labels off rows. Imports no torch."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from indexer.encoders.backends.runtime import threads
from indexer.encoders.projection_heads import CLIP_DEVIATIONS, ProjectionHead
from indexer.labels.examples import MIN_EXAMPLES, LabelExamples, neighbour_queries, targets_of, words_slice
from indexer.labels.fusion_fit import fit_fusion
from indexer.labels.heads import FusionWeights, LabelHead
from indexer.labels.knn import Ints, knn_vote, nearest_products
from indexer.layout import WORDS
from indexer.numeric import softmax
from indexer.progress import progress
from indexer.training.label_layers import AdamW, LabelLayers, OneCycle, shuffled
from indexer.types import Floats

CROSS_VALIDATION_FOLDS = 5
CROSS_VALIDATED = 3_000  # fewer examples are each held out once; of more, one part is
MAX_HOLDOUT = 2_000
MIN_DEVIATION = 1e-3  # components of rows that vary less are left out, not scaled up a thousandfold
SHARED_BATCH = 256  # smaller batches are one thread's work: on a busy machine others wait longer than they compute
WARM_SHARE = 0.1  # of the steps, in which the rate rises
Tick = Callable[[int], object]
MIN_FRESH = 300  # examples new to the encoder, before only they are held out


@dataclass(frozen=True, slots=True)
class LabelRecipe:
    """How heads are fitted: at most `steps` steps, and at most `epochs` passes over few examples."""

    hidden: int = 512
    steps: int = 500
    epochs: int = 60
    least_steps: int = 150
    batch: int = 512
    rate: float = 2e-3
    decay: float = 0.05
    dropout: float = 0.4
    smoothing: float = 0.05
    titled: float = 0.5  # share of the examples that are shown with their title's block

    def batch_for(self, rows: int) -> int:
        """Return how many of so many examples a step shows."""
        return min(self.batch, max(32, rows // 8))

    def steps_for(self, rows: int) -> int:
        """Return the number of steps for so many examples."""
        return min(self.steps, max(self.least_steps, self.epochs * rows // self.batch_for(rows)))


def fit_label_heads(examples: LabelExamples, recipe: LabelRecipe, seed: int) -> dict[str, LabelHead]:
    """Fit a head for each field that has at least two labels with five examples each.

    The fusion weights are fitted on holdout examples, then the head on all of them. The same seed on the same machine
    gives the same heads.
    """
    names = learnable_fields(examples)
    if not names:
        return {}
    holdouts = holdout_folds(examples, seed)
    trainings = [np.setdiff1d(np.arange(len(examples.rows)), holdout) for holdout in holdouts]
    total = sum(recipe.steps_for(rows) for rows in (*map(len, trainings), len(examples.rows)))
    with progress("learning label heads", total) as tick:
        fitted = [fit_outputs(examples.take(training), names, recipe, seed, tick) for training in trainings]
        heads = fit_outputs(examples, names, recipe, seed, tick)

    def fusions(titled: bool) -> dict[str, FusionWeights]:
        shares = holdout_shares(examples, names, holdouts, fitted, titled=titled)
        return {field: fit_fusion(*shares[field])[0] for field in names}

    image_only, with_title = fusions(False), fusions(True) if WORDS in examples.layout.names else {}
    return {
        field: LabelHead(field, labels, heads[field], image_only[field], with_title.get(field))
        for field, labels in names.items()
    }


def learnable_fields(examples: LabelExamples) -> dict[str, tuple[str, ...]]:
    """Return the labels of every field in which at least two have enough examples."""
    names = {field: learnable_names(labels) for field, labels in examples.labels.items()}
    return {field: labels for field, labels in names.items() if len(labels) > 1}


def learnable_names(labels: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the labels with enough examples, in alphabetical order."""
    counts = Counter(itertools.chain.from_iterable(labels))
    return tuple(sorted(name for name, count in counts.items() if count >= MIN_EXAMPLES))


def fit_outputs(
    examples: LabelExamples,
    names: Mapping[str, tuple[str, ...]],
    recipe: LabelRecipe,
    seed: int,
    tick: Tick = lambda steps: None,
) -> dict[str, ProjectionHead]:
    """Fit one network for all fields, so that they share its hidden layer, and split it into a head for each.

    `tick` is called with 1 after each step.
    """
    rng = np.random.default_rng(seed)
    rows, words = examples.rows, words_slice(examples.layout)
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(deviation < MIN_DEVIATION, 0.0, 1 / np.maximum(deviation, MIN_DEVIATION)).astype(np.float32)
    mean[words] = 0.0  # a missing title is a block of zeros, and must stay one
    inputs = np.clip((rows - mean) * scale, -CLIP_DEVIATIONS, CLIP_DEVIATIONS)
    targets = [targets_of(examples.labels[field], labels) for field, labels in names.items()]
    sizes = {field: len(labels) for field, labels in names.items()}
    layers = LabelLayers(len(mean), recipe.hidden, sum(sizes.values()), recipe.dropout, rng)
    batch, steps = recipe.batch_for(len(rows)), recipe.steps_for(len(rows))
    optimiser = AdamW(layers.parameters, OneCycle(recipe.rate, steps, WARM_SHARE), recipe.decay)
    batches = itertools.islice(shuffled(rng, np.arange(len(rows)), batch), steps)
    with threadpool_limits(threads() if batch >= SHARED_BATCH else 1, "blas"):
        for chosen in batches:
            shown = inputs[chosen]
            shown[rng.random(len(chosen)) >= recipe.titled, words] = 0.0
            optimiser.step(layers.gradients(shown, [shares[chosen] for shares in targets], recipe.smoothing))
            tick(1)
    return layers.heads(mean, scale, sizes)


def holdout_folds(examples: LabelExamples, seed: int) -> list[Ints]:
    """Return the examples that each fold holds out: whole groups; of few examples each is in one of five folds.

    Of many examples there is one fold. It holds out examples that are new to the encoder, where there are enough: on
    pictures that the encoder was trained on, accuracy is overestimated.
    """
    different, place = np.unique(examples.groups, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(different))[place]
    if len(place) < CROSS_VALIDATED:
        return [np.flatnonzero(order % CROSS_VALIDATION_FOLDS == fold) for fold in range(CROSS_VALIDATION_FOLDS)]
    fresh = np.flatnonzero(examples.fresh)
    enough = MIN_FRESH <= len(fresh) < len(place)
    candidates, divisor = (fresh, 2) if enough else (np.arange(len(place)), CROSS_VALIDATION_FOLDS)
    in_order = candidates[np.argsort(order[candidates], kind="stable")]
    return [in_order[: min(len(candidates) // divisor, MAX_HOLDOUT)]]


def holdout_shares(
    examples: LabelExamples,
    names: Mapping[str, tuple[str, ...]],
    holdouts: Sequence[Ints],
    fitted: Sequence[Mapping[str, ProjectionHead]],
    *,
    titled: bool,
) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Return for each field the shares of head, k-NN vote and truth, (n, names), of the fresh holdout examples."""
    parts: dict[str, list[tuple[Floats, Floats, Floats]]] = {field: [] for field in names}
    targets = {field: targets_of(examples.labels[field], labels) for field, labels in names.items()}
    for fold, heads in zip(holdouts, fitted, strict=True):
        holdout = fold[examples.fresh[fold]]
        rows = examples.rows[holdout].copy()
        if not titled:
            rows[:, words_slice(examples.layout)] = 0.0
        queries = neighbour_queries(examples.layout, examples.weights, rows, titled)
        scores, near = nearest_products(queries, examples.groups[holdout], examples.rows, examples.groups)
        for field, head in heads.items():
            votes = knn_vote(targets[field], scores, near)
            parts[field].append((softmax(head(rows)), votes, targets[field][holdout]))
    merged = {field: [np.concatenate(part) for part in zip(*folds, strict=True)] for field, folds in parts.items()}
    return {field: (head, votes, truth) for field, (head, votes, truth) in merged.items()}
