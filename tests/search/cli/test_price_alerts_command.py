"""python -m search prices alerts: counts for the owner, without those of few visitors."""

import json
from contextlib import closing
from decimal import Decimal

from click.testing import CliRunner

from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from search.__main__ import main
from search.pricing.alerts.alert_store import COLUMNS, AlertStore
from search.pricing.alerts.price_alert import AlertRequest

MILK = Product("milk", "Milk", (), price=Decimal("1.50"), currency="EUR")


def run(home, *words, exit_code=0):
    done = CliRunner().invoke(main, ["prices", "alerts", "--home", str(home), *words])
    assert done.exit_code == exit_code, done.output
    return done.output


def test_an_owner_sees_what_several_visitors_wait_for(tmp_path):
    assert "There is no shop" in run(tmp_path, exit_code=1)
    catalogue = Catalogue.open(ShopHome(tmp_path).catalogue)
    catalogue.put([MILK])
    catalogue.close()
    assert json.loads(run(tmp_path, "--json")) | {"products": []} == {
        "waiting": 0, "visitors": 0, "fired": 0, "webhook_pending": 0, "webhook_sent": 0, "webhook_failed": 0,
        "products": [],
    }  # fmt: skip
    store = AlertStore(tmp_path)
    for number in range(4):
        store.add(AlertRequest(MILK, f"visitor {number}"))
    few = json.loads(run(tmp_path, "--json"))
    assert (few["waiting"], few["visitors"], few["products"]) == (None, None, [])
    text = run(tmp_path)
    assert "fewer than five visitors" in text and "withheld" in text.splitlines()[0]
    store.add(AlertRequest(MILK, "visitor 5"))
    many = json.loads(run(tmp_path, "--json", "--send-again"))
    assert (many["waiting"], many["visitors"], many["sent_again"]) == (5, 5, 0)
    assert many["products"] == [{"product_id": "milk", "visitors": 5}] and "milk" in run(tmp_path)


def test_what_fired_for_few_visitors_is_withheld(tmp_path):
    with closing(Catalogue.open(ShopHome(tmp_path).catalogue)) as catalogue:
        catalogue.put([MILK])
    store = AlertStore(tmp_path)

    def fire(numbers, delivery):
        with store.file.writing() as db:
            values = [(f"{delivery}{number}", bytes([number]), delivery) for number in numbers]
            db.executemany(
                f"INSERT INTO fired ({COLUMNS}, fired_price, fired_at, delivery) "
                "VALUES (?1, 'milk', 'Milk', NULL, '1.50', 'EUR', '', 1, ?2, '1.20', 2, ?3)",
                values,
            )

    fire(range(6), "sent")
    assert json.loads(run(tmp_path, "--json"))["fired"] == 6
    fire([1], "failed")
    found = json.loads(run(tmp_path, "--json", "--send-again"))
    names = ("fired", "webhook_sent", "webhook_pending", "webhook_failed", "sent_again")
    assert [found[name] for name in names] == [None, 6, None, 0, None]
    assert "fired" in run(tmp_path) and "7" not in run(tmp_path)
