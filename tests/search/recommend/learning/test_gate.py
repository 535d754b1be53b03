"""The gate: better than the rules and not worse than what is served, beyond chance."""

import numpy as np
import pytest

from search.recommend.learning.gate import compare, decide

SAME = {"everything": 0.0, "new": 0.0}


def recalls(everything, new, visitors=200):
    """Recalls by visitor around two means; visitors alternate by 0.05, and one bought nothing new."""
    spread = np.where(np.arange(visitors) % 2, 0.05, -0.05)
    values = np.full(visitors, new) + spread
    values[0] = np.nan
    return {"everything": np.full(visitors, everything) + spread, "new": values}


def decision(own, popular, served=None, newer=True):
    """The decision on a new model of recall 0.3 (everything) and 0.1 (new), against rules and a served model."""
    others = {"own_history": recalls(own, 0.0), "popularity": recalls(0.0, popular)}
    if served is not None:
        others["served"] = recalls(*served)
    return decide(compare(recalls(0.3, 0.1), others), newer=newer)


@pytest.mark.parametrize(
    ("own", "popular", "served", "newer", "taken", "reason"),
    [
        (0.2, 0.05, None, True, True, "first"),
        (0.3, 0.05, None, True, True, "first"),  # as good as own history, better at what is new
        (0.3, 0.1, None, True, False, "no_better_than_rules"),
        (0.4, 0.05, None, True, False, "worse_than_rule"),
        (0.2, 0.2, None, True, False, "worse_than_rule"),
        (0.2, 0.05, (0.25, 0.1), False, True, "improved"),
        (0.2, 0.05, (0.3, 0.1), True, True, "fresher"),
        (0.2, 0.05, (0.3, 0.1), False, False, "nothing_new"),
        (0.2, 0.05, (0.4, 0.05), True, False, "worse_than_served"),
        (0.4, 0.2, (0.1, 0.05), True, False, "worse_than_rule"),
    ],
)
def test_what_is_taken(own, popular, served, newer, taken, reason):
    decided = decision(own, popular, served, newer)
    assert (decided.taken, decided.reason) == (taken, reason)


def test_what_chance_explains_decides_nothing():
    rng = np.random.default_rng(0)
    others = {"own_history": recalls(0.3, 0.0), "popularity": recalls(0.0, 0.1)}
    noisy = {figure: values + rng.normal(0.005, 0.2, len(values)) for figure, values in recalls(0.3, 0.1).items()}
    comparisons = compare(noisy, others)
    assert [each.outcome for each in comparisons] == ["equal", "equal"]
    assert decide(comparisons, newer=True).reason == "no_better_than_rules"


def test_where_the_served_version_cannot_be_compared_the_rules_decide():
    others = {"own_history": recalls(0.2, 0.0), "popularity": recalls(0.0, 0.05)}
    decided = decide(compare(recalls(0.3, 0.1), others), newer=True, first=False)
    assert (decided.taken, decided.reason) == (True, "refitted")


def test_the_comparison_that_decided_is_named():
    decided = decision(0.2, 0.05, (0.25, 0.4))
    figures = decided.decisive
    assert (figures.against, figures.figure, figures.outcome) == ("served", "new", "worse")
    assert (round(figures.new, 3), round(figures.other, 3), figures.visitors) == (0.1, 0.4, 199)
    assert figures.low == pytest.approx(figures.new - figures.other) == pytest.approx(figures.high)
