"""Pictures of products: whole at every width, a gallery with zoom, and the next picture under the pointer."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1200)]

WIDTHS = (390, 600, 768, 1280)
# Pictures of which a part lies outside their frame, or whose sides are not in the proportion of their file.
CROPPED = """() => [...document.querySelectorAll("main .tile img, main .asked-photo")].filter((each) => {
    const shown = each.getBoundingClientRect();
    if (!shown.width || !each.complete || !each.naturalWidth) return false;
    const frame = (each.closest(".tile") ?? each).getBoundingClientRect();
    const outside = shown.left < frame.left - 1 || shown.right > frame.right + 1
        || shown.top < frame.top - 1 || shown.bottom > frame.bottom + 1;
    const whole = getComputedStyle(each).objectFit === "contain"
        || Math.abs(shown.width / shown.height - each.naturalWidth / each.naturalHeight) < 0.02;
    return outside || !whole;
}).map((each) => each.outerHTML)"""


def test_no_picture_is_cropped_at_any_width_or_zoom(visit):
    page = visit()
    sizes = [(width, 900) for width in WIDTHS] + [(1280 // 2, 768 // 2), (768 // 2, 1024 // 2)]  # the last: zoom 200 %
    for address in ("/products/mug-1a", "/?q=mug", "/?photo=p159"):
        page.goto(address)
        for width, height in sizes:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.querySelectorAll('main .tile img').length") > 1
            assert page.evaluate(CROPPED) == [], (address, width)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, width)


def test_the_gallery_opens_over_the_page_and_returns_the_focus(visit):
    page = visit("/products/mug-1a")
    thumbnails = page.locator(".thumbnails a")
    expect(thumbnails).to_have_count(2)  # the main picture is one of them
    first, second = (thumbnails.nth(number).get_attribute("data-picture") for number in range(2))
    thumbnails.nth(1).click()
    expect(thumbnails.nth(1)).to_have_attribute("aria-current", "true")
    large = page.locator(".gallery .main")
    assert second in large.locator("img").get_attribute("srcset") and "1280w" in large.locator("img").get_attribute(
        "srcset"
    )
    large.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Picture 2 of 2")
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text("Picture 1 of 2")
    shown = dialog.locator("img")
    expect(shown).to_have_attribute("src", f"/pictures/{first}/1280.jpg")
    page.wait_for_function("(each) => each.complete && each.clientWidth > 0", arg=shown.element_handle())
    small = shown.bounding_box()
    frame = dialog.locator(".frame").bounding_box()
    assert small["width"] <= frame["width"] + 1 and small["height"] <= frame["height"] + 1
    dialog.get_by_role("button", name="Zoom in").click()
    page.wait_for_function(
        "([each, width]) => each.clientWidth > 2 * width", arg=[shown.element_handle(), small["width"]]
    )
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(large).to_be_focused()
    assert first in large.get_attribute("href"), "the page shows the picture that was looked at last"


def test_without_script_thumbnails_show_their_picture_on_the_product_s_page(visit):
    page = visit("/products/mug-1a", java_script_enabled=False)
    second = page.locator(".thumbnails a").nth(1)
    picture = second.get_attribute("data-picture")
    second.click()
    page.wait_for_url("**/products/mug-1a?picture=2")
    assert picture in page.locator(".gallery .main img").get_attribute("src")
    assert page.locator(".gallery .main").get_attribute("href") == f"/pictures/{picture}/1280.jpg"


def test_a_card_shows_the_next_picture_under_the_pointer_and_in_focus(visit):
    page = visit("/?q=mug")
    card = page.locator(".found-products .card").nth(1)
    second = card.locator(".second img")
    expect(second).to_be_hidden()
    assert not second.evaluate("(each) => each.complete && each.naturalWidth > 0"), "it is loaded only when it is shown"
    card.hover()
    expect(second).to_be_visible()
    page.mouse.move(1, 1)
    page.locator(".found-products .card h3 a").first.focus()
    page.keyboard.press("Tab")  # by keyboard, so that the focus is visible
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".found-products .card .second").first).to_be_visible()


def test_white_stays_white_in_the_dark(visit):
    page = visit("/?q=mug", color_scheme="dark")
    tile = page.locator(".found-products .tile").first
    assert tile.evaluate("(each) => getComputedStyle(each).backgroundColor") == "rgb(255, 255, 255)"
    assert tile.locator("img").first.evaluate("(each) => getComputedStyle(each).mixBlendMode") == "normal"
