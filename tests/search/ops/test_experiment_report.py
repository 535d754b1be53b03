"""The report of an experiment: who counts, intervals that cover the truth, and no conclusion too early."""

from dataclasses import replace

import numpy as np
import pytest

from search.ops.comparison import wilson_interval
from search.ops.experiment_report import bootstrap_means, newcombe_interval, report_experiment
from search.recommend.events.event_log import CART, CLICK, PURCHASE, StoredEvent
from search.recommend.events.retention import DAY_S
from search.recommend.experiments.experiment import Arm, Experiment
from search.recommend.experiments.experiment_store import Exposure

START = 1_800_000_000
DUE = START + 14 * DAY_S
RUNS = Experiment("repeats", (Arm("control"), Arm("new")), started=START)


def visitors(arm, count):
    return {f"{arm}-{number:04}".encode(): Exposure("repeats", arm, START + 10) for number in range(count)}


def did(arm, kind, count, product="mug", at=START + 20):
    return [StoredEvent(at, kind, product, f"{arm}-{number:04}".encode()) for number in range(count)]


def reported(events, exposures=None, experiment=RUNS, now=DUE, least=5):
    seen = visitors("control", 400) | visitors("new", 400) if exposures is None else exposures
    prices = lambda ids: {sku: {"mug": 10.0, "lamp": 30.0}[sku] for sku in ids}  # noqa: E731
    report = report_experiment(experiment, seen, events, prices, least, now)
    return report, {arm["name"]: arm for arm in report["arms"]}


def test_what_visitors_did_after_the_exposure_counts_once_each():
    events = did("control", CLICK, 40) * 3 + did("new", CLICK, 60) + did("new", CART, 20)
    events += did("control", PURCHASE, 50, at=START + 5)  # before she saw anything
    events += did("new", PURCHASE, 30, at=DUE + 5)  # after the planned days
    events += did("other", PURCHASE, 30)  # visitors of no arm
    _, arms = reported(events)
    assert arms["control"]["visitors"] == 400
    assert {kind: arms["new"]["shares"][kind]["visitors"] for kind in (CLICK, CART, PURCHASE)} == {
        CLICK: 60, CART: 20, PURCHASE: 0
    }  # fmt: skip
    assert arms["control"]["shares"][CLICK] == {
        "visitors": 40, "share": 0.1, "interval": [round(end, 5) for end in wilson_interval(40, 400)]
    }  # fmt: skip


def test_revenue_is_what_purchases_name():
    events = [replace(event, price=2.5, quantity=4.0) for event in did("control", PURCHASE, 40)]
    _, arms = reported([*events, *(replace(event, quantity=2.0) for event in did("new", PURCHASE, 40))])
    assert arms["control"]["revenue"]["per_visitor"] == 1.0  # 40 x 4 x 2.50 over 400 visitors
    assert arms["new"]["revenue"]["per_visitor"] == 2.0  # at the product's price


def test_revenue_is_what_products_cost():
    events = did("control", PURCHASE, 40) + did("new", PURCHASE, 40, "lamp")
    _, arms = reported(events)
    assert arms["control"]["revenue"]["per_visitor"] == 1.0
    low, high = arms["control"]["revenue"]["interval"]
    assert 0.6 < low < 1.0 < high < 1.4
    difference = arms["new"]["difference"]
    low, high = difference["revenue_interval"]
    assert difference["revenue"] == 2.0 and 0.5 < low < 2.0 < high


@pytest.mark.parametrize(
    ("bought", "conclusion"),
    [((20, 60), "more"), ((60, 20), "fewer"), ((40, 44), "no_difference"), ((3, 5), "too_few")],
)
def test_a_conclusion_is_drawn_from_the_interval_of_the_difference(bought, conclusion):
    events = did("control", PURCHASE, bought[0]) + did("new", PURCHASE, bought[1])
    report, arms = reported(events, least=1)
    assert arms["new"]["conclusion"] == conclusion and report["complete"]
    low, high = arms["new"]["difference"]["interval"]
    assert low < arms["new"]["difference"]["share"] < high


def test_who_looks_early_or_stops_early_learns_no_conclusion():
    events = did("control", PURCHASE, 20) + did("new", PURCHASE, 90)
    report, arms = reported(events, now=DUE - 1)
    assert arms["new"]["conclusion"] == "too_early" and not report["complete"]
    stopped = Experiment("repeats", RUNS.arms, started=START, stopped=START + DAY_S)
    report, arms = reported(events, experiment=stopped, now=DUE + 9)
    assert arms["new"]["conclusion"] == "stopped_early" and not report["complete"]
    on_time = Experiment("repeats", RUNS.arms, started=START, stopped=DUE)
    assert reported(events, experiment=on_time)[1]["new"]["conclusion"] == "more"


@pytest.mark.promise("P4")
def test_no_figure_of_few_visitors_is_shown():
    events = did("control", PURCHASE, 4) + did("control", CLICK, 5) + did("new", CLICK, 9)
    _, arms = reported(events)
    assert arms["control"]["shares"][PURCHASE] == {"visitors": None, "share": None, "interval": None}
    assert arms["control"]["revenue"] == {"per_visitor": None, "interval": None}
    assert arms["new"]["difference"]["share"] is None is arms["new"]["difference"]["revenue"]
    assert arms["control"]["shares"][CLICK]["visitors"] == 5 and arms["new"]["shares"][PURCHASE]["visitors"] == 0
    few = visitors("control", 3) | visitors("new", 400) | {b"both": Exposure("repeats", "", START)}
    report, arms = reported(did("control", CLICK, 3), few)
    assert arms["control"]["visitors"] is None is report["saw_several_arms"]
    assert arms["control"]["shares"][CLICK] == {"visitors": None, "share": None, "interval": None}


def test_those_who_saw_several_arms_are_of_none():
    both = {f"new-{number:04}".encode(): Exposure("repeats", "", START) for number in range(50)}
    report, arms = reported(did("new", CLICK, 50), visitors("control", 400) | visitors("new", 400) | both)
    assert report["saw_several_arms"] == 50 and arms["new"]["visitors"] == 350
    assert arms["new"]["shares"][CLICK]["visitors"] == 0


def test_newcombes_interval_is_the_published_one():
    low, high = newcombe_interval((48, 80), (56, 70), 1.959964)  # Newcombe 1998, table II (a): 0.0524 to 0.3339
    assert (low, high) == (pytest.approx(0.0524, abs=5e-4), pytest.approx(0.3339, abs=5e-4))


def test_intervals_of_equal_arms_seldom_exclude_no_difference():
    generator = np.random.default_rng(3)
    counts = generator.binomial(400, 0.1, (1_000, 2)).tolist()
    intervals = [newcombe_interval((one, 400), (other, 400), 1.96) for one, other in counts]
    missed = sum(not (low <= 0 <= high) for low, high in intervals)
    assert missed < 75  # 50 are expected


def test_the_bootstrap_is_that_of_all_visitors():
    paid, visitors_in_all = [5.0, 10.0, 20.0] * 20, 300
    generator = np.random.default_rng(1)
    means = bootstrap_means(paid, visitors_in_all, generator)
    everybody = np.array(paid + [0.0] * (visitors_in_all - len(paid)))
    whole = everybody[generator.integers(0, visitors_in_all, (1_000, visitors_in_all))].mean(axis=1)
    assert means.mean() == pytest.approx(whole.mean(), rel=0.03) and means.std() == pytest.approx(whole.std(), rel=0.12)
    assert bootstrap_means([], 5, generator).max() == 0.0
