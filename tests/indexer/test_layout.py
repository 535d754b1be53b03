"""Layouts: where blocks lie, how queries are weighed, how a score splits."""

import numpy as np
import pytest

from indexer.layout import RowLayout
from indexer.numeric import chunks, unit
from indexer.types import Block

LOOK, MEANING = Block("look", 3), Block("meaning", 2, texts=True)
LAYOUT = RowLayout.of_encoder((LOOK, MEANING))


def test_an_encoder_that_reads_words_gets_a_words_block():
    assert LAYOUT.names == ("look", "meaning", "words")
    assert LAYOUT.blocks[2] == Block("words", 2, texts=True)
    assert (LAYOUT.dim, LAYOUT.encoder_dim, LAYOUT.text_block) == (7, 5, "meaning")


def test_an_encoder_without_words_is_left_as_it_is():
    layout = RowLayout.of_encoder((LOOK,))
    assert layout.names == ("look",)
    assert layout.text_block is None
    row = np.ones((1, 3), np.float32)
    assert layout.queries(row) is row
    assert layout.rows(row, None) is row


def test_slices_lie_side_by_side():
    assert [LAYOUT.slice(name) for name in LAYOUT.names] == [slice(0, 3), slice(3, 5), slice(5, 7)]
    with pytest.raises(KeyError):
        LAYOUT.slice("smell")


def test_rows_join_the_title_to_the_picture():
    row = LAYOUT.rows(np.array([[1, 0, 0, 0, 1]], np.float32), np.array([[0.6, 0.8]], np.float32))
    np.testing.assert_allclose(row, [[1, 0, 0, 0, 1, 0.6, 0.8]])


def test_queries_ask_the_text_block_of_the_words_too():
    encoded = np.array([1, 0, 0, 0.6, 0.8], np.float32)
    np.testing.assert_allclose(LAYOUT.queries(encoded), [1, 0, 0, 0.6, 0.8, 0.6, 0.8])
    np.testing.assert_allclose(LAYOUT.queries(encoded[None]), [[1, 0, 0, 0.6, 0.8, 0.6, 0.8]])


def test_weigh_scales_each_block_and_drops_the_unnamed():
    weighed = LAYOUT.weigh(np.ones(7, np.float32), {"look": 2.0, "words": -0.5})
    np.testing.assert_allclose(weighed, [2, 2, 2, 0, 0, -0.5, -0.5])
    assert weighed.dtype == np.float32


def test_a_query_gives_the_mean_cosine_of_the_blocks():
    row = np.array([1, 0, 0, 0.6, 0.8, 0, 1], np.float32)
    query = LAYOUT.query(np.array([0, 1, 0, 0.6, 0.8], np.float32), {"look": 2.0, "meaning": 1.0, "words": 1.0})
    assert query.dtype == np.float32 and float(query @ row) == pytest.approx((0 + 1 + 0.8) / 4)
    np.testing.assert_array_equal(LAYOUT.query(row[:5], {}), np.zeros(7))


def test_unit_leaves_zero_alone():
    np.testing.assert_allclose(unit(np.array([[3, 4], [0, 0]], np.float32)), [[0.6, 0.8], [0, 0]])


def test_chunks_cover_everything_once():
    assert list(chunks(5, 2)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert list(chunks(0, 2)) == []
