"""Price alerts in a real browser: set with and without scripts, by keyboard; the list and the feed tell of a fall."""

import json
import re
import time
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, served
from tests.browser.test_measures import violations
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import WRITE_KEY, make_shop
from web.settings import Settings

pytestmark = pytest.mark.timeout(600)

NO_OVERFLOW = "() => document.documentElement.scrollWidth <= window.innerWidth"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    home = tmp_path_factory.mktemp("alerts") / "shop"
    make_shop(home, FakeEncoder())
    with served(Settings(home=home, timeout_ms=20_000)) as address:
        yield address


def put_price(shop, price):
    headers = {"Authorization": f"Bearer {WRITE_KEY}", "Content-Type": "application/json"}
    sent = Request(f"{shop}/api/v1/products/red", json.dumps({"price": price}).encode(), headers, method="PUT")
    with urlopen(sent) as answer:
        assert answer.status == 200


def shows_what_fell(page):
    """Load the page again until the server has seen the price."""
    fell = page.locator("h2", has_text=re.compile("Prices that fell|已降价"))
    for _ in range(600):
        page.reload()
        if fell.count():
            return
        time.sleep(0.1)
    raise AssertionError("the alert did not fire")


def test_alerts_are_set_with_and_without_scripts_and_a_price_that_falls_is_told(visit, shop):
    page = visit("/products/red")
    page.locator(".price-alert summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("10")
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Price alert set.")
    expect(page.locator(".alert-list")).to_contain_text("Alert at €10.00 or less.")
    assert violations(page) == []
    page.goto("/products/green#price-alert")
    page.locator(".price-alert summary").press("Enter")
    page.get_by_role("button", name="Set alert").press("Enter")
    expect(page.locator(".alert-list li")).to_have_count(2)  # one list of one browser
    page.goto("/favourites")
    page.get_by_role("link", name="My price alerts").press("Enter")
    expect(page.locator(".alert-list li")).to_have_count(2)  # the page knows the browser
    assert "token=" in page.url and page.evaluate("localStorage.visitor").strip('"') not in page.url

    plain = visit("/products/red", java_script_enabled=False, locale="zh-CN", color_scheme="dark", **PHONE)
    plain.locator(".price-alert summary").tap()
    plain.locator("#alert-price").fill("99")
    plain.get_by_role("button", name="设置提醒").tap()
    expect(plain.get_by_role("alert")).to_have_text("请输入大于 0 且低于 €12.90 的金额。")
    plain.locator("#alert-price").fill("11,5")
    plain.get_by_role("button", name="设置提醒").tap()
    expect(plain.locator(".alert-list")).to_contain_text("价格不高于 €11.50 时提醒。")
    assert plain.evaluate(NO_OVERFLOW)

    put_price(shop, 9.5)
    shows_what_fell(page)
    expect(page.locator(".alert-list").first).to_contain_text("Fell to €9.50 on")
    with urlopen(page.locator('link[type="application/atom+xml"]').evaluate("(link) => link.href")) as feed:
        assert "<title>Red jumper: €9.50</title>" in feed.read().decode()
    shows_what_fell(plain)
    assert violations(page) == []

    page.get_by_role("button", name=re.compile("Remove.*Red jumper")).press("Enter")
    expect(page.get_by_role("status")).to_have_text("Price alert removed.")
    page.goto("/for-you")
    page.locator("[data-forget]").press("Enter")
    expect(page.locator(".personal-note")).not_to_be_empty()
    page.goto("/price-alerts")
    expect(page.get_by_role("heading", level=1)).to_have_text("My price alerts")
    expect(page.locator(".alert-list")).to_have_count(0)
    put_price(shop, 12.9)
