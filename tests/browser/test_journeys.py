"""What shoppers do, in a real browser: words, photos, boxes, filters, steering, products, languages, no JavaScript."""

import base64
import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import let_scripts_run

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1200)]

LAMP = "p159.jpg"  # a red and white pendant lamp
SCENE = "s37.jpg"  # a table lamp, and a jug beside it
ABOVE_THE_FOLD = """(height) => {  // picture, title and price of the first product
    const card = document.querySelector("#results .found-products .card");
    const boxes = [".tile", "h3", ".price"].map((part) => card?.querySelector(part)?.getBoundingClientRect());
    return boxes.every((box) => box && box.height > 0 && box.top >= 0 && box.bottom <= height);
}"""


def titles(page):
    return page.locator("#results .found-products .card h3 a").all_inner_texts()


def first(page):
    return page.locator("#results .found-products .card h3 a").first


def choose(page, photo):
    page.set_input_files("#photo", photo)
    expect(page.locator("#editor")).to_be_visible()
    expect(page.locator("#results[data-link*='refine=']")).to_be_attached()


def test_words(visit):
    page = visit()
    page.get_by_role("combobox", name="Search words").fill("speckled mug")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=speckled+mug")
    assert "mug" in first(page).inner_text()
    expect(page.locator("h1")).to_have_text("“speckled mug”")
    page.locator(".understood").get_by_role("link", name="speckled").click()  # the part of the question is removed
    page.wait_for_url("**/?q=mug")
    expect(page.locator(".count")).to_contain_text("1–10 of 10")
    page.get_by_role("combobox", name="Search words").fill("tableware")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=tableware")
    page.get_by_role("link", name="Page 2").click()
    page.wait_for_url("**offset=24**")
    expect(page.locator("#results")).to_be_focused()
    page.go_back()
    page.wait_for_url("**/?q=tableware")


def test_a_chosen_photo_gets_a_link_that_can_be_shared(visit, photos):
    page = visit()
    with page.expect_response(lambda answer: "/api/v1/search" in answer.url) as answer:
        choose(page, photos / LAMP)
    assert answer.value.json()["regions"] == []  # one object needs no boxes
    expect(page.locator(".choices [data-box]")).to_have_count(0)
    expect(page.get_by_role("button", name="Whole photo")).to_be_hidden()
    expect(first(page)).to_contain_text("pendant lamp")
    assert "refine=" in page.url
    shared = visit(page.url)
    assert titles(shared) == titles(page)
    assert shared.locator(".asked-photo").count() == 0 or not shared.locator(".asked-photo").is_visible()
    page.reload()
    expect(page.locator(".asked-photo")).to_be_visible()  # this tab remembers the photo
    page.get_by_role("combobox", name="Search words").fill("in green")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?**refine=**q=in+green**")
    expect(page.get_by_role("button", name="in green")).to_be_visible()


def test_a_pasted_photo(visit, photos):
    page = visit("/?q=mug")
    data = base64.b64encode((photos / LAMP).read_bytes()).decode()
    page.evaluate(
        """(data) => {
            const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
            const carried = new DataTransfer();
            carried.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
            dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, cancelable: true }));
        }""",
        data,
    )
    expect(page.locator("#results[data-link*='refine=']")).to_be_attached()
    expect(page.locator("#preview")).to_be_visible()


def test_a_box_by_mouse_keys_and_offer(visit, photos):
    page = visit()
    choose(page, photos / SCENE)
    expect(first(page)).to_contain_text("table lamp")
    offers = page.locator(".choices [data-box]")
    expect(offers.first).to_be_visible()
    names = [re.sub(r" \d$", "", name) for name in offers.all_inner_texts()]
    assert {"Jugs", "Table lamps"} <= set(names), "objects are named by their kind"
    choose_part = page.get_by_role("button", name="Choose an item in the photo")
    choose_part.click()
    expect(choose_part).to_have_attribute("aria-expanded", "true")
    area = page.locator("#editor .canvas").bounding_box()

    def at(across, down):
        return area["x"] + across * area["width"], area["y"] + down * area["height"]

    page.evaluate("document.addEventListener('crop', (told) => { window.told = told.detail; })")
    page.mouse.move(*at(0.05, 0.3))
    page.mouse.down()
    page.mouse.move(*at(0.4, 0.9), steps=4)
    page.mouse.up()
    left, top, right, bottom = page.evaluate("window.told")
    assert (left, top, right, bottom) == pytest.approx((0.05, 0.3, 0.4, 0.9), abs=0.02)
    expect(first(page)).to_contain_text("jug")
    frame = page.locator("#crop")
    expect(frame).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    moved = [left + 0.02, top, right + 0.02, bottom + 0.02]
    assert page.evaluate("window.told") == pytest.approx(moved, abs=0.001)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Whole photo")).to_have_attribute("aria-pressed", "true")
    expect(first(page)).to_contain_text("table lamp")
    offers.first.click()
    assert page.evaluate("window.told") == json.loads(offers.first.get_attribute("data-box"))
    expect(offers.first).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(("width", "height"), [pytest.param(1280, 768, marks=pytest.mark.torture), (390, 844)])
def test_the_first_product_is_in_view_above_the_fold(visit, photos, width, height):
    page = visit("/", viewport={"width": width, "height": height})
    for photo, several in ((SCENE, True), (LAMP, False)):
        choose(page, photos / photo)
        if several:
            expect(page.locator(".choices [data-box]").first).to_be_visible()
        expect(first(page)).to_be_visible()
        page.wait_for_function(ABOVE_THE_FOLD, arg=height)


def test_a_box_by_touch_with_names_in_chinese(visit, photos):
    page = visit("/", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, locale="zh-CN")
    choose(page, photos / SCENE)
    expect(page.locator(".choices [data-box]").first).to_be_visible()
    assert all(re.search("[一-鿿]", name) for name in page.locator(".choices [data-box]").all_inner_texts())
    page.get_by_role("button", name="框选照片中的商品").tap()
    badge = page.locator(".badge").first
    expect(badge).to_be_visible()
    badge.tap()
    expect(page.locator(".choices [aria-pressed=true][data-box]")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def prices(page):
    return [float(re.search("[0-9.]+", each)[0]) for each in page.locator(".found-products p.price").all_inner_texts()]


def test_filters_order_and_price(visit):
    page = visit("/?q=lamp")
    page.get_by_label("Sort by").select_option("price")
    page.wait_for_url("**sort=price**")
    costs = prices(page)
    assert costs == sorted(costs)
    most = costs[len(costs) // 2]
    page.locator("input[name=max]").fill(f"{most:g}")
    page.locator("input[name=max]").press("Enter")
    page.wait_for_url("**max=**")
    expect(page.locator(".chosen")).to_contain_text("Price: up to €" + f"{most:.2f}".removesuffix(".00"))
    costs = prices(page)
    assert costs == sorted(costs) and costs[-1] <= most
    brand = page.locator("#facets details", has=page.locator("summary", has_text="Brand")).get_by_role("button").first
    name = brand.locator("span").first.inner_text()
    brand.click()
    expect(page.locator(".chosen")).to_contain_text(f"Brand: {name}")
    expect(brand).to_be_focused()  # where one was is kept when the results are replaced
    assert all(name in each for each in page.locator(".found-products .kind").all_inner_texts())
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator(".chosen")).to_have_count(0)


def test_filters_open_as_a_sheet_on_phones(visit):
    page = visit("/?q=lamp", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    sheet = page.locator("#facets")
    expect(sheet).to_be_hidden()
    page.get_by_role("button", name="Filters").tap()
    expect(sheet).to_be_visible()
    sheet.get_by_role("button", name="Lighting").tap()
    page.wait_for_url("**filter=**")
    expect(sheet).to_be_visible()
    sheet.get_by_role("button", name=re.compile(r"^Show \d+ results$")).tap()
    expect(sheet).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_steering_with_more_and_less(visit):
    page = visit("/?q=mug")
    before, title = titles(page), first(page).inner_text()
    page.locator(".found-products .card").first.get_by_role("button", name="Less like this").click()
    page.wait_for_url("**less=**")
    assert titles(page) != before and title not in titles(page)
    expect(page.locator(".chips button")).to_have_count(2)
    page.locator(".chips button").last.click()
    page.wait_for_url("**drop=1**")
    assert titles(page) == before


def test_a_product_says_why_it_was_found_and_is_remembered(visit, photos):
    page = visit()
    choose(page, photos / LAMP)
    with page.expect_request("**/api/v1/events") as sent:
        first(page).click()
    assert sent.value.post_data_json["events"][0]["type"] == "click"
    page.wait_for_url("**/products/**")
    title = page.locator("h1").inner_text()
    why = page.locator("details.why")
    why.locator("summary").click()
    expect(why.locator(".reasons li").first).to_be_visible()
    expect(why.locator('[data-side="asked"] .veil')).to_be_visible()  # what matched in the photo that was sent
    page.goto("/")
    expect(page.locator("#personal h2").first).to_have_text("For you")
    expect(page.locator("#personal h2").last).to_have_text("Recently viewed")
    expect(page.locator("#personal")).to_contain_text(title)


def test_who_asks_not_to_be_tracked_is_not(visit):
    page = visit("/?q=mug")
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'doNotTrack', { get: () => '1' })")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    first(page).click()
    page.wait_for_url("**/products/**")
    let_scripts_run(page)
    assert not [each for each in asked if "/events" in each]
    assert page.evaluate("localStorage.getItem('visitor')") is None


def test_languages(visit):
    page = visit("/?q=mug", locale="zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator("#facets summary").first).to_have_text("分类")
    expect(page.locator("#facets")).to_contain_text("餐具")
    expect(first(page)).to_contain_text("马克杯")
    page.locator(".languages summary").click()
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_url(re.compile(r"/\?q=mug$"))  # links that are sent on do not carry the language
    page.goto("/")
    expect(page.locator("h1")).to_have_text("Show it. Find it.")


def test_without_javascript(visit, photos):
    page = visit("/", java_script_enabled=False)
    page.get_by_role("searchbox").fill("speckled mug")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/?q=speckled+mug")
    page.locator("#facets").get_by_role("button", name="Tableware").click()
    page.wait_for_url("**filter=**")
    expect(page.locator(".chosen")).to_contain_text("Tableware")
    page.goto("/")
    page.set_input_files("#photo", photos / LAMP)
    page.get_by_role("button", name="Search").click()
    expect(first(page)).to_contain_text("pendant lamp")
    expect(page.locator(".asked-photo")).to_be_visible()
    page.locator("#facets").get_by_role("button", name="Lighting").click()
    page.wait_for_url("**refine=**")
    page.get_by_role("searchbox").fill("in green")
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url("**q=in+green**")
    expect(page.locator(".chips button")).to_have_count(2)
    first(page).click()
    page.locator("details.why summary").click()
    expect(page.locator("details.why .reasons")).to_be_visible()
