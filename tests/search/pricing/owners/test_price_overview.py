"""The check of a whole shop: its overview, its list, the doctor's findings, kills and costs."""

import json
import os
import time
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from threading import Thread
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from catalog.errors import UnknownProduct
from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from search.__main__ import main
from search.doctor.price_history_checks import KINDS, price_history_findings, price_sentence
from search.pricing.demand import price_limits
from search.pricing.owners import price_overview
from search.pricing.owners.cost_limits import CostLimits
from search.pricing.owners.look_alike_prices import LookAlikePrices
from search.pricing.owners.overview_maker import MAKING, READY, OverviewMaker, is_recent
from search.pricing.owners.price_check import CheckInputs, all_findings, check_prices
from search.pricing.owners.price_list import PriceSources, list_rows
from search.pricing.owners.price_overview import ALL, FINDINGS, OverviewSummary, PriceOverview
from search.pricing.owners.rules.price_finding import (
    BELOW_COST,
    CODES,
    DECIMAL_POINT,
    LOW_MARGIN,
    NEVER_CHARGED,
    NOT_LOWEST,
    STALE,
)
from search.pricing.owners.rules.product_check import no_limit
from tests.search.pricing.owners.price_changes import DAY_S, NOW, history

HISTORIES = {
    "calm": history((400, "10.00")),
    "slipped": history((400, "12.90"), (2, "129.00")),
    "unreal": history((400, "15.00"), (5, "15.00", "20.00")),
    "dear": history((400, "5.00")),
    "gone": history((400, "10.00"), (9, "-")),
    "still": history((400, "30.00")),
    **{f"risen-{number}": history((400, "20.00"), (60, "24.00")) for number in range(9)},
}


def changes_of(product_id, since=0):
    return HISTORIES[product_id]


def product(product_id, category="Tea"):
    last = HISTORIES[product_id][-1]
    return Product(product_id, f"Título {product_id}", (), category, last.price, "EUR", list_price=last.list_price)


def verdict_of(product):
    return {"calm": "raise", "dear": "lower"}.get(product.id, "not_known")


PRODUCTS = [product(name, "Cups" if name in ("still",) or name.startswith("risen") else "Tea") for name in HISTORIES]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A shop whose history is HISTORIES, and costs."""
    home = tmp_path_factory.mktemp("prices")
    (home / "costs.csv").write_text("product_id,cost,currency\ndear,6.00,EUR\ncalm,9.50,EUR\nslipped,1.00,USD\n")
    (home / "price-limits.csv").write_text(
        "product_id,category,lowest,highest,largest_change_percent,smallest_margin_percent\n,,,,,20\n"
    )
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue:
        catalogue.put(PRODUCTS)
    return home


@pytest.fixture(scope="module")
def overview(home):
    """The overview of a check with HISTORIES in place of the stored history, which begins today."""
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue:
        stored = catalogue.price_history

        class Histories:
            def changes(self, product_id, since=0):
                assert stored.changes(product_id)[-1].price == HISTORIES[product_id][-1].price
                return changes_of(product_id)

        catalogue.price_history = Histories()
        inputs = CheckInputs(CostLimits(home).of_product, verdict_of, ({"category": "Tea"},))
        check_prices(home, catalogue, inputs, NOW)
    return PriceOverview(home)


def test_each_planted_fault_is_found_and_nothing_else(overview):
    found = {code: [product_id for product_id, _ in overview.worst(code, 50)] for code in CODES}
    assert {code: ids for code, ids in found.items() if ids} == {
        DECIMAL_POINT: ["slipped"],
        BELOW_COST: ["dear"],
        LOW_MARGIN: ["calm"],
        NEVER_CHARGED: ["unreal"],
        NOT_LOWEST: ["unreal"],
        STALE: ["still"],
    }


def test_the_summary_counts_what_lists_have(overview):
    summary = overview.summary()
    assert (summary.at, summary.promotions) == (NOW, ({"category": "Tea"},))
    for shown in price_overview.SHOWN:
        assert overview.page(shown, "", 0, 1).total == summary.counts[shown], shown
    assert summary.counts[FINDINGS] == 5 and summary.counts["raise"] == 1
    assert summary.counts[ALL] == len(PRODUCTS) == summary.counts["not_known"] + 2


def test_pages_of_the_list_have_every_product_once_and_the_most_urgent_first(overview):
    ids = [product_id for offset in range(0, 20, 4) for product_id in overview.page(ALL, "", offset, 4).ids]
    assert sorted(ids) == sorted(HISTORIES) and ids[:5] == ["slipped", "dear", "calm", "unreal", "still"]
    assert overview.page(FINDINGS, "", 0, 50).ids == tuple(ids[:5])


@pytest.mark.parametrize(
    ("shown", "text", "ids"),
    [
        (ALL, "titulo SLIP", ("slipped",)),
        (ALL, "risen-3", ("risen-3",)),
        (NOT_LOWEST, "unreal", ("unreal",)),
        (STALE, "unreal", ()),
        ("lower", "", ("dear",)),
        (ALL, "%", ()),
        (FINDINGS, "dear", ("dear",)),
    ],
)
def test_a_list_is_narrowed_by_id_and_title(overview, shown, text, ids):
    page = overview.page(shown, text, 0, 10)
    assert page.ids == ids and page.total == len(ids)


def test_rows_have_prices_as_they_are_now(home, overview):
    sources = PriceSources(changes_of, CostLimits(home).of_product, overview)
    rows = {row.product.id: row for row in list_rows(PRODUCTS, sources, NOW)}
    slipped = rows["slipped"]
    assert (slipped.before, slipped.since) == (Decimal("12.90"), NOW - 2 * DAY_S)
    assert slipped.margin is None  # its cost is in another currency
    assert rows["calm"].margin == pytest.approx(0.05) and rows["calm"].verdict == "raise"
    assert [finding.code for finding in rows["still"].findings] == [STALE]
    assert rows["gone"].since is None and rows["gone"].findings == ()
    corrected = replace(sources, changes_of=lambda product_id, since: history((400, "30.00"), (0.5, "33.00")))
    assert list_rows([product("still")], corrected, NOW)[0].findings == ()  # no longer stale


def test_the_doctor_says_each_of_it_in_words(home):
    found = all_findings(PRODUCTS, changes_of, CostLimits(home).of_product, NOW)
    words = {finding.code: price_sentence("EUR", finding) for _, findings in found for finding in findings}
    assert set(words) == {DECIMAL_POINT, BELOW_COST, LOW_MARGIN, NEVER_CHARGED, NOT_LOWEST, STALE}
    assert set(KINDS) == set(CODES)
    assert words[DECIMAL_POINT].startswith(
        "Costs 129.00 EUR since 2027-01-13: 10 times more than the 12.90 EUR before."
    )
    assert "less than its cost of 6.00 EUR" in words[BELOW_COST]
    assert "rose by 20% in the middle (9 of 9 other products)" in words[STALE]


def test_a_killed_check_leaves_the_old_overview(home, overview, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("search.pricing.owners.price_check.product_findings", killed)
    before = overview.summary()
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue, pytest.raises(KeyboardInterrupt):
        check_prices(home, catalogue, CheckInputs(), NOW)
    assert overview.summary() == before and overview.page(ALL, "", 0, 1).total == len(PRODUCTS)


def test_without_a_check_there_is_no_list(tmp_path):
    overview = PriceOverview(tmp_path)
    assert overview.summary() is None and overview.page(ALL, "", 0, 10).total == 0
    assert overview.worst(STALE, 5) == [] and overview.verdicts_of(["calm"]) == {}


def test_a_large_shop_is_checked_less_often(tmp_path):
    assert is_recent(tmp_path, OverviewSummary(NOW, 1.0, 0, {}), NOW + 500)
    assert not is_recent(tmp_path, OverviewSummary(NOW, 1.0, 0, {}), NOW + 700)
    assert is_recent(tmp_path, OverviewSummary(NOW, 60.0, 0, {}), NOW + 1_100)
    assert not is_recent(tmp_path, None, NOW)


@pytest.mark.parametrize(("written", "recent"), [(-5, True), (5, False), (5_000, True)])  # the last by a wrong clock
def test_costs_that_are_written_after_a_check_are_a_reason_for_another(tmp_path, written, recent):
    (tmp_path / "costs.csv").write_text("product_id,cost,currency\n")
    os.utime(tmp_path / "costs.csv", (NOW + written, NOW + written))
    assert is_recent(tmp_path, OverviewSummary(NOW, 1.0, 0, {}), NOW + 60) == recent


def test_a_server_checks_in_a_process_of_its_own(tmp_path):
    with closing(Catalogue.open(ShopHome(tmp_path).catalogue)) as catalogue:
        catalogue.put([product("calm"), product("dear")])
    maker = OverviewMaker(tmp_path)
    try:
        assert maker.state() == (MAKING, None)
        maker.wait(300)
        state, summary = maker.state()
        assert state == READY and summary.counts[ALL] == 2 and abs(summary.at - time.time()) < 300
    finally:
        maker.close()


@pytest.mark.parametrize("damage", [b"", b"no database" * 1_000, None])
def test_a_damaged_overview_is_made_again(tmp_path, damage):
    with closing(Catalogue.open(ShopHome(tmp_path).catalogue)) as catalogue:
        catalogue.put([product("calm"), product("dear")])
        check_prices(tmp_path, catalogue, CheckInputs())
    path = ShopHome(tmp_path).price_overview
    path.write_bytes(path.read_bytes()[:4096] + bytes(8192) if damage is None else damage)
    overview = PriceOverview(tmp_path)
    assert overview.summary() is None and overview.page(ALL, "", 0, 10).total == 0
    assert (overview.worst(STALE, 9), overview.verdicts_of(["calm"])) == ([], {})
    maker = OverviewMaker(tmp_path)
    try:
        assert maker.state() == (MAKING, None)
        maker.wait(300)
        assert maker.state()[0] == READY and overview.page(ALL, "", 0, 10).total == 2
    finally:
        maker.close()


def test_the_doctor_names_a_file_that_it_cannot_read(tmp_path, caplog):
    (tmp_path / "costs.csv").write_text("product_id,cost,currency\ndear,six,EUR\n")
    with closing(Catalogue.open(ShopHome(tmp_path).catalogue)) as catalogue:
        catalogue.put([product("calm")])
    shop = SimpleNamespace(engine=SimpleNamespace(home=tmp_path), products=[product("calm")])
    assert list(price_history_findings(shop, lambda *done: None)) == []
    assert "costs.csv" in caplog.text and "six" in caplog.text


def test_a_product_that_is_not_indexed_yet_has_no_look_alikes(tmp_path, monkeypatch):
    def similar(product_id, k):
        raise UnknownProduct(product_id)

    monkeypatch.setattr(LookAlikePrices, "_scale", lambda self, engine: object())
    assert LookAlikePrices(tmp_path).of_product(SimpleNamespace(similar=similar), product("calm")) is None


def test_a_wrong_file_of_costs_is_named_and_counts_as_absent(tmp_path):
    limits = CostLimits(tmp_path)
    assert limits.problems() == () and limits.of_product(product("dear")) == no_limit(product("dear"))
    (tmp_path / "costs.csv").write_text("product_id,cost,currency\ndear,six,EUR\n")
    (problem,) = limits.problems()
    assert "costs.csv" in str(problem) and limits.cost_of(product("dear")) is None
    (tmp_path / "costs.csv").write_text("product_id,cost,currency\ndear,6,EUR\n")
    assert limits.problems() == () and limits.cost_of(product("dear")) == 6


def test_costs_are_never_missing_while_a_changed_file_is_read(tmp_path, monkeypatch):
    (tmp_path / "costs.csv").write_text("product_id,cost,currency\ndear,6,EUR\n")
    limits, read, costs = CostLimits(tmp_path), price_limits.read_costs, []
    assert limits.cost_of(product("dear")) == 6
    other = Thread(target=lambda: costs.append(limits.cost_of(product("dear"))))

    def slow(home):
        other.start()
        other.join(0.2)
        return read(home)

    monkeypatch.setattr(price_limits, "read_costs", slow)
    (tmp_path / "costs.csv").write_text("product_id,cost,currency\ndear,7.00,EUR\n")
    assert limits.cost_of(product("dear")) == 7
    other.join()
    assert costs[0] in (6, 7)


def test_a_wrong_file_is_read_once(tmp_path, monkeypatch):
    (tmp_path / "costs.csv").write_text("product_id,cost,currency\ndear,six,EUR\n")
    limits, read, reads = CostLimits(tmp_path), price_limits.read_costs, []
    monkeypatch.setattr(price_limits, "read_costs", lambda home: reads.append(home) or read(home))
    assert [limits.cost_of(product("dear")) for _ in range(3)] == [None] * 3
    assert limits.problems()[0].hint and len(reads) == 1


def test_the_command_names_what_is_odd(tmp_path):
    (tmp_path / "costs.csv").write_text("product_id,cost,currency\ndear,6,EUR\nnone,six,\n")
    with closing(Catalogue.open(ShopHome(tmp_path).catalogue)) as catalogue:
        catalogue.put([product("calm"), product("dear")])
    run = CliRunner().invoke(main, ["prices", "check", "--home", str(tmp_path)])
    assert run.exit_code == 3 and "2 products checked" in run.output and "costs.csv" in run.stderr
    (tmp_path / "costs.csv").write_text("product_id,cost,currency\ndear,6,EUR\n")
    run = CliRunner().invoke(main, ["prices", "check", "--json", "--home", str(tmp_path)])
    answer = json.loads(run.stdout)
    assert answer["counts"][BELOW_COST] == 1 and run.exit_code == 0
    (found,) = answer["findings"]
    assert (found["product_id"], found["code"], found["facts"]["cost"]) == ("dear", BELOW_COST, "6")
    run = CliRunner().invoke(main, ["prices", "check", "--home", str(tmp_path)])
    assert run.exit_code == 0 and "dear: below cost. Costs 5.00 EUR, which is less than" in run.output
    run = CliRunner().invoke(main, ["prices", "check", "--limit", "0", "--home", str(tmp_path)])
    assert "dear" not in run.output
