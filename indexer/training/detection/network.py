"""The detection head as a torch module, its targets and its losses. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from indexer.detection.head import DILATIONS, OUTPUTS, SIDE_LIMITS
from indexer.training.detection.compose import MASK_SIDE, ShownObject
from indexer.types import Floats

WIDTH = 48
MASK_STEPS = 2  # mask values each way in a cell
CELLS = 28
SPREAD = 0.16  # standard deviation of an object's centre, as a share of its sides
BOXED = 0.3  # height of an object's centre from which a cell learns its sides
RARE = -4.0  # logit of a centre, and logarithm of a side in cells, before training
USUAL_SIDE = 1.5
PROBABILITIES = (1e-4, 1 - 1e-4)
BOX_WEIGHT = MASK_WEIGHT = 2.0
REACH, LEAST_REACH = 0.3, 2.0  # of the one object of a photo: share of its sides, cells


@dataclass(frozen=True, slots=True)
class Targets:
    """What the head should say of n pictures.

    `centres` (n, rows, columns), 1 at centres; `sides` (n, 4, rows, columns) in cells; `weights` (n, rows, columns) of
    the sides, 0 where there is no object; `mask` (n, 2 * rows, 2 * columns).
    """

    centres: Tensor
    sides: Tensor
    weights: Tensor
    mask: Tensor

    def flipped(self) -> Targets:
        """Return the targets of the mirrored pictures."""
        sides = self.sides.flip(3)[:, [2, 1, 0, 3]]
        return Targets(self.centres.flip(2), sides, self.weights.flip(2), self.mask.flip(2))


class DetectorNetwork(nn.Module):
    """The layers of `DetectionHead`, on features that are standardised and reduced to principal components.

    It also learns which cells objects cover, which teaches it their outlines; the head leaves that out.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.inner = nn.Conv2d(features, WIDTH, 1)
        self.context = nn.Linear(WIDTH, WIDTH)
        self.convolutions = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 3, padding=d, dilation=d) for d in DILATIONS)
        self.outer = nn.Conv2d(WIDTH, OUTPUTS + MASK_STEPS**2, 1)
        start = [RARE, *[USUAL_SIDE] * 4, *[0.0] * MASK_STEPS**2]
        self.outer.bias = nn.Parameter(torch.tensor(start))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits of centres (n, rows, columns), sides (n, 4, rows, columns), and logits of the mask."""
        grid = F.relu(self.inner(features))
        grid = grid + F.relu(self.context(grid.mean((2, 3))))[:, :, None, None]
        for convolution in self.convolutions:
            grid = grid + F.relu(convolution(grid))
        out = self.outer(grid)
        return out[:, 0], torch.exp(out[:, 1:5].clamp(*SIDE_LIMITS)), F.pixel_shuffle(out[:, 5:], MASK_STEPS)[:, 0]


def targets_of(pictures: Sequence[Sequence[ShownObject]]) -> Targets:
    """Return the targets of pictures with known objects."""
    parts = [_targets(objects) for objects in pictures]
    return Targets(*(torch.from_numpy(np.stack(part)) for part in zip(*parts, strict=True)))


def known_loss(found: tuple[Tensor, Tensor, Tensor], targets: Targets) -> Tensor:
    """Return the focal loss of centres, the generalised IoU loss of sides, and cross-entropy and Dice of the mask."""
    centres, sides, mask = found
    probability = torch.sigmoid(centres).clamp(*PROBABILITIES)
    hit = (targets.centres >= 0.999).float()
    missed = hit * (1 - probability) ** 2 * torch.log(probability)
    wrong = (1 - hit) * (1 - targets.centres) ** 4 * probability**2 * torch.log(1 - probability)
    focal = -(missed + wrong).sum() / hit.sum().clamp(min=1)
    chosen = targets.weights > 0
    weights = targets.weights[chosen]
    boxes = _box_loss(sides.permute(1, 0, 2, 3)[:, chosen], targets.sides.permute(1, 0, 2, 3)[:, chosen])
    shown = torch.sigmoid(mask)
    both, either = (shown * targets.mask).sum((1, 2)), shown.sum((1, 2)) + targets.mask.sum((1, 2))
    dice = 1 - ((2 * both + 1) / (either + 1)).mean()
    covered = F.binary_cross_entropy_with_logits(mask, targets.mask) + 0.5 * dice
    total: Tensor = focal + BOX_WEIGHT * (boxes * weights).sum() / weights.sum().clamp(min=1) + MASK_WEIGHT * covered
    return total


def single_loss(centres: Tensor, sides: Tensor) -> Tensor:
    """Return how many centres photos of one product have beyond their best one, wherever that is."""
    count, rows, columns = centres.shape
    best = centres.detach().reshape(count, -1).argmax(1)
    down, across = best // columns, best % columns
    left, top, right, bottom = sides.detach()[torch.arange(count), :, down, across].T
    reach_across = ((left + right) * REACH).clamp(min=LEAST_REACH)[:, None, None]
    reach_down = ((top + bottom) * REACH).clamp(min=LEAST_REACH)[:, None, None]
    places = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    from_left = (places[1] - (across + (right - left) / 2)[:, None, None]) / reach_across
    from_top = (places[0] - (down + (bottom - top) / 2)[:, None, None]) / reach_down
    far = (from_left**2 + from_top**2 > 1).float()
    probability = torch.sigmoid(centres).clamp(*PROBABILITIES)
    surplus: Tensor = -(far * probability**2 * torch.log(1 - probability)).sum()
    return surplus / count


def _targets(objects: Sequence[ShownObject]) -> tuple[Floats, Floats, Floats, Floats]:
    centres, weights = np.zeros((CELLS, CELLS), np.float32), np.zeros((CELLS, CELLS), np.float32)
    sides = np.zeros((4, CELLS, CELLS), np.float32)
    mask = np.zeros((CELLS * MASK_STEPS, CELLS * MASK_STEPS), np.float32)
    step = MASK_SIDE // len(mask)
    down, across = np.mgrid[0:CELLS, 0:CELLS] + 0.5
    for shown in objects:
        covered = shown.mask.reshape(len(mask), step, len(mask), step).mean(axis=(1, 3)) / 255
        mask = np.maximum(mask, covered).astype(np.float32)
        left, top, right, bottom = (side * CELLS for side in shown.box)
        column, row = (min(int((low + high) / 2), CELLS - 1) for low, high in ((left, right), (top, bottom)))
        wide, high = max((right - left) * SPREAD, 0.6), max((bottom - top) * SPREAD, 0.6)
        peak = np.exp(-((across - column - 0.5) ** 2) / (2 * wide**2) - (down - row - 0.5) ** 2 / (2 * high**2))
        inside = (across > left) & (across < right) & (down > top) & (down < bottom)
        mine = (peak > centres) & (peak > BOXED) & inside
        mine[row, column] = True
        centres = np.maximum(centres, peak).astype(np.float32)
        centres[row, column] = 1.0
        for side, distance in enumerate((across - left, down - top, right - across, bottom - down)):
            sides[side][mine] = np.maximum(distance[mine], 0.3)
        weights[mine] = peak[mine]
    return centres, sides, weights, mask


def _box_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Return 1 - generalised IoU (Rezatofighi et al. 2019, arXiv:1902.09630) of boxes given by their sides, (4, n)."""

    def area(sides: Tensor) -> Tensor:
        return (sides[0] + sides[2]) * (sides[1] + sides[3])

    shared, hull = area(torch.minimum(found, wanted)), area(torch.maximum(found, wanted))
    union = area(found) + area(wanted) - shared
    return 1 - shared / union + (hull - union) / hull
