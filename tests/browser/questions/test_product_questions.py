"""Questions about a product in a real browser: answered at once, or sent to the shop, whose answer is then a source."""

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
    home = tmp_path_factory.mktemp("questions") / "shop"
    make_shop(home, FakeEncoder())
    with served(Settings(home=home, timeout_ms=20_000)) as address:
        yield address


def ask(page, text):
    page.locator("#ask").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator(".answered .question")).to_contain_text(text)


def test_a_question_is_answered_at_once_or_sent_and_answered_by_the_shop(visit):
    page = visit("/products/red", java_script_enabled=False)
    ask(page, "What is it made of?")
    expect(page.locator(".answered")).to_contain_text("Made of: wool")
    expect(page.locator(".answered")).to_contain_text("Source: product details")
    ask(page, "Is it machine washable?")
    expect(page.locator(".answered .verdict")).to_have_text("This is not stated for this product.")
    page.get_by_role("button", name="Send this question to the shop").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The shop has received your question.")

    desk = visit("/merchant/questions")
    desk.locator("#key").fill(WRITE_KEY)
    desk.keyboard.press("Enter")
    question = desk.locator("#questions li", has_text="Is it machine washable?")
    expect(question).to_contain_text("Red jumper")
    assert violations(desk) == []
    question.get_by_label("Your answer").fill("Hand wash only.")
    question.get_by_role("button", name="Publish", exact=True).press("Enter")
    expect(desk.locator("#said")).to_have_text("Published")
    expect(desk.locator("#questions")).to_contain_text("No questions here.")

    shown = visit("/products/red")
    expect(shown.locator(".answered-questions")).to_contain_text("Hand wash only.")
    ask(shown, "Can I wash it in the machine?")
    expect(shown.locator(".answered")).to_contain_text("Source: an answer by the shop")
    assert violations(shown) == []

    chinese = visit("/products/red", locale="zh-CN", color_scheme="dark", **PHONE)
    ask(chinese, "可以机洗吗？")
    expect(chinese.locator(".answered .verdict")).to_have_text("商家曾回答过这个问题：")
    expect(chinese.locator(".answered blockquote")).to_have_attribute("lang", "en")
    assert violations(chinese) == [] and chinese.evaluate(NO_OVERFLOW)
