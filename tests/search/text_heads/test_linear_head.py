"""The linear head: it separates what is separable, is the same each time, and its file holds everything."""

import numpy as np
import pytest

from catalog.errors import StoreError
from search.text_heads.calibration import fit_temperature, threshold_for_precision
from search.text_heads.linear_head import LinearHead, fit_head


def clusters(per_label=30, noise=0.3, seed=0):
    """Return unit rows around three directions, and the names of the directions."""
    rng = np.random.default_rng(seed)
    centres = np.eye(8, dtype=np.float32)[:3]
    labels = [name for name in ("b", "c", "a") for _ in range(per_label)]
    rows = np.repeat(centres, per_label, axis=0) + noise * rng.standard_normal((3 * per_label, 8)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), labels


def predicted(head, rows):
    return [head.labels[place] for place in head.probabilities(rows).argmax(axis=1)]


def test_a_head_finds_the_labels_of_new_rows():
    head = fit_head(*clusters())
    rows, labels = clusters(seed=1)
    assert np.mean(np.array(predicted(head, rows)) == np.array(labels)) > 0.9
    assert np.allclose(head.probabilities(rows).sum(axis=1), 1, atol=1e-5)


def test_the_gradient_is_zero_where_a_fit_ends():
    rows, labels = clusters()
    head = fit_head(rows, labels, penalty=1e-2)
    targets = np.array([[label == name for name in head.labels] for label in labels], np.float32)
    inputs = (rows - head.mean) / head.scale
    gradient = inputs.T @ (head.probabilities(rows) - targets) / len(rows) + 1e-2 * head.weights
    assert np.abs(gradient).max() < 1e-4


def test_a_fit_is_the_same_each_time():
    assert np.array_equal(fit_head(*clusters()).weights, fit_head(*clusters()).weights)


def test_an_example_of_weight_zero_does_not_count():
    rows, labels = clusters()
    wrong = np.concatenate([rows, rows])
    weights = np.repeat([1.0, 0.0], len(rows)).astype(np.float32)
    head = fit_head(wrong, [*labels, *reversed(labels)], weights=weights)
    assert np.mean(np.array(predicted(head, rows)) == np.array(labels)) > 0.9


def test_one_label_is_refused():
    with pytest.raises(ValueError, match="two labels"):
        fit_head(np.eye(3, dtype=np.float32), ["a", "a", "a"])


def test_a_file_holds_the_whole_head(tmp_path):
    rows, labels = clusters()
    head = fit_head(rows, labels, about={"examples": "abc"}).with_temperature(0.7)
    head.save(tmp_path / "head.safetensors")
    loaded = LinearHead.load(tmp_path / "head.safetensors")
    assert loaded.labels == head.labels and loaded.about == {"examples": "abc"} and loaded.temperature == 0.7
    assert np.allclose(loaded.probabilities(rows), head.probabilities(rows), atol=1e-2)


@pytest.mark.parametrize("content", [b"", b"no safetensors", b"\xff" * 100])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "head.safetensors").write_bytes(content)
    with pytest.raises(StoreError, match=r"head\.safetensors"):
        LinearHead.load(tmp_path / "head.safetensors")


def test_a_temperature_mends_overconfident_logits():
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((4000, 3)).astype(np.float32)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    targets = np.array([rng.choice(3, p=row / row.sum()) for row in shares.astype(np.float64)])
    assert fit_temperature(3 * logits, targets) == pytest.approx(3, rel=0.15)


def test_the_threshold_is_the_lowest_score_with_the_wanted_precision():
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.6, 0.5], np.float32)
    correct = np.array([True, True, False, True, True, False])
    assert threshold_for_precision(scores, correct, 0.8, fewest=2) == pytest.approx(0.6)
    assert threshold_for_precision(scores, correct, 1.0, fewest=2) == pytest.approx(0.8)
    assert threshold_for_precision(scores, ~correct, 0.9, fewest=2) == float("inf")
