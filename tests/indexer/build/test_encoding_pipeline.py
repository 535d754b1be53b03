"""Decode and encode: each content once, in bounded memory, bad files are reported and not raised."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from typing import ClassVar
from unittest.mock import patch

import numpy as np
import pytest

from catalog.errors import EncoderError
from indexer.build import encoding_pipeline
from indexer.build.encoding_pipeline import PipelineOptions, covered, encode_pictures, encode_titles, map_ahead
from indexer.cache.vector_cache import VectorCache, title_cache_key
from indexer.encoders.base import BaseEncoder
from indexer.encoders.picture_input import input_side
from indexer.types import Block
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import write_picture

OPTIONS = PipelineOptions(batch_size=4, decode_children=2)


@pytest.fixture
def cache(tmp_path):
    with VectorCache(tmp_path / "c.vectors", "fa", 6) as cache:
        yield cache


def run(paths, cache, encoder=None):
    ticks = []
    with patch.object(encoding_pipeline, "progress", lambda what, total: nullcontext(ticks.append)):
        results = encode_pictures([str(p) for p in paths], encoder or FakeEncoder(), cache, OPTIONS)
    assert sum(ticks) == len(paths)
    return results


def test_every_picture_gets_the_vector_it_has_alone(tmp_path, cache):
    paths = [write_picture(tmp_path / f"{i}.png", (i * 20, 200, 255 - i * 20)) for i in range(11)]
    results = run(paths, cache)
    assert (results.encoded, results.decoded, results.reused) == (11, 11, 0)
    for i, path in enumerate(paths):
        colour = np.array([i * 20, 200, 255 - i * 20]) / np.linalg.norm([i * 20, 200, 255 - i * 20])
        vector = cache.get(bytes.fromhex(results.contents[str(path)].sha256))
        np.testing.assert_allclose(vector, [*colour, *colour], atol=1e-5)


def test_equal_contents_are_encoded_once(tmp_path, cache):
    paths = [write_picture(tmp_path / f"{i}.png", (255, 0, 0)) for i in range(9)]
    encoder = FakeEncoder()
    results = run(paths, cache, encoder)
    assert encoder.pictures_encoded == 1
    assert (results.encoded, results.reused, results.distinct) == (1, 0, 1)


class TwoAtOnce(BaseEncoder):
    """A batch ends when another one has begun; encodes pictures to their mean colour."""

    blocks, batches_at_once = (Block("look", 3),), 2

    def __init__(self):
        self.met = threading.Barrier(2)
        self.sizes = []

    def prepare(self, picture):
        return np.asarray(picture.convert("RGB").resize((4, 4)), np.uint8)

    def _image_rows(self, pixels):
        self.met.wait(60)
        self.sizes.append(len(pixels))
        return pixels.mean(axis=(1, 2), dtype=np.float32)


def test_an_encoder_may_get_as_many_batches_at_once_as_it_wants(tmp_path):
    colours = [(i * 15, 200, 255 - i * 15) for i in range(16)]
    paths = [write_picture(tmp_path / f"{i}.png", colours[i % 16]) for i in range(48)]
    encoder = TwoAtOnce()
    with VectorCache(tmp_path / "two.vectors", "fa", 3) as cache:
        results = run(paths, cache, encoder)
        assert (results.encoded, results.distinct) == (16, 16)
        assert encoder.sizes == [OPTIONS.batch_size // 2] * 8  # what is on its way is not encoded again
        for path, colour in zip(paths, colours * 3, strict=True):
            vector = cache.get(bytes.fromhex(results.contents[str(path)].sha256))
            np.testing.assert_allclose(vector, colour / np.linalg.norm(colour), atol=1e-3)


def test_what_the_cache_has_is_not_decoded(tmp_path, cache, monkeypatch):
    paths = [write_picture(tmp_path / f"{i}.png", (i, 0, 0)) for i in range(1, 6)]
    run(paths, cache)
    monkeypatch.setattr("indexer.build.decode_pool._Child", None)  # nor is a child started
    results = run(paths, cache)
    assert (results.encoded, results.decoded, results.reused) == (0, 0, 5)


def test_bad_files_are_reported_and_the_rest_goes_on(tmp_path, cache):
    good = write_picture(tmp_path / "good.png", (9, 9, 9))
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:50])
    names = ["empty.jpg", "text.jpg", "cut.png", "gone.png", "good.png"]
    results = run([tmp_path / name for name in names], cache)
    assert list(results.contents) == [str(good)]
    assert set(results.broken) == {str(tmp_path / name) for name in names[:4]}
    assert all(results.broken.values())
    assert results.encoded == 1


def test_numbers_that_are_not_finite_are_never_stored(tmp_path, cache):
    class Broken(FakeEncoder):
        def encode_pixels(self, pixels):
            return super().encode_pixels(pixels) * np.nan

    with pytest.raises(EncoderError, match="not finite"):
        run([write_picture(tmp_path / "a.png", (1, 2, 3))], cache, Broken())
    assert len(cache) == 0


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_pictures_wait_in_bounded_number(tmp_path, cache, at_once):
    paths = [write_picture(tmp_path / f"{i}.png", (i, 0, 0)) for i in range(40)]
    alive, peak, lock = 0, 0, threading.Lock()

    class Counting(FakeEncoder):
        def prepare(self, picture):
            nonlocal alive, peak
            with lock:
                alive += 1
                peak = max(peak, alive)
            return super().prepare(picture)

        def encode_pixels(self, pixels):
            nonlocal alive
            with lock:
                alive -= len(pixels)
            return super().encode_pixels(pixels)

    encoder = Counting()
    encoder.batches_at_once = at_once
    run(paths, cache, encoder)
    assert peak <= 3 * OPTIONS.batch_size + 1


def test_results_come_in_order_and_drops_what_has_not_begun():
    started = []
    with ThreadPoolExecutor(1) as pool:
        assert list(map_ahead(pool, str, range(10), 3)) == [str(i) for i in range(10)]
        with closing(map_ahead(pool, lambda i: started.append(i) or i, range(1000), 5)) as numbers:
            assert next(numbers) == 0
    assert len(started) <= 6


def test_titles_are_encoded_once_by_rising_length(tmp_path):
    batches = []

    class Noting(FakeEncoder):
        def encode_texts(self, words):
            batches.append(list(words))
            return super().encode_texts(words)

    with VectorCache(tmp_path / "c.titles", "fa", 3) as titles:
        encoder = Noting()
        assert encode_titles(["red", "a blue hat", "red", "green"], encoder, titles, PipelineOptions(2)) == 3
        assert batches == [["red", "green"], ["a blue hat"]]
        np.testing.assert_array_equal(titles.get(title_cache_key("a blue hat")), [0, 0, 1])
        assert encode_titles(["green", "a blue hat"], encoder, titles, PipelineOptions(2)) == 0
        assert encoder.texts_encoded == 3


def test_titles_go_to_an_encoder_in_the_number_that_it_wants(tmp_path):
    class Wanting(BaseEncoder):
        blocks, text_batch_size = (Block("meaning", 3, texts=True),), 3
        calls: ClassVar = []

        def prepare(self, picture):
            raise NotImplementedError

        def _text_rows(self, texts):
            self.calls.append(list(texts))
            return np.ones((len(texts), 3), np.float32)

    with VectorCache(tmp_path / "c.titles", "fa", 3) as titles:
        assert encode_titles(["dd", "c", "b", "a"], Wanting(), titles, PipelineOptions(2)) == 4
    assert Wanting.calls == [["a", "b", "c"], ["dd"]]


def test_the_input_side_comes_from_the_encoder():
    assert input_side(FakeEncoder()) == 4


def test_batches_that_are_encoded_side_by_side_take_the_time_of_the_clock():
    assert covered([]) == 0
    assert covered([(3, 5), (4, 7), (4.5, 6), (9, 10)]) == 5
