"""Targets and losses of the detection head, on pictures whose answer is seen by eye."""

import numpy as np
import pytest

from indexer.training.detection.compose import MASK_SIDE, ShownObject

pytestmark = pytest.mark.torch

CELLS = 28
BOX = (0.25, 0.5, 0.5, 1.0)


@pytest.fixture(scope="module")
def network():
    from indexer.training.detection import network

    return network


def shown(box=BOX):
    mask = np.zeros((MASK_SIDE, MASK_SIDE), np.uint8)
    left, top, right, bottom = (int(side * MASK_SIDE) for side in box)
    mask[top:bottom, left:right] = 255
    return ShownObject(mask, box)


def perfect(network, targets):
    """What a head says that has learnt these targets."""
    import torch

    return (torch.logit(targets.centres.clamp(1e-4, 1 - 1e-4)), targets.sides, torch.logit(targets.mask, 1e-4))


def test_targets_mark_the_middle_the_sides_and_the_mask(network):
    targets = network.targets_of([[shown()]])
    row, column = np.unravel_index(int(targets.centres[0].argmax()), (CELLS, CELLS))
    assert (row, column) == (21, 10)
    assert targets.sides[0, :, row, column].tolist() == pytest.approx([3.5, 7.5, 3.5, 6.5])
    assert float(targets.mask[0].mean()) == pytest.approx(0.125)
    mirrored = network.targets_of([[shown((0.5, 0.5, 0.75, 1.0))]])
    row, column = np.unravel_index(int(targets.flipped().centres[0].argmax()), (CELLS, CELLS))
    assert row == 21 and targets.flipped().sides[0, 0, row, column] == pytest.approx(3.5, abs=1)
    assert float((targets.flipped().mask - mirrored.mask).abs().max()) == 0


def test_the_loss_is_least_where_everything_is_right(network):
    targets = network.targets_of([[shown()], [shown((0.5, 0.1, 0.9, 0.6))], []])
    right = float(network.known_loss(perfect(network, targets), targets))
    centres, sides, mask = perfect(network, targets)
    assert right < 0.8
    assert float(network.known_loss((centres.flip(2), sides, mask), targets)) > right + 1
    assert float(network.known_loss((centres, sides * 2, mask), targets)) > right + 0.5
    assert float(network.known_loss((centres, sides, -mask), targets)) > right + 1


def test_a_photo_of_one_product_is_charged_for_a_second_centre_alone(network):
    import torch

    centres, sides = torch.full((1, CELLS, CELLS), -8.0), torch.full((1, 4, CELLS, CELLS), 3.0)
    centres[0, 10, 10] = 6.0
    one = float(network.single_loss(centres, sides))
    centres[0, 11, 10] = 5.0  # the same object
    near = float(network.single_loss(centres, sides))
    centres[0, 10, 24] = 3.0
    two = float(network.single_loss(centres, sides))
    assert one < 0.01 and near < 0.01 and two > 1
