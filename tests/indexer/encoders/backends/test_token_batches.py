"""Batches by length: little padding, every text once, the order of the texts."""

import numpy as np
import pytest

from indexer.encoders.backends.texts.token_batches import in_order, length_parts, padded, run_by_length


class Lengths:
    """A model whose features are a text's first token and its length."""

    def __init__(self):
        self.shapes = []

    def run_batches(self, batches):
        self.shapes += [batch["ids"].shape for batch in batches]
        return [np.stack([b["ids"][:, 0], b["mask"].sum(1)], axis=1).astype(np.float32) for b in batches]


@pytest.mark.parametrize("tokens", [1, 7, 40, 10_000])
def test_parts_hold_every_row_once_and_no_more_tokens_than_allowed(tokens):
    rows = [[1] * length for length in np.random.default_rng(0).integers(1, 20, 100)]
    parts = list(length_parts(rows, tokens))
    assert sorted(np.concatenate(parts)) == list(range(100))
    for part in parts:
        assert len(part) == 1 or len(part) * max(len(rows[i]) for i in part) <= tokens
    lengths = [len(rows[i]) for part in parts for i in part]
    assert lengths == sorted(lengths)


def test_features_come_in_the_order_of_the_texts():
    rows = [[number] * (1 + number * 7 % 30) for number in range(200)]
    model = Lengths()
    features = run_by_length(model, rows, pad=0)
    assert features.tolist() == [[number, 1 + number * 7 % 30] for number in range(200)]
    cells = sum(n * length for n, length in model.shapes)
    assert cells <= 1.2 * sum(map(len, rows))


def test_padding_is_masked():
    batch = padded([[5, 6], [7]], pad=9)
    assert batch["ids"].tolist() == [[5, 6], [7, 9]]
    assert batch["mask"].tolist() == [[1, 1], [1, 0]]


def test_parts_are_joined_in_order():
    parts = [np.array([2, 0]), np.array([1])]
    assert in_order(parts, [np.array([[2.0], [0.0]]), np.array([[1.0]])]).tolist() == [[0], [1], [2]]
