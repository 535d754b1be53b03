"""The training loop of the fits in torch: AdamW, a one-cycle schedule, labels' loss. Imports torch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from indexer.encoders.backends.runtime import threads
from indexer.labels.knn import Ints
from indexer.progress import progress


def seeded(seed: int) -> np.random.Generator:
    """Seed torch, give it the threads of this process, and return a generator of the same seed."""
    torch.manual_seed(seed)
    torch.set_num_threads(threads())
    return np.random.default_rng(seed)


def adamw(parameters: Sequence[nn.Parameter], rate: float, decay: float) -> torch.optim.Optimizer:
    """Return AdamW with weight decay on matrices, but not on biases, scales and temperatures."""
    matrices, others = [p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate)


def minimise(
    loss: Callable[[Ints], Tensor],
    batches: Iterable[Ints],
    steps: int,
    optimiser: torch.optim.Optimizer,
    warm: float,
    what: str,
) -> None:
    """Take a gradient step on the loss of each of the first `steps` batches, and show the progress of `what`.

    The rate rises to the optimiser's during the share `warm` of the steps and then falls to zero (Smith and Topin 2017,
    arXiv:1708.07120).
    """
    warm = min(0.99, max(warm, 1.5 / steps))  # the schedule divides by the length of its warm-up minus one step
    rate = optimiser.defaults["lr"]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=warm)
    with progress(what, steps) as tick:
        for batch in itertools.islice(batches, steps):
            optimiser.zero_grad()
            loss(batch).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            tick(1)


def labels_loss(
    outputs: Tensor, targets: Sequence[Tensor], smoothing: float, weights: Sequence[float] | None = None
) -> Tensor:
    """Sum each field's mean cross-entropy over the examples that have a label, by default with the weight 1.

    `outputs` (n, names of all fields) are logits, `targets` the shares (n, names) of each field.
    """
    total = torch.zeros(())
    parts = outputs.split([shares.shape[1] for shares in targets], dim=1)  # type: ignore[no-untyped-call]
    for logits, shares, weight in zip(parts, targets, weights or [1.0] * len(targets), strict=True):
        labelled = shares.sum(1)
        smooth = shares * (1 - smoothing) + smoothing / shares.shape[1]
        losses = -(smooth * F.log_softmax(logits, dim=1)).sum(1) * labelled
        total = total + losses.sum() / labelled.sum().clamp(min=1.0) * weight
    return total
