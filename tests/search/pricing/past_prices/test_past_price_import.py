"""Files of past prices: each price is stored once, and bad rows are reported with a reason."""

import csv
import gzip
import json
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import pytest
from click.testing import CliRunner

from catalog.errors import BadFeed
from catalog.files.failpoints import VARIABLE, Failed
from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage import price_rows
from catalog.storage.catalogue import Catalogue
from search.cli.prices.prices_command import prices_command
from search.pricing.past_prices import past_price_import
from search.pricing.past_prices.past_price_import import PastPriceImport

MUG = Product("mug", "Red mug", (), price=Decimal("12.90"), currency="EUR")
CUP = Product("cup", "Blue cup", (), price=Decimal("5"), currency="EUR")
FILE = """product_id,time,price,list_price,currency,in_stock
mug,2024-01-08,9.90,,EUR,yes
mug,2024-01-01T12:00:00Z,11.00,,EUR,yes
cup,2024-01-08 00:00,4.50 EUR,6.00,,no
mug,2024-01-15,"9,90",,€,in stock
"""


class Clock:
    """The machine's clock, which a test moves on."""

    now = 1_720_000_000

    def time(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(price_rows, "time", clock)
    return clock


@pytest.fixture
def home(tmp_path, clock):
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put([MUG, CUP])
    return ShopHome(tmp_path)


def file_of(home, text, name="prices.csv"):
    path = home.root / name
    path.write_text(text, encoding="utf-8")
    return path


def imported(home, text):
    with closing(Catalogue.open(home.catalogue)) as catalogue:
        return PastPriceImport(catalogue.price_history, home.rejected_prices).run(file_of(home, text))


def prices(home, product_id="mug"):
    with closing(Catalogue.open(home.catalogue)) as catalogue:
        return [str(change.price) for change in catalogue.price_history.changes(product_id)]


def reasons(home):
    with home.rejected_prices.open(encoding="utf-8", newline="") as file:
        return {int(row["line"]): row["reason"] for row in csv.DictReader(file)}


def test_a_file_adds_its_prices_once(home):
    report = imported(home, FILE)
    assert (report.rows, report.added, report.already_stored, report.rejected, report.products) == (4, 3, 1, 0, 2)
    assert prices(home) == ["11.00", "9.90", "12.90"] and prices(home, "cup") == ["4.50", "5"]
    with closing(Catalogue.open(home.catalogue)) as catalogue:
        first, now = catalogue.price_history.changes("cup")
    assert (first.list_price, first.currency, first.in_stock, first.imported) == (Decimal("6.00"), "EUR", False, True)
    assert now.in_stock and not now.imported
    again = imported(home, FILE)
    assert (again.added, again.corrected, again.already_stored, again.rejected) == (0, 0, 4, 0)
    assert prices(home) == ["11.00", "9.90", "12.90"] and not home.rejected_prices.exists()


def test_rows_that_cannot_be_used_are_reported(home):
    rows = [
        "product_id,time,price,in_stock",
        *("mug,2024-01-08,abc,", "mug,2024-01-08,-3,", "mug,,5,", ",2024-01-08,5,", "mug,2999-01-01,5,"),
        *(
            "mug,1960-01-01,5,",
            "mug,yesterday,5,",
            "mug,2024-01-08,5,perhaps?",
            "spoon,2024-01-08,5,",
            "mug,2024-01-08",
        ),
        "mug,2024-01-09,7,yes",
    ]
    report = imported(home, "\n".join(rows))
    assert (report.rows, report.added, report.rejected, report.on_unknown_products) == (11, 2, 9, 1)
    found = reasons(home)
    assert sorted(found) == list(range(2, 11))
    assert found[2].startswith("bad price 'abc'") and found[10] == "the shop has no product 'spoon'"
    assert "no time" in found[4] and "no product_id" in found[5] and "future" in found[6] and "1970" in found[7]
    assert prices(home) == ["None", "7", "12.90"]  # the last row but one says that no price is known


def test_what_the_shop_recorded_itself_counts(home, clock):
    clock.now += 5
    with closing(Catalogue.open(home.catalogue)) as catalogue:
        catalogue.put([replace(MUG, price=Decimal("8"))])
    report = imported(home, f"product_id,time,price\nmug,{clock.now},8\nmug,{clock.now},7\nmug,2024-01-01,6\n")
    assert (report.repeated, report.rejected, report.added) == (1, 1, 1)
    assert reasons(home)[3].startswith("the shop itself recorded 8 EUR from 2024-07-03")
    assert prices(home) == ["6", "12.90", "8"]


def test_a_file_without_the_columns_is_refused(home):
    with pytest.raises(BadFeed, match="has no column time"):
        imported(home, "product_id,price\nmug,3\n")


@pytest.mark.parametrize("text", ["", "\ufeff\n \n"])
def test_an_empty_file_is_refused_with_its_own_columns(home, text):
    with pytest.raises(BadFeed, match=r"prices.csv is empty.*product_id,time,price"):
        imported(home, text)


@pytest.mark.parametrize(("point", "stored"), [("price.merged", 0), ("price.imported*2", 2)])
def test_an_import_that_was_interrupted_is_run_again(home, monkeypatch, point, stored):
    monkeypatch.setattr(past_price_import, "BATCH_PRODUCTS", 1)
    monkeypatch.setenv(VARIABLE, f"{point}:raise")
    with pytest.raises(Failed):
        imported(home, FILE)
    monkeypatch.delenv(VARIABLE)
    assert len(prices(home)) + len(prices(home, "cup")) == 2 + (3 if stored else 0)
    imported(home, FILE)
    assert prices(home) == ["11.00", "9.90", "12.90"] and prices(home, "cup") == ["4.50", "5"]


def run(*arguments, code=0):
    done = CliRunner().invoke(prices_command, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done


def test_an_export_can_be_imported_into_another_shop(home, tmp_path, clock):
    imported(home, FILE)
    clock.now += 60
    with closing(Catalogue.open(home.catalogue)) as catalogue:
        catalogue.remove(["cup"])
        expected = dict(catalogue.price_history.of_all())
    table, other = tmp_path / "all.csv", ShopHome(tmp_path / "other")
    run("export", "--home", home.root, table)
    clock.now += 60
    with closing(Catalogue.open(other.catalogue)) as catalogue:
        catalogue.put([MUG, CUP])
    packed = tmp_path / "all.csv.gz"
    packed.write_bytes(gzip.compress(table.read_bytes()))
    report = json.loads(run("import", "--home", other.root, packed, "--json").stdout)
    assert (report["added"], report["rejected"]) == (6, 0)
    with closing(Catalogue.open(other.catalogue)) as catalogue:
        found = dict(catalogue.price_history.of_all())
    for product_id, changes in expected.items():
        for change, copy in zip(changes, found[product_id], strict=False):
            assert (copy.at, copy.same_state_as(change)) == (change.at, True)
    assert (len(found["mug"]), len(found["cup"])) == (3, 4)  # the cup is there again


def test_the_history_of_one_product_is_printed(home):
    imported(home, FILE)
    shown = run("show", "--home", home.root, "mug").stdout
    assert [line.split()[1] for line in shown.splitlines()[2:]] == ["12.90", "9.90", "11.00"]
    body = json.loads(run("show", "--home", home.root, "mug", "--json").stdout)
    assert [change["price"] for change in body["changes"]] == ["11.00", "9.90", "12.90"]
    assert body["changes"][0]["at"] == "2024-01-01T12:00:00Z" and body["lowest_30_days"] is None
    one = run("export", "--home", home.root, "--product", "cup").stdout.splitlines()
    assert one[1] == "cup,2024-01-08T00:00:00Z,4.50,6.00,EUR,no,yes" and len(one) == 3
    failed = run("show", "--home", home.root, "spoon", code=1)
    assert "No price of a product with the id 'spoon' is recorded" in failed.output


def test_past_prices_without_a_currency_have_that_of_the_first_recorded_price(home, clock):
    clock.now += 60
    with closing(Catalogue.open(home.catalogue)) as catalogue:
        catalogue.put([replace(MUG, price=Decimal("14"), currency="USD")])
    imported(home, "product_id,time,price\nmug,2024-01-08,9.90\n")
    with closing(Catalogue.open(home.catalogue)) as catalogue:
        assert [change.currency for change in catalogue.price_history.changes("mug")] == ["EUR", "EUR", "USD"]


def test_an_export_of_no_shop_leaves_the_last_export(home, tmp_path):
    table = tmp_path / "all.csv"
    run("export", "--home", home.root, table)
    before = table.read_bytes()
    run("export", "--home", tmp_path / "mistyped", table, code=1)
    assert table.read_bytes() == before
