"""Predicted labels of one query, worked out by hand: the vote alone, with a head, and with a network."""

import math

import numpy as np
import pytest

from indexer.encoders.projection_heads import ProjectionHead
from indexer.labels.heads import FusionWeights, LabelHead
from indexer.labels.knn import KNN_SHARPNESS
from indexer.labels.network import NetworkField, NetworkWeight
from indexer.labels.predict import Neighbours, NetworkOutput, predict_labels

VIEWS = [np.array([[1, 0], [0, 1]], np.float32)]


def neighbours(*named):
    """The neighbours of one query, from (label, score)."""
    scores = np.array([[score for _, score in named]], np.float32)
    return Neighbours(scores, np.arange(len(named))[None], [(label,) if label else () for label, _ in named])


def vote(*named):
    found = predict_labels(VIEWS, neighbours(*named), None, titled=False)
    return dict(zip(found.names, found.confidences[0].tolist(), strict=True)), found.threshold


def head(*, share):
    """A head that prefers "hats" for the first view and nothing for the second."""
    zeros = np.zeros(2, np.float32)
    linear = np.array([[math.log(3), 0], [0, 0]], np.float32)
    weights = FusionWeights(share, 1.0, 0.7)
    inner = (np.zeros((1, 2), np.float32), np.zeros(1, np.float32), np.zeros((2, 1), np.float32))
    projection = ProjectionHead(zeros, zeros + 1, linear, *inner, zeros)
    return LabelHead("kind", ("hats", "mugs"), projection, weights, FusionWeights(0.0, 1.0, 0.4))


def test_the_nearest_have_the_larger_vote():
    farther = 0.9 - 1 / KNN_SHARPNESS
    confidences, threshold = vote(("hats", 0.9), ("scarves", farther), ("scarves", farther))
    assert confidences["hats"] == pytest.approx(math.e / (math.e + 2), abs=1e-5)
    assert confidences["hats"] >= threshold


def test_many_outvote_one():
    confidences, threshold = vote(("hats", 0.52), ("scarves", 0.5), ("scarves", 0.5), ("ties", 0.49))
    assert max(confidences, key=confidences.get) == "scarves" and confidences["scarves"] < threshold


def test_products_without_a_label_do_not_vote():
    assert vote(("", 1.0), ("hats", 0.1))[0] == pytest.approx({"hats": 1.0})
    assert vote(("", 1.0))[0] == {} == vote()[0]


def test_the_head_averages_its_views_and_is_fused_with_the_vote():
    found = predict_labels(VIEWS, neighbours(("mugs", 0.9)), head(share=0.5), titled=False)
    assert found.names == ("hats", "mugs") and found.threshold == 0.7
    assert found.confidences == pytest.approx(np.array([[0.625 / 2, 0.375 / 2 + 0.5]]), abs=1e-5)
    titled = predict_labels(VIEWS, neighbours(("mugs", 0.9)), head(share=0.5), titled=True)
    assert titled.threshold == 0.4 and titled.confidences[0, 1] == pytest.approx(1, abs=1e-5)


def test_a_label_that_only_neighbours_have_keeps_its_whole_vote():
    found = predict_labels(VIEWS, neighbours(("lamps", 0.9)), head(share=1.0), titled=False)
    assert found.names == ("hats", "mugs", "lamps")
    assert found.confidences[0, 2] == pytest.approx(1, abs=1e-4)


def test_the_network_is_mixed_with_the_head_and_brings_its_own_fusion():
    field = NetworkField(("mugs", "hats"), NetworkWeight(0.5, FusionWeights(1.0, 1.0, 0.9)))
    network = NetworkOutput(field, np.array([[1.0, 0.0]], np.float32))
    found = predict_labels(VIEWS, neighbours(("hats", 0.9)), head(share=0.0), network, titled=False)
    assert found.names == ("hats", "mugs") and found.threshold == 0.9
    assert found.confidences == pytest.approx(np.array([[0.625 / 2, 0.375 / 2 + 0.5]]), abs=1e-5)


def test_no_queries_have_no_confidences():
    none = Neighbours(np.zeros((0, 1), np.float32), np.zeros((0, 1), np.int64), [("hats",)])
    assert predict_labels([], none, head(share=0.5), titled=False).confidences.shape == (0, 2)
