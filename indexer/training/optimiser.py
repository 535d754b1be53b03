"""The optimiser of all training here: AdamW with a one-cycle schedule. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class OneCycle:
    """An optimiser whose rate rises during the share `warm` of the steps and then falls to zero.

    Smith and Topin 2017, arXiv:1708.07120.
    """

    def __init__(self, optimiser: torch.optim.Optimizer, rate: float, steps: int, warm: float) -> None:
        self._optimiser = optimiser
        # The schedule divides by the length of its warm-up minus one step.
        warm = min(0.99, max(warm, 1.5 / steps))
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=warm)

    def step(self, loss: Tensor) -> None:
        """Take one gradient step."""
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self._schedule.step()


def adamw(parameters: Sequence[nn.Parameter], rate: float, decay: float) -> torch.optim.Optimizer:
    """Return AdamW with weight decay on matrices, but not on biases, scales and temperatures."""
    return torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ],
        lr=rate,
    )
