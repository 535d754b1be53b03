"""What one shopper gets and another does not, in a real browser: shelves, the list, the switch, and forgetting."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, let_scripts_run, settle
from tests.browser.test_measures import MOVED, WEIGHT, movement, violations

pytestmark = pytest.mark.timeout(600)

MUGS, LAMPS = ("mug-1a", "mug-2b", "bowl-1a"), ("pendant-lamp-3a", "table-lamp-1a", "pendant-lamp-1a")


def look_at(page, products):
    for product in products:
        with page.expect_response("**/api/v1/events"):
            page.goto(f"/products/{product}")


def listed(page):
    return page.locator("#personal .foot").evaluate_all("feet => feet.map((each) => each.dataset.id)")


def stored(page):
    return page.evaluate("() => Object.keys(localStorage).sort()")


def test_two_shoppers_get_lists_of_their_own_without_repeats(visit):
    lists = []
    for products in (MUGS, LAMPS):
        page = visit("/for-you")
        look_at(page, products)
        with page.expect_response(lambda answer: answer.request.method == "POST" and "/for-you" in answer.url):
            page.goto("/for-you")
        expect(page.locator(".list-lead")).to_have_text("Chosen from what you viewed and bought in this shop.")
        first = listed(page)
        page.get_by_role("link", name="Show more").press("Enter")
        expect(page.locator("#personal .card")).not_to_have_count(len(first))
        both = listed(page)
        assert both[: len(first)] == first and len(set(both)) == len(both) > len(first)
        focused = page.evaluate("() => document.activeElement.closest('.card').querySelector('.foot').dataset.id")
        assert focused == both[len(first)], "the keyboard goes on where the new products begin"
        lists.append(first)
    assert len(set(lists[0]) & set(lists[1])) < 0.6 * len(lists[0])


def test_a_look_is_answered_and_the_switch_and_forgetting_are_obeyed(visit):
    page = visit("/")
    look_at(page, ["mug-1a"])
    page.goto("/")
    shelf = page.locator("#personal section", has=page.get_by_role("heading", name="Because you looked at Dune"))
    expect(shelf.locator(".card").first).to_be_visible()
    assert "mug-1a" not in shelf.locator(".foot").evaluate_all("feet => feet.map((each) => each.dataset.id)")
    unwanted = shelf.locator(".card h3").first.inner_text()
    with page.expect_request("**/api/v1/events") as told:
        shelf.get_by_role("button", name="Not for me").first.press("Enter")
    assert [each["type"] for each in told.value.post_data_json["events"]] == ["dismiss"]
    expect(page.locator("#announce")).to_have_text("Removed from your recommendations")
    page.reload()
    expect(page.locator("#personal h2").first).to_have_text("For you")
    expect(page.locator("#personal").get_by_role("heading", name=unwanted, exact=True)).to_have_count(0)

    asked = []
    switch = page.get_by_role("switch", name="Personal recommendations")
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.press("Space")
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(page.get_by_role("status")).to_contain_text("are off")
    expect(shelf).to_have_count(0)
    page.on("request", lambda request: asked.append((request.method, request.url.partition("/api")[1:])))
    for address in ("/products/bowl-1a", "/", "/for-you"):
        page.goto(address)
        let_scripts_run(page)
    assert not [each for each in asked if each[0] != "GET" or "/v1/events" in each[1][1]]
    expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "false")
    assert "bowl-1a" not in page.evaluate("() => localStorage.getItem('viewed')")

    page.get_by_role("switch").press("Space")
    expect(page.locator(".list-lead")).to_contain_text("Chosen from what you viewed")
    page.evaluate("() => localStorage.setItem('searches', '[\"mug\"]')")
    page.route("**/api/v1/visitors/*", lambda route: route.abort(), times=1)
    page.get_by_role("button", name="Forget me").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Deleted here. The shop could not be reached")
    assert not {"visitor", "viewed", "dismissed", "searches"} & set(stored(page))
    with page.expect_request("**/api/v1/visitors/*") as forgotten:
        page.get_by_role("button", name="Forget me").press("Enter")
    expect(page.get_by_role("status")).to_have_text("Deleted, here and in the shop.")
    assert forgotten.value.method == "DELETE" and forgotten.value.response().status == 204
    assert not {"visitor", "viewed", "dismissed"} & set(stored(page))
    page.goto("/")
    expect(page.locator("#personal")).not_to_contain_text(re.compile("For you|Recently viewed"))


@pytest.mark.parametrize(
    "how",
    [pytest.param({"locale": "en"}, marks=pytest.mark.torture), {"locale": "zh-CN", "color_scheme": "dark", **PHONE}],
    ids=["light", "dark phone, Chinese"],
)
def test_nobody_is_shut_out_and_nothing_moves(visit, how):
    page = visit("/", reduced_motion="reduce", **how)
    look_at(page, ["mug-1a", "pendant-lamp-3a"])
    answers = {}
    page.on("response", lambda answer: answers.update({answer.url + answer.request.method: answer}))
    for address in ("/", "/for-you"):
        page.goto("about:blank")
        answers.clear()
        page.goto(address)
        settle(page)
        expect(page.locator("#personal .card").first).to_be_visible()
        text = [each for each in answers.values() if not each.header_value("content-type").startswith("image/")]
        weight, moved = sum(len(each.body()) for each in text), movement(page)
        print(f"{address}: {weight:,} bytes, moved {moved:.4f}")
        assert weight <= WEIGHT and moved <= MOVED, address
        assert violations(page) == [], address
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_without_a_script_the_page_says_what_it_has(visit):
    page = visit("/for-you", java_script_enabled=False)
    assert page.locator(".personal-settings noscript p").bounding_box() is not None
    expect(page.get_by_role("switch")).to_have_count(0)
    first = listed_without_script(page)
    page.get_by_role("link", name="Show more").click()
    assert not set(first) & set(listed_without_script(page))


def listed_without_script(page):
    return [each.get_attribute("data-id") for each in page.locator("#personal .foot").all()]


@pytest.mark.torture
def test_a_list_goes_on_where_it_ended_after_a_product_was_removed(visit):
    page = visit("/for-you")
    look_at(page, MUGS)
    page.goto("/for-you")
    expect(page.locator(".list-lead")).to_contain_text("Chosen from")
    offset = int(page.locator("[data-more]").get_attribute("data-more"))
    for _ in range(2):
        page.get_by_role("button", name="Not for me").first.click()
    with page.expect_request(lambda request: request.method == "POST" and "/for-you" in request.url) as wanted:
        page.get_by_role("link", name="Show more").click()
    assert f"offset={offset - 2}" in wanted.value.post_data


def test_what_everybody_sees_is_shown_where_the_shop_does_not_answer(visit):
    page = visit("/")
    look_at(page, ["mug-1a"])
    page.clock.install(time=0)
    page.clock.pause_at(1)
    page.route("**/shelves", lambda route: None)  # it hangs
    page.goto("/")
    expect(page.locator("html.rows-to-come")).to_have_count(1)
    page.clock.run_for(6_000)
    expect(page.locator("html.rows-to-come")).to_have_count(0)
    page.unroute_all(behavior="ignoreErrors")
    page.route("**/personal.js*", lambda route: route.abort())
    page.goto("/")
    expect(page.locator("html.rows-to-come")).to_have_count(1)
    page.clock.run_for(6_000)
    expect(page.locator("html.rows-to-come")).to_have_count(0)
