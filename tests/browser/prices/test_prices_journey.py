"""The merchants' page of prices in a real browser: from an odd one to what another would bring, and its change."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, served
from tests.browser.test_measures import violations
from tests.fake_encoder import FakeEncoder
from tests.web.prices.stored_demand import store_demand
from tests.web.shop_fixtures import WRITE_KEY, make_shop
from web.settings import Settings

pytestmark = pytest.mark.timeout(600)

NO_OVERFLOW = "() => document.documentElement.scrollWidth <= window.innerWidth"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    home = tmp_path_factory.mktemp("prices") / "shop"
    make_shop(home, FakeEncoder())
    (home / "costs.csv").write_text("product_id,cost,currency\nblue,20.00,EUR\ngreen,1.00,EUR\n")
    store_demand(home)
    with served(Settings(home=home, timeout_ms=20_000, learn_missing_heads=False)) as address:
        yield address


def unlock(page):
    page.locator("#key").fill(WRITE_KEY)
    page.keyboard.press("Enter")
    return page


def test_a_merchant_finds_an_odd_price_tries_others_and_confirms_one(visit):
    page = unlock(visit("/merchant/prices"))
    odd = page.locator("#price-list tr", has_text="Blue jumper")
    expect(odd).to_contain_text("Below cost")  # once the check is done
    assert violations(page) == []
    page.get_by_label("Show").select_option("lower")
    page.get_by_label("Search", exact=True).fill("green")
    page.locator("#price-list").get_by_role("link", name="Green jumper").click()

    expect(page.locator("#advice h2").first).to_be_focused()
    expect(page.locator(".verdict strong")).to_have_text("Lower")
    expect(page.locator("#demand li")).not_to_have_count(0)  # what to bear in mind about it
    expect(page.locator("#answer tbody tr", has_text="€13.90 (now)")).to_be_visible()
    page.get_by_label("Price to try").fill("12,50")
    page.get_by_label("Your cost of one").fill("12")
    page.keyboard.press("Enter")
    expect(page.locator("#answer tr.now")).to_contain_text("€12.50")
    expect(page.locator(".verdict strong")).not_to_have_text("Lower")  # at that cost
    assert violations(page) == []

    page.locator("#answer tr.now").get_by_role("button").press("Enter")
    expect(page.locator("#sure-yes")).to_have_text("Change to €12.50")
    page.locator("#new-price").fill("1.299")  # one euro, or a thousand?
    expect(page.locator("#sure-yes")).to_be_disabled()
    page.keyboard.press("Escape")
    assert page.request.get("/api/v1/products/green").json()["price"] == "13.90"  # nothing happens by itself
    page.locator("#answer tr.now").get_by_role("button").press("Enter")
    page.locator("#sure-yes").press("Enter")
    expect(page.locator("#said")).to_have_text("The price is now €12.50.")
    assert page.request.get("/api/v1/products/green").json()["price"] == "12.50"

    chinese = unlock(visit("/merchant/prices?product=red", locale="zh-CN", color_scheme="dark", **PHONE))
    expect(chinese.locator(".verdict strong")).to_have_text(re.compile("无法判断"))
    assert chinese.evaluate(NO_OVERFLOW) and violations(chinese) == []


@pytest.mark.parametrize(
    ("currency", "typed", "label", "stored"),
    [
        pytest.param("EUR", "1,299", "€1,299.00", "1299.00", marks=pytest.mark.torture),
        ("KWD", "1.25", "KWD 1.250", "1.250"),
        pytest.param("JPY", "1,500", "¥1,500", "1500", marks=pytest.mark.torture),
    ],
)
def test_the_price_is_stored_that_the_button_names(visit, shop, currency, typed, label, stored):
    key = {"Authorization": f"Bearer {WRITE_KEY}"}
    page = visit("/merchant/prices?product=plain")
    assert page.request.put("/api/v1/products/plain", data={"price": f"3 {currency}"}, headers=key).ok
    unlock(page)
    page.get_by_role("button", name="Change price …").press("Enter")
    page.locator("#new-price").fill(typed)
    expect(page.locator("#sure-yes")).to_have_text(f"Change to {label}")
    page.locator("#sure-yes").press("Enter")
    expect(page.locator("#said")).to_have_text(f"The price is now {label}.")
    found = page.request.get("/api/v1/products/plain").json()
    assert (found["price"], found["currency"]) == (stored, currency)


def test_amounts_are_read_in_one_way_only(visit):
    page = visit("/merchant/prices")
    amounts = {
        "EUR": {"12,9": "12.90", "1'299.50": "1299.50", "1.299,50": "1299.50", "0.0125": "0.0125", "7": "7.00"}
        | dict.fromkeys(("1.299", "1.2345", "12,90 €", "-1", "", ".", "0,125")),
        "KWD": {"1.250": "1.250", "0,25": "0.250", "1,250": None, "1,250.5": "1250.500"},
        "JPY": {"1500": "1500", "1,500": "1500", "1.500": None, "1500.5": None},
        "": {"12.5": "12.50"},
    }
    for currency, typed in amounts.items():
        read = {text: page.evaluate("([text, code]) => prices.amount(text, code)", [text, currency]) for text in typed}
        assert read == typed, currency
