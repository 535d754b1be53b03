"""What every encoder keeps to, whatever stands behind it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from catalog.errors import UnsupportedQuery
from indexer.encoders.base import BaseEncoder, Encoder
from tests.indexer.encoders.tiny import cosines, scene, scenes

pytestmark = [pytest.mark.timeout(1500), pytest.mark.torch]

TEXTS = ["red running shoes", "blue", "a green cotton shirt with long sleeves and a small collar for men"]
STRANGE = ["", " ", "\x00", "\ud800", "👠" * 40, "红色的鞋子", "حذاء أحمر", "red " * 3000, "<b>'; DROP TABLE--</b>"]
WITHOUT_MAPS = ("fake", "registered", "colour", "clip-own-tokenizer")


@pytest.fixture
def encoder(kind):
    return kind.open()


@pytest.fixture(scope="session")
def rows(kind):
    return kind.open().encode_images(scenes())


def reads_words(encoder):
    return any(block.texts for block in encoder.blocks)


def spans(encoder):
    start = 0
    for block in encoder.blocks:
        yield block, slice(start, start + block.dim)
        start += block.dim


def test_it_is_an_encoder(encoder):
    assert isinstance(encoder, Encoder)
    assert encoder.dim == sum(block.dim for block in encoder.blocks)
    assert encoder.spec.blocks == tuple(block.name for block in encoder.blocks)
    assert len(set(encoder.spec.blocks)) == len(encoder.blocks)
    assert len(bytes.fromhex(encoder.fingerprint)) == 32
    assert dict(encoder.preprocessing)
    assert encoder.spec.licence and encoder.spec.model and encoder.spec.weights


def test_a_row_is_unit_blocks_of_float32(encoder, rows):
    assert rows.dtype == np.float32 and rows.shape == (5, encoder.dim)
    for block, span in spans(encoder):
        assert np.allclose(np.linalg.norm(rows[:, span], axis=1), 1, atol=1e-5), block


def test_pictures_that_differ_have_rows_that_differ(rows):
    likeness = rows @ rows.T / (rows[0] @ rows[0])
    assert np.all(likeness[~np.eye(5, dtype=bool)] < 0.9999)


@pytest.mark.promise("R19")
def test_a_picture_alone_has_the_row_it_has_in_a_batch(encoder, rows):
    alone = np.concatenate([encoder.encode_images([picture]) for picture in scenes()])
    for block, span in spans(encoder):
        assert cosines(alone[:, span], rows[:, span]).min() >= 0.9999, block


def test_order_is_preserved_beyond_one_batch(encoder, rows, monkeypatch):
    monkeypatch.setattr(encoder, "batch_size", 2, raising=False)
    order = [4, 0, 3, 1, 2, 0, 4]
    pictures = scenes()
    assert np.allclose(encoder.encode_images([pictures[i] for i in order]), rows[order], atol=1e-3)


def test_the_same_pictures_give_the_same_rows(encoder, rows):
    assert np.allclose(encoder.encode_images(scenes()), rows, atol=1e-5)


def test_prepared_pictures_are_what_is_encoded(encoder, rows):
    pixels = np.stack([encoder.prepare(picture) for picture in scenes()])
    side = pixels.shape[1]
    assert pixels.dtype == np.uint8 and pixels.shape == (5, side, side, 3)
    before = pixels.copy()
    assert np.allclose(encoder.encode_pixels(pixels), rows, atol=1e-5)
    assert np.array_equal(pixels, before)


def test_nothing_in_nothing_out(encoder):
    side = encoder.prepare(scene("red")).shape[0]
    assert encoder.encode_images([]).shape == (0, encoder.dim)
    none = encoder.encode_pixels(np.zeros((0, side, side, 3), np.uint8))
    assert none.shape == (0, encoder.dim) and none.dtype == np.float32


@pytest.mark.parametrize("size", [(1, 1), (3000, 10), (10, 3000), (12000, 1), (2, 2)], ids=str)
def test_pictures_of_any_shape(encoder, size):
    row = encoder.encode_images([Image.new("RGB", size, (200, 30, 60))])
    assert np.isfinite(row).all()
    for block, span in spans(encoder):
        assert np.linalg.norm(row[0, span]) == pytest.approx(1, abs=1e-5), block


def test_words_fill_text_blocks_and_no_others(encoder):
    if not reads_words(encoder):
        pytest.skip("reads no words")
    rows = encoder.encode_texts(TEXTS)
    assert rows.dtype == np.float32 and rows.shape == (3, encoder.dim)
    for block, span in spans(encoder):
        lengths = np.linalg.norm(rows[:, span], axis=1)
        assert np.allclose(lengths, 1 if block.texts else 0, atol=1e-5), block
    assert encoder.encode_texts([]).shape == (0, encoder.dim)


def test_an_encoder_without_a_text_block_refuses_words_by_name(encoder):
    if reads_words(encoder):
        pytest.skip("reads words")
    for words in (["red"], []):
        with pytest.raises(UnsupportedQuery) as refused:
            encoder.encode_texts(words)
        assert encoder.spec.name in refused.value.message and refused.value.hint


@pytest.mark.promise("R19")
def test_a_text_alone_has_the_row_it_has_in_a_batch(encoder):
    if not reads_words(encoder):
        pytest.skip("reads no words")
    together = encoder.encode_texts(TEXTS)
    alone = np.concatenate([encoder.encode_texts([text]) for text in TEXTS])
    assert cosines(alone, together).min() >= 0.9999
    assert np.allclose(encoder.encode_texts(TEXTS[::-1])[::-1], together, atol=1e-3)


def test_texts_beyond_one_batch(encoder, monkeypatch):
    if not reads_words(encoder):
        pytest.skip("reads no words")
    together = encoder.encode_texts(TEXTS)
    monkeypatch.setattr(encoder, "batch_size", 2, raising=False)
    assert np.allclose(encoder.encode_texts(TEXTS), together, atol=1e-3)


def test_any_words_can_be_encoded(encoder):
    if not reads_words(encoder):
        pytest.skip("reads no words")
    rows = encoder.encode_texts(STRANGE)
    assert np.isfinite(rows).all()
    for block, span in spans(encoder):
        if block.texts:
            assert np.allclose(np.linalg.norm(rows[:, span], axis=1), 1, atol=1e-5)


def test_threads_do_not_disturb_each_other(encoder, rows):
    def work(turn):
        pictures = encoder.encode_images(scenes())
        return pictures, encoder.encode_texts(TEXTS) if reads_words(encoder) else None

    expected = encoder.encode_texts(TEXTS) if reads_words(encoder) else None
    with ThreadPoolExecutor(2) as pool:
        for pictures, texts in pool.map(work, range(4)):
            assert cosines(pictures, rows).min() >= 0.9999
            assert expected is None or cosines(texts, expected).min() >= 0.9999


def test_the_fingerprint_is_that_of_the_weights(kind):
    first = kind.open()
    assert kind.again().fingerprint == first.fingerprint
    if kind.weights:
        # Other heads stand on the same models; models with other weights would be exported again.
        runtime = "onnx" if kind.name in ("starter", "shop") else "torch"
        assert kind.open(runtime, seed=1).fingerprint != first.fingerprint


@pytest.mark.promise("R19")
def test_both_runtimes_agree(kind, rows):
    if not kind.weights:
        pytest.skip("has no weights")
    onnx, torch = kind.open(), kind.open("torch")
    assert (onnx.runtime, torch.runtime) == ("onnx", "torch")
    assert onnx.fingerprint == torch.fingerprint and onnx.blocks == torch.blocks
    assert onnx.preprocessing == torch.preprocessing
    other = torch.encode_images(scenes())
    for block, span in spans(onnx):
        assert cosines(other[:, span], rows[:, span]).min() >= 0.9999, block
    if reads_words(onnx):
        assert cosines(onnx.encode_texts(TEXTS), torch.encode_texts(TEXTS)).min() >= 0.9999


def test_it_tells_which_words_it_knows_or_that_it_cannot_tell(encoder):
    if isinstance(encoder, BaseEncoder):
        known = encoder.knows_word("red")
        assert encoder.knows_word("qwrtzplm") in ((False,) if known is not None else (None,))
        assert reads_words(encoder) or known is None


def test_the_starter_knows_english_words(kind, encoder):
    if kind.name == "starter":
        assert encoder.knows_word("mug") and encoder.knows_word("sofa") and not encoder.knows_word("teapot")


@pytest.fixture
def maps(kind):
    """The feature maps of the five pictures; the pictures of clip-own-tokenizer are read by the model of clip."""
    if kind.name in WITHOUT_MAPS:
        pytest.skip("has none of its own")
    return kind.maps()


def cells(maps):
    return np.concatenate([maps.fine, maps.deep], axis=3).reshape(-1, maps.fine.shape[3] + maps.deep.shape[3])


def test_an_encoder_without_maps_says_so(kind):
    if kind.name in ("registered", "colour"):
        assert kind.open().feature_maps(scenes()) is None


def test_both_depths_have_the_same_cells(maps):
    assert maps.fine.dtype == maps.deep.dtype == np.float32
    assert maps.fine.shape[:3] == maps.deep.shape[:3] and maps.fine.shape[0] == 5
    assert np.isfinite(maps.fine).all() and np.isfinite(maps.deep).all()


@pytest.mark.promise("R19")
def test_a_picture_alone_has_the_maps_it_has_in_a_batch(kind, maps):
    alone = np.concatenate([cells(kind.open().feature_maps([picture])) for picture in scenes()])
    assert cosines(alone, cells(maps)).min() >= 0.9999


@pytest.mark.promise("R19")
def test_both_runtimes_see_the_same(kind, maps):
    assert cosines(cells(kind.open("torch").feature_maps(scenes())), cells(maps)).min() >= 0.9999


def test_maps_change_no_vector(kind, rows, maps):
    assert np.array_equal(kind.open().encode_images(scenes()), rows)
