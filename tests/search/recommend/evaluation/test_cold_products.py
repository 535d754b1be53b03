"""How cold products are measured: who is asked for, what is ranked, and that rows of the truth win."""

import numpy as np
import pytest

from catalog.errors import BadInput
from search.recommend.evaluation.cold_products import ColdSplit, evaluate_cold
from tests.search.recommend.purchases import draw_log, make_events, make_table


def log_with_new_products(new_from=12):
    """A drawn log in which the last products are bought in its last four weeks alone, by those who like their kind."""
    table, events = draw_log(seed=3, visitors=80)
    late = events.times >= events.end - 28 * 86_400
    return table, events.where(late | (events.products < new_from))


def test_cold_products_are_those_first_bought_in_the_held_out_weeks():
    events = make_events([(0, 0, 0), (0, 1, 90), (1, 0, 95), (1, 1, 96), (1, 2, 80, "view"), (1, 2, 99)])
    split = ColdSplit.of(events, make_table(4))
    assert np.flatnonzero(split.cold).tolist() == [1, 2]
    assert split.later.products.tolist() == [1, 1, 2]
    assert split.known.columns.times.max() < split.now


def test_look_alikes_beat_chance_where_visitors_have_kinds():
    table, events = log_with_new_products()
    figures = evaluate_cold(events, table).to_dict()
    assert figures["candidates"] == 48 and figures["visitors"] == 80
    assert figures["random_recall_at_20"] == pytest.approx(20 / 48, rel=0.05)
    assert figures["recall_at_20_low"] > figures["ways"]["random"]["recall_at_20_high"]
    assert figures["recall_at_20"] == figures["ways"]["look_alikes"]["recall_at_20"]
    assert figures["times_random"] == pytest.approx(figures["recall_at_20"] / figures["random_recall_at_20"], rel=0.01)


def test_given_rows_are_used():
    table, events = log_with_new_products()
    noise = np.random.default_rng(0).normal(size=(len(table), 16)).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    by_words = evaluate_cold(events, table).recalls["look_alikes"].mean()
    assert evaluate_cold(events, table, rows=noise).recalls["look_alikes"].mean() < by_words


@pytest.mark.parametrize("rows", [[(0, 0, 0), (0, 0, 99)], [(0, 0, 98), (0, 1, 99)], []])
def test_a_log_without_cold_products_is_refused(rows):
    with pytest.raises(BadInput, match="first time"):
        evaluate_cold(make_events(rows, visitors=1), make_table(2))
