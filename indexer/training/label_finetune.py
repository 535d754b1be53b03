"""Fine-tune the late stages of the starter's image tower to predict a shop's labels. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from catalog.errors import TooFewPairs
from indexer.encoders.backends.label_backbone import MAP_CHANNELS, MAP_SIDE, LateStages, open_early
from indexer.encoders.backends.starter_towers import PREPROCESS
from indexer.labels.examples import LabelExamples, targets_of
from indexer.labels.fusion_fit import MIN_HOLDOUT, fit_fusion
from indexer.labels.knn import Ints
from indexer.labels.network import NetworkField, NetworkWeight, mix_network
from indexer.layout import WORDS
from indexer.numeric import chunks, softmax
from indexer.progress import progress
from indexer.training.contrastive import HalfFloats
from indexer.training.label_heads import LabelRecipe, fit_outputs, holdout_folds, holdout_shares, learnable_fields
from indexer.training.label_layers import shuffled
from indexer.training.optimiser import adamw, labels_loss, minimise, seeded
from indexer.training.pairs import picture_features
from indexer.types import Floats, Mask

NETWORK_WEIGHTS = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8)  # weights tried for the network; the head has the rest
MIN_LOSS_REDUCTION = 0.02  # share of the holdout loss, before the network is mixed in
MIN_READABLE = 100  # pictures to learn from that can be decoded
MAX_SHIFT = 2  # cells that maps are moved by while training


@dataclass(frozen=True, slots=True)
class NetworkRecipe:
    """How the network is fitted: on about `shown` pictures in all, in a number of passes within `epochs`.

    `lesser` weighs the loss of every field but the category.
    """

    shown: int = 80_000
    epochs: tuple[int, int] = (5, 30)
    batch: int = 128
    rate: float = 1e-3
    decay: float = 0.05
    dropout: float = 0.3
    smoothing: float = 0.1
    lesser: float = 0.3
    warm_share: float = 0.15

    def rounds(self, pictures: int) -> int:
        """Return the number of passes through this many pictures."""
        return int(np.clip(round(self.shown / max(1, pictures)), *self.epochs))


@dataclass(frozen=True, slots=True)
class Tuned:
    """A fitted network: late stages, the labels of its outputs, and the fields in which it is mixed in.

    `measured` has for each field the size of the holdout, and accuracy and loss on it without and with the network.
    """

    late: LateStages
    outputs: Mapping[str, tuple[str, ...]]
    fields: Mapping[str, NetworkField]
    measured: Mapping[str, Mapping[str, float]]


def fit_label_network(
    examples: LabelExamples, files: Sequence[Path], recipe: NetworkRecipe, seed: int, first: str = "category"
) -> Tuned:
    """Fit the network on the pictures of the examples, and measure on the holdout in which fields it helps.

    `files` (n,) are the pictures of the examples; undecodable ones are left out. Raises TooFewPairs.
    """
    names = learnable_fields(examples)
    if not names:
        raise TooFewPairs("No field has two labels with five pictures each.", "Give more products categories first.")
    with progress("pictures", len(files)) as tick:
        maps, readable = early_maps(files, seed, tick)
    fold = holdout_folds(examples, seed)[0]
    training = np.setdiff1d(np.flatnonzero(readable), fold)
    if len(training) < MIN_READABLE:
        raise TooFewPairs(
            f"Only {readable.sum():,} of {len(files):,} pictures can be read.",
            "See that the feed's pictures are there.",
        )
    targets = {field: targets_of(examples.labels[field], labels) for field, labels in names.items()}
    late = tune(maps, targets, training, recipe, seed, first)
    holdout = fold[readable[fold] & examples.fresh[fold]]
    if len(holdout) < MIN_HOLDOUT:  # the encoder was trained on the others, which overestimates the heads: a safe side
        holdout, examples = fold[readable[fold]], replace(examples, fresh=np.ones(len(files), np.bool_))
    shares = network_shares(late, maps[holdout], {field: len(labels) for field, labels in names.items()})
    heads = fit_outputs(examples.take(np.setdiff1d(np.arange(len(examples.rows)), fold)), names, LabelRecipe(), seed)
    image_only = holdout_shares(examples, names, [holdout], [heads], titled=False)
    titled = WORDS in examples.layout.names
    with_title = holdout_shares(examples, names, [holdout], [heads], titled=True) if titled else {}
    fields, measured = {}, {}
    for field, labels in names.items():
        part, measured[field] = _network_weight(*image_only[field], shares[field])
        if part.weight > 0:
            other = _network_weight(*with_title[field], shares[field])[0] if titled else None
            fields[field] = NetworkField(labels, part, other)
    return Tuned(late, names, fields, measured)


def early_maps(files: Sequence[Path], seed: int, tick: Callable[[int], object]) -> tuple[HalfFloats, Mask]:
    """Return the late stages' input (n, 80, 14, 14), float16, of the pictures, and whether each could be decoded."""
    early = open_early()
    cells, readable = picture_features(PREPROCESS, lambda pixels: early({"pixels": pixels}), files, "plain", seed, tick)
    return cells.reshape(-1, MAP_CHANNELS, MAP_SIDE, MAP_SIDE), readable


def tune(
    maps: HalfFloats, targets: Mapping[str, Floats], training: Ints, recipe: NetworkRecipe, seed: int, first: str
) -> LateStages:
    """Fit late stages on the `training` positions of maps (n, 80, 14, 14), float16, and of targets (n, names) by field.

    Maps are mirrored, moved and partly blanked at random while training.
    """
    rng = seeded(seed)
    outputs = sum(shares.shape[1] for shares in targets.values())
    late = LateStages(outputs, recipe.dropout).to(memory_format=torch.channels_last).train()
    weights = [1.0 if field == first else recipe.lesser for field in targets]

    def loss(chosen: Ints) -> Tensor:
        shares = [torch.from_numpy(shares[chosen]) for shares in targets.values()]
        return labels_loss(late(_augmented(maps[chosen], rng)), shares, recipe.smoothing, weights)

    batch = min(recipe.batch, max(2, len(training) // 4))
    steps = recipe.rounds(len(training)) * (len(training) // batch)
    optimiser = adamw(list(late.parameters()), recipe.rate, recipe.decay)
    minimise(loss, shuffled(rng, training, batch), steps, optimiser, recipe.warm_share, "fine-tuning")
    return late.eval()


def network_shares(late: LateStages, maps: HalfFloats, sizes: Mapping[str, int]) -> dict[str, Floats]:
    """Return the softmax of maps by field, (n, names): the mean over each map and its mirror image."""
    outputs = []
    with torch.inference_mode():
        for part in chunks(len(maps), 128):
            batch = torch.from_numpy(maps[part]).float().contiguous(memory_format=torch.channels_last)
            outputs.append(torch.stack([late(batch), late(batch.flip(3))]).numpy())
    logits = np.concatenate(outputs, axis=1) if outputs else np.zeros((2, 0, sum(sizes.values())), np.float32)
    parts = np.split(logits, np.cumsum(list(sizes.values()))[:-1], axis=-1)
    return {field: softmax(part).mean(axis=0) for field, part in zip(sizes, parts, strict=True)}


def _network_weight(
    head: Floats, voted: Floats, truth: Floats, network: Floats
) -> tuple[NetworkWeight, dict[str, float]]:
    """Return the network's weight of the best likelihood, 0 where it hardly helps, and what was measured."""
    known = np.ones(truth.shape[1], np.bool_)
    fits = {weight: fit_fusion(mix_network(head, network, weight, known), voted, truth) for weight in NETWORK_WEIGHTS}
    alone, without = fits[0.0]
    weight = min(fits, key=lambda candidate: fits[candidate][1])
    fusion, loss = fits[weight]
    figures = {
        "kept_aside": alone.holdout,
        "accuracy_before": alone.accuracy,
        "accuracy_after": fusion.accuracy,
        "loss_before": without,
        "loss_after": loss,
        "coverage_after": fusion.coverage,
    }
    if not loss < (1 - MIN_LOSS_REDUCTION) * without:
        return NetworkWeight(0.0, alone), figures
    return NetworkWeight(weight, fusion), figures


def _augmented(maps: HalfFloats, rng: np.random.Generator) -> Tensor:
    batch = torch.from_numpy(maps).float()
    mirrored = torch.from_numpy(rng.random(len(maps)) < 0.5)
    batch[mirrored] = batch[mirrored].flip(3)
    down, across = rng.integers(0, 2 * MAX_SHIFT + 1, 2).tolist()
    padded = F.pad(batch, (MAX_SHIFT, MAX_SHIFT, MAX_SHIFT, MAX_SHIFT), mode="replicate")
    batch = padded[:, :, down : down + MAP_SIDE, across : across + MAP_SIDE]
    if rng.random() < 0.5:
        height, width = rng.integers(2, 6, 2).tolist()
        top, left = int(rng.integers(MAP_SIDE - height)), int(rng.integers(MAP_SIDE - width))
        batch[:, :, top : top + height, left : left + width] = 0.0
    return batch.contiguous(memory_format=torch.channels_last)
