"""Vectors of sentences: unit length, of any language, and shared with the shop's encoder."""

import numpy as np
import pytest

from search.text_heads.text_vectors import CachedTextVectors, TextVectors

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def vectors():
    return TextVectors.open()


def test_rows_have_unit_length_and_both_is_the_two_models(vectors):
    texts = ["where is my order", "a lone \ud83d surrogate"]
    both = vectors.both(texts)
    assert both.shape == (2, 768) and both.dtype == np.float32
    assert np.allclose(np.linalg.norm(both[:, :384], axis=1), 1, atol=1e-4)
    assert np.allclose(both[:, 384:], vectors.multilingual(texts), atol=1e-5)
    assert vectors.multilingual([]).shape == (0, 384)


def test_a_translation_is_nearer_than_another_question(vectors):
    english = vectors.multilingual(["where is my parcel", "how do i clean the wool cushion"])
    chinese = vectors.multilingual(["我的包裹在哪里", "羊毛靠垫怎么清洗"])
    english, chinese = english - english.mean(axis=0), chinese - chinese.mean(axis=0)
    assert (english @ chinese.T).argmax(axis=1).tolist() == [0, 1]


def test_the_towers_are_opened_once(vectors):
    assert TextVectors.open().fingerprint == vectors.fingerprint
    assert TextVectors.open()._tower is vectors._tower


def test_cached_vectors_encode_each_text_once(vectors):
    texts, calls = ["where is my order", "a lamp", "where is my order"], []

    class Counting(TextVectors):
        def multilingual(self, texts):
            calls.extend(texts)
            return super().multilingual(texts)

    cached = CachedTextVectors(Counting(vectors._tower))
    first = cached.both(texts)
    assert np.allclose(first, vectors.both(texts), atol=1e-5) and (first[0] == first[2]).all()
    assert (cached.both(texts[:2]) == first[:2]).all() and cached.fingerprint == vectors.fingerprint
    assert calls == texts[:2] and cached.english([]).shape == (0, 384)
