"""Fitting heads on problems whose answer is known."""

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch

from indexer.numeric import unit
from indexer.training.contrastive import Pairs, TorchHead, TrainingConfig, _contrast, fit, principal_axes

pytestmark = [pytest.mark.torch, pytest.mark.timeout(600)]

COLOURS, SHADES = 64, 6
SMALL = TrainingConfig(dim=16, picture_hidden=16, word_hidden=16, epochs=30, batch=96, rate=5e-3, dropout=0.0)


@pytest.fixture(scope="module")
def toy():
    """64 colours in 6 shades; a picture's features are a code of its colour and noise, the words' another code."""
    rng = np.random.default_rng(0)
    codes, words = rng.normal(size=(COLOURS, 24)), rng.normal(size=(COLOURS, 20)).astype(np.float32)
    colours = np.repeat(np.arange(COLOURS), SHADES)
    views = [(codes[colours] + rng.normal(0, 0.3, (len(colours), 24))).astype(np.float16) for _ in range(2)]
    return Pairs(views, words, colours[:, None], colours, np.zeros_like(colours)), codes


@contextmanager
def counted_steps():
    steps = []
    with patch("indexer.training.optimiser.progress", lambda what, total: nullcontext(steps.append)):
        yield steps


def test_every_colour_finds_its_word_and_back(toy):
    pairs, codes = toy
    with counted_steps() as steps:
        picture, text = fit(pairs, SMALL, seed=0)
    unseen = codes + np.random.default_rng(1).normal(0, 0.15, codes.shape)
    scores = unit(text(pairs.words)) @ unit(picture(unseen.astype(np.float32))).T
    assert (scores.argmax(axis=1) == np.arange(COLOURS)).mean() == 1
    assert (scores.argmax(axis=0) == np.arange(COLOURS)).mean() == 1
    assert sum(steps) == SMALL.steps(len(pairs.keys)) == 30 * 4


def test_the_same_seed_gives_the_same_heads(toy):
    recipe = TrainingConfig(dim=8, picture_hidden=8, word_hidden=8, epochs=2, batch=96)
    first, again, other = (fit(toy[0], recipe, seed) for seed in (0, 0, 1))
    for head, same, different in zip(first, again, other, strict=True):
        assert all(np.array_equal(getattr(head, name), getattr(same, name)) for name in head.__slots__)
        assert not np.array_equal(head.linear, different.linear)


def test_the_frozen_head_is_the_trained_head():
    rng = np.random.default_rng(0)
    features = rng.normal(0, 3, (40, 12)).astype(np.float32)
    trained = TorchHead(features.mean(0), 1 / features.std(0), 9, TrainingConfig(dim=6)).eval()
    with torch.no_grad():
        trained.outer.weight.normal_()
        expected = trained(torch.from_numpy(features)).numpy()
    assert np.allclose(unit(trained.frozen()(features)), expected, atol=1e-5)


def test_fitting_goes_on_from_heads(toy):
    pairs, _ = toy
    start = fit(pairs, SMALL, seed=0)
    still = fit(
        pairs,
        TrainingConfig(dim=16, picture_hidden=99, epochs=1, batch=96, rate=1e-9, dropout=0.0),
        seed=5,
        start=start,
    )
    for before, after in zip(start, still, strict=True):
        assert all(np.allclose(getattr(before, name), getattr(after, name), atol=1e-4) for name in before.__slots__)


@pytest.mark.parametrize("epochs", range(1, 22))
def test_any_number_of_steps(toy, epochs):
    """torch's schedule divides by zero when its warm-up is one step long."""
    few = toy[0].take(np.arange(6))
    with counted_steps() as steps:
        heads = fit(few, TrainingConfig(dim=4, picture_hidden=4, word_hidden=4, epochs=epochs, batch=64), seed=0)
    assert sum(steps) == epochs
    assert all(np.isfinite(head.linear).all() for head in heads)


def test_features_that_never_change_do_no_harm(toy):
    pairs, _ = toy
    views = [np.concatenate([view, np.full((len(view), 2), 7, np.float16)], axis=1) for view in pairs.views]
    picture, _ = fit(Pairs(views, pairs.words, pairs.captions, pairs.keys, pairs.domains), SMALL, seed=0)
    assert np.isfinite(picture(views[0].astype(np.float32))).all() and np.isfinite(picture.scale).all()


def test_captions_are_drawn_from_all_that_a_picture_has(toy):
    """With a second caption of noise for each picture, the words that say something are still learnt."""
    pairs, codes = toy
    noise = np.random.default_rng(2).normal(size=(5, 20)).astype(np.float32)
    captions = np.concatenate([pairs.captions] * 3 + [COLOURS + pairs.captions % 5], axis=1)
    words = np.concatenate([pairs.words, noise])
    picture, text = fit(Pairs(pairs.views, words, captions, pairs.keys, pairs.domains), SMALL, seed=0)
    scores = unit(text(pairs.words)) @ unit(picture(codes.astype(np.float32))).T
    assert (scores.argmax(axis=1) == np.arange(COLOURS)).mean() > 0.95


def test_captions_in_other_languages_are_learnt_as_well(toy):
    pairs, codes = toy
    foreign = -pairs.words[:, ::-1]
    words, translations = np.concatenate([pairs.words, foreign]), pairs.captions + len(pairs.words)
    found = []
    for others in (None, translations):
        picture, text = fit(replace(pairs, words=words, translations=others), SMALL, seed=0)
        pictures = unit(picture(codes.astype(np.float32)))
        for rows in (pairs.words, foreign):
            found.append(((unit(text(rows)) @ pictures.T).argmax(axis=1) == np.arange(COLOURS)).mean())
    english_alone, not_learnt, english, learnt = found
    assert min(english_alone, english) > 0.9 and learnt > 0.5 > 0.1 > not_learnt, found


def contrast(pictures, words, keys, domains, scale=10.0):
    tensors = [torch.tensor(x, dtype=torch.float32) for x in (pictures, words)]
    return _contrast(*tensors, torch.tensor(keys), torch.tensor(domains), torch.tensor(scale)).item()


def test_the_loss_by_hand():
    eye = np.eye(2)
    right = contrast(eye, eye, [0, 1], [0, 0])
    assert right == pytest.approx(np.log(1 + np.exp(-10)), abs=1e-6)
    assert contrast(eye, eye[[1, 0]], [0, 1], [0, 0]) == pytest.approx(10 + right, abs=1e-4)


def test_pictures_of_one_key_are_no_contrast_to_each_other():
    same = np.array([[1.0, 0], [1, 0], [0, 1]])
    assert contrast(same, same, [0, 0, 1], [0] * 3) == pytest.approx(np.log(2) * 2 / 3, abs=1e-3)
    assert contrast(same, same, [0, 1, 2], [0] * 3) == pytest.approx(np.log(2) * 2 / 3, abs=1e-3)
    apart = np.array([[1.0, 0], [0, 1], [0, 1]])
    assert contrast(apart, apart, [0, 0, 1], [0] * 3) > 3


def test_domains_are_not_contrasted_even_when_they_share_a_key():
    """ "shirt" in one shop is neither wrong nor right for the shirt of another."""
    eye, cross = np.eye(2), np.array([[0.0, 1], [1, 0]])
    for keys in ([0, 1], [0, 0]):
        assert contrast(eye, cross, keys, [0, 1]) == pytest.approx(0, abs=1e-5)


def test_principal_axes_of_a_known_shape():
    rng = np.random.default_rng(0)
    along = rng.normal(size=(500, 1)) @ np.array([[1.0, 1.0, 0.0]]) + rng.normal(0, 0.05, (500, 3))
    look = principal_axes(along.astype(np.float16), 2)
    assert look.axes.shape == (2, 3) and look.axes.dtype == np.float32
    assert np.allclose(np.abs(look.axes[0]), [0.7071, 0.7071, 0], atol=0.05)
    assert np.allclose(look.axes @ look.axes.T, np.eye(2), atol=1e-4)
    assert principal_axes(along.astype(np.float16), 256).axes.shape == (3, 3)
    assert np.allclose(look(along.astype(np.float32)).mean(axis=0), 0, atol=0.05)


def test_taking_some_pairs_keeps_their_captions(toy):
    pairs, _ = toy
    some = pairs.take(np.array([7, 1]))
    assert some.captions.tolist() == [[1], [0]] and len(some.words) == COLOURS
    assert np.array_equal(some.views[1], pairs.views[1][[7, 1]])
    assert some.keys.tolist() == [1, 0] and some.domains.tolist() == [0, 0]
