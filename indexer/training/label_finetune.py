"""Fine-tunes the late stages of the starter's tower to read a shop's labels off its pictures. Imports torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from catalog.errors import TooFewPairs
from indexer.encoders.backends.label_backbone import CHANNELS, SIDE, LateStages, open_early
from indexer.encoders.backends.runtime import threads
from indexer.encoders.backends.starter_packages import PREPROCESS
from indexer.labels.fusion_fit import LEAST_ANSWERED, fit_fusion
from indexer.labels.heads import softmax
from indexer.labels.network import NetworkField, NetworkWeight, mix_network
from indexer.layout import WORDS
from indexer.numeric import chunks
from indexer.progress import progress
from indexer.training.contrastive import HalfFloats, Ints
from indexer.training.label_heads import (
    LabelExamples,
    LabelRecipe,
    cross_entropy,
    fit_outputs,
    holdout_mask,
    learnable_names,
    opinions_of,
    targets_of,
)
from indexer.training.optimiser import OneCycle, adamw
from indexer.training.pairs import picture_features
from indexer.types import Floats, Pixels

WEIGHTS = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8)  # of the network beside the head
SURER = 0.02  # share of the loss on what was kept aside that must go, before a field is read by the network
LEAST_READ = 100  # pictures to learn from that can be read
SHIFT = 2  # cells that maps are moved by, at most, while training


@dataclass(frozen=True, slots=True)
class NetworkRecipe:
    """How the network is fitted: `shown` pictures in all, within so many times through them.

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
        """How many times through so many pictures."""
        return int(np.clip(round(self.shown / max(1, pictures)), *self.epochs))


@dataclass(frozen=True, slots=True)
class Tuned:
    """A fitted network: its late stages, the labels that its outputs stand for, the fields in which it has a part.

    `measured` says for each field how many were kept aside, and accuracy and loss on them, of heads alone and with it.
    """

    late: LateStages
    outputs: Mapping[str, tuple[str, ...]]
    fields: Mapping[str, NetworkField]
    measured: Mapping[str, Mapping[str, float]]


def fit_label_network(
    examples: LabelExamples, files: Sequence[Path], recipe: NetworkRecipe, seed: int, first: str = "category"
) -> Tuned:
    """Fit the network on the pictures of the examples, but for those kept aside, which tell in which fields it helps.

    `files` (n,) are the pictures of the examples; those that cannot be read are left out. Raises TooFewPairs.
    """
    names = {field: learnable_names(of) for field, of in examples.labels.items()}
    names = {field: of for field, of in names.items() if len(of) > 1}
    if not names:
        raise TooFewPairs("No field has two labels with five pictures each.", "Give more products categories first.")
    with progress("pictures", len(files)) as tick:
        cells, good = picture_features(Early(), files, "plain", seed, tick)
    aside = holdout_mask(examples, seed)[0]
    learnt = np.setdiff1d(np.flatnonzero(good), aside)
    if len(learnt) < LEAST_READ:
        raise TooFewPairs(
            f"Only {good.sum():,} of {len(files):,} pictures can be read.", "See that the feed's pictures are there."
        )
    maps = cells.reshape(len(cells), CHANNELS, SIDE, SIDE)
    targets = {field: targets_of(examples.labels[field], of) for field, of in names.items()}
    late = tune(maps, targets, learnt, recipe, seed, first)
    asked = aside[good[aside] & examples.fresh[aside]]
    if len(asked) < LEAST_ANSWERED:  # heads speak too well of what the encoder has seen, so this favours them
        asked, examples = aside[good[aside]], replace(examples, fresh=np.ones(len(files), np.bool_))
    said = network_shares(late, maps[asked], {field: len(of) for field, of in names.items()})
    heads = fit_outputs(examples.take(np.setdiff1d(np.arange(len(examples.rows)), aside)), names, LabelRecipe(), seed)
    fields, measured = {}, {}
    titles = (False, True) if WORDS in examples.layout.names else (False,)
    opinions = {titled: opinions_of(examples, names, [asked], [heads], titled) for titled in titles}
    for field, of in names.items():
        parts = {}
        for titled in titles:
            parts[titled], told = _part(*opinions[titled][field], said[field])
            if not titled:
                measured[field] = told
        if parts[False].weight > 0:
            fields[field] = NetworkField(of, parts[False], parts.get(True))
    return Tuned(late, names, fields, measured)


def tune(
    maps: HalfFloats,
    targets: Mapping[str, Floats],
    learnt: Ints,
    recipe: NetworkRecipe,
    seed: int,
    first: str,
) -> LateStages:
    """Fit late stages on maps (n, 80, 14, 14), float16, and shares of labels by field (n, names), of some of them.

    Maps are mirrored, moved and partly blanked while training, so that no picture is seen twice alike.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(threads())
    rng = np.random.default_rng(seed)
    sizes = [of.shape[1] for of in targets.values()]
    late = LateStages(sum(sizes), recipe.dropout).to(memory_format=torch.channels_last).train()
    batch = min(recipe.batch, max(2, len(learnt) // 4))
    rounds = recipe.rounds(len(learnt))
    steps = rounds * (len(learnt) // batch)
    optimiser = adamw(list(late.parameters()), recipe.rate, recipe.decay)
    cycle = OneCycle(optimiser, recipe.rate, steps, recipe.warm_share)
    wanted = {field: torch.from_numpy(of) for field, of in targets.items()}
    with progress("fine-tuning", steps) as tick:
        for _ in range(rounds):
            order = rng.permutation(learnt)
            for start in range(0, len(order) - batch + 1, batch):
                chosen = order[start : start + batch]
                outputs = late(_altered(maps[chosen], rng)).split(sizes, dim=1)
                loss = sum(
                    (
                        cross_entropy(said, of[chosen], recipe.smoothing) * (1.0 if field == first else recipe.lesser)
                        for said, (field, of) in zip(outputs, wanted.items(), strict=True)
                    ),
                    torch.zeros(()),
                )
                cycle.step(loss)
                tick(1)
    return late.eval()


def network_shares(late: LateStages, maps: HalfFloats, sizes: Mapping[str, int]) -> dict[str, Floats]:
    """What late stages believe of maps, by field (n, names): the mean over each and its mirror image."""
    parts = []
    with torch.inference_mode():
        for part in chunks(len(maps), 128):
            seen = torch.from_numpy(maps[part]).float().contiguous(memory_format=torch.channels_last)
            parts.append(torch.stack([late(seen), late(seen.flip(3))]).numpy())
    logits = np.concatenate(parts, axis=1) if parts else np.zeros((2, 0, sum(sizes.values())), np.float32)
    found, start = {}, 0
    for field, size in sizes.items():
        found[field] = softmax(logits[..., start : start + size]).mean(axis=0)
        start += size
    return found


def _part(head: Floats, voted: Floats, truth: Floats, network: Floats) -> tuple[NetworkWeight, dict[str, float]]:
    """The network's weight beside a head of the best likelihood, 0 where it hardly helps; and what was measured."""
    known = np.ones(truth.shape[1], np.bool_)
    tried = {weight: fit_fusion(mix_network(head, network, weight, known), voted, truth) for weight in WEIGHTS}
    alone, without = tried[0.0]
    weight = min(tried, key=lambda one: tried[one][1])
    blend, loss = tried[weight]
    told = {
        "kept_aside": alone.kept_aside,
        "accuracy_before": alone.accuracy,
        "accuracy_after": blend.accuracy,
        "loss_before": without,
        "loss_after": loss,
        "coverage_after": blend.coverage,
    }
    if not loss < (1 - SURER) * without:
        return NetworkWeight(0.0, alone), told
    return NetworkWeight(weight, blend), told


def _altered(maps: HalfFloats, rng: np.random.Generator) -> Tensor:
    shown = torch.from_numpy(maps).float()
    mirrored = torch.from_numpy(rng.random(len(maps)) < 0.5)
    shown[mirrored] = shown[mirrored].flip(3)
    down, across = rng.integers(0, 2 * SHIFT + 1, 2).tolist()
    shown = F.pad(shown, (SHIFT, SHIFT, SHIFT, SHIFT), mode="replicate")[
        :, :, down : down + SIDE, across : across + SIDE
    ]
    if rng.random() < 0.5:
        height, width = rng.integers(2, 6, 2).tolist()
        top, left = int(rng.integers(SIDE - height)), int(rng.integers(SIDE - width))
        shown[:, :, top : top + height, left : left + width] = 0.0
    return shown.contiguous(memory_format=torch.channels_last)


class Early:
    """The early stages as a tower that pictures are looked at with."""

    def __init__(self) -> None:
        self._run = open_early()

    def prepare(self, picture: Image.Image) -> Pixels:
        """Squashed, as the starter sees pictures."""
        return PREPROCESS(picture)

    def __call__(self, pixels: Pixels) -> Floats:
        """The maps of prepared pictures, flattened."""
        return self._run({"pixels": pixels})
