"""Suggestions in a real browser: by keyboard, mouse and touch, in both languages, and what the browser remembers."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, axe

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1200)]


def box(page):
    return page.get_by_role("combobox", name="Search words")


def options(page):
    return page.locator("#suggestions [role=option]")


def active(page):
    return page.locator("#suggestions [aria-selected=true]")


def type_in(page, text):
    box(page).click()
    box(page).press_sequentially(text)
    expect(options(page).locator("mark").first).to_be_visible()  # the list of an empty box marks nothing


def test_by_keyboard(visit):
    page = visit()
    expect(box(page)).to_have_attribute("aria-expanded", "false")
    type_in(page, "spe")
    expect(box(page)).to_have_attribute("aria-expanded", "true")
    assert box(page).get_attribute("aria-controls") == page.locator("[role=listbox]").get_attribute("id")
    expect(active(page)).to_have_count(0)
    page.keyboard.press("ArrowDown")
    expect(active(page)).to_have_text("speckled")
    assert box(page).get_attribute("aria-activedescendant") == active(page).get_attribute("id")
    expect(active(page).locator("mark")).to_have_text("spe")
    page.keyboard.press("ArrowUp")
    expect(active(page)).to_have_count(0)  # the box itself comes before the first
    assert box(page).get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowUp")
    expect(active(page)).to_have_attribute("id", f"suggestion-{options(page).count() - 1}")
    page.keyboard.press("Escape")
    expect(options(page).first).to_be_hidden()
    expect(box(page)).to_have_value("spe")
    page.keyboard.press("ArrowDown")
    expect(options(page).first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=speckled")
    type_in(page, " m")
    page.keyboard.press("Tab")
    expect(options(page).first).to_be_hidden()
    expect(box(page)).not_to_be_focused()


@pytest.mark.torture
def test_enter_without_a_choice_searches_for_what_was_typed(visit):
    page = visit()
    type_in(page, "mug")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=mug")
    expect(page.locator("h1")).to_have_text("“mug”")


def test_by_mouse_to_a_category_and_a_product(visit):
    page = visit()
    type_in(page, "teap")
    page.get_by_role("group", name="Categories").get_by_role("option", name="Teapots").click()
    page.wait_for_url("**filter=**Teapots**")
    expect(page.locator("h1")).to_contain_text("Teapots")
    type_in(page, "teap")
    product = page.get_by_role("group", name="Products").get_by_role("option").first
    expect(product.locator("mark")).to_have_text("teap")  # or the products are still those of fewer letters
    title = product.locator(".text").inner_text()
    picture = product.locator("img")
    assert picture.get_attribute("src").endswith("/128.jpg") and picture.evaluate(
        "each => each.decode().then(() => each.naturalWidth)"
    )
    product.click()
    page.wait_for_url("**/products/**")
    expect(page.locator("h1")).to_have_text(title)


def test_a_mistake_is_mended_and_outdated_answers_are_dropped(visit):
    page = visit()
    asked, held = [], []
    page.on("request", lambda request: asked.append(request.url) if "/api/v1/suggest" in request.url else None)

    def hold_the_first(route):
        held.append(route)
        if len(held) > 1:
            route.continue_()

    page.clock.install()
    page.reload()
    page.clock.pause_at(page.evaluate("Date.now() / 1000") + 1)  # a slow machine would type as slowly as people
    page.route("**/api/v1/suggest**", hold_the_first)
    box(page).press_sequentially("jug")
    assert held == []
    page.clock.run_for(400)
    while not held:
        page.wait_for_timeout(20)
    page.clock.resume()
    assert len(held) == 1 and held[0].request.url.count("q=jug") == 1  # one request for letters typed together
    box(page).fill("tepot")
    expect(page.get_by_role("group", name="Did you mean").get_by_role("option").first).to_have_text("teapot")
    assert len(asked) == 2


def test_recent_searches_stay_in_the_browser_and_can_be_cleared(visit):
    page = visit("/?q=mug")
    page.goto("/?q=xqzzyflurb")  # which finds nothing
    page.goto("/?q=red+teapot")
    sent = []
    page.on("request", lambda request: sent.append(request.url + (request.post_data or "")))
    page.goto("/")
    box(page).click()
    recent = page.get_by_role("group", name="Recent searches").get_by_role("option")
    expect(recent).to_have_text(["red teapot", "mug"])
    expect(page.get_by_role("group", name="Categories").get_by_role("option").first).to_be_visible()
    assert not [each for each in sent if "teapot" in each and "suggest" in each]
    assert json.loads(page.evaluate("localStorage.getItem('searches')")) == ["red teapot", "mug"]
    page.get_by_role("button", name="Clear recent searches").click()
    expect(recent).to_have_count(0)
    expect(box(page)).to_be_focused()
    assert page.evaluate("localStorage.getItem('searches')") is None


def test_the_slash_key_and_the_clear_button(visit):
    page = visit("/?q=lamp")
    page.locator("#results").focus()
    page.keyboard.press("/")
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value("lamp")
    page.keyboard.press("End")
    page.keyboard.type("/")
    expect(box(page)).to_have_value("lamp/")
    bound = page.locator("input[name=max]")
    bound.focus()
    page.keyboard.press("/")
    expect(bound).to_be_focused()
    page.get_by_role("button", name="Clear the words").click()
    expect(box(page)).to_have_value("")
    expect(box(page)).to_be_focused()
    expect(page.get_by_role("button", name="Clear the words")).to_be_hidden()


@pytest.mark.torture
def test_words_are_added_to_the_photo_that_is_searched_with(visit, photos):
    page = visit("/?like=mug-1a")
    type_in(page, "spe")
    page.get_by_role("option", name="speckled", exact=True).click()
    page.wait_for_url("**/?**like=mug-1a**")
    assert "q=speckled" in page.url


def test_by_touch_in_chinese_on_a_phone(visit):
    page = visit("/", locale="zh-CN", **PHONE)
    field = page.get_by_role("combobox")
    field.tap()
    field.press_sequentially("马")
    kind = page.get_by_role("group", name="分类").get_by_role("option", name="马克杯")
    expect(kind).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    kind.tap()
    page.wait_for_url("**filter=**Mugs**")


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.torture)])
def test_axe_finds_nothing_to_complain_of(visit, scheme):
    page = visit("/", color_scheme=scheme)
    type_in(page, "te")
    page.keyboard.press("ArrowDown")
    page.evaluate(axe())
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]] == []


def test_hostile_titles_are_shown_as_text(visit):
    page = visit()
    page.route(
        "**/api/v1/suggest**",
        lambda route: route.fulfill(
            json={
                "spelling": None,
                "words": [
                    {
                        "text": "<img src=x onerror=alert(1)>",
                        "marked": ["", "<img", " src=x onerror=alert(1)>"],
                        "url": "/",
                    }
                ],
                "kinds": [],
                "brands": [],
                "products": [],
            }
        ),
    )
    box(page).press_sequentially("x")
    expect(options(page)).to_have_text(["<img src=x onerror=alert(1)>"])
    assert options(page).locator("img").count() == 0
