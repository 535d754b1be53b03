"""Train the detection head: `make detector`. Imports torch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from catalog import sample
from catalog.errors import TrainingError
from indexer.detection.head import CLIP_DEVIATIONS, DILATIONS, OUTPUTS, WEIGHTS, DetectionHead, save_detector
from indexer.encoders.backends.feature_maps import MapModel
from indexer.encoders.backends.starter_towers import MAP_KEY, starter_maps
from indexer.labels.knn import Ints
from indexer.progress import progress
from indexer.training.detection.compose import Example
from indexer.training.detection.network import (
    CELLS,
    DetectorNetwork,
    known_loss,
    single_loss,
    targets_of,
)
from indexer.training.detection.pictures import detector_examples
from indexer.training.optimiser import adamw, minimise, seeded
from indexer.types import Floats

Halves = NDArray[np.float16]
SAMPLE_EVERY = 16  # every so many pictures give the statistics of the features


@dataclass(frozen=True, slots=True)
class DetectorRecipe:
    """How the head is trained."""

    epochs: int = 10
    batch: int = 16
    components: int = 160  # principal components of the features; only the training is reduced to them
    rate: float = 3e-3
    decay: float = 0.02
    noise: float = 0.15  # standard deviations that are added to the features
    warm: float = 0.3  # share of the steps until the highest rate


@dataclass(frozen=True, slots=True)
class Standardiser:
    """Features of cells to principal components: mean, scale (channels,); axes (channels, components)."""

    mean: Floats
    scale: Floats
    axes: Floats

    def __call__(self, cells: Floats) -> Floats:
        """Return the components of cells (..., channels)."""
        return np.asarray(np.clip((cells - self.mean) * self.scale, -CLIP_DEVIATIONS, CLIP_DEVIATIONS) @ self.axes)


def fit_detector(
    data: Path, scenes: Path, out: Path = WEIGHTS, seed: int = 0, recipe: DetectorRecipe | None = None
) -> dict[str, Any]:
    """Fit the head on the public datasets in `data` and the rendered `scenes`, and save it to `out`.

    Returns the metadata of the file. Raises BadFeed or TrainingError when the data is incomplete.
    """
    began = time.perf_counter()
    recipe = recipe or DetectorRecipe()
    rng = seeded(seed)
    examples = detector_examples(data, scenes, sample.SAMPLE_FOLDER, rng)
    if not any(example.objects is None for example in examples):
        raise TrainingError(f"{data} has no photos of one product.", "Restore the data folder.")
    maps = starter_maps("auto")
    standardise = _standardiser(_cells(maps, examples[::SAMPLE_EVERY]).astype(np.float32), recipe.components)
    features = np.zeros((len(examples), CELLS, CELLS, recipe.components), np.float16)
    with progress("Encoding", len(examples)) as tick:
        for start in range(0, len(examples), recipe.batch):
            part = examples[start : start + recipe.batch]
            features[start : start + len(part)] = standardise(_cells(maps, part))
            tick(len(part))
    network = _train(features, examples, recipe, rng)
    card = {"name": "detector", "maps": MAP_KEY, "pictures": len(examples), "seed": seed, "recipe": asdict(recipe)}
    save_detector(_head(network, standardise, card), out)
    return {**card, "minutes": round((time.perf_counter() - began) / 60, 1), "saved": str(out)}


def _cells(maps: MapModel, examples: Sequence[Example]) -> Floats:
    found = maps([example.picture for example in examples])
    return np.concatenate([found.fine, found.deep], axis=3)


def _standardiser(cells: Floats, components: int) -> Standardiser:
    flat = cells.reshape(-1, cells.shape[-1])
    mean, scale = flat.mean(axis=0), 1 / (flat.std(axis=0) + 1e-3)
    scaled = np.clip((flat - mean) * scale, -CLIP_DEVIATIONS, CLIP_DEVIATIONS)
    _, axes = np.linalg.eigh(scaled.T @ scaled)
    return Standardiser(mean, scale, np.ascontiguousarray(axes[:, : -components - 1 : -1]))


def _train(
    features: Halves, examples: Sequence[Example], recipe: DetectorRecipe, rng: np.random.Generator
) -> DetectorNetwork:
    network = DetectorNetwork(recipe.components)
    spread = torch.from_numpy(features[::SAMPLE_EVERY].astype(np.float32).std(axis=(0, 1, 2)))[None, :, None, None]

    def loss(batch: Ints) -> torch.Tensor:
        flip = bool(rng.random() < 0.5)
        cells = torch.from_numpy(features[batch].astype(np.float32)).permute(0, 3, 1, 2)
        cells = cells.flip(3) if flip else cells
        found = network(cells + recipe.noise * spread * torch.randn_like(cells))
        objects = [examples[i].objects for i in batch]
        known = [at for at, shown in enumerate(objects) if shown is not None]
        single = [at for at, shown in enumerate(objects) if shown is None]
        total = torch.zeros(())
        if known:
            targets = targets_of([shown for shown in objects if shown is not None])
            total = total + known_loss(
                (found[0][known], found[1][known], found[2][known]), targets.flipped() if flip else targets
            )
        return total + single_loss(found[0][single], found[1][single]) if single else total

    steps = recipe.epochs * (len(examples) // recipe.batch)
    order = np.concatenate([rng.permutation(len(examples)) for _ in range(recipe.epochs + 1)])
    batches = (order[at : at + recipe.batch] for at in range(0, steps * recipe.batch, recipe.batch))
    optimiser = adamw(list(network.parameters()), recipe.rate, recipe.decay)
    minimise(loss, batches, steps, optimiser, recipe.warm, "Training the detector")
    return network


def _head(network: DetectorNetwork, standardise: Standardiser, card: dict[str, Any]) -> DetectionHead:
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    names = [f"convolutions.{number}" for number in range(len(DILATIONS))]
    kernels = [weights[f"{name}.weight"].transpose(2, 3, 0, 1) for name in names]
    return DetectionHead(
        mean=standardise.mean,
        scale=standardise.scale,
        inner=weights["inner.weight"][:, :, 0, 0] @ standardise.axes.T,
        inner_bias=weights["inner.bias"],
        context=weights["context.weight"],
        context_bias=weights["context.bias"],
        kernels=np.stack([kernel.reshape(9, *kernel.shape[2:]) for kernel in kernels]),
        kernel_biases=np.stack([weights[f"{name}.bias"] for name in names]),
        outer=weights["outer.weight"][:OUTPUTS, :, 0, 0],
        outer_bias=weights["outer.bias"][:OUTPUTS],
        card=card,
    )
