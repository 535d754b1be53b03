"""The customers of simulated shops, and the report on them: what is assumed is so, and nothing is known too early."""

from decimal import Decimal

import numpy as np
import pytest

from catalog.product import Product
from search.recommend.events.event_log import CART, PURCHASE
from search.recommend.events.interactions import KIND_CODES
from search.recommend.models.base import WEEK_S
from tests.quality.recommendations import cold_products
from tests.quality.recommendations.cold_products import cold_outcome, measure_new_products
from tests.quality.recommendations.customers import NEW_WEEKS, WEEKS, Customers, simulate
from tests.quality.recommendations.purchases import measure_purchases, parts_of_lists, whole_lists

COLOURS = ("navy", "blue", "terracotta", "coral")


@pytest.fixture(scope="module")
def products():
    return [
        Product(
            f"p{i}",
            f"thing {COLOURS[i % 4]} {i}",
            (),
            f"Shop > Kind {i % 5}",
            Decimal(5 + i % 7),
            attributes={"colour": COLOURS[i % 4]},
        )
        for i in range(200)
    ]


def test_new_products_come_in_the_last_weeks_and_carts_before_purchases(products):
    events, table = simulate(Customers(products, 1), products, 40, 0.5, 1)
    first = np.full(len(table), np.iinfo(np.int64).max)
    np.minimum.at(first, events.products, events.times)
    late = first >= (WEEKS - NEW_WEEKS) * WEEK_S
    assert 0.35 < late.mean() < 0.75  # the new half, and a few that nobody happened to view before
    bought, carts = events.of_kind(PURCHASE), events.of_kind(CART)
    assert 0.35 < len(bought) / len(carts) < 0.65
    carted = set(zip(carts.visitors.tolist(), carts.products.tolist(), strict=True))
    assert set(zip(bought.visitors.tolist(), bought.products.tolist(), strict=True)) <= carted
    assert set(np.unique(events.columns.kinds).tolist()) == {KIND_CODES[kind] for kind in ("view", CART, PURCHASE)}


def test_the_seed_fixes_the_log(products):
    one, other = (simulate(Customers(products, 2), products, 10, 0.5, 2)[0] for _ in range(2))
    assert np.array_equal(one.times, other.times) and np.array_equal(one.products, other.products)


def test_near_colours_are_liked_nearly_as_much(products):
    customers = Customers(products, 1)
    liking = customers.liking_of_colours(customers.colour[[COLOURS.index("terracotta")]])
    navy, blue, terracotta, coral = liking[:4]
    assert terracotta == 1.0 and coral > 0.3 and coral > 10 * max(navy, blue)


def test_words_are_the_floor_of_pictures_and_words(products, monkeypatch):
    monkeypatch.setattr(cold_products, "CUSTOMERS", 200)
    kinds = np.eye(5, dtype=np.float32)[[i % 5 for i in range(200)]]
    outcome = cold_outcome("A shop", products, kinds, 0.5, (3,))
    figures = outcome.figures["by_eye"]
    assert figures["customers"] > 10 and len(figures["candidates"]) == 1
    assert figures["gain"] == pytest.approx(figures["pictures_and_words"] - figures["words"], abs=1e-5)
    assert outcome.headlines[0].floor == figures["words"] > figures["chance"]


def test_what_is_not_there_is_skipped(tmp_path):
    assert str(tmp_path) in measure_purchases(tmp_path).skipped
    assert str(tmp_path) in measure_new_products(tmp_path, None).skipped


def test_the_report_on_purchases_compares_with_the_trivial_rules():
    def of(recall):
        figures = {"visitors": 9, **dict.fromkeys(("recall_at_20", "map_at_20", "ndcg_at_20"), recall)}
        figures |= {"recall_at_20_low": recall - 0.1, "recall_at_20_high": recall + 0.1}
        return dict.fromkeys(("everything", "repeat", "new"), figures)

    models = {"popularity": of(0.2), "own_history": of(0.3), "two_stage": of(0.4)}
    cold = {"recall_at_20": 0.03, "random_recall_at_20": 0.01, "visitors": 7}
    figures = {**models["two_stage"], "models": models, "cold": cold, "basket": {"not_measured": "too few"}}
    lists = whole_lists(figures)
    assert {headline.floor for headline in lists.headlines} == {0.3} and all(line.met for line in lists.headlines)
    assert lists.headlines[0].share.interval == pytest.approx((0.3, 0.5))
    basket, cold_part, _ = parts_of_lists(figures)
    assert cold_part.headlines[0].met is False and cold_part.headlines[0].floor == 0.04
    assert basket.headlines == () and ("not_measured", "too few") in basket.section.tables[0].rows
