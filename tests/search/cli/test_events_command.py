"""python -m search events: in, out, what is there, and forgotten."""

import csv
import io
import json
from decimal import Decimal

import pytest
from click.testing import CliRunner

from catalog.home import ShopHome
from catalog.product import Product
from catalog.questions.question_store import QuestionStore
from catalog.storage.catalogue import Catalogue
from search.__main__ import main
from search.assistant.threads.thread import CUSTOMER, ThreadMessage
from search.assistant.threads.thread_store import ThreadOrigin, ThreadStore
from search.pricing.alerts.alert_store import AlertStore
from search.pricing.alerts.price_alert import AlertRequest

TABLE = (
    "visitor,time,type,product_id,quantity,price\n"
    "anna,2017-01-02T00:00:00,purchase,=7,2,1.50\n"
    "bert,2017-01-01T00:00:00Z,view,8,,\n"
    "bert,2017-01-01T00:00:00Z,steal,8,,\n"
)


@pytest.fixture
def run(tmp_path):
    catalogue = Catalogue.open(ShopHome(tmp_path).catalogue)
    catalogue.put([Product("=7", "Milk", ())])
    catalogue.close()
    (tmp_path / "events.csv").write_text(TABLE, encoding="utf-8")

    def ran(*words, exit_code=0):
        done = CliRunner().invoke(main, ["events", words[0], "--home", str(tmp_path), *words[1:]])
        assert done.exit_code == exit_code, done.output
        return done

    return ran


def test_import_status_export_forget(run, tmp_path):
    done = run("import", str(tmp_path / "events.csv"), exit_code=3)
    assert "line 4: the type is none of" in done.stderr and "rejected-events.csv" in done.stderr
    assert "no such products: '8'" in done.stdout
    again = json.loads(run("import", str(tmp_path / "events.csv"), "--json", exit_code=3).stdout)
    assert (again["added"], again["already_stored"], again["rejected"], again["examples"]) == (0, 2, 1, ["8"])
    status = json.loads(run("status", "--json").stdout)
    assert (status["events"], status["visitors"], status["first"]) == (2, 2, "2017-01-01T00:00:00+00:00")
    rows = list(csv.DictReader(io.StringIO(run("export").stdout)))
    assert [(row["time"], row["product_id"]) for row in rows] == [
        ("2017-01-01T00:00:00Z", "8"),
        ("2017-01-02T00:00:00Z", "'=7"),  # no formula in a spreadsheet; an import takes the apostrophe off
    ]
    assert not {"anna", "bert"} & {row["visitor_hash"] for row in rows}
    run("export", str(tmp_path / "anna.csv"), "--visitor", "anna")
    assert len((tmp_path / "anna.csv").read_text().splitlines()) == 2
    forgotten = json.loads(run("forget", "anna", "--json").stdout)
    assert forgotten.pop("removed") == 1 and not any(forgotten.values())
    assert "events                  1\n" in run("status").stdout


def test_forgetting_reaches_conversations_questions_and_price_alerts_too(run, tmp_path):
    threads, questions, alerts = ThreadStore(tmp_path), QuestionStore(tmp_path), AlertStore(tmp_path)
    milk = Product("=7", "Milk", (), price=Decimal("1.50"), currency="EUR")
    for visitor in ("anna", "bert"):
        threads.append(visitor, ThreadMessage(CUSTOMER, "hello"), ThreadOrigin(visitor))
        questions.ask("=7", f"Is it heavy, {visitor}?", "en", visitor)
        alerts.add(AlertRequest(milk, visitor))
    forgotten = json.loads(run("forget", "anna", "--json").stdout)
    assert [forgotten[f"removed_{name}"] for name in ("conversations", "questions", "price_alerts")] == [1, 1, 1]
    assert not alerts.of_visitor("anna").waiting and alerts.of_visitor("bert").waiting
    assert threads.ids_of_visitor("anna") == () and threads.ids_of_visitor("bert") == ("bert",)
    assert not questions.of_visitor("anna") and questions.of_visitor("bert")


def test_an_export_is_no_import_with_other_visitors(run, tmp_path):
    run("import", str(tmp_path / "events.csv"), exit_code=3)
    run("export", str(tmp_path / "copy.csv"))
    done = run("import", str(tmp_path / "copy.csv"), exit_code=1)
    assert "there is no column visitor" in done.stderr and "An export has hashes" in done.stderr
    assert json.loads(run("status", "--json").stdout)["events"] == 2


def test_a_folder_without_a_shop_is_refused(tmp_path):
    done = CliRunner().invoke(main, ["events", "status", "--home", str(tmp_path)])
    assert done.exit_code == 1 and "There is no shop" in done.stderr
    assert list(tmp_path.iterdir()) == []
