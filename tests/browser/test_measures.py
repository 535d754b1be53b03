"""What pages cost and whom they shut out: weight, movement, time to paint, and the rules of WCAG 2.2 A and AA."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import axe, settle

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1200)]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
PAGES = {
    "home": "/",
    "results": "/?q=red+lamp",
    "narrowed": '/?filter={"category":["Lighting"]}&sort=price',
    "photo": "/?photo=p159",
    "for you": "/for-you",
    "product": "/products/pendant-lamp-3a",
    "favourites": "/favourites?ids=mug-1a&ids=bowl-1a",
    "compare": "/compare?ids=mug-1a&ids=bowl-1a&ids=mug-2b",
    "error": "/nothing",
}
CHECKED = ("home", "results", "for you", "product", "favourites", "compare", "error")
VISITS = 3  # the quickest visit counts: the machine may be doing other things
WEIGHT = 150_000  # bytes, without pictures
PAINTED, PLAIN_FACTOR = 300.0, 4.0  # ms after the answer; on a busy machine, times what the plainest page takes then
MOVED = 0.001  # share of the window, as the browser counts layout shift

SHIFTS = """() => new Promise((done) => {
    let moved = 0;
    new PerformanceObserver((list) => {
        for (const each of list.getEntries()) if (!each.hadRecentInput) moved += each.value;
    }).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => done(moved), 300);
})"""
PAINT = """() => performance.getEntriesByName("first-contentful-paint")[0].startTime
    - performance.getEntriesByType("navigation")[0].responseEnd"""


PAINTED_PHOTO = """() => new Promise((done) => {
    new PerformanceObserver((list) => {
        const found = list.getEntriesByName("painted")[0];
        if (found) done(found.duration);
    }).observe({ type: "measure", buffered: true });
})"""


def violations(page, rules=RULES):
    page.evaluate(axe())
    # axe describes each element of each result, and looks for a selector of each: only what is wrong is read here.
    options = {"runOnly": rules, "resultTypes": ["violations"], "selectors": False}
    found = page.evaluate("(options) => axe.run(document, options)", options)
    return [(each["id"], [node["html"][:160] for node in each["nodes"]][:3]) for each in found["violations"]]


def movement(page):
    """How much of a page moved while it came; the stillest visit counts, as a busy machine may paint too early."""
    moved = page.evaluate(SHIFTS)
    for _ in range(VISITS - 1):
        if moved > MOVED:
            page.reload()
            settle(page)
            moved = min(moved, page.evaluate(SHIFTS))
    return moved


# Of the rules, contrast alone depends on the theme.
@pytest.mark.parametrize(
    ("theme", "rules"),
    [("light", RULES), pytest.param("dark", ["color-contrast"], marks=pytest.mark.torture)],
)
def test_nobody_is_shut_out(visit, photos, theme, rules):
    page = visit("/", color_scheme=theme, reduced_motion="reduce")
    for name in CHECKED:
        page.goto(PAGES[name])
        assert violations(page, rules) == [], name
    page.goto("/")
    page.set_input_files("#photo", photos / "s37.jpg")
    expect(page.locator(".choices [data-box]").first).to_be_visible()
    assert violations(page, rules) == []
    page.locator("#results .found-products .card h3 a").first.click()
    expect(page.locator("details.why")).to_be_visible()
    assert violations(page, rules) == []


def test_nobody_is_shut_out_on_phones_in_the_dark_and_in_chinese(visit):
    small = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    page = visit("/?q=lamp", locale="zh-CN", color_scheme="dark", **small)
    assert violations(page) == []
    page.locator(".open-facets").tap()
    assert violations(page) == []


def test_developers_try_a_search_on_the_page_of_the_api(visit):
    page = visit("/docs", viewport={"width": 360, "height": 740}, is_mobile=True, locale="zh-CN", color_scheme="dark")
    page.locator("#try-text").fill("lamp")
    page.get_by_role("button", name="搜索", exact=True).click()
    expect(page.locator("#try-hits li")).to_have_count(6)
    expect(page.locator("#try-status")).to_contain_text("件商品")
    expect(page.locator("#try-answer")).to_contain_text('"query_id"')
    assert violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_pages_are_light_and_still(visit):
    page = visit()
    weights = {}
    page.on("response", lambda answer: weights.update({answer.url: answer}))
    for name, address in PAGES.items():
        page.goto("about:blank")
        weights.clear()
        page.goto(address)
        settle(page)
        text = [each for each in weights.values() if not each.header_value("content-type").startswith("image/")]
        weight, moved = sum(len(each.body()) for each in text), movement(page)
        print(f"{name}: {weight:,} bytes, moved {moved:.4f}")
        assert weight <= WEIGHT and moved <= MOVED, name


@pytest.mark.torture  # times by the clock
def test_pages_are_painted_soon_after_the_answer(visit, photos):
    page = visit(PAGES["error"])
    settle(page)
    limit = max(PAINTED, PLAIN_FACTOR * page.evaluate(PAINT))
    for name, address in PAGES.items():
        painted = []
        for _ in range(VISITS):
            page.goto(address)
            settle(page)
            painted.append(page.evaluate(PAINT))
        print(f"{name}: painted {min(painted):.0f} ms after the answer")
        assert min(painted) <= limit, name
    page = visit()
    page.set_input_files("#photo", photos / "p159.jpg")
    assert page.evaluate(PAINTED_PHOTO) <= limit
