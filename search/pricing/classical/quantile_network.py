"""A small temporal convolutional network with quantile loss, fitted on all series together. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from indexer.labels.knn import Ints
from indexer.training.optimiser import adamw, minimise, seeded
from indexer.types import Floats, Ids
from search.pricing.classical.network_inputs import CHANNELS, MAX_LOG, SHARES, SeriesTable
from search.pricing.forecasting.base import HORIZON, QUANTILES

WIDTH = 32
BLOCKS = 4  # with kernels of 3, the last output sees 31 weeks
BATCH = 512
EPOCHS = 12
MAX_SHOWN = 400_000  # windows, all epochs together
RATE, DECAY, WARM_SHARE, DROPOUT = 4e-3, 0.02, 0.15, 0.1
SEED = 0


class QuantileNetwork(nn.Module):
    """Residual blocks of causal convolutions (Bai, Kolter, Koltun 2018), whose last output gives QUANTILES.

    Instead of doubling the dilation, each block keeps every second output, the last among them: the last output of all
    is the same, at half the cost.
    """

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Conv1d(len(CHANNELS), WIDTH, 1)
        self.convolutions = nn.ModuleList(nn.Conv1d(WIDTH, WIDTH, 3) for _ in range(BLOCKS))
        self.dropout = nn.Dropout(DROPOUT)
        self.hidden = nn.Linear(WIDTH + HORIZON * SHARES, 2 * WIDTH)
        self.outer = nn.Linear(2 * WIDTH, HORIZON * len(QUANTILES))

    def forward(self, windows: Tensor, ahead: Tensor) -> Tensor:
        """Return quantiles of the logarithm of the ratio to the last price, (n, HORIZON, 3), ascending."""
        weeks = self.inner(windows)
        for convolution in self.convolutions:
            weeks = (weeks + F.relu(convolution(F.pad(weeks, (2, 0)))))[:, :, 1::2]
        joined = torch.cat([self.dropout(weeks[:, :, -1]), ahead], dim=1)
        found = self.outer(F.relu(self.hidden(joined))).reshape(-1, HORIZON, len(QUANTILES))
        middle = found[..., 1]
        low, high = (F.softplus(found[..., place] - 3.0) for place in (0, 2))
        return torch.stack([middle - low, middle, middle + high], dim=-1)


def fit_network(table: SeriesTable) -> QuantileNetwork | None:
    """Return a network fitted on the windows of the series; none where there is no window. One thread, fixed seed."""
    rows, ends = table.moments()
    if not len(rows):
        return None
    with _reproducible() as random:
        return _fitted(table, rows, ends, random)


@contextmanager
def _reproducible() -> Iterator[np.random.Generator]:
    """Give torch one thread and a fixed seed within the block, and what it had afterwards."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        random = seeded(SEED)
        torch.set_num_threads(1)
        try:
            yield random
        finally:
            torch.set_num_threads(threads)


def _fitted(table: SeriesTable, rows: Ids, ends: Ids, random: np.random.Generator) -> QuantileNetwork:
    network = QuantileNetwork().train()
    steps = max(1, min(EPOCHS * len(rows), MAX_SHOWN) // min(BATCH, len(rows)))
    quantiles = torch.tensor(QUANTILES)

    def loss(batch: Ints) -> Tensor:
        windows, ahead = map(torch.from_numpy, table.windows(rows[batch], ends[batch]))
        targets = torch.from_numpy(table.targets(rows[batch], ends[batch]))
        return pinball_loss(network(windows, ahead), targets, quantiles)

    minimise(
        loss,
        _batches(len(rows), random),
        steps,
        adamw(list(network.parameters()), RATE, DECAY),
        WARM_SHARE,
        "Fitting the convolutional network",
    )
    return network.eval()


def network_quantiles(network: QuantileNetwork, table: SeriesTable) -> Floats:
    """Return quantiles of the logarithm of the ratio to the last price after the last column, (n, HORIZON, 3)."""
    rows = np.arange(len(table.prices))
    found = []
    with torch.inference_mode():
        for part in np.array_split(rows, max(1, -(-len(rows) // BATCH))):
            windows, ahead = table.windows(part, np.full(len(part), table.prices.shape[1]))
            found.append(network(torch.from_numpy(windows), torch.from_numpy(ahead)).numpy())
    return np.asarray(np.clip(np.concatenate(found), -MAX_LOG, MAX_LOG), np.float32)


def pinball_loss(found: Tensor, targets: Tensor, quantiles: Tensor) -> Tensor:
    """Return the mean pinball loss of quantiles (n, HORIZON, 3) where the targets (n, HORIZON) are known."""
    known = ~targets.isnan()
    errors = targets[known][:, None] - found[known]
    return torch.maximum(quantiles * errors, (quantiles - 1) * errors).mean()


def _batches(count: int, random: np.random.Generator) -> Iterator[Ints]:
    size = min(BATCH, count)
    while True:
        order = random.permutation(count)
        for start in range(0, count - size + 1, size):
            yield order[start : start + size]
