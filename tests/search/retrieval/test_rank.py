"""Grouping and cutting, on vectors whose answers are seen by eye."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.product import Picture, Product
from search.hits import SearchHit, SearchPage
from search.query.terms import Query, TextTerm
from search.retrieval.candidates import best_rows, count_with_ties, page_slice
from search.retrieval.result_set import split_scores


def f32(*values):
    return np.array(values, dtype=np.float32)


def hit(product_id, score):
    return SearchHit(Product(product_id, product_id, ()), Picture("p"), score, {"look": score})


def test_split_scores_gives_the_dot_product_by_block():
    rows = np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0.6, 0.8]], dtype=np.float16)
    parts = split_scores(rows, f32(0.5, 0.25, 0, 0.25, 0), (0, 3))
    assert parts.tolist() == [[0.5, 0.25], [0.25, pytest.approx(0.15, abs=1e-4)]]


def test_split_scores_never_exceed_one_and_keep_their_proportion():
    parts = split_scores(np.array([[1.001, 1.001]], dtype=np.float16), f32(0.5, 0.5), (0, 1))
    assert parts.sum() == 1.0 and parts[0, 0] == parts[0, 1]


def test_split_scores_of_nothing():
    assert split_scores(np.empty((0, 4), dtype=np.float16), f32(1, 0, 0, 0), (0, 2)).shape == (0, 2)


def test_best_rows_keeps_one_row_a_product_best_first():
    products = np.array([7, 7, 3, 9, 3])
    assert best_rows(products, f32(0.2, 0.5, 0.4, 0.9, 0.6)).tolist() == [3, 4, 1]


def test_best_rows_prefers_the_earlier_row_in_a_tie():
    assert best_rows(np.array([7, 7, 3]), f32(0.5, 0.5, 0.5)).tolist() == [0, 2]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 3)), max_size=40))
def test_best_rows_agrees_with_a_dictionary(pairs):
    products, scores = np.array([p for p, _ in pairs], dtype=np.int64), f32(*(s for _, s in pairs))
    best = {p: max(s for q, s in pairs if q == p) for p, _ in pairs}
    found = best_rows(products, scores)
    assert {int(products[i]): int(scores[i]) for i in found} == best
    assert len(found) == len(best) and sorted(scores[found], reverse=True) == list(scores[found])


@pytest.mark.parametrize(("reach", "expected"), [(1, 1), (2, 4), (3, 4), (4, 4), (5, 5), (9, 5)])
def test_contenders_reach_to_the_end_of_a_tie(reach, expected):
    assert count_with_ties(f32(0.9, 0.5, 0.5, 0.5, 0.1), reach) == expected


def test_cut_breaks_ties_by_product_id():
    candidates = [(0.5, "c", 10), (0.5, "b", 11), (0.1, "a", 12), (0.9, "d", 13)]
    assert page_slice(candidates, 0, 3) == [13, 11, 10]
    assert page_slice(candidates, 2, 3) == [10, 12]
    assert page_slice(candidates, 4, 3) == []


def test_a_page_counts_ranks_from_its_offset_and_shows_no_path():
    page = SearchPage(Query((TextTerm("a"),)), (hit("a", 0.25),), generation=3, took_ms=1.234, offset=10).to_dict()
    assert page["generation"] == 3 and page["took_ms"] == 1.23
    assert page["hits"][0] == {
        "rank": 11,
        "id": "a",
        "title": "a",
        "category": "",
        "brand": "",
        "price": None,
        "list_price": None,
        "discount": 0,
        "on_sale": False,
        "currency": "",
        "in_stock": True,
        "link": None,
        "item_group_id": "",
        "attributes": {},
        "score": 0.25,
        "parts": {"look": 0.25},
        "found_by": [],
        "duplicates": [],
        "variants": [],
        "picture": "",
    }
