"""The outlook on a drawn log: calibrated, due in time, the same served as fitted, and blind to the future."""

import numpy as np
import pytest

from catalog.errors import DamagedStore, TooFewEvents
from search.recommend.events.interactions import EMPTY_HISTORY
from search.recommend.outlook.features import NAMES, VisitorLog, pair_features
from search.recommend.outlook.item_space import category_space, product_space
from search.recommend.outlook.outlook import Outlook
from search.recommend.outlook.purchase_model import fit_trees
from search.recommend.outlook.training_pairs import Horizon, facts_at, training_pairs
from search.trees.tree_ensemble import TreeEnsemble
from tests.search.recommend.outlook.drawn_outlook import DURABLE, VISITORS, WEEKLY, WEEKLY_BUYERS, WEEKS, draw
from tests.search.recommend.purchases import DAY_S, make_events, make_table

pytest.importorskip("sklearn")
NOW = 7 * WEEKS * DAY_S


@pytest.fixture(scope="module")
def drawn():
    return draw()


@pytest.fixture(scope="module")
def outlook(drawn):
    table, events, _ = drawn
    return Outlook.fit(events, table, NOW)


def test_probabilities_of_products_are_those_of_the_draw(drawn, outlook):
    _, events, rates = drawn
    predicted, true = [], []
    for visitor in range(VISITORS):
        for likely in outlook.products(events.history(visitor), NOW, 10):
            if likely.product < rates.shape[1]:
                predicted.append(likely.probability)
                true.append(1 - (1 - rates[visitor, likely.product] / 7) ** 14)
    predicted, true = np.array(predicted), np.array(true)
    assert abs(predicted.mean() - true.mean()) < 0.04
    for part in np.array_split(np.argsort(predicted), 4):
        assert abs(predicted[part].mean() - true[part].mean()) < 0.09
    assert np.corrcoef(predicted, true)[0, 1] > 0.8


def test_categories_are_ordered_by_their_probability(drawn, outlook):
    table, events, _ = drawn
    likely = outlook.categories(events.history(0), NOW, 3)
    assert len(likely) == 3
    assert [each.probability for each in likely] == sorted((each.probability for each in likely), reverse=True)
    assert {each.path for each in likely} <= set(table.category_paths)
    assert all(0 < each.probability < 1 for each in likely)


def test_a_weekly_buyer_is_due_on_the_seventh_day_and_not_on_the_first(drawn, outlook):
    _, events, _ = drawn
    for visitor in list(WEEKLY_BUYERS)[:7]:
        history = events.history(visitor)
        last = int(history.times[history.products == WEEKLY].max())
        due = {each.product: each for each in outlook.due(history, last + 7 * DAY_S, 10)}
        assert due[WEEKLY].gap_days == 7
        assert due[WEEKLY].times == WEEKS
        assert due[WEEKLY].since_days == 6  # whole days
        assert WEEKLY not in [each.product for each in outlook.due(history, last + DAY_S, 10)]


def test_a_durable_is_never_due(drawn, outlook):
    _, events, _ = drawn
    due = [each.product for v in range(VISITORS) for each in outlook.due(events.history(v), NOW, 10)]
    assert due
    assert DURABLE not in due


def test_a_visitor_without_events_has_no_outlook(outlook):
    assert outlook.categories(EMPTY_HISTORY, NOW, 5) == []
    assert outlook.products(EMPTY_HISTORY, NOW, 5) == []
    assert outlook.due(EMPTY_HISTORY, NOW, 5) == []


def test_a_stored_outlook_predicts_the_same(drawn, outlook, tmp_path):
    _, events, _ = drawn
    outlook.save(tmp_path)
    loaded = Outlook.load(tmp_path)
    assert loaded.days == outlook.days
    for visitor in (0, 50):
        history = events.history(visitor)
        assert loaded.categories(history, NOW, 9) == outlook.categories(history, NOW, 9)
        assert loaded.products(history, NOW, 9) == outlook.products(history, NOW, 9)


@pytest.mark.parametrize("name", ["outlook.json", "categories/facts.npz", "products/trees.onnx", "products/space.json"])
def test_a_damaged_outlook_is_an_error(outlook, tmp_path, name):
    outlook.save(tmp_path)
    (tmp_path / name).write_bytes(b"{")
    with pytest.raises(DamagedStore):
        Outlook.load(tmp_path)


@pytest.mark.parametrize("space_of", [lambda table: category_space(table)[0], product_space])
def test_no_later_event_changes_a_feature(drawn, space_of):
    table, events, _ = drawn
    space, now = space_of(table), NOW - 21 * DAY_S
    before, whole = (VisitorLog(part, space, now) for part in (events.between(0, now), events))
    facts, later_facts = facts_at(before, 14), facts_at(whole, 14)
    keys = before.seen_pairs()
    assert np.array_equal(keys, whole.seen_pairs())
    features = pair_features(before, facts, keys)
    assert np.array_equal(features, pair_features(whole, later_facts, keys))
    assert np.isfinite(features).all()
    assert not np.array_equal(features, pair_features(VisitorLog(events, space, now + 7 * DAY_S), facts, keys))


def test_a_label_is_a_purchase_from_the_first_second_of_the_window_to_before_its_end(drawn):
    """The newest label window ends at `now`: what is bought from then on changes no pair that is fitted on."""
    table, events, _ = drawn
    horizon, now = Horizon(product_space(table), 14, complete=False), NOW - 21 * DAY_S
    early, late = (training_pairs(part, horizon, now) for part in (events.between(0, now), events))
    assert np.array_equal(early.features, late.features)
    assert np.array_equal(early.labels, late.labels)
    assert early.labels.any()


def test_a_served_visitor_has_the_features_of_the_whole_log(drawn, outlook):
    _, events, _ = drawn
    model = outlook.product_model
    log = VisitorLog(events, model.space, NOW)
    keys = model.keys(log)
    own = keys[keys // len(model.space) == 40]
    expected = dict(zip((own % len(model.space)).tolist(), model.predict(log, own).tolist(), strict=True))
    served = outlook.products(events.history(40), NOW, 10)
    assert {each.product: each.probability for each in served} == pytest.approx(expected, abs=1e-6)


def test_trees_by_onnx_equal_those_of_scikit_learn(drawn):
    table, events, _ = drawn
    pairs = training_pairs(events, Horizon(product_space(table), 14, complete=False), NOW)
    trees = fit_trees(pairs)
    features = pairs.features[:500]
    expected = trees.predict_proba(features)[:, 1]
    assert TreeEnsemble.from_sklearn(trees).predict(features) == pytest.approx(expected, abs=1e-6)


def test_views_clicks_and_carts_count_in_their_days():
    events = make_events([(0, 1, 60, "view"), (0, 1, 40, "view"), (0, 1, 61, "cart"), (0, 2, 50)])
    log = VisitorLog(events, product_space(make_table()), 62 * DAY_S)
    keys = log.seen_pairs()
    features = pair_features(log, facts_at(log, 14), keys)
    of = dict(zip(NAMES, features[keys.tolist().index(1)].tolist(), strict=True))
    assert (of["view_7"], of["view_30"], of["cart_7"], of["click_30"]) == pytest.approx(
        (np.log(2), np.log(3), np.log(2), 0)
    )
    assert of["times"] == 0
    assert of["visitor_times"] == pytest.approx(np.log(2))


def test_too_few_events_are_named():
    with pytest.raises(TooFewEvents, match="0 items were bought"):
        Outlook.fit(make_events([(0, 1, 1), (0, 1, 9)]), make_table(), 60 * DAY_S)
