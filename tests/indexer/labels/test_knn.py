"""Neighbours and their votes, worked out by hand."""

import math

import numpy as np
import pytest

from indexer.labels.heads import FusionWeights
from indexer.labels.knn import KNN_SHARPNESS, fuse, knn_vote, nearest_products, vote_weights

ROWS = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
STEP = 1 / KNN_SHARPNESS  # a neighbour that much farther has 1/e of the vote


def test_the_nearest_rows_of_other_groups_come_best_first():
    scores, found = nearest_products(ROWS[:1], np.array([0]), ROWS, np.array([0, 1, 2]), k=3)
    assert found[0, :2].tolist() == [1, 2] and scores[0, :2] == pytest.approx([0.8, 0.0])
    assert scores[0, 2] == -np.inf
    _, found = nearest_products(ROWS[:1], np.array([-1]), ROWS, np.array([0, 1, 2]), k=1)
    assert found.tolist() == [[0]]


def test_the_nearer_have_the_larger_vote_and_the_missing_none():
    weights = vote_weights(np.array([0.9, 0.9 - STEP, -np.inf], np.float32))
    assert weights == pytest.approx([math.e / (math.e + 1), 1 / (math.e + 1), 0], abs=1e-6)


def test_rows_without_a_label_have_no_vote():
    targets = np.array([[0, 0], [1, 0], [0.5, 0.5]], np.float32)
    scores, found = np.array([[1.0, 0.5, 0.5]], np.float32), np.array([[0, 1, 2]])
    assert knn_vote(targets, scores, found) == pytest.approx(np.array([[0.75, 0.25]]))
    assert knn_vote(np.zeros((3, 2), np.float32), scores, found).tolist() == [[0, 0]]


def test_head_and_neighbours_share_the_say():
    head, voted = np.array([[0.8, 0.2]], np.float32), np.array([[0.4, 0.6]], np.float32)
    assert fuse(head, voted, FusionWeights(0.5, 1.0, 0.5)) == pytest.approx(np.array([[0.6, 0.4]]))
    assert fuse(head, np.zeros((1, 2), np.float32), FusionWeights(0.5, 1.0, 0.5)) == pytest.approx(head)


def test_a_label_new_to_the_head_keeps_its_whole_vote():
    head, voted = np.array([[1.0, 0.0, 0.0]], np.float32), np.array([[0.1, 0.1, 0.8]], np.float32)
    found = fuse(head, voted, FusionWeights(0.9, 1.0, 0.5), np.array([True, True, False]))
    assert found[0, 2] == pytest.approx(0.8) and found.sum() == pytest.approx(1)


def test_a_low_temperature_makes_sure():
    head = np.array([[0.6, 0.4]], np.float32)
    sharp, flat = (fuse(head, head, FusionWeights(1.0, t, 0.5))[0, 0] for t in (0.5, 2.0))
    assert sharp == pytest.approx(0.36 / 0.52, abs=1e-5) and 0.5 < flat < 0.6
