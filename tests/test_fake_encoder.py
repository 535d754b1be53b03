"""The fake encoder keeps the encoders' contract."""

import numpy as np
import pytest
from PIL import Image

from catalog.errors import UnsupportedQuery
from indexer.encoders.base import Encoder
from tests.fake_encoder import FakeEncoder


def test_it_is_an_encoder():
    assert isinstance(FakeEncoder(), Encoder)


def test_pictures_are_their_mean_colour():
    red, half = Image.new("RGB", (9, 5), (255, 0, 0)), Image.new("RGB", (5, 9), (100, 100, 0))
    rows = FakeEncoder().encode_images([red, half])
    np.testing.assert_allclose(rows, [[1, 0, 0, 1, 0, 0], [0.7071, 0.7071, 0, 0.7071, 0.7071, 0]], atol=1e-4)


def test_words_are_the_colours_they_name():
    rows = FakeEncoder().encode_texts(["a red thing", "Blue green", "chair"])
    expected = [[0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0.7071, 0.7071], [0, 0, 0, 0.5774, 0.5774, 0.5774]]
    np.testing.assert_allclose(rows, expected, atol=1e-4)


def test_without_texts_it_refuses_words():
    encoder = FakeEncoder(texts=False)
    assert encoder.dim == 3
    with pytest.raises(UnsupportedQuery):
        encoder.encode_texts(["red"])
