"""The command that measures models of recommendations."""

import csv
import json

import pytest
from click.testing import CliRunner

from catalog.home import ShopHome
from search.__main__ import main
from search.recommend.evaluation import model_table
from search.recommend.learning.model_store import fit_lock, model_versions
from tests.search.recommend.learning.fitted import publish_one, store_one_product
from tests.search.recommend.purchases import draw_log

pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    table, events = draw_log(visitors=60, weeks=18)
    with (folder / "products.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "title", "category", "brand", "price"])
        rows.writerows(
            (product, title, table.category_paths[kind], "", price)
            for product, title, kind, price in zip(
                table.ids, table.titles, table.categories[:, -1].tolist(), table.prices.tolist(), strict=True
            )
        )
    with (folder / "events.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["visitor", "time", "type", "product_id", "quantity", "price"])
        for visitor, product, time in zip(
            events.visitors.tolist(), events.products.tolist(), events.times.tolist(), strict=True
        ):
            day = time // 86_400
            rows.writerow(
                [visitor, f"2020-{1 + day // 28:02}-{1 + day % 28:02}", "purchase", table.ids[product], 1, ""]
            )
    return ["--events", str(folder / "events.csv"), "--products", str(folder / "products.csv")]


def run(*arguments):
    return CliRunner().invoke(main, ["recommend", "evaluate", *arguments])


def test_figures_are_one_json_object(files):
    found = run(*files, "--model", "two_stage", "--model", "popularity", "--json")
    assert found.exit_code == 0, found.output
    figures = json.loads(found.stdout)
    assert figures["everything"] == figures["models"]["two_stage"]["everything"]
    assert figures["new"]["recall_at_20"] > figures["models"]["popularity"]["new"]["recall_at_20"]
    for name in (
        "visitors",
        "recall_at_20",
        "ndcg_at_20",
        "precision_at_10",
        "recall_at_10",
        "f1_at_10",
        "coverage_at_20",
    ):
        assert figures["everything"][name] > 0


def test_a_table_names_every_model(files):
    found = run(*files, "--model", "own_history", "--model", "popularity")
    assert found.exit_code == 0, found.output
    assert "own_history" in found.stdout and "popularity" in found.stdout


def test_without_a_model_all_is_measured(files, monkeypatch):
    few = {name: model_table.MODELS[name] for name in ("own_history", "ease")}
    monkeypatch.setattr(model_table, "MODELS", few)
    found = run(*files)
    assert found.exit_code == 0, found.output
    assert all(f"{name} ..." in found.stderr for name in (*few, *model_table.PARTS))
    assert "hit_at_20" in found.stdout


def test_a_part_that_cannot_be_measured_says_why(files, monkeypatch):
    monkeypatch.setattr(model_table, "MODELS", {"own_history": model_table.MODELS["own_history"]})
    found = run(*files, "--holdout-weeks", "1", "--json")
    assert found.exit_code == 0, found.output
    figures = json.loads(found.stdout)
    assert "14 days" in figures["outlook"]["not_measured"]
    assert figures["basket"]["baskets"] > 0


def test_a_model_that_needs_more_events_says_so_and_others_are_measured(files):
    short = (*files, "--holdout-weeks", "16", "--model", "two_stage", "--model", "popularity")
    found = run(*short)
    assert found.exit_code == 0, found.output
    assert "two_stage was not measured: The log has" in found.stdout
    figures = json.loads(run(*short, "--json").stdout)
    assert "are needed" in figures["models"]["two_stage"]["not_measured"]
    assert figures["models"]["popularity"]["everything"]["recall_at_20"] > 0


def test_an_unknown_model_and_a_short_log_are_refused(files):
    assert "Invalid value" in run(*files, "--model", "oracle").output
    found = run(*files, "--holdout-weeks", "52", "--model", "popularity")
    assert found.exit_code != 0
    assert "hold out fewer" in found.output


def test_the_status_names_a_damaged_version(tmp_path, monkeypatch):
    store_one_product(monkeypatch)
    publish_one(tmp_path, 1)
    status = CliRunner().invoke(main, ["recommend", "status", "--home", str(tmp_path)])
    assert "1 (served)" in status.output
    path = model_versions(tmp_path).path(1) / "two_stage" / "scored.npy"
    data = path.read_bytes()
    path.write_bytes(data[:-4] + b"?" * 4)
    status = CliRunner().invoke(main, ["recommend", "status", "--home", str(tmp_path)])
    assert "1 (current, damaged)" in status.output and "(served)" not in status.output


def test_the_status_names_an_interrupted_fit(tmp_path):
    progress = ShopHome(tmp_path).fit_progress
    progress.parent.mkdir()
    progress.write_text('{"done": 3, "total": 7}')
    ask = ["recommend", "status", "--home", str(tmp_path)]
    assert "A fit was interrupted after step 3 of 7" in CliRunner().invoke(main, ask).output
    found = json.loads(CliRunner().invoke(main, [*ask, "--json"]).stdout)["interrupted"]
    assert found == {"at": int(progress.stat().st_mtime), "done": 3, "total": 7}
    with fit_lock(tmp_path):
        assert json.loads(CliRunner().invoke(main, [*ask, "--json"]).stdout)["interrupted"] is None
    progress.unlink()
    assert "interrupted" not in CliRunner().invoke(main, ask).output
