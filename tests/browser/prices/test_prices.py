"""Prices in a real browser: chart, table and flags without a script, by keyboard, on a phone, for screen readers."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, served, settle
from tests.browser.test_measures import WEIGHT, violations
from tests.fake_encoder import FakeEncoder
from tests.web.prices.conftest import store_forecast, was, write_past
from tests.web.shop_fixtures import make_shop
from web.settings import Settings

pytestmark = pytest.mark.timeout(600)

DARK_PHONE = {"locale": "zh-CN", "color_scheme": "dark", **PHONE}
NO_OVERFLOW = "() => document.documentElement.scrollWidth <= window.innerWidth"
INSIDE = """() => [...document.querySelectorAll(".dates text")]
    .filter((text) => getComputedStyle(text).display !== "none").map((text) => text.getBoundingClientRect())
    .every((box, at, all) => box.right <= innerWidth && (at === 0 || box.left > all[at - 1].right))"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    home = tmp_path_factory.mktemp("prices") / "shop"
    make_shop(home, FakeEncoder())
    weekly = [was(7 * (104 - week), f"{14 + week % 5}.90", "19.90" if week % 5 == 0 else None) for week in range(103)]
    write_past(home, "red", *weekly, was(1, "12.90"))
    store_forecast(home, "red", *[(12.0, 12.9, 13.5 + week) for week in range(4)])
    with served(Settings(home=home, timeout_ms=20_000)) as address:
        yield address


def test_the_past_of_a_price_is_read_without_a_script_and_by_keyboard(visit):
    page = visit("/products/red", java_script_enabled=False)
    expect(page.get_by_role("img", name="Chart of the price from")).to_be_visible()
    line = page.locator("#prices .line").first.bounding_box()
    assert line["width"] > 300 and line["height"] > 50
    summary = page.locator("#prices summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="Prices, newest first").locator("tbody tr")).to_have_count(104)
    expect(page.get_by_role("table", name="Expected prices").locator("tbody tr")).to_have_count(4)
    flag = page.locator(".price-flags summary").first
    flag.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".price-flags details[open] p")).to_contain_text("cases")


@pytest.mark.parametrize("options", [pytest.param({}, marks=pytest.mark.torture), DARK_PHONE])
def test_prices_shut_nobody_out_and_fit_every_screen(visit, options):
    page = visit("about:blank", reduced_motion="reduce", **options)
    text = []
    page.on("response", lambda answer: text.append(answer))
    page.goto("/products/red")
    settle(page)
    weight = sum(len(each.body()) for each in text if not each.header_value("content-type").startswith("image/"))
    print(f"{weight:,} bytes")
    assert weight <= WEIGHT
    for details in page.locator("#prices details, .price-flags details").all():
        details.locator("summary").click()
    assert violations(page) == []
    assert page.evaluate(NO_OVERFLOW) and page.evaluate(INSIDE)
