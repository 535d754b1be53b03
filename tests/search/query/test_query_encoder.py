"""Texts in other languages are encoded as typed and in the glossary's English."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from indexer.encoders.base import BaseEncoder
from indexer.layout import RowLayout
from indexer.types import Block, EncoderSpec
from search.execution.deadlines import PICTURES, TEXTS, Deadline, StepRunner
from search.query.query_encoder import QueryEncoder, _begun
from search.query.terms import ProductTerm, Query, TextTerm

WORDS = {"rot": 0, "red": 1, "mug": 2}
WEIGHTS = {"text": {"meaning": 1.0, "words": 1.0}, "picture": {"meaning": 1.0, "words": 1.0}}


class WordEncoder(BaseEncoder):
    spec = EncoderSpec("words", "words", "none", "none", ("meaning",), "Apache-2.0")
    blocks = (Block("meaning", 3, texts=True),)
    fingerprint = "w"

    def __init__(self, multilingual):
        self.preprocessing = {}
        self.multilingual = multilingual
        self.texts = []

    def prepare(self, picture):
        return np.zeros((1, 1, 3), np.uint8)

    def _text_rows(self, texts):
        self.texts += texts
        rows = np.zeros((len(texts), 3), np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[[WORDS[word] for word in text.split()]] = 1
        return rows


def vectors(multilingual, texts, english):
    encoder = WordEncoder(multilingual)
    query_encoder = QueryEncoder(encoder, RowLayout.of_encoder(encoder.blocks), WEIGHTS)
    queries = [Query((TextTerm(text),)) for text in texts]
    encoded = query_encoder.encode(queries, lambda key: None, lambda text: english.get(text, text))
    return [query.vector[:3] / np.linalg.norm(query.vector[:3]) for query in encoded], encoder.texts


def test_the_vector_is_the_sum_of_both_texts():
    (red, mug), _ = vectors(True, ["rot", "mug"], {"rot": "red"})
    assert red == pytest.approx([2**-0.5, 2**-0.5, 0]) and mug == pytest.approx([0, 0, 1])


def test_titles_count_as_much_as_pictures_only_without_a_picture():
    encoder = WordEncoder(True)
    layout = RowLayout.of_encoder(encoder.blocks)
    weights = {"text": {"meaning": 2.0, "words": 1.0}, "picture": {"meaning": 1.0, "words": 1.0}}
    query_encoder = QueryEncoder(encoder, layout, weights)
    row = np.zeros(6, np.float32)
    alone, beside = query_encoder.encode(
        [Query((TextTerm("red"),)), Query((TextTerm("red"), ProductTerm("p")))], lambda key: (1, row)
    )
    assert alone.vector[1] == pytest.approx(alone.vector[4])
    assert beside.vector[1] == pytest.approx(2 * beside.vector[4])


def test_an_english_encoder_gets_the_english_text_alone():
    (red,), texts = vectors(False, ["rot"], {"rot": "red"})
    assert red == pytest.approx([0, 1, 0]) and texts == ["red"]


def test_a_text_that_needs_no_translation_is_encoded_once():
    (mug,), texts = vectors(True, ["red mug"], {})
    assert mug == pytest.approx([0, 2**-0.5, 2**-0.5]) and texts == ["red mug"]


@pytest.mark.promise("R19", "16 callers in shared batches")
def test_what_is_encoded_with_others_is_what_it_is_alone():
    encoder, steps = WordEncoder(True), StepRunner()
    query_encoder = QueryEncoder(encoder, RowLayout.of_encoder(encoder.blocks), WEIGHTS)
    texts = [text for _ in range(4) for text in ("rot", "mug", "red mug", "rot mug red")]

    def english(text):
        return text.replace("rot", "red")

    def encoded(text, batches=None):
        (query,) = query_encoder.encode([Query((TextTerm(text),))], lambda key: None, english, batches)
        return query.vector

    alone = [encoded(text) for text in texts]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda text: encoded(text, (steps, Deadline.within(300_000))), texts))
    steps.close()
    assert np.abs(np.stack(together) - np.stack(alone)).max() <= 1e-4
    assert steps.counts()[1].sizes[1] == len(texts) + sum("rot" in text for text in texts)  # also as typed


def test_whatever_fails_while_steps_begin_drops_those_begun():
    """The texts cannot begin, for a reason nobody expects; the pictures must not be encoded for nobody."""
    dropped = []

    class Runner:
        def begin_batched(self, name, deadline, work, rows):
            if name == TEXTS:
                raise ZeroDivisionError
            return SimpleNamespace(drop=lambda: dropped.append(name))

    steps = [(PICTURES, list, [1]), (TEXTS, list, [2])]
    with pytest.raises(ZeroDivisionError):
        _begun(steps, (Runner(), Deadline.within(300_000)))
    assert dropped == [PICTURES]
