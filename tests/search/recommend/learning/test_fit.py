"""Fitting a shop's models: measured on the last weeks, taken only where better, rolled back at will."""

import json
import shutil
import time
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from catalog.errors import MissingExtra, TooFewEvents
from search.recommend.evaluation.model_table import MODELS
from search.recommend.events.event_log import Event, EventLog
from search.recommend.events.retention import EventLimits
from search.recommend.learning import fit as fit_module
from search.recommend.learning import fitted_models
from search.recommend.learning.background.fit_progress import running_fit
from search.recommend.learning.fit import FitOptions, fit
from search.recommend.learning.fit_report import last_fit, with_figures
from search.recommend.learning.model_store import model_versions, open_current, rollback, stored_versions
from search.recommend.learning.shop_events import read_shop
from search.recommend.models.base import Context
from search.recommend.outlook.evaluation import OutlookFigures
from search.recommend.ranking.two_stage import TwoStage
from tests.search.recommend.learning.logged_shop import (
    BEGIN,
    WEEKS,
    Dislikes,
    Habits,
    Memory,
    make_catalogue,
    make_logged_shop,
    options,
    record,
    visitor,
)
from tests.search.recommend.purchases import DAY_S


@pytest.fixture(scope="module", autouse=True)
def stored_model():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(fitted_models.STORED_MODELS, "two_stage", Habits)
        patch.setattr("search.recommend.evaluation.metrics.BOOTSTRAPS", 100)
        yield


@pytest.fixture(scope="module")
def earlier(tmp_path_factory, stored_model):
    """A shop that was fitted two weeks before its log ends."""
    home = make_logged_shop(tmp_path_factory.mktemp("shop") / "home", (0, WEEKS - 2))
    return home, fit(home, options())


@pytest.fixture
def home(earlier, tmp_path):
    return shutil.copytree(earlier[0], tmp_path / "home")


def test_the_first_models_are_taken_when_they_beat_the_rules(earlier):
    home, report = earlier
    assert (report.outcome, report.reason, report.version, report.served) == ("taken", "first", 1, None)
    against = {(each.figure, each.against): each for each in report.comparisons}
    assert against.keys() == {("everything", "own_history"), ("new", "popularity")}
    assert against["new", "popularity"].low > 0
    assert "better than" in report.message and "visitors)" in report.message
    assert last_fit(home) == json.loads(json.dumps(report.to_dict()))
    assert report.holdout_weeks == 3
    assert running_fit(home) is None and not (home / "recommend" / ".progress.json").exists()
    models = open_current(home)
    assert models.manifest.visitors == 120 and models.manifest.until == report.events["until"]
    assert models.figures["models"].keys() == {"two_stage", "own_history", "popularity"}


@pytest.mark.torture  # a minute
def test_the_shops_own_models_are_fitted_stored_and_opened(earlier, tmp_path, monkeypatch):
    home = shutil.copytree(earlier[0], tmp_path / "own")
    shutil.rmtree(home / "recommend")
    monkeypatch.setitem(fitted_models.STORED_MODELS, "two_stage", TwoStage)
    rules = {name: MODELS[name] for name in (TwoStage.name, "own_history", "popularity")}
    table, events = read_shop(home)
    report = fit(home, FitOptions(measured=rules))
    assert report.outcome == "taken", report.message
    models = open_current(home)
    expected = TwoStage.fit(events, table, events.end)
    history, context = events.history(3), Context(events.end)
    np.testing.assert_array_equal(models.ranking.scores(history, context), expected.scores(history, context))
    assert len(models.ranking.repeat_rate) == len(models.table) == 60
    assert models.together is models.ranking.first.together


@pytest.mark.promise("P2")
def test_no_byte_of_a_version_is_of_a_visitor(earlier):
    home, _ = earlier
    with closing(EventLog.open(home)) as log:
        hashes = {event.visitor for event in log.newest(100_000)}
        assert len(hashes) == 120
        assert log.key_of(visitor(0)) in hashes
    content = b"".join(path.read_bytes() for path in (home / "recommend").rglob("*") if path.is_file())
    for each in hashes:
        assert each not in content and each.hex().encode() not in content
    assert b"visitor-" not in content


def test_the_same_events_give_the_same_models(earlier, tmp_path):
    again = shutil.copytree(earlier[0], tmp_path / "again")
    shutil.rmtree(again / "recommend")
    fit(again, options())
    folders = [model_versions(home).path(1) for home in (earlier[0], again)]
    one, other = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*.npy")} for f in folders)
    assert one == other and len(one) == 6


def test_without_new_events_nothing_is_fitted(home):
    report = fit(home, options())
    assert (report.outcome, report.reason, report.version) == ("not_taken", "nothing_new", None)
    assert "version 1, which stays" in report.message
    assert open_current(home).version == 1
    last = with_figures(last_fit(home), stored_versions(home))
    assert last["figures"].keys() == {"two_stage", "own_history", "popularity"} and last["holdout_weeks"] == 3


def test_models_that_are_as_good_and_know_later_weeks_are_taken_and_rolled_back(home):
    record(home, (WEEKS - 2, WEEKS))
    report = fit(home, options())
    assert (report.outcome, report.reason) == ("taken", "fresher")
    assert (report.version, report.served, report.holdout_weeks) == (2, 1, 2)
    served = [each for each in report.comparisons if each.against == "served"]
    assert [each.outcome for each in served] == ["equal", "equal"]
    assert open_current(home).version == 2
    rollback(home)
    assert open_current(home).version == 1


def test_a_weekly_fit_that_comes_early_is_measured_against_the_served_version(home):
    record(home, (WEEKS - 2, WEEKS - 2 + 5 / 7))
    assert fit(home, options()).reason == "nothing_new"
    record(home, (WEEKS - 2 + 5 / 7, WEEKS - 2 + 6 / 7))
    until = open_current(home).manifest.until
    assert 6 * DAY_S <= read_shop(home)[1].end - until < 7 * DAY_S
    report = fit(home, options())
    assert (report.outcome, report.reason, report.holdout_weeks) == ("taken", "fresher", 1)


def test_worse_models_are_not_taken_and_the_report_says_by_which_figure(home):
    record(home, (WEEKS - 2, WEEKS))
    report = fit(home, options(Dislikes))
    assert (report.outcome, report.reason, report.version) == ("not_taken", "worse_than_rule", None)
    assert report.decisive.figure == "everything" and report.decisive.high < 0
    assert "worse than what each visitor bought before" in report.message
    assert open_current(home).version == 1
    assert last_fit(home)["outcome"] == "not_taken"


@pytest.mark.promise("P2")
@pytest.mark.parametrize("kind", [Habits, Memory])
def test_after_a_visitor_was_forgotten_the_next_models_know_nothing_of_it(home, kind, monkeypatch):
    monkeypatch.setitem(fitted_models.STORED_MODELS, "two_stage", kind)
    shutil.rmtree(home / "recommend")
    assert fit(home, options(kind)).version == 1
    with closing(EventLog.open(home)) as log:
        assert log.forget(visitor(7)) > 0
    before = open_current(home).ranking.popularity
    report = fit(home, options(kind))
    assert (report.outcome, report.reason) == ("taken", "refitted"), report.message
    assert "not compared with version 1" in report.message and "served" not in report.figures
    models = open_current(home)
    assert models.manifest.visitors == 119
    assert (models.ranking.popularity <= before + 1e-4).all() and (models.ranking.popularity != before).any()


@pytest.mark.parametrize(("shares", "left_out"), [((0.9, 0.95), ""), ((0.9, 1.02), "products is 1.020 times")])
def test_the_outlook_is_stored_only_where_it_beats_a_table(home, monkeypatch, shares, left_out):
    figures = OutlookFigures(*({"log_loss_by_table": share} for share in shares))
    monkeypatch.setattr(fit_module, "evaluate_outlook", lambda *arguments: figures)
    monkeypatch.setitem(fitted_models.STORED_MODELS, "outlook", Habits)
    record(home, (WEEKS - 2, WEEKS))
    report = fit(home, replace(options(), stored={"two_stage": Habits, "outlook": Habits}))
    assert report.version == 2
    assert ("outlook" in open_current(home).models) == (not left_out)
    assert left_out in report.message and ("no outlook" in report.message) == bool(left_out)


def test_without_an_outlook_the_report_says_why(home):
    record(home, (WEEKS - 2, WEEKS))
    few = type("Few", (Habits,), {"fit": classmethod(refuse)})
    report = fit(home, replace(options(), stored={"two_stage": Habits, "look_alikes": few}))
    assert report.version == 2 and "The version has no look_alikes: 3 purchases." in report.message


def test_where_events_are_too_few_for_trees_the_blend_is_judged_and_served(home, monkeypatch):
    monkeypatch.setitem(fitted_models.STORED_MODELS, "blend", Habits)
    record(home, (WEEKS - 2, WEEKS))
    few = type("Few", (Habits,), {"fit": classmethod(refuse)})
    rules = {name: MODELS[name] for name in ("own_history", "popularity")}
    with pytest.raises(TooFewEvents):
        fit(home, options(few))
    report = fit(home, FitOptions({"two_stage": few, "blend": Habits}, {"blend": Habits, "two_stage": few, **rules}))
    assert (report.reason, report.version) == ("fresher", 2)
    assert report.figures.keys() == {"blend", "served", "own_history", "popularity"}
    models = open_current(home)
    assert models.models.keys() == {"blend"} and models.ranking is models.models["blend"]


def test_where_trees_fit_the_blend_is_only_measured(home, monkeypatch):
    monkeypatch.setitem(fitted_models.STORED_MODELS, "blend", Dislikes)
    record(home, (WEEKS - 2, WEEKS))
    rules = {name: MODELS[name] for name in ("own_history", "popularity")}
    stored = {"two_stage": Habits, "blend": Dislikes}
    report = fit(home, FitOptions(stored, {**stored, **rules}))
    assert report.version == 2 and "blend" in report.figures
    assert open_current(home).models.keys() == {"two_stage"}


def refuse(kind, events, products, now):
    raise TooFewEvents("3 purchases.", "")


def test_too_few_events_are_an_error_that_says_what_is_missing(tmp_path):
    home = tmp_path / "home"
    make_catalogue(home)
    with pytest.raises(TooFewEvents, match=r"0 purchases by 0 visitors.*500 purchases by 50 visitors within 3 weeks"):
        fit(home, options())
    record(home, (0, 2), visitors=100)
    with pytest.raises(TooFewEvents, match=r"within 1\.9 weeks"):
        fit(home, options())
    report = last_fit(home)
    assert (report["outcome"], report["reason"]) == ("too_few", "too_few_events")
    assert open_current(home) is None


def test_an_error_in_the_middle_leaves_the_served_models(home, monkeypatch):
    record(home, (WEEKS - 2, WEEKS))

    class Broken(Habits):
        @classmethod
        def fit(cls, events, products, now):
            assert running_fit(home)["total"] == 3 + 3 + 1
            raise RuntimeError("no memory")

    with pytest.raises(RuntimeError):
        fit(home, options(Broken))
    assert last_fit(home)["outcome"] == "failed"
    assert open_current(home).version == 1 and running_fit(home) is None


def test_a_fit_that_ends_between_its_steps_leaves_the_served_models(home, monkeypatch):
    record(home, (WEEKS - 2, WEEKS))
    for step in ("fit.measured", "fit.fitted"):
        monkeypatch.setenv("WINDOWSHOP_FAILPOINT", f"{step}:raise")
        with pytest.raises(RuntimeError, match=step):
            fit(home, options())
        assert open_current(home).version == 1
    monkeypatch.delenv("WINDOWSHOP_FAILPOINT")
    assert fit(home, options()).version == 2


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("catalog.extras.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"windowshop\[recs\]"):
        fit(tmp_path)


def test_products_that_came_later_do_not_disturb_the_comparison(home):
    record(home, (WEEKS - 2, WEEKS))
    make_catalogue(home, count=70)
    report = fit(home, options())
    assert report.version == 2
    assert len(open_current(home).table) == 70


def test_a_holdout_has_at_most_so_many_visitors(home, monkeypatch):
    monkeypatch.setattr(fit_module, "MAX_JUDGES", 30)
    record(home, (WEEKS - 2, WEEKS))
    report = fit(home, options())
    assert {each.visitors for each in report.comparisons if each.figure == "everything"} == {30}
    assert np.isfinite([each.low for each in report.comparisons]).all()


def test_events_of_a_time_to_come_are_not_read(home):
    _, before = read_shop(home)
    with closing(EventLog.open(home, EventLimits(0, 0))) as log:
        log.add([Event("view", "p1", visitor(1))], now=int(time.time()) + 900 * DAY_S)
    _, events = read_shop(home)
    assert (len(events), events.end) == (len(before), before.end)


def test_times_of_the_log_are_those_of_the_manifest(earlier):
    manifest = open_current(earlier[0]).manifest
    assert manifest.since == BEGIN
    assert BEGIN + (7 * (WEEKS - 2) - 1) * DAY_S < manifest.until <= BEGIN + 7 * (WEEKS - 2) * DAY_S
