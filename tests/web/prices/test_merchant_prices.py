"""The merchants' page of prices over HTTP: the list, one product, the operator's section, and what keys may see."""

import csv
import io
import time
from urllib.parse import quote

import pytest

from search.pricing.owners import overview_maker
from search.pricing.owners.rules.price_finding import CODES
from search.pricing.product_prices import ProductPrices
from search.pricing.series.weekly_prices import WEEK_S, week_of, week_start
from tests.web.prices.conftest import store_forecast
from tests.web.prices.stored_demand import store_demand
from tests.web.shop_fixtures import ADMIN_KEY, ODD_IDS, READ_KEY, WRITER, fake_app
from web.prices.merchant import routes
from web.prices.merchant.routes import MAKER

OPERATOR = {"Authorization": f"Bearer {ADMIN_KEY}"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """An app whose prices were checked: blue costs less than its cost, and costs.csv has a red mug in dollars."""
    home = tmp_path_factory.mktemp("prices")
    (home / "costs.csv").write_text("product_id,cost,currency\nblue,20.00,EUR\nred,3.00,USD\ngreen,1.00,\n")
    store_demand(home)
    with fake_app(home) as app:
        client = app.test_client()
        assert client.get("/api/v1/prices", headers=WRITER).json["state"] == "making"
        app.extensions[MAKER].wait(300)
        yield client
        app.extensions[MAKER].close()


def get(shop, path, status=200, headers=WRITER, **fields):
    answer = shop.get(path, headers=headers, query_string=fields)
    assert answer.status_code == status, answer.text
    return answer.json


def test_the_list_has_every_product_the_odd_ones_first(shop):
    page = get(shop, "/api/v1/prices", k=5)
    assert page["state"] == "ready" and page["total"] == page["counts"]["all"] == 3 + len(ODD_IDS)
    assert abs(page["checked_at"] - time.time()) < 300 and page["problems"] == []
    first = page["prices"][0]
    assert (first["id"], first["price"], first["currency"], first["in_stock"]) == ("blue", "14.90", "EUR", False)
    assert [finding["code"] for finding in first["findings"]] == ["below_cost"]
    assert first["margin"] == pytest.approx(-0.3423) and first["verdict"] == "not_known" and first["expected"] is None
    rest = get(shop, "/api/v1/prices", k=100, offset=5)["prices"]
    assert len(page["prices"]) + len(rest) == page["total"]
    margins = {row["id"]: row["margin"] for row in page["prices"]}
    assert margins["red"] is None  # its cost is in dollars
    assert margins["green"] == pytest.approx(0.9281)  # a cost without a currency is in the product's


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ({"shown": "below_cost"}, ["blue"]),
        ({"shown": "findings"}, ["blue"]),
        ({"shown": "stale"}, []),
        ({"contains": "GREEN jum"}, ["green"]),
        ({"contains": "日本語/é"}, ["日本語/é"]),
        ({"product_id": "a//b"}, ["a//b"]),
        ({"product_id": " "}, None),
        ({"shown": "cheap"}, None),
        ({"offset": "-1"}, None),
        ({"k": "1000"}, None),
    ],
)
def test_a_list_is_narrowed(shop, fields, ids):
    page = get(shop, "/api/v1/prices", 200 if ids is not None else 422, **fields)
    if ids is not None:
        assert [row["id"] for row in page["prices"]] == ids and page["total"] == len(ids)


def test_an_unknown_product_is_not_found(shop):
    assert get(shop, "/api/v1/prices", 404, product_id="none")["error"]["code"] == "unknown_product"
    assert get(shop, "/api/v1/products/none/price-advice", 404)["error"]["code"] == "unknown_product"
    assert shop.get("/merchant/prices/chart?product=none").status_code == 404


def test_the_advice_on_a_price_has_what_others_would_bring(shop):
    advice = get(shop, "/api/v1/products/green/price-advice", price="12.50")
    assert advice["verdict"] == "lower" and 9 < float(advice["suggested"]) < 13.9 and advice["level"] == 0.8
    assert advice["elasticity"]["high"] < -1 and advice["elasticity"]["source"] == "product"
    assert (advice["price"], advice["cost"], advice["currency"]) == ("13.90", "1.00", "EUR")
    requested = advice["requested"]
    assert requested["price"] == "12.50" and requested["units"]["low"] < requested["units"]["high"]
    assert requested["margin"]["middle"] == pytest.approx(requested["units"]["middle"] * (12.5 - 1), rel=1e-3)
    assert "13.90" in [candidate["price"] for candidate in advice["candidates"]]
    assert get(shop, "/api/v1/products/green/price-advice", cost="2.5")["cost"] == "2.5"
    assert get(shop, "/api/v1/products/red/price-advice")["cost"] is None  # its cost is in dollars
    assert get(shop, "/api/v1/products/blue/price-advice")["verdict"] == "not_known"


def test_the_advice_on_the_whole_shop_is_a_table(shop):
    answer = shop.get("/api/v1/price-advice.csv", headers=WRITER)
    rows = {row["product_id"]: row for row in csv.DictReader(io.StringIO(answer.text))}
    assert len(rows) == 3 + len(ODD_IDS) and answer.mimetype == "text/csv"
    assert (rows["green"]["verdict"], rows["plain"]["verdict"]) == ("lower", "not_known")
    checked_at = get(shop, "/api/v1/prices")["checked_at"]
    assert 'attachment; filename="price-advice-20' in answer.headers["Content-Disposition"]
    assert abs(answer.last_modified.timestamp() - checked_at) < 300
    shop.put("/api/v1/products/green", json={"stock": 3}, headers=WRITER)
    again = shop.get("/api/v1/price-advice.csv", headers=WRITER)
    assert (again.last_modified, again.text) == (answer.last_modified, answer.text)  # nothing is advised on again


def test_a_list_has_the_verdicts_of_the_check(shop):
    assert [row["id"] for row in get(shop, "/api/v1/prices", shown="lower")["prices"]] == ["green"]
    advised = get(shop, "/api/v1/products/red/price-advice")["verdict"]
    assert "red" in [row["id"] for row in get(shop, "/api/v1/prices", shown=advised, k=100)["prices"]]


def test_a_list_has_the_last_week_of_a_forecast_with_its_date(tmp_path, monkeypatch):
    with fake_app(tmp_path) as app:
        client = app.test_client()
        client.put("/api/v1/products/red", json={"price": "1500 JPY"}, headers=WRITER)
        store_forecast(tmp_path, "red", *[(1480.4, 1500, 1520.6)] * 4, last=1500, currency="JPY", weeks_ago=3)
        with monkeypatch.context() as patched:
            patched.setattr(ProductPrices, "of", None)  # no history is read for it
            row = get(client, "/api/v1/prices", product_id="red")["prices"][0]
        start = week_start(week_of(int(time.time())))
        expected = {"low": "1480", "middle": "1500", "high": "1521", "week_start": start, "week_end": start + WEEK_S}
        assert row["expected"] == expected
        (week,) = get(client, "/api/v1/products/red/prices")["forecast"]["weeks"]
        assert week == {name: value for name, value in expected.items() if name != "week_end"}
        client.put("/api/v1/products/red", json={"price": "2500 JPY"}, headers=WRITER)
        assert get(client, "/api/v1/prices", product_id="red")["prices"][0]["expected"] is None
        client.put("/api/v1/products/red", json={"price": "1500 JPY", "in_stock": False}, headers=WRITER)
        assert get(client, "/api/v1/prices", product_id="red")["prices"][0]["expected"] is None
        app.extensions[MAKER].close()


@pytest.mark.parametrize("price", ["0", "-1", "cheap", "NaN", "1e999", "12,90"])
def test_a_price_to_try_is_a_positive_number(shop, price):
    get(shop, "/api/v1/products/green/price-advice", 422, price=price)


def test_an_id_may_end_like_the_route(shop):
    answer = shop.get(f"/api/v1/products/{quote('x/price-advice', safe='')}", headers=WRITER)
    assert answer.status_code == 404 and "x/price-advice" in answer.json["error"]["message"]


def test_a_file_of_costs_that_is_wrong_is_reported_and_hides_no_price(tmp_path, monkeypatch):
    with fake_app(tmp_path) as app:
        client = app.test_client()
        advice = get(client, "/api/v1/products/green/price-advice")
        assert (advice["verdict"], advice["reason"], advice["elasticity"]) == ("not_known", "not_fitted", None)
        assert advice["suggested"] is None and advice["candidates"] == []
        (tmp_path / "costs.csv").write_text("product_id,cost,currency\nblue,twenty,EUR\n")
        page = get(client, "/api/v1/prices", product_id="blue")
        assert "costs.csv" in page["problems"][0] and page["prices"][0]["price"] == "14.90"
        assert "costs.csv" in get(client, "/api/v1/products/blue/price-advice", 422)["error"]["message"]
        assert client.get("/api/v1/price-advice.csv", headers=WRITER).status_code == 422
        app.extensions[MAKER].wait(300)
        monkeypatch.setattr(routes, "FIRST_CHECK_S", 300)
        monkeypatch.setattr(overview_maker, "RETRY_S", 0)
        while int(time.time()) <= get(client, "/api/v1/prices")["checked_at"]:
            time.sleep(0.05)
        (tmp_path / "costs.csv").write_text("product_id,cost,currency\nblue,20.00,EUR\n")
        answer = client.get("/api/v1/price-advice.csv", headers=WRITER)  # waits for the first table
        assert answer.status_code == 200 and "blue" in answer.text
        (tmp_path / "reports" / "price-advice.csv").unlink()
        answer = client.get("/api/v1/price-advice.csv", headers=WRITER)
        assert (answer.status_code, answer.json["error"]["code"]) == (503, "not_ready")
        app.extensions[MAKER].wait(300)
        app.extensions[MAKER].close()


def test_the_operator_sees_what_was_found(shop):
    found = get(shop, "/api/v1/ops/prices", headers=OPERATOR)
    assert set(found["findings"]) == set(CODES) and found["promotions"][0]["kind"] == "discount"
    (row,) = found["findings"]["below_cost"]
    assert (row["id"], row["finding"]["facts"]["cost"]) == ("blue", "20.00")
    get(shop, "/api/v1/ops/prices", 403)


def test_a_key_that_may_not_write_sees_no_costs(shop):
    get(shop, "/api/v1/prices", 403, headers={"Authorization": f"Bearer {READ_KEY}"})
    get(shop, "/api/v1/products/blue/price-advice", 401, headers={})


def test_the_page_holds_no_data_in_both_languages(shop):
    for language, title in (("en", "Prices"), ("zh", "商品价格")):
        answer = shop.get(f"/merchant/prices?lang={language}")
        assert f"<h1>{title}</h1>" in answer.text and "14.90" not in answer.text and "below_cost" in answer.text
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_chart_is_that_of_the_products_page(shop):
    text = shop.get("/merchant/prices/chart?product=red&lang=en").text
    assert "12.90" in text and "<section" in text and "<html" not in text
