"""The way back to the results; and photos: a new one starts afresh, one that is refused or removed leaves no trace."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_journeys import LAMP, choose, first, titles

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1200)]

SECOND_PAGE = "/?q=tableware&sort=price&offset=24"


def back_to_the_card(page, address):
    card = page.locator(".found-products .card").nth(10)
    title = card.locator("h3").inner_text()
    card.locator("h3 a").click()
    page.wait_for_url("**/products/**")
    assert page.locator("input.words").input_value() == "tableware"
    page.get_by_role("link", name="Back to the results").click()
    page.wait_for_url(f"**{address}**")
    expect(page.locator(".found-products .card h3", has_text=title).first).to_be_in_viewport()
    expect(page.locator("#results h1")).to_have_text("“tableware”")
    assert page.locator("input.words").input_value() == "tableware"
    expect(page.locator(".paging [aria-current]")).to_have_text("2")


def test_back_to_page_2_with_its_words_order_and_place(visit):
    page = visit(SECOND_PAGE)
    found = titles(page)
    page.locator(".found-products .card").nth(10).scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    back_to_the_card(page, SECOND_PAGE)
    assert titles(page) == found
    page.wait_for_function("(scrolled) => Math.abs(scrollY - scrolled) <= 2", arg=scrolled)
    page.locator(".found-products .card h3 a").nth(10).click()
    page.wait_for_url("**/products/**")
    shown = page.url
    page.locator(".card h3 a").first.click()  # from product to product the way back stays the same
    page.wait_for_url(lambda url: url != shown)
    page.get_by_role("link", name="Back to the results").click()
    page.wait_for_url(f"**{SECOND_PAGE}**")
    assert titles(page) == found


@pytest.mark.torture
def test_back_without_javascript(visit):
    page = visit(SECOND_PAGE, java_script_enabled=False)
    back_to_the_card(page, SECOND_PAGE)


def test_back_to_the_results_of_a_photo(visit, photos):
    page = visit()
    choose(page, photos / LAMP)
    found = titles(page)
    first(page).click()
    page.wait_for_url("**/products/**")
    page.get_by_role("link", name="Back to the results").click()
    page.wait_for_url("**/?refine=**")
    page.reload()
    expect(page.locator("#results h1")).to_have_text("Similar to your photo")
    expect(page.locator("#editor")).to_be_visible()  # the photo has its box again
    assert titles(page) == found


def test_a_new_photo_starts_afresh_and_can_be_combined(visit, photos):
    page = visit("/?q=blue+mug")
    choose(page, photos / LAMP)
    expect(page.locator("#results h1")).to_have_text("Similar to your photo")
    assert page.locator("input.words").input_value() == ""
    expect(first(page)).to_contain_text("pendant lamp")
    page.get_by_role("link", name="Also search for “blue mug”").click()
    page.wait_for_url("**also=**")
    expect(page.locator("#results h1")).to_have_text("Your photo + “blue mug”")
    expect(page.locator(".chips button")).to_have_count(2)
    page = visit("/?q=blue+mug", java_script_enabled=False)
    page.set_input_files("#photo", photos / LAMP)
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator("#results h1")).to_have_text("Similar to your photo")
    expect(page.get_by_role("link", name="Also search for “blue mug”")).to_be_visible()


@pytest.mark.torture
def test_words_that_were_not_searched_yet_go_with_the_photo(visit, photos):
    page = visit()
    page.locator("input.words").fill("in green")
    choose(page, photos / LAMP)
    expect(page.locator("#results h1")).to_have_text("Your photo + “in green”")
    page.keyboard.press("Escape")
    page.locator("input.words").fill("in red")
    page.keyboard.press("Enter")
    expect(page.locator("#results h1")).to_have_text("Your photo + “in red”")


def test_a_refused_file_leaves_no_trace(visit, photos, tmp_path):
    (tmp_path / "list.pdf").write_bytes(b"%PDF-1.7\n" + bytes(2000))
    page = visit("/?q=mug")
    found = titles(page)
    page.set_input_files("#photo", tmp_path / "list.pdf")
    expect(page.locator("#message")).to_be_visible()
    expect(page.locator("#preview")).to_be_hidden()
    expect(page.locator("#editor")).to_be_hidden()
    assert titles(page) == found and page.locator("input.words").input_value() == "mug"
    page.locator("input.words").fill("bowl")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=bowl")
    choose(page, photos / LAMP)
    page.set_input_files("#photo", tmp_path / "list.pdf")  # the photo before it is there again
    expect(page.locator("#message")).to_be_visible()
    expect(page.locator("#preview")).to_be_visible()
    expect(page.locator("#editor")).to_be_visible()
    page.get_by_role("button", name="Remove the photo").click()
    page.wait_for_url(lambda url: url.endswith("/"))
    expect(page.locator(".asked-photo")).to_have_count(0)
    expect(page.locator(".count")).to_have_count(0)
