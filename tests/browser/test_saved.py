"""Favourites, comparisons and shared links, which only the browser stores."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_journeys import titles

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1200)]


def card(page, number):
    return page.locator(".found-products .card").nth(number)


def test_favourites_are_saved_shown_shared_and_removed(visit):
    page = visit("/?q=mug", permissions=["clipboard-read", "clipboard-write"])
    found = titles(page)
    for number in (0, 2):
        heart = card(page, number).get_by_role("button", name="Save: ")
        heart.click()
        expect(heart).to_have_attribute("aria-pressed", "true")
    link = page.get_by_role("link", name="Favourites")
    expect(link).to_have_text("Favourites2")
    link.click()
    page.wait_for_url("**/favourites?ids=*")
    cards = page.locator("#favourites .card h3 a")
    expect(cards).to_have_text([found[2], found[0]])
    page.get_by_role("link", name="Share this list").click()
    expect(page.get_by_role("link", name="Link copied")).to_be_visible()
    shared = page.evaluate("navigator.clipboard.readText()")
    assert shared == page.url
    page.locator("#favourites .card").first.get_by_role("button", name="Save: ").click()
    page.reload()
    expect(cards).to_have_text([found[0]])
    other = visit(shared, java_script_enabled=False)
    expect(other.locator("#favourites .card h3 a")).to_have_text([found[2], found[0]])
    page.goto("/favourites")  # an address without ids shows what this browser stores
    page.wait_for_url("**/favourites?ids=*")
    expect(cards).to_have_text([found[0]])


def test_up_to_four_products_are_compared(visit):
    page = visit("/?q=mug")
    for number in range(4):
        card(page, number).hover()
        card(page, number).get_by_role("button", name="Compare: ").click()
    bar = page.get_by_role("region", name="Compare")
    card(page, 4).hover()
    card(page, 4).get_by_role("button", name="Compare: ").click()
    expect(bar).to_contain_text("Up to 4 products")
    bar.get_by_role("link", name="Compare (4)").click()
    page.wait_for_url("**/compare?ids=*")
    expect(page.get_by_role("columnheader")).to_have_count(4)
    category = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Category"))
    expect(category).to_be_visible()
    page.get_by_label("Show differences only").check()
    expect(category).to_be_hidden()
    page.get_by_role("link", name="Remove").first.click()
    expect(page.get_by_role("columnheader")).to_have_count(3)
    page.goto("/?q=mug")
    expect(bar.get_by_role("link", name="Compare (3)")).to_be_visible()
    bar.get_by_role("button", name="Clear all").click()
    expect(bar).to_have_count(0)
