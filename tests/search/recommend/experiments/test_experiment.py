"""Assignment to arms: even, sticky, and moved as little as a change of shares needs."""

import hashlib
from collections import Counter
from dataclasses import replace

import pytest

from catalog.errors import BadInput
from search.recommend.experiments.experiment import Arm, Experiment, FeedSettings
from search.recommend.experiments.surfaces import SURFACES

VISITORS = [hashlib.blake2b(str(number).encode(), digest_size=16).digest() for number in range(10_000)]
CRITICAL = {1: 10.83, 2: 13.82, 3: 16.27}  # of chi-square at p = 0.001, by degrees of freedom


def experiment(*shares, name="repeats"):
    return Experiment(name, tuple(Arm(f"arm-{number}", share) for number, share in enumerate(shares)))


def assigned(one):
    return [one.assign(visitor).name for visitor in VISITORS]


@pytest.mark.parametrize("shares", [(1, 1), (0.5, 0.3, 0.2), (1, 1, 1, 1), (9, 1)])
@pytest.mark.parametrize("name", ["repeats", "shelves"])
def test_arms_get_their_shares_of_ten_thousand_visitors(shares, name):
    counts = Counter(assigned(experiment(*shares, name=name)))
    expected = {f"arm-{number}": len(VISITORS) * share / sum(shares) for number, share in enumerate(shares)}
    chi_square = sum((counts[arm] - count) ** 2 / count for arm, count in expected.items())
    assert chi_square < CRITICAL[len(shares) - 1]


def test_a_visitor_stays_in_an_arm():
    one = experiment(1, 1, 1)
    assert assigned(one) == assigned(replace(one, started=5, days=30)) == assigned(experiment(2, 2, 2))


def test_two_experiments_divide_visitors_independently():
    pairs = Counter(zip(assigned(experiment(1, 1)), assigned(experiment(1, 1, name="other")), strict=True))
    assert len(pairs) == 4 and sum((count - 2_500) ** 2 / 2_500 for count in pairs.values()) < CRITICAL[3]


def test_a_change_of_one_share_moves_nobody_between_other_arms():
    before, after = assigned(experiment(1, 1, 1)), assigned(experiment(0.4, 1, 1))
    moved = Counter((old, new) for old, new in zip(before, after, strict=True) if old != new)
    assert {old for old, _ in moved} == {"arm-0"} and {new for _, new in moved} == {"arm-1", "arm-2"}
    # From 1/3 to 1/6 of the visitors: no fewer can move.
    assert sum(moved.values()) == pytest.approx(len(VISITORS) / 6, rel=0.1)
    grown = assigned(experiment(3, 1, 1))
    assert {new for old, new in zip(before, grown, strict=True) if old != new} == {"arm-0"}


def test_the_order_of_arms_changes_nothing():
    one = experiment(1, 2, 3)
    assert assigned(one) == assigned(replace(one, arms=one.arms[::-1]))


@pytest.mark.parametrize(
    "make",
    [
        lambda: experiment(1),
        lambda: experiment(*[1] * 6),
        lambda: experiment(1, 1, name="Two words"),
        lambda: Experiment("a", (Arm("a"), Arm("a"))),
        lambda: Experiment("a", (Arm("a"), Arm("b")), days=0),
        lambda: Experiment("a", (Arm("a"), Arm("b")), goal="smile"),
        lambda: Arm("a", 0.0),
        lambda: Arm("a", float("nan")),
        lambda: FeedSettings(shelves=("nowhere",)),
        lambda: FeedSettings(shelves=("trending", "trending")),
        lambda: FeedSettings(repeat_share=1.5),
        lambda: FeedSettings(relevance_share=-0.1),
    ],
)
def test_an_experiment_that_cannot_be_is_refused(make):
    with pytest.raises(BadInput):
        make()


def test_a_definition_is_read_as_it_was_written():
    settings = FeedSettings(("trending", "for_you"), 0.2, 0.5, False)
    one = Experiment("a", (Arm("control"), Arm("new", 2.0, settings)), 7, "cart", 5, 9)
    assert Experiment.from_dict(one.to_dict(), 5, 9) == one


@pytest.mark.parametrize(
    ("settings", "surfaces"),
    [
        ({"shelves": ("trending",)}, {"home"}),
        ({"repeat_share": 0.2}, {"for_you", "home"}),
        ({"relevance_share": 0.2}, set(SURFACES) - {"buy_again"}),
        ({"model": False}, set(SURFACES)),
        ({}, set(SURFACES)),  # arms that are alike: whatever differs between them is chance
    ],
)
def test_the_surfaces_of_an_experiment_are_those_that_its_arms_change(settings, surfaces):
    assert Experiment("one", (Arm("control"), Arm("new", 1.0, FeedSettings(**settings)))).surfaces == surfaces
    hidden = FeedSettings(shelves=("trending",))
    both = (Arm("control", 1.0, hidden), Arm("new", 1.0, FeedSettings(shelves=("trending",), repeat_share=0.2)))
    assert Experiment("two", both).surfaces == {"for_you"}  # which the front page does not have
