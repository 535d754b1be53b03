"""Fitting heads on made-up rows whose answers are known."""

import numpy as np
import pytest

pytestmark = pytest.mark.torch

from indexer.labels.examples import LabelExamples, targets_of  # noqa: E402
from indexer.labels.fusion_fit import UNMEASURED, abstention_threshold, fit_fusion  # noqa: E402
from indexer.layout import RowLayout  # noqa: E402
from indexer.numeric import unit  # noqa: E402
from indexer.training.label_heads import (  # noqa: E402
    CROSS_VALIDATED,
    MIN_FRESH,
    LabelRecipe,
    fit_label_heads,
    holdout_folds,
    learnable_names,
)
from indexer.types import Block  # noqa: E402

LAYOUT = RowLayout((Block("look", 8), Block("meaning", 4, texts=True), Block("words", 4, texts=True)))
RECIPE = LabelRecipe(hidden=16, steps=80, batch=64, rate=1e-2)
KINDS = ("cap", "hat", "mug")


def examples(count=240, noise=0.4, seed=0):
    """Three kinds that look alike but for noise, and whose titles tell them apart."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(3, size=count)
    look = unit(np.eye(3, 8)[kinds] + noise * rng.normal(size=(count, 8)))
    meaning = unit(np.ones((count, 4)) + 0.5 * rng.normal(size=(count, 4)))
    words = unit(np.eye(3, 4)[kinds] + 0.05 * rng.normal(size=(count, 4)))
    labels = {
        "category": [(KINDS[k],) for k in kinds],
        "worn": [("yes",) if k < 2 else ("no",) for k in kinds],
        "unlabelled": [()] * count,
    }
    rows = np.concatenate([look, meaning, words], axis=1).astype(np.float32)
    weights = {"look": 1.0, "meaning": 0.2, "words": 1.0}
    return LabelExamples(LAYOUT, weights, rows, np.arange(count), np.ones(count, bool), labels)


def test_heads_learn_what_can_be_told_and_titles_help():
    heads = fit_label_heads(examples(), RECIPE, seed=0)
    assert list(heads) == ["category", "worn"]  # nobody says anything of "unlabelled"
    category = heads["category"]
    assert category.names == KINDS and category.image_only.holdout == 240
    assert category.image_only.accuracy > 0.75
    assert category.with_title.accuracy > 0.97 and category.with_title.accuracy > category.image_only.accuracy
    new = examples(seed=1)
    right = category.shares(new.rows).argmax(axis=1) == [KINDS.index(name) for (name,) in new.labels["category"]]
    assert right.mean() > 0.95


def test_the_same_seed_gives_the_same_heads():
    one, other = (fit_label_heads(examples(120), RECIPE, seed=3)["category"] for _ in range(2))
    assert np.array_equal(one.head.linear, other.head.linear) and one.image_only == other.image_only


def test_nothing_to_learn_is_no_head():
    few = examples(4)
    assert fit_label_heads(few, RECIPE, seed=0) == {}


@pytest.mark.timeout(30)  # it never ended
def test_fewer_than_a_batch_are_learnt_from():
    assert fit_label_heads(examples(25), RECIPE, seed=0)["category"].names


def test_five_examples_are_enough():
    assert learnable_names([("a",)] * 5 + [("b",)] * 4 + [("a", "c")] * 5) == ("a", "c")


def test_two_labels_share_the_target_equally():
    assert targets_of([("a", "c"), ("b",), ("x",)], ("a", "b", "c")).tolist() == [[0.5, 0, 0.5], [0, 1, 0], [0, 0, 0]]


def test_every_example_is_held_out_once_and_groups_stay_whole():
    made = examples(100)
    grouped = LabelExamples(LAYOUT, made.weights, made.rows, np.arange(100) // 4, made.fresh, made.labels)
    folds = holdout_folds(grouped, seed=0)
    assert np.sort(np.concatenate(folds)).tolist() == list(range(100))
    for holdout in folds:
        assert not set(grouped.groups[holdout]) & set(np.delete(grouped.groups, holdout))


def test_of_many_examples_only_those_new_to_the_encoder_are_held_out():
    count = CROSS_VALIDATED + 10
    rows = np.zeros((count, LAYOUT.dim), np.float32)
    fresh = np.arange(count) < 2 * MIN_FRESH
    (holdout,) = holdout_folds(LabelExamples(LAYOUT, {}, rows, np.arange(count), fresh, {}), seed=0)
    assert len(holdout) == MIN_FRESH and fresh[holdout].all()
    (holdout,) = holdout_folds(LabelExamples(LAYOUT, {}, rows, np.arange(count), fresh & False, {}), seed=0)
    assert len(holdout) == count // 5


def test_the_threshold_is_the_lowest_that_is_accurate_enough():
    confidence = np.linspace(1, 0, 200, dtype=np.float32)
    right = np.arange(200) < 100
    threshold, coverage, accuracy = abstention_threshold(confidence, right)
    assert coverage == pytest.approx(105 / 200) and accuracy == pytest.approx(100 / 105)
    assert (confidence >= threshold).sum() == 105
    assert abstention_threshold(confidence, np.zeros(200, bool)) == (0.95, 0.0, 0.0)


def test_the_fusion_favours_the_accurate_one():
    truth = np.eye(2, dtype=np.float32)[np.arange(100) % 2]
    sure, wrong = truth * 0.8 + 0.1, (1 - truth) * 0.8 + 0.1
    assert fit_fusion(sure, wrong, truth)[0].share == 1.0
    assert fit_fusion(wrong, sure, truth)[0].share == 0.0


def test_nothing_is_calibrated_on_what_the_encoder_was_trained_on():
    made = examples(120)
    known = LabelExamples(LAYOUT, made.weights, made.rows, made.groups, np.zeros(120, bool), made.labels)
    assert fit_label_heads(known, RECIPE, seed=0)["category"].image_only == UNMEASURED
