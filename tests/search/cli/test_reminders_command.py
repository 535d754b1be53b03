"""The command that lists what it is time for visitors to buy again."""

import csv
import io
import json
import shutil
import time
from contextlib import closing
from decimal import Decimal

import pytest
from click.testing import CliRunner

from catalog.errors import BadInput
from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from search.__main__ import main
from search.recommend.events.event_log import Event, EventLog
from search.recommend.learning.fitted_models import FittedModels
from search.recommend.learning.manifest import ModelManifest
from search.recommend.learning.model_store import fit_lock, model_versions, publish
from search.recommend.outlook.outlook import Outlook
from tests.search.recommend.outlook.drawn_outlook import PRODUCTS, WEEKLY, WEEKS, draw
from tests.search.recommend.purchases import DAY_S

pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A shop in which anna buys a product every week, and bert bought it once."""
    home = tmp_path_factory.mktemp("reminders")
    table, events, _ = draw()
    weekly = table.ids[WEEKLY]
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue:
        catalogue.put([Product(weekly, "=coffee", (), table.category_paths[1], Decimal(3))])
    now = time.time()
    with closing(EventLog.open(home)) as log:
        for week in range(11, 0, -1):
            log.add([Event("purchase", weekly, "anna")], now - 7 * week * DAY_S)
        log.add([Event("purchase", weekly, "bert")], now - 7 * DAY_S)
    manifest = ModelManifest(0, 1_000, 10, 900, 50, 5, PRODUCTS, ("outlook",), {}, {})
    outlook = Outlook.fit(events, table, 7 * WEEKS * DAY_S)
    with fit_lock(home):
        publish(home, FittedModels(table, {"outlook": outlook}, manifest))
    (home / "ids.txt").write_text("anna\n\nbert\nnobody\nanna\n", encoding="utf-8")
    return home


def run(home, *arguments):
    command = ["recommend", "reminders", "--home", str(home), "--visitors", str(home / "ids.txt"), *arguments]
    return CliRunner().invoke(main, command)


def test_reminders_are_a_table_without_formulas(home):
    answer = run(home)
    assert answer.exit_code == 0, answer.output
    (row,) = csv.DictReader(io.StringIO(answer.stdout))
    assert (row["visitor"], row["title"], row["times"], row["gap_days"]) == ("anna", "'=coffee", "11", "7.0")


def test_reminders_are_json(home):
    (row,) = json.loads(run(home, "--json").stdout)["reminders"]
    assert (row["visitor"], row["since_days"]) == ("anna", 7)
    assert 0.2 <= row["probability"] <= 1


def test_a_list_with_a_mark_of_utf_8_loses_no_visitor(home, tmp_path):
    (tmp_path / "ids.txt").write_text("anna\n", encoding="utf-8-sig")
    answer = run(home, "--visitors", str(tmp_path / "ids.txt"), "--json")
    assert [row["visitor"] for row in json.loads(answer.stdout)["reminders"]] == ["anna"]


def test_a_list_that_is_not_utf_8_is_refused(home, tmp_path):
    (tmp_path / "ids.txt").write_bytes("jürgen\n".encode("latin-1"))
    answer = run(home, "--visitors", str(tmp_path / "ids.txt"))
    assert answer.exit_code == 1
    assert "is not UTF-8" in answer.stderr


@pytest.mark.parametrize("kind", ["cart", "dismiss"])
def test_what_is_in_the_cart_or_was_dismissed_is_no_reminder(home, tmp_path, kind):
    visitor = f"{kind}-visitor"
    (tmp_path / "ids.txt").write_text(f"{visitor}\n", encoding="utf-8")
    arguments = ("--visitors", str(tmp_path / "ids.txt"), "--json")
    now = time.time()
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue, closing(EventLog.open(home)) as log:
        ((_, weekly),) = catalogue.ids()
        for week in range(11, 0, -1):
            log.add([Event("purchase", weekly, visitor)], now - 7 * week * DAY_S)
        assert len(json.loads(run(home, *arguments).stdout)["reminders"]) == 1
        log.add([Event(kind, weekly, visitor), Event("view", weekly, visitor)], now - 60)
    assert json.loads(run(home, *arguments).stdout)["reminders"] == []


def test_a_shop_without_models_is_told_to_fit_them(tmp_path):
    (tmp_path / "ids.txt").write_text("anna\n", encoding="utf-8")
    answer = run(tmp_path)
    assert answer.exit_code != 0
    assert "no fitted outlook" in answer.output + str(answer.exception)
    assert answer.exception is None or isinstance(answer.exception, (BadInput, SystemExit))


def test_ids_without_reminders_are_counted_on_stderr(home):
    assert "Of 3 ids, 1 have no events here, and 1 have nothing due." in run(home).stderr


def test_damaged_models_are_named_as_such(tmp_path, home):
    shutil.copytree(home, tmp_path / "home")
    path = next((model_versions(tmp_path / "home").path(1) / "outlook").rglob("*.*"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    answer = run(tmp_path / "home")
    assert answer.exit_code != 0
    assert "version 1 of the recommender models is damaged" in answer.output + str(answer.exception)
