"""Fit projection heads on frozen features with a contrastive loss between pictures and captions. Imports torch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from indexer.encoders.projection_heads import CLIP_DEVIATIONS, Projection, ProjectionHead
from indexer.labels.knn import Ints
from indexer.training.label_layers import shuffled
from indexer.training.optimiser import adamw, minimise, seeded
from indexer.types import Floats

HalfFloats = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How heads are fitted. `start_temperature` is the initial one of the contrastive loss (0.07 as in CLIP)."""

    dim: int = 256
    picture_hidden: int = 1024
    word_hidden: int = 512
    epochs: int = 32
    batch: int = 1024
    rate: float = 1e-3
    decay: float = 0.05
    dropout: float = 0.15
    warm_share: float = 0.1
    start_temperature: float = 0.07
    translated_weight: float = 0.4  # of the loss of captions in other languages; that of English ones weighs 1

    def steps(self, pairs: int) -> int:
        """Return the number of steps for this many pairs."""
        return self.epochs * (pairs // min(self.batch, pairs))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Training data: pictures with captions.

    views: float16 (n, features) each, augmentations of the same n pictures (plain first); words: float32 (t, features)
    of all captions; captions: int64 (n, c), c caption numbers to draw from for each picture; keys: int64 (n,),
    pictures with one key fit the same words, so they are no negatives of each other; domains: int64 (n,), only pairs
    of one domain are contrasted ("shirt" is not wrong for another shop's shirt). translations: int64 (n, d), captions
    in other languages; a step shows every picture with one of these as well.
    """

    views: Sequence[HalfFloats]
    words: Floats
    captions: Ints
    keys: Ints
    domains: Ints
    translations: Ints | None = None

    def take(self, rows: Ints) -> Pairs:
        """Return the pairs at these positions, with all captions."""
        views = [view[rows] for view in self.views]
        translations = None if self.translations is None else self.translations[rows]
        return Pairs(views, self.words, self.captions[rows], self.keys[rows], self.domains[rows], translations)


class HeadModule(nn.Module):
    """The trainable layers of a `ProjectionHead`: a linear map and a GELU branch that starts at zero."""

    def __init__(self, features: int, hidden: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.linear = nn.Linear(features, outputs)
        self.inner = nn.Linear(features, hidden)
        self.outer = nn.Linear(hidden, outputs, bias=False)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.outer.weight)

    def weights(self) -> dict[str, Floats]:
        """Return copies of the layers under the names of `ProjectionHead`."""
        return {name: tensor.detach().numpy().copy() for name, tensor in self.tensors().items()}

    def tensors(self) -> dict[str, Tensor]:
        """Return the layers under the names of `ProjectionHead`."""
        inner = {"inner": self.inner.weight, "inner_bias": self.inner.bias, "outer": self.outer.weight}
        return {"linear": self.linear.weight, "bias": self.linear.bias, **inner}


class TorchHead(HeadModule):
    """The trainable form of a `ProjectionHead` whose outputs have unit length."""

    def __init__(self, mean: Floats, scale: Floats, hidden: int, recipe: TrainingConfig) -> None:
        super().__init__(len(mean), hidden, recipe.dim, recipe.dropout)
        self.mean, self.scale = torch.from_numpy(mean), torch.from_numpy(scale)

    @classmethod
    def from_head(cls, start: ProjectionHead, recipe: TrainingConfig) -> TorchHead:
        """Continue from a fitted head."""
        head = cls(start.mean, start.scale, len(start.inner), recipe)
        with torch.no_grad():
            for name, tensor in head.tensors().items():
                tensor.copy_(torch.from_numpy(getattr(start, name)))
        return head

    def forward(self, features: Tensor) -> Tensor:
        """Return unit rows."""
        x = self.dropout(((features - self.mean) * self.scale).clamp(-CLIP_DEVIATIONS, CLIP_DEVIATIONS))
        return F.normalize(self.linear(x) + self.outer(F.gelu(self.inner(x), approximate="tanh")), dim=-1)

    def frozen(self) -> ProjectionHead:
        """Return the numpy head that ships."""
        return ProjectionHead(mean=self.mean.numpy().copy(), scale=self.scale.numpy().copy(), **self.weights())


def fit(
    pairs: Pairs, recipe: TrainingConfig, seed: int, start: tuple[ProjectionHead, ProjectionHead] | None = None
) -> tuple[ProjectionHead, ProjectionHead]:
    """Fit a picture head and a text head, from scratch or from `start`.

    The loss is symmetric InfoNCE (Radford et al. 2021, arXiv:2103.00020); pictures of one key share the target equally.
    """
    rng = seeded(seed)
    if start is None:
        picture = TorchHead(*_standard(pairs.views[0]), recipe.picture_hidden, recipe)
        text = TorchHead(*_standard(pairs.words), recipe.word_hidden, recipe)
    else:
        picture, text = TorchHead.from_head(start[0], recipe), TorchHead.from_head(start[1], recipe)
    scale = nn.Parameter(torch.tensor(-math.log(recipe.start_temperature)))
    words = torch.from_numpy(pairs.words)

    def loss(chosen: Ints) -> Tensor:
        batch = len(chosen)
        views = rng.integers(len(pairs.views), size=batch)
        pixels = np.stack([pairs.views[view][row] for view, row in zip(views, chosen, strict=True)])
        shown = picture(torch.from_numpy(pixels.astype(np.float32)))
        keys, domains = torch.from_numpy(pairs.keys[chosen]), torch.from_numpy(pairs.domains[chosen])

        def contrast(captions: Ints) -> Tensor:
            drawn = captions[chosen, rng.integers(captions.shape[1], size=batch)]
            return _contrast(shown, text(words[torch.from_numpy(drawn)]), keys, domains, scale.exp().clamp(max=100))

        if pairs.translations is None:
            return contrast(pairs.captions)
        both = contrast(pairs.captions) + recipe.translated_weight * contrast(pairs.translations)
        return both / (1 + recipe.translated_weight)

    optimiser = adamw([*picture.parameters(), *text.parameters(), scale], recipe.rate, recipe.decay)
    count = len(pairs.keys)
    steps = recipe.steps(count)
    batches = list(itertools.islice(shuffled(rng, np.arange(count), min(recipe.batch, count)), steps))
    minimise(loss, batches, steps, optimiser, recipe.warm_share, "steps")
    return picture.eval().frozen(), text.eval().frozen()


def principal_axes(features: HalfFloats, dim: int) -> Projection:
    """Fit standardisation and the first `dim` principal axes on at most 8,000 rows of features (n, f)."""
    mean, scale = _standard(features)
    step = max(1, len(features) // 8_000)
    x = np.clip((features[::step].astype(np.float32) - mean) * scale, -CLIP_DEVIATIONS, CLIP_DEVIATIONS)
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    return Projection(mean, scale, np.ascontiguousarray(vectors[:, np.argsort(-values)[:dim]].T, dtype=np.float32))


def _standard(features: HalfFloats | Floats) -> tuple[Floats, Floats]:
    mean = features.mean(axis=0, dtype=np.float64)
    deviation = np.maximum(features.std(axis=0, dtype=np.float64), 1e-3)
    # The file stores float16, so training uses values that float16 represents.
    return mean.astype(np.float16).astype(np.float32), (1 / deviation).astype(np.float16).astype(np.float32)


def _contrast(pictures: Tensor, words: Tensor, keys: Tensor, domains: Tensor, scale: Tensor) -> Tensor:
    comparable = domains[:, None] == domains[None]
    logits = (pictures @ words.T * scale).masked_fill(~comparable, -1e4)
    same = ((keys[:, None] == keys[None]) & comparable).float()
    target = same / same.sum(dim=1, keepdim=True)
    to_words = -(target * F.log_softmax(logits, dim=1)).sum(dim=1).mean()
    to_pictures = -(target * F.log_softmax(logits.T, dim=1)).sum(dim=1).mean()
    return (to_words + to_pictures) / 2
