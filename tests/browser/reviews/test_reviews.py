"""Reviews in a real browser: one is left by keyboard, moderated, answered, and found by its filter; also in Chinese."""

import pytest
from playwright.sync_api import expect

from catalog.reviews.review_store import ReviewStore
from tests.browser.conftest import PHONE, served, settle
from tests.browser.test_measures import WEIGHT, violations
from tests.fake_encoder import FakeEncoder
from tests.web.reviews.conftest import SMALL, WRITTEN, put
from tests.web.shop_fixtures import WRITE_KEY, make_shop, picture_bytes
from web.settings import Settings

pytestmark = pytest.mark.timeout(600)

DARK_PHONE = {"locale": "zh-CN", "color_scheme": "dark", **PHONE}
NO_OVERFLOW = "() => document.documentElement.scrollWidth <= window.innerWidth"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("reviews") / "shop"
    make_shop(home, FakeEncoder())
    for written in WRITTEN:
        put(home, "red", written)
    return home


@pytest.fixture(scope="module")
def shop(home):
    with served(Settings(home=home, timeout_ms=20_000)) as address:
        yield address


def moderate(visit, **options):
    page = visit("/merchant/reviews", **options)
    page.locator("#key").fill(WRITE_KEY)
    page.keyboard.press("Enter")
    expect(page.locator("#desk")).to_be_visible()
    return page


def test_a_review_is_left_by_keyboard_moderated_and_answered(visit, home):
    page = visit("/products/blue")
    expect(page.locator("#reviews")).to_contain_text("No reviews published yet.")
    page.get_by_role("link", name="Write a review").press("Enter")
    page.get_by_role("button", name="Submit review").press("Enter")
    errors = page.get_by_role("alert")
    expect(errors).to_be_focused()
    expect(errors).to_contain_text("Choose a rating from 1 to 5 stars.")
    assert violations(page) == []
    page.get_by_role("radio", name="3 of 5 stars").press("ArrowRight")
    expect(page.get_by_role("radio", name="4 of 5 stars")).to_be_checked()
    page.get_by_label("Headline").fill("Warm <b>and</b> soft")
    page.get_by_label("Your review").fill("The wool is soft.\nI wear it every day.")
    page.get_by_label("Name").fill("Bea")
    page.set_input_files("#review-photos", [{"name": "me.png", "mimeType": "image/png", "buffer": picture_bytes()}])
    page.get_by_role("button", name="Submit review").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("once the shop has approved it")
    assert page.evaluate("() => JSON.parse(localStorage.getItem('visitor'))").startswith("v-")
    expect(page.locator(".review")).to_have_count(0)

    desk = moderate(visit)
    row = desk.locator("#reviews > li[data-id]")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Warm <b>and</b> soft")
    expect(row.locator("img")).to_have_js_property("complete", True)
    assert violations(desk) == []
    row.focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#said")).to_have_text("Approved: 1 review.")
    expect(desk.locator("#reviews > li")).to_have_text("No review is waiting.")
    desk.keyboard.press("u")
    expect(row).to_be_focused()
    desk.keyboard.press("Delete")
    expect(desk.locator("#said")).to_have_text("Rejected: 1 review.")
    desk.locator("#state").select_option("rejected")
    expect(row).to_contain_text("Bea")
    row.get_by_role("button", name="Approve").click()
    desk.locator("#state").select_option("approved")
    desk.locator("#contains").fill("every day")
    expect(row).to_have_count(1)
    row.focus()
    desk.keyboard.press("r")
    desk.keyboard.type("Thank you, <i>Bea</i>.")
    desk.get_by_role("button", name="Save reply").press("Enter")
    expect(row.locator(".answer")).to_contain_text("Thank you, <i>Bea</i>.")
    assert violations(desk) == []

    page.goto("/products/blue")
    shown = page.locator("#reviews .review")
    expect(shown).to_contain_text("Warm <b>and</b> soft")
    expect(shown).to_contain_text("Thank you, <i>Bea</i>.")
    shown.locator("a[data-photo]").press("Enter")
    dialog = page.get_by_role("dialog", name="Photo 1 by Bea")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(shown.locator("a[data-photo]")).to_be_focused()
    page.goto("/?q=jumper")
    expect(page.locator(".rated")).to_have_count(2)
    (stored,) = ReviewStore(home).queue("approved", product_id="blue").reviews
    assert stored.author == "Bea" and stored.photos


def test_what_people_say_leads_to_the_sentences_that_say_it(visit):
    page = visit("/products/red")
    page.locator(".rating-line a").click()
    expect(page.locator("#reviews")).to_be_in_viewport()
    page.get_by_role("link", name="Size and fit: 2 negative").press("Enter")
    expect(page.locator(".review mark")).to_have_text([SMALL, SMALL])
    expect(page.locator("#list .count").first).to_have_text("1–2 of 2 reviews")
    page.get_by_role("checkbox", name="Verified purchases").check()
    expect(page.locator(".review mark")).to_have_text([SMALL])
    page.get_by_role("link", name="Remove Verified purchases").press("Enter")
    page.get_by_role("link", name="Show all reviews").press("Enter")
    expect(page.locator(".review")).to_have_count(len(WRITTEN))
    page.get_by_label("Sort by").select_option("lowest")
    page.get_by_role("button", name="Apply").press("Enter")
    expect(page.locator(".review").first).to_contain_text("Too small")
    vote = page.get_by_role("form", name="Is the review by Ann helpful?")
    vote.get_by_role("button", name="Yes").press("Enter")
    said = page.locator(".helpful [role=status]")
    expect(said).to_have_text("Thank you for your vote.")
    expect(said).to_be_focused()
    page.reload()
    expect(page.locator(".review", has_text="Ann")).to_contain_text("1 person found this helpful")


def test_without_a_script_filters_votes_and_the_form_work(visit):
    page = visit("/products/red/reviews", java_script_enabled=False)
    page.get_by_label("Rating", exact=True).select_option("4")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".review")).to_have_count(1)
    page.locator(".review").get_by_role("button", name="Yes").click()
    expect(page.locator(".review").filter(has_text="1 person found this helpful").first).to_be_visible()
    page.get_by_role("link", name="Write a review").click()
    page.locator("label:has(input[value='5'])").click()
    page.get_by_label("Your review").fill("Very good, sent without a script.")
    page.get_by_role("button", name="Submit review").click()
    expect(page.get_by_role("status").first).to_contain_text("once the shop has approved it")


@pytest.mark.torture
def test_a_review_in_chinese_on_a_phone(visit):
    page = visit("/products/green", **DARK_PHONE)
    page.get_by_role("link", name="写评价").tap()
    page.locator("label:has(input[value='5'])").tap()
    page.get_by_label("评价内容").fill("颜色很漂亮，质量也不错。")
    page.get_by_role("button", name="提交评价").tap()
    expect(page.get_by_role("status")).to_contain_text("店铺审核通过后会显示在这里")
    desk = moderate(visit, **DARK_PHONE)
    desk.locator("#contains").fill("颜色很漂亮")
    row = desk.locator("#reviews > li[data-id]")
    expect(row).to_have_count(1)
    row.get_by_role("button", name="通过", exact=True).tap()
    expect(desk.locator("#said")).to_have_text("已通过 1 条评价。")
    page.goto("/products/green/reviews?rating=5&language=zh")
    expect(page.locator(".review")).to_contain_text("颜色很漂亮，质量也不错。")
    expect(page.locator("#list")).to_contain_text("第 1–1 条，共 1 条评价")
    assert violations(page) == []


@pytest.mark.parametrize(
    "how", [pytest.param({}, marks=pytest.mark.torture), DARK_PHONE], ids=["light", "dark phone, Chinese"]
)
def test_nobody_is_shut_out_of_reviews(visit, how):
    page, answers = visit("/", **how), {}
    page.on("response", lambda answer: answers.update({answer.url: answer}))
    for address in ("/products/red", "/products/red/reviews?aspect=size", "/products/red/reviews/new"):
        page.goto("about:blank")
        answers.clear()
        page.goto(address)
        settle(page)
        text = [each for each in answers.values() if not (each.header_value("content-type") or "").startswith("image/")]
        weight = sum(len(each.body()) for each in text)
        print(f"{address}: {weight:,} bytes")
        assert weight <= WEIGHT, address
        assert violations(page) == [], address
        assert page.evaluate(NO_OVERFLOW), address
    desk = moderate(visit, **how)
    desk.locator("#state").select_option("approved")
    expect(desk.locator("#reviews > li[data-id]").first).to_be_visible()
    assert violations(desk) == [] and desk.evaluate(NO_OVERFLOW)
