"""The heads' layers learn in numpy as they would in torch."""

import numpy as np
import pytest

from indexer.training.label_layers import AdamW, LabelLayers, OneCycle, labels_gradient

SIZES = (3, 4)


@pytest.fixture
def batch():
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((16, 10), dtype=np.float32)
    targets = [np.eye(size, dtype=np.float32)[rng.integers(0, size, 16)] for size in SIZES]
    targets[0][:5] = 0.0  # have no label in this field
    targets[1][3] = 1 / SIZES[1]
    return inputs, targets


def layers(dropout=0.0):
    made = LabelLayers(10, 6, sum(SIZES), dropout, np.random.default_rng(2))
    made.outer += np.random.default_rng(3).standard_normal(made.outer.shape).astype(np.float32)
    return made


@pytest.mark.torch
def test_gradients_and_steps_are_those_of_torch(batch):
    import torch
    import torch.nn.functional as F

    from indexer.training.optimiser import labels_loss

    inputs, targets = batch
    ours = layers()
    first, bias, outer = (torch.tensor(values, requires_grad=True) for values in ours.parameters)
    steps, rate, decay = 40, 0.01, 0.05
    optimiser = torch.optim.AdamW([first, bias, outer], rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    own = AdamW(ours.parameters, OneCycle(rate, steps, 0.1), decay)
    for _ in range(steps):
        optimiser.zero_grad()
        both = torch.from_numpy(inputs) @ first.T + bias
        outputs = both[:, :7] + F.gelu(both[:, 7:], approximate="tanh") @ outer.T
        labels_loss(outputs, [torch.from_numpy(shares) for shares in targets], 0.05).backward()
        gradients = ours.gradients(inputs, targets, 0.05)
        for gradient, tensor in zip(gradients, (first, bias, outer), strict=True):
            assert np.allclose(gradient, tensor.grad.numpy(), atol=1e-4)
        optimiser.step()
        own.step(gradients)
        schedule.step()
        for values, tensor in zip(ours.parameters, (first, bias, outer), strict=True):
            assert np.allclose(values, tensor.detach().numpy(), atol=1e-3)


def test_an_example_without_labels_teaches_nothing():
    logits = np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)
    gradient = labels_gradient(logits, [np.array([[0, 0, 0], [0, 1, 0]], np.float32)], 0.1)
    assert not gradient[0].any() and gradient[1].any()
    assert gradient[1].sum() == pytest.approx(0, abs=1e-6)


def test_dropout_follows_the_seed(batch):
    inputs, targets = batch
    first, second = layers(0.5), layers(0.5)
    for own, other in zip(first.gradients(inputs, targets, 0), second.gradients(inputs, targets, 0), strict=True):
        assert np.array_equal(own, other)
    again, without = first.gradients(inputs, targets, 0)[1], layers().gradients(inputs, targets, 0)[1]
    assert not np.allclose(again, second.gradients(inputs, targets, 0)[1] + 1e-3)
    assert not np.allclose(again, without)


def test_the_rate_rises_and_falls():
    schedule = OneCycle(1.0, 100, 0.1)
    rates = [schedule.at(step)[0] for step in range(100)]
    assert max(rates) == pytest.approx(1.0) and np.argmax(rates) == 9
    assert rates[0] == pytest.approx(0.04) and rates[-1] < 1e-5


def test_heads_give_the_layers_own_outputs(batch):
    inputs, _ = batch
    made = layers()
    heads = made.heads(np.zeros(10, np.float32), np.ones(10, np.float32), dict(zip("ab", SIZES, strict=True)))
    both = inputs @ made.first.T + made.first_bias
    hidden = both[:, 7:]
    gelu = 0.5 * hidden * (1 + np.tanh(np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)))
    expected = both[:, :7] + gelu @ made.outer.T
    assert np.allclose(np.concatenate([heads["a"](inputs), heads["b"](inputs)], axis=1), expected, atol=1e-4)
