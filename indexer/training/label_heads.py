"""Fits the heads that read labels off rows, from examples: rows and what they are called. Imports torch."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from indexer.encoders.backends.runtime import threads
from indexer.encoders.projection_heads import CLIP, ProjectionHead
from indexer.labels.fusion_fit import fit_blend
from indexer.labels.heads import FusionWeights, LabelHead, softmax
from indexer.labels.knn import knn_vote, nearest_products
from indexer.layout import WORDS, RowLayout
from indexer.progress import progress
from indexer.training.optimiser import OneCycle
from indexer.types import Floats

Ints = NDArray[np.int64]

LEAST_EXAMPLES = 5  # of a label, before a head learns it; until then its neighbours speak for it
FOLDS = 5
SMALL = 3_000  # with fewer examples every one of them is kept aside once, otherwise a part of them
MOST_ASIDE = 2_000
LEAST_SPREAD = 1e-3  # of a number of a row: one that hardly ever differs says nothing, and would count thousandfold
LEAST_FRESH = 300  # examples new to the encoder, so that only they are kept aside


@dataclass(frozen=True, slots=True)
class LabelRecipe:
    """How heads are fitted: at most `steps` steps, and `epochs` times through the examples where those are few."""

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


@dataclass(frozen=True, slots=True)
class LabelExamples:
    """What to learn from: a row an example, in an index's layout, with its title's block.

    rows: float32 (n, layout.dim); groups: int64 (n,), examples of one group are (nearly) one thing and stay on one side
    of every measurement; fresh: bool (n,), those whose pictures the encoder was not trained on; labels: for each field
    what each example is called, several names or none.
    """

    layout: RowLayout
    weights: Mapping[str, float]  # of the blocks, when neighbours are looked for
    rows: Floats
    groups: Ints
    fresh: NDArray[np.bool_]
    labels: Mapping[str, Sequence[tuple[str, ...]]]

    def take(self, chosen: Ints) -> LabelExamples:
        """Some of the examples."""
        labels = {name: [of[i] for i in chosen.tolist()] for name, of in self.labels.items()}
        return LabelExamples(
            self.layout, self.weights, self.rows[chosen], self.groups[chosen], self.fresh[chosen], labels
        )


def fit_label_heads(examples: LabelExamples, recipe: LabelRecipe, seed: int) -> dict[str, LabelHead]:
    """A head for each field that has at least two labels with five examples.

    Its blend is fitted on examples kept aside, then the head on all of them. Deterministic for one seed and machine.
    """
    names = {field: learnable_names(of) for field, of in examples.labels.items()}
    names = {field: of for field, of in names.items() if len(of) > 1}
    if not names:
        return {}
    blends = _blends(examples, names, recipe, seed)
    heads = fit_outputs(examples, names, recipe, seed)
    return {field: LabelHead(field, names[field], heads[field], *blends[field]) for field in names}


def learnable_names(labels: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The labels with enough examples, in alphabetical order."""
    counts = Counter(itertools.chain.from_iterable(labels))
    return tuple(sorted(name for name, count in counts.items() if count >= LEAST_EXAMPLES))


def targets_of(labels: Sequence[tuple[str, ...]], names: Sequence[str]) -> Floats:
    """Each example's shares of the labels, float32 (n, names): equal parts of all it is called, or nothing."""
    place = {name: i for i, name in enumerate(names)}
    targets = np.zeros((len(labels), len(names)), np.float32)
    for row, called in enumerate(labels):
        for name in called:
            if name in place:
                targets[row, place[name]] = 1.0
    total = targets.sum(axis=1, keepdims=True)
    return np.asarray(targets / np.where(total == 0, 1, total), dtype=np.float32)


def fit_outputs(
    examples: LabelExamples, names: Mapping[str, tuple[str, ...]], recipe: LabelRecipe, seed: int
) -> dict[str, ProjectionHead]:
    """One network for all fields, cut into a head for each: what one field teaches helps the others."""
    torch.manual_seed(seed)
    torch.set_num_threads(threads())
    rng = np.random.default_rng(seed)
    rows, words = examples.rows, _words(examples.layout)
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread < LEAST_SPREAD, 0.0, 1 / np.maximum(spread, LEAST_SPREAD)).astype(np.float32)
    mean[words] = 0.0  # no title is a row of zeros, and must stay one
    inputs = torch.from_numpy(np.clip((rows - mean) * scale, -CLIP, CLIP))
    targets = [torch.from_numpy(targets_of(examples.labels[field], of)) for field, of in names.items()]
    sizes = [len(of) for of in names.values()]
    network = _Network(len(mean), recipe.hidden, sum(sizes), recipe.dropout)
    batch = min(recipe.batch, max(32, len(rows) // 8))
    steps = min(recipe.steps, max(recipe.least_steps, recipe.epochs * len(rows) // batch))
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=recipe.decay)
    cycle = OneCycle(optimiser, recipe.rate, steps, warm=0.1)
    with progress("learning labels", steps) as tick:
        for chosen in itertools.islice(_endless(rng, len(rows), batch), steps):
            shown = inputs[chosen]
            bare = torch.from_numpy(rng.random(len(chosen)) >= recipe.titled)
            shown[bare, words] = 0.0
            outputs = network(shown).split(sizes, dim=1)
            loss = sum(
                (cross_entropy(o, t[chosen], recipe.smoothing) for o, t in zip(outputs, targets, strict=True)),
                torch.zeros(()),
            )
            cycle.step(loss)
            tick(1)
    return network.heads(mean, scale, dict(zip(names, sizes, strict=True)))


class _Network(nn.Module):
    """The trainable form of `ProjectionHead`, for standardised input."""

    def __init__(self, features: int, hidden: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.linear = nn.Linear(features, outputs)
        self.inner = nn.Linear(features, hidden)
        self.outer = nn.Linear(hidden, outputs, bias=False)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.outer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of all fields side by side."""
        x = self.dropout(x)
        logits: Tensor = self.linear(x) + self.outer(self.dropout(F.gelu(self.inner(x), approximate="tanh")))
        return logits

    def heads(self, mean: Floats, scale: Floats, sizes: Mapping[str, int]) -> dict[str, ProjectionHead]:
        """The numpy heads that ship."""
        linear, bias, inner, inner_bias, outer = (
            tensor.detach().numpy()
            for tensor in (
                self.linear.weight,
                self.linear.bias,
                self.inner.weight,
                self.inner.bias,
                self.outer.weight,
            )
        )
        made, start = {}, 0
        for field, size in sizes.items():
            part = slice(start, start + size)
            made[field] = ProjectionHead(mean, scale, linear[part], inner, inner_bias, outer[part], bias[part])
            start += size
        return made


def cross_entropy(outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Mean over the examples that have a label."""
    told = targets.sum(1)
    smooth = targets * (1 - smoothing) + smoothing / targets.shape[1]
    losses = -(smooth * F.log_softmax(outputs, dim=1)).sum(1) * told
    return losses.sum() / told.sum().clamp(min=1.0)


def _endless(rng: np.random.Generator, count: int, batch: int) -> Iterator[Tensor]:
    while True:
        order = torch.from_numpy(rng.permutation(count))
        for start in range(0, max(1, count - batch + 1), batch):  # fewer than a batch are one of their own
            yield order[start : start + batch]


def _words(layout: RowLayout) -> slice:
    return layout.slice(WORDS) if WORDS in layout.names else slice(0, 0)


def _blends(
    examples: LabelExamples, names: Mapping[str, tuple[str, ...]], recipe: LabelRecipe, seed: int
) -> dict[str, tuple[FusionWeights, FusionWeights | None]]:
    """How far to trust heads and neighbours, with and without a title, from examples new to encoder and heads."""
    asides = holdout_mask(examples, seed)
    fitted = []
    for aside in asides:
        learnt = np.setdiff1d(np.arange(len(examples.rows)), aside)
        fitted.append(fit_outputs(examples.take(learnt), names, recipe, seed))
    found: dict[str, tuple[FusionWeights, FusionWeights | None]] = {}
    has_words = WORDS in examples.layout.names
    opinions = {
        titled: opinions_of(examples, names, asides, fitted, titled)
        for titled in ((False, True) if has_words else (False,))
    }
    for field in names:
        bare = fit_blend(*opinions[False][field])
        found[field] = (bare, fit_blend(*opinions[True][field]) if has_words else None)
    return found


def holdout_mask(examples: LabelExamples, seed: int) -> list[Ints]:
    """The examples that each round of a measurement keeps aside: whole groups, every one in one of five rounds.

    Of many examples one round is enough. It keeps aside what is new to the encoder, where there is enough of that: the
    encoder speaks too well of pictures that it was trained on.
    """
    different, place = np.unique(examples.groups, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(different))[place]
    if len(place) < SMALL:
        return [np.flatnonzero(order % FOLDS == fold) for fold in range(FOLDS)]
    fresh = np.flatnonzero(examples.fresh)
    of, share = (fresh, 2) if LEAST_FRESH <= len(fresh) < len(place) else (np.arange(len(place)), FOLDS)
    return [of[np.argsort(order[of], kind="stable")][: min(len(of) // share, MOST_ASIDE)]]


def opinions_of(
    examples: LabelExamples,
    names: Mapping[str, tuple[str, ...]],
    asides: Sequence[Ints],
    fitted: Sequence[Mapping[str, ProjectionHead]],
    titled: bool,
) -> dict[str, tuple[Floats, Floats, Floats]]:
    """For each field the head's shares, the neighbours' and the truth, (n, names), of the fresh examples kept aside."""
    parts: dict[str, list[tuple[Floats, Floats, Floats]]] = {field: [] for field in names}
    targets = {field: targets_of(examples.labels[field], of) for field, of in names.items()}
    for kept, heads in zip(asides, fitted, strict=True):
        aside = kept[examples.fresh[kept]]
        rows = examples.rows[aside].copy()
        if not titled:
            rows[:, _words(examples.layout)] = 0.0
        queries = neighbour_queries(examples.layout, examples.weights, rows, titled)
        scores, near = nearest_products(queries, examples.groups[aside], examples.rows, examples.groups)
        for field, head in heads.items():
            parts[field].append((softmax(head(rows)), knn_vote(targets[field], scores, near), targets[field][aside]))
    return {
        field: (
            np.concatenate([p[0] for p in of]),
            np.concatenate([p[1] for p in of]),
            np.concatenate([p[2] for p in of]),
        )
        for field, of in parts.items()
    }


def neighbour_queries(layout: RowLayout, weights: Mapping[str, float], rows: Floats, titled: bool) -> Floats:
    """What is compared with rows, so that the product is the mean of the blocks' cosines: as the engine asks.

    Without a title, the picture's meaning is asked of the titles; with one, picture and title are asked together.
    """
    encoded = rows[:, : layout.encoder_dim]
    total = sum(weights.values())
    asked = layout.weigh(layout.queries(encoded), weights)
    if titled and layout.text_block is not None:
        title = np.zeros_like(encoded)
        title[:, layout.slice(layout.text_block)] = rows[:, layout.slice(WORDS)]
        asked = asked + layout.weigh(layout.queries(title), weights)
        total *= 2
    return np.asarray(asked / np.float32(total), dtype=np.float32)
