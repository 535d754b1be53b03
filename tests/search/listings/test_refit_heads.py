"""Learning from decisions: new heads are measured on holdout decisions and replace old ones only where better."""

import re
import zlib
from dataclasses import replace

import numpy as np
import pytest

from indexer.labels.heads import LabelHeads
from search.listings.decision_store import Decision, DecisionStore, Item
from search.listings.feedback_suggester import SuggesterCache, rows_from_bytes
from search.listings.fit_heads import learn
from search.listings.refit_heads import (
    MIN_HOLDOUT,
    Measured,
    format_head_figures,
    is_holdout,
    rejection_reason,
    relearn,
)
from tests.search.listings.test_suggester import items, near
from tests.search.shop_fixtures import make_shop, picture

pytestmark = pytest.mark.timeout(900)  # torch, which another test may share the cores with
OLIVE = (120, 120, 0)


@pytest.fixture
def engine(home):
    with make_shop(home, items()) as engine:
        yield engine


def decide(engine, home, label, colour, count, start=0):
    """Decide on `count` listings of about a colour; returns how many of them are in the holdout."""
    rng = np.random.default_rng(start)
    kept = []
    for n in range(start, start + count):
        shown = picture(near(colour, rng))
        row = engine.encoder.encode_images([shown])
        whole = np.concatenate([row, np.zeros((1, 3), np.float32)], axis=1)
        item = Item(f"{label}/{n}", f"{label}-{n}", engine.encoder.fingerprint, whole.astype(np.float16).tobytes())
        kept.append((item, [Decision("category", "Wear > Warm > Scarves", label)]))
    DecisionStore(home).record(kept)
    return sum(zlib.crc32(f"{label}-{n}".encode()) % 5 == 0 for n in range(start, start + count))


def test_decisions_are_counted_forgotten_and_read_for_their_encoder_alone(engine, home):
    store = DecisionStore(home)
    assert (store.changes(), store.counts(), store.examples("x")) == (0, dict.fromkeys(store.counts(), 0), [])
    decide(engine, home, "Wear > Hats", OLIVE, 3)
    item = Item("declined", "c", engine.encoder.fingerprint, b"")
    store.record([(item, [Decision("category", "a", None)])])
    assert store.counts() == {"accepted": 0, "corrected": 3, "declined": 1}
    assert len(store.examples(engine.encoder.fingerprint)) == 3 and store.examples("another") == []
    before = store.changes()
    store.record([(item, [])])
    assert store.counts()["declined"] == 0 and store.changes() > before


def test_vectors_of_another_layout_are_left_out():
    assert rows_from_bytes(b"123", 3).shape == (0, 3) == rows_from_bytes(b"1234", 3).shape
    assert rows_from_bytes(np.ones(6, np.float16).tobytes(), 3).shape == (2, 3)


@pytest.mark.torch
def test_without_decisions_it_learns_from_the_shop(engine, home):
    figures = relearn(home)
    assert figures["decisions"] == 0
    assert re.search(
        r"^category: 3 labels, accuracy 1\.000 on \d+ holdout pictures", format_head_figures(figures), re.MULTILINE
    )
    assert LabelHeads.load(home, engine.encoder.fingerprint) is not None


@pytest.mark.torch
def test_a_category_that_no_product_has_is_learnt_and_swapped_in(engine, home):
    holdout = decide(engine, home, "Wear > Hats", OLIVE, 80)
    figures = relearn(home)
    assert (figures["decisions"], figures["kept_aside"]) == (80, holdout) and holdout >= MIN_HOLDOUT
    assert figures["swapped"], figures
    category = figures["fields"]["category"]
    assert (
        category["judged"] == holdout
        and category["swapped"]
        and "category: The new head is used" in format_head_figures(figures)
    )
    assert category["new"]["accuracy"] >= 0.9
    assert "Wear > Hats" in LabelHeads.load(home, engine.encoder.fingerprint).heads["category"].names
    found = SuggesterCache(home).get(engine).suggest([picture(OLIVE)]).category
    assert found.top[0].name == "Wear > Hats"
    again = relearn(home)  # the same once more is no better
    assert not again["swapped"] and "no better" in again["fields"]["category"]["why"]


@pytest.mark.torch
def test_decisions_that_contradict_the_shop_do_not_spoil_it(engine, home):
    learn(home)
    before = LabelHeads.load(home, engine.encoder.fingerprint)
    decide(engine, home, "Home > Mugs", OLIVE, 10)
    figures = relearn(home)
    assert not figures["swapped"] and "are needed" in figures["fields"]["category"]["why"]
    assert LabelHeads.load(home, engine.encoder.fingerprint).card == before.card


@pytest.mark.torch
def test_each_head_takes_over_only_where_it_is_better(engine, home):
    learn(home)
    heads = LabelHeads.load(home, engine.encoder.fingerprint)
    one = heads.heads["category"]

    def why(before, after, old=heads, new=heads):
        return rejection_reason(old, new, "category", {"category": before}, {"category": after})

    better, same = Measured(20, 0.9, 0.4), Measured(20, 0.8, 0.5)
    assert why(same, better) == "" == why(same, same, old=None)
    assert why(same, Measured(20, 0.8, 0.4)) == ""
    assert "no better" in why(same, same) and "no better" in why(better, same)
    assert "no better" in why(same, Measured(20, 0.9, 0.5)) and "no better" in why(same, Measured(20, 0.7, 0.1))
    assert "are needed" in why(same, Measured(MIN_HOLDOUT - 1, 1.0, 0.0))
    worse = replace(one, image_only=replace(one.image_only, accuracy=one.image_only.accuracy - 0.05))
    assert "less accurate" in why(same, better, new=replace(heads, heads={"category": worse}))


def test_the_holdout_depends_on_the_picture_only(engine, home):
    decide(engine, home, "a", OLIVE, 50)
    first = [is_holdout(one) for one in DecisionStore(home).examples(engine.encoder.fingerprint)]
    decide(engine, home, "a", OLIVE, 50)
    assert first == [is_holdout(one) for one in DecisionStore(home).examples(engine.encoder.fingerprint)]
    assert 2 <= sum(first) <= 20
